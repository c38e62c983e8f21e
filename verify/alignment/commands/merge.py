"""``holdfast merge``: two policies, one policy between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.verify.campaign.exit_codes import ExitCode

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import json_option
from ...terminal.targets import check_targets, make_folder
from .models import pair_of_models, texts_of, tokens_of

_PROMPT = "prompt"


@click.command(name="merge")
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@click.option("--share", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="q: 0 is the first policy, 1 the second. Of the stages of SACPO at the "
              "multiplier L the merge of logits has the multiplier q L.")  # fmt: skip
@click.option("--out", type=click.Path(), help="Write the model of averaged weights into this "
              "folder, and merge.json, which names both models and the share.")  # fmt: skip
@click.option("--prompts", type=click.Path(), help="Compare both merges on the next token after "
              "each line of this file.")  # fmt: skip
@json_option
def merge_command(
    first: str,
    second: str,
    share: float,
    out: str | None,
    prompts: str | None,
    json_path: str | None,
) -> int:
    """Merge two policies of one architecture, FIRST and SECOND: folders as save_pretrained writes
    them.

    Averaged weights make a model of their own, which is near the merge of logits only where models
    are nearly linear between them; the comparison says how near. The merge of logits itself needs
    both models: in Python, generate with the first and MergedLogits(second, share) as a logits
    processor.
    """
    if out is None and prompts is None:
        raise click.UsageError(
            "say where to write with --out, or what to compare on with --prompts"
        )
    check_targets([("--json", json_path)])
    if out is not None:
        make_folder("--out", out)
    texts = [] if prompts is None else texts_of(prompts, "--prompts")
    networks = pair_of_models(first, second)
    rows = _merged(networks, texts, share, None if out is None else Path(out))
    console = output.console()
    for row in rows:
        console.print(
            f"{output.plain(row[_PROMPT])}: weights {row['weights']:.4f}, first {row['first']:.4f},"
            f" second {row['second']:.4f} from the merge of logits, total variation of the next "
            "token",
            highlight=False,
        )
    if out is not None:
        names = {"first": str(Path(first).absolute()), "second": str(Path(second).absolute())}
        write_json({**names, "share": share}, Path(out) / "merge.json")
        console.print(f"averaged weights: {output.plain(out)}", highlight=False)
    if json_path is not None:
        write_json({"share": share, "prompts": rows}, json_path)
    return ExitCode.AS_EXPECTED


def _merged(
    networks: tuple[Any, Any, Any], texts: list[str], share: float, out: Path | None
) -> list[dict[str, Any]]:
    """How far weights and both models are from the merge of logits; the average is written."""
    from holdfast.solvers.neural.alignment.merging import (
        average_weights,
        check_shapes,
        merged,
        next_laws,
    )

    first, second, tokenizer = networks
    check_shapes(first, second)
    tokens = [tokens_of(text, tokenizer, "--prompts") for text in texts]
    laws = [next_laws(one, tokens) for one in (first, second)] if texts else []
    average = average_weights(first, second, share)
    if out is not None:
        average.save_pretrained(out)
        tokenizer.save_pretrained(out)
    if not texts:
        return []
    wanted = merged(laws[0], laws[1], share).exp()
    named = {"weights": next_laws(average, tokens), "first": laws[0], "second": laws[1]}
    far = {
        name: ((law.exp() - wanted).abs().sum(dim=1) / 2).tolist() for name, law in named.items()
    }
    return [
        {_PROMPT: text, **{name: far[name][at] for name in named}} for at, text in enumerate(texts)
    ]
