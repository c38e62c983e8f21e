"""``holdfast poison``: what it costs to change the labels of preference data, certified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from holdfast.solvers.poisoning.measure.measurement import Conditions, Measurement, measure
from holdfast.verify.campaign.exit_codes import ExitCode

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import SEED, Whole, refuse_idle
from ...terminal.targets import check_targets
from .input import FEATURES, Data, check_picture, progress_bar, read_data, sizes_of
from .numbers import COUNT_LIMIT, Positive, share
from .output import PURPOSE, cost_table, flips, headline, notes, rewards_table, robustness
from .records import append_record, document, write_flipped
from .targets import TARGETS, Target

_CERTIFICATE = "poison.certificate.json"
_EXACT = 20_000
"""Entries of the features up to which the exact cost is offered."""


def _kinds(kinds: dict[str, str]) -> str:
    return "; ".join(f"{name}: {words}" for name, words in kinds.items())


@click.command(name="poison", epilog=PURPOSE)
@click.argument("data")
@click.option("--target", default="random", show_default=True,
              help=f"The attack that is measured. {_kinds(TARGETS)}.")  # fmt: skip
@click.option("--rate", default="0.05", show_default=True, help="Share of the pairs it flips.")
@click.option("--order", type=click.Choice(["largest", "smallest"]), default="largest",
              show_default=True, help="Gaps in length that are taken first. The published code "
              "takes the smallest, although its comment says top; that the attack it follows takes "
              "the largest is recalled, not printed there.")  # fmt: skip
@click.option("--features", help=f"What a text is turned into. {_kinds(FEATURES)}. Default: "
              "sentence, or the features that the file holds.")  # fmt: skip
@click.option("--dimensions", help="Numbers of features n, as 8,32,128 (nested).")
@click.option("--projection", type=click.Choice(["principal", "first"]),
              help="How many become n: the leading principal components of the differences "
              "(default for texts), or the first n as they are (default for arrays).")  # fmt: skip
@click.option("--sizes", help="Numbers of pairs N, as 500,1000: nested random parts of the data.")
@click.option("--labels", help="File of benign labels, the probabilities that chosen wins; "
              "default 1 each.")  # fmt: skip
@click.option("--weights", help="File of weights; a pair of weight 2 counts as two.")
@click.option("--copies", type=Whole(1, COUNT_LIMIT), help="Copies m of each pair, to whose "
              "multiples labels are rounded; default 1.")  # fmt: skip
@click.option("--norm", type=click.Choice(["l1", "l2", "linf"]), default="l1", show_default=True,
              help="What is least; l1 is the expected number of flips.")  # fmt: skip
@click.option("--ridge", type=Positive(zero=True), default=1.0, show_default=True,
              help="lambda in lambda/2 norm(r)^2, for the ridge reward.")  # fmt: skip
@click.option("--width", type=Positive(), default=1e-6, show_default=True,
              help="Of the enclosure, relative.")  # fmt: skip
@click.option("--tolerance", type=Positive(zero=True), default=0.0, show_default=True,
              help="Drop features of which the others leave no more than this, relative to their "
              "size; all numbers are then those of the features kept, and what that costs is "
              "said.")  # fmt: skip
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of whatever is random.")
@click.option("--exact", is_flag=True, help="Solve in rational numbers (small data) and certify.")
@click.option("--certificate", help="Where the certificate of --exact goes.")
@click.option("--out", help="Write the rows that are flipped, answers exchanged (.jsonl, "
              ".jsonl.gz).")  # fmt: skip
@click.option("--plot", type=click.Path(), help="Draw the cost against n and N/n.")
@click.option("--json", "json_path", help="Write all numbers to a file.")
@click.option("--record", help="Append the robustness figure to a file, one JSON line a run.")
@click.option("--cache", default=".holdfast/embeddings", show_default=True,
              help="Folder that keeps encoded texts.")  # fmt: skip
def poison_command(data: str, **options: Any) -> int:
    """Measure how robust the labels of preference DATA are.

    DATA is a .jsonl, .jsonl.gz or .parquet file with chosen and rejected, or an .npz file of
    features. An attack flips labels; a linear reward learns from them only through the moments
    Phi theta, so fewer flips may teach the same. This gives certified bounds on how few.
    """
    console = output.console()
    target = _target(options)
    _check_paths(data, options)
    _check_idle(target, data, options)
    found, dimensions = read_data(console, data, options)
    _check_request(found, target, dimensions, options)
    headline(console, found, target)
    measurements = _measure_all(console, found, target, dimensions, options)
    for line in flips(target, measurements):
        console.print(f"{output.plain(line)}\n", highlight=False)
    console.print(cost_table(measurements))
    if measurements[0].rounded is not None:
        console.print(rewards_table(measurements))
    for note in notes(found, measurements):
        console.print(f"note: {output.plain(note)}\n", highlight=False)
    console.print(robustness(measurements[-1]))
    code = _exact(console, measurements[-1], options)
    _write(console, found, target, measurements, options)
    return code


def _target(options: dict[str, Any]) -> Target:
    return Target.parse(
        options["target"],
        rate=share(options["rate"], "the rate"),
        order=options["order"],
        seed=options["seed"],
        ridge=options["ridge"],
    )


def _check_paths(data: str, options: dict[str, Any]) -> None:
    """What can be refused before any work is done."""
    if options["certificate"] and not options["exact"]:
        raise click.BadParameter("--certificate goes with --exact; enclosures have none")
    if options["certificate"] and options["norm"] == "l2":
        raise click.BadParameter("--certificate: there is none for --norm l2; leave it out")
    if options["out"] and not options["out"].endswith((".jsonl", ".jsonl.gz")):
        raise click.BadParameter(
            f"--out {options['out']!r}: rows are written as .jsonl or .jsonl.gz; name it so"
        )
    names = ("out", "plot", "json_path", "record")
    targets = [("--" + name.removesuffix("_path"), options[name]) for name in names]
    if options["exact"] and options["norm"] != "l2":
        targets.append(("--certificate", options["certificate"] or _CERTIFICATE))
    given = {"--" + name: options[name] for name in ("labels", "weights", "features", "target")}
    given["--target"] = given["--target"].removeprefix("reward:")
    files = {name: path for name, path in given.items() if path and Path(path).is_file()}
    check_targets(targets, {"the data": data, **files})
    check_picture(options["plot"])


def _check_idle(target: Target, data: str, options: dict[str, Any]) -> None:
    """Refuses options that would have no effect."""
    named = f"has no effect with --target {options['target']}; leave it out"
    if not target.rated:
        refuse_idle(["rate"], named)
    if "length" not in target.kind:
        refuse_idle(["order"], named)
    if target.kind != "random" and options["sizes"] is None:
        refuse_idle(["seed"], "has no effect where nothing is random; leave it out")
    encoded = options["features"] in (None, "sentence") and not data.endswith(".npz")
    if not encoded:
        refuse_idle(["cache"], "has no effect unless texts are encoded as sentences; leave it out")


def _check_request(
    data: Data, target: Target, dimensions: Sequence[int], options: dict[str, Any]
) -> None:
    """What does not go together, now that the data are known."""
    if target.needs > dimensions[0]:
        raise click.BadParameter(
            f"--target {options['target']} needs {target.needs} features, but --dimensions begins "
            f"with {dimensions[0]}; leave out what is smaller"
        )
    if options["out"] and options["copies"] is None and not data.hard:
        raise click.BadParameter("--out needs --copies: some benign labels are fractions")
    if not (options["copies"] or data.hard or target.learns or options["tolerance"]):
        refuse_idle(["ridge"], "has no effect without --copies, as some benign labels are "
                    "fractions; leave it out")  # fmt: skip
    pairs = sizes_of(options["sizes"], data)[-1]
    if options["exact"] and dimensions[-1] * pairs > _EXACT:
        raise click.BadParameter(
            f"--exact: {dimensions[-1]} features of {pairs} pairs are {dimensions[-1] * pairs:,} "
            f"entries; rational arithmetic is offered up to {_EXACT:,}"
        )


def _measure_all(
    console: Console,
    data: Data,
    target: Target,
    dimensions: Sequence[int],
    options: dict[str, Any],
) -> list[Measurement]:
    """One measurement for each number of pairs and of features, in this order."""
    sizes = sizes_of(options["sizes"], data)
    copies = 1 if options["copies"] is None and data.hard else options["copies"]
    conditions = Conditions(
        options["norm"], options["width"], copies, options["ridge"], options["tolerance"]
    )
    total = len(sizes) * len(dimensions)
    with progress_bar(console, "measuring") as report:
        report(0, total)
        found = []
        for size in sizes:
            kept, part = data.part(size, options["seed"])
            labels = target.labels(part, kept)
            for n in dimensions:
                found.append(
                    measure(part.features[:n], part.benign, labels, conditions, part.weights)
                )
                report(len(found), total)
    return found


def _exact(console: Console, last: Measurement, options: dict[str, Any]) -> int:
    """Solve the last problem exactly, if asked for; the exit code."""
    if not options["exact"]:
        return ExitCode.AS_EXPECTED
    from holdfast.solvers.poisoning import FlipProblem, solve_flips

    problem = FlipProblem.of(last.features, last.benign, last.target, last.weights)
    solution = solve_flips(problem, last.norm)
    value = f"{float(solution.value):.12g}" + (" (squared)" if last.norm == "l2" else "")
    console.print(f"\n[bold]exact[/bold]: the least cost is {value}, a rational number of "
                  f"{len(str(solution.value.denominator))} digits; {solution.n_fractional} "
                  "fractional labels")  # fmt: skip
    if last.norm == "l2":
        return ExitCode.AS_EXPECTED
    path = Path(options["certificate"] or _CERTIFICATE)
    accepted = output.write_certificate(console, solution.certificate(), path)
    console.print("its value is minus the cost, which the program maximises")
    return ExitCode.AS_EXPECTED if accepted else ExitCode.CERTIFICATE_REJECTED


def _write(
    console: Console,
    data: Data,
    target: Target,
    measurements: Sequence[Measurement],
    options: dict[str, Any],
) -> None:
    for line in _written(data, target, measurements, options):
        console.print(line, highlight=False)


def _written(
    data: Data, target: Target, measurements: Sequence[Measurement], options: dict[str, Any]
) -> Iterator[str]:
    """Write what was asked for; a line each on where it went."""
    last = measurements[-1]
    if options["out"]:
        kept, _ = data.part(last.n_pairs, options["seed"])
        rows = write_flipped(data.pairs, kept, last, options["out"])
        yield f"flipped rows: {options['out']} ({rows:,} of them, n = {last.n_features})"
    if options["json_path"]:
        write_json(document(data, target, measurements), options["json_path"])
        yield f"numbers: {options['json_path']}"
    if options["record"]:
        append_record(data, target, last, options["record"])
        yield f"record: {options['record']} (one line more)"
    if options["plot"]:
        yield f"plot: {_draw(measurements, target.described(), options['plot'])}"


def _draw(measurements: Sequence[Measurement], title: str, path: str) -> Path:
    from holdfast.verify.poisoning.pictures import CostPoint, draw_costs

    points = [
        CostPoint(
            one.n_features,
            one.n_pairs,
            one.upper / one.attack if one.attack else 0.0,
            one.lower / one.attack if one.attack else 0.0,
            one.closed_form / one.attack if one.attack else 0.0,
        )
        for one in measurements
    ]
    return draw_costs(points, title, path)
