"""``holdfast debias``: what safety training adds to tokens in every context, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from holdfast.verify.campaign.exit_codes import ExitCode

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import Whole, json_option, seed_option
from ...terminal.targets import check_targets, make_folder
from ...terminal.trainings import require_torch
from .models import pair_of_models, texts_of, tokens_of

_SHOWN = 3
"""Tokens that each position favours or avoids most: more would not be read."""
_NEW = 32
"""Tokens of a continuation that is shown, at most: as many as fit into a line or two."""


@click.command(name="debias")
@click.argument("safe", metavar="SAFE")
@click.argument("reference", metavar="REFERENCE")
@click.option("--out", type=click.Path(), required=True, help="Folder for bias.safetensors.")
@click.option("--positions", type=Whole(1, 10**4), default=10, show_default=True,
              help="L: tokens of the response, from the first, that are debiased.")  # fmt: skip
@click.option("--samples", type=Whole(2, 10**7), default=1000, show_default=True,
              help="Random prompts with random prefixes.")  # fmt: skip
@click.option("--prompt-length", type=Whole(1, 10**5), default=16, show_default=True,
              help="Tokens of a random prompt, about those of real ones.")  # fmt: skip
@click.option("--pool", type=click.Path(), help="Text whose tokens the random prompts are drawn "
              "from, neutral as to safety; default all tokens that are not special.")  # fmt: skip
@click.option("--frame", default="{}", metavar="TEXT", help="What stands around every prompt, with "
              "{} in its place, such as a chat template; without it the bias is estimated in other "
              "contexts than those of use.")  # fmt: skip
@click.option("--prompt", help="Show how this text is continued with and without the bias.")
@seed_option
@json_option
def debias_command(
    safe: str,
    reference: str,
    out: str,
    positions: int,
    samples: int,
    prompt_length: int,
    pool: str | None,
    frame: str,
    prompt: str | None,
    seed: int,
    json_path: str | None,
) -> int:
    """Estimate the bias of SAFE against REFERENCE, the model before its safety training (of two
    stages the outcome of the first), and keep it.

    Both are folders as save_pretrained writes them. In Python, generate with
    Debiaser(load_bias(folder), prompt_length) as a logits processor. What depends on the context
    stays; a legitimate shift that is the same in every context goes as well.
    """
    sides = frame.split("{}")
    if len(sides) != 2:
        raise click.BadParameter(
            f"--frame {frame!r} has {{}} {len(sides) - 1} times; write it once"
        )
    check_targets([("--json", json_path)])
    make_folder("--out", out)
    lines = None if pool is None else texts_of(pool, "--pool")
    require_torch()
    from holdfast.solvers.neural.alignment.debiasing import check_room, estimate_bias

    model, base, tokenizer = pair_of_models(safe, reference)
    room, framed = 0, "" if prompt is None else frame.replace("{}", prompt)
    if prompt is not None:
        room = 1 + check_room(model, 1 + len(tokens_of(framed, tokenizer, "--prompt")))

    bias = estimate_bias(
        model, base, _pool(tokenizer, lines), positions=positions, samples=samples,
        prompt_length=prompt_length, seed=seed, before=_tokens(tokenizer, sides[0]),
        after=_tokens(tokenizer, sides[1]),
    )  # fmt: skip
    console = output.console()
    rows = _rows(bias, tokenizer)
    console.print(_table(rows))
    console.print(
        f"standard error at most {bias.errors.max():.3g} nats; debiasing moves the law of a "
        f"sequence by at most {bias.budget:.3g} nats of KL",
        highlight=False,
    )
    if prompt is not None:
        _continue(console, (model, tokenizer), bias, framed, min(room, _NEW))
    console.print(f"bias: {output.plain(bias.save(Path(out)))}", highlight=False)
    if json_path is not None:
        found = {"samples": samples, "budget": bias.budget, "error": float(bias.errors.max())}
        write_json({**found, "positions": rows}, json_path)
    return ExitCode.AS_EXPECTED


def _pool(tokenizer: Any, lines: list[str] | None) -> list[int]:
    if lines is None:
        special = set(tokenizer.all_special_ids)
        return [token for token in range(len(tokenizer)) if token not in special]
    return [token for line in lines for token in _tokens(tokenizer, line)]


def _tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _rows(bias: Any, tokenizer: Any) -> list[dict[str, Any]]:
    """What each position favours and avoids most."""
    rows = []
    for values in bias.values:
        order = values.argsort()
        named = {
            name: {tokenizer.decode([int(v)]): float(values[v]) for v in found}
            for name, found in (("favoured", order[::-1][:_SHOWN]), ("avoided", order[:_SHOWN]))
        }
        rows.append({**named, "span": float(values.max() - values.min())})
    return rows


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("position", "favoured", "avoided", "span, nats", title="bias of the safe model")
    for at, row in enumerate(rows, start=1):
        words = (
            ", ".join(f"{token!r} {value:+.3g}" for token, value in row[name].items())
            for name in ("favoured", "avoided")
        )
        table.add_row(str(at), *(output.plain(one) for one in words), f"{row['span']:.3g}")
    return table


def _continue(
    console: Console, network: tuple[Any, Any], bias: Any, prompt: str, count: int
) -> None:
    """Greedy continuations by a model and its tokenizer, without and with the bias taken off."""
    from holdfast.solvers.neural.alignment.debiasing import Debiaser

    model, tokenizer = network
    given = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    length = given["input_ids"].shape[1]
    for name, processors in (("as it is", []), ("debiased", [Debiaser(bias, length)])):
        found = model.generate(
            input_ids=given["input_ids"], attention_mask=given["attention_mask"],
            do_sample=False, max_new_tokens=count, logits_processor=processors,
        )  # fmt: skip
        text = tokenizer.decode(found[0, length:], skip_special_tokens=True)
        console.print(f"{name}: {output.plain(text)}", highlight=False)
