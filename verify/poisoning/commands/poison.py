"""``holdfast poison``: what it costs to change the labels of preference data, certified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from holdfast.solvers.poisoning.data.columns import EXAMPLE, ROLES
from holdfast.solvers.poisoning.measure.measurement import Conditions, Measurement, measure
from holdfast.verify.campaign.exit_codes import ExitCode

from ...terminal import output
from ...terminal.certificates import make_room, write_certificate
from ...terminal.json_files import write_json
from ...terminal.options import (
    Whole,
    certificate_option,
    json_option,
    plot_option,
    refuse_idle,
    seed_option,
    time_option,
)
from ...terminal.targets import check_picture, check_targets
from .input import FEATURES, Data, progress_bar, read_data, sizes_of
from .numbers import COUNT_LIMIT, Positive
from .options import Options
from .output import PURPOSE, cost_table, flips, headline, notes, rewards_table, robustness
from .records import append_record, document, write_flipped
from .targets import TARGETS, Target

_EXACT = 20_000
"""Entries of the features up to which the exact cost is offered."""


def _kinds(kinds: dict[str, str]) -> str:
    return "; ".join(f"{name}: {words}" for name, words in kinds.items())


@click.command(name="poison", epilog=PURPOSE)
@click.argument("data")
@click.option("--columns", metavar="ROLE=NAME,...", help="Which columns of DATA are what, such as "
              f"{EXAMPLE}. {_kinds(ROLES)}.")  # fmt: skip
@click.option("--target", default="random", show_default=True,
              help=f"The attack that is measured. {_kinds(TARGETS)}.")  # fmt: skip
@click.option("--rate", default="0.05", show_default=True, help="Share of the pairs to flip.")
@click.option("--order", type=click.Choice(["largest", "smallest"]), default="largest",
              show_default=True, help="Which gaps in length to flip first. The published code "
              "takes the smallest, although its comment says top; we recall that the attack it "
              "follows takes the largest, but have not seen it in print.")  # fmt: skip
@click.option("--features", help=f"How to turn a text into numbers. {_kinds(FEATURES)}. Default: "
              "sentence, or the features in the data file.")  # fmt: skip
@click.option("--dimensions", help="Numbers of features n, such as 8,32,128 (nested).")
@click.option("--projection", type=click.Choice(["principal", "first"]),
              help="How to reduce to n features: leading principal components (default for text) "
              "or the first n columns (default for arrays).")  # fmt: skip
@click.option(
    "--sizes", help="Numbers of pairs N, such as 500,1000: nested random parts of the data."
)
@click.option("--labels", help="File with the benign labels, each the probability that the chosen "
              "answer wins; default 1 for every pair.")  # fmt: skip
@click.option("--weights", help="File with a weight for each pair; a pair of weight 2 counts as "
              "two.")  # fmt: skip
@click.option("--copies", type=Whole(1, COUNT_LIMIT), help="Number m of copies of each pair; "
              "labels are rounded to multiples of 1/m. Default 1.")  # fmt: skip
@click.option("--norm", type=click.Choice(["l1", "l2", "linf"]), default="l1", show_default=True,
              help="Norm to minimise. l1 counts expected flips.")  # fmt: skip
@click.option("--ridge", type=Positive(zero=True), default=1.0, show_default=True,
              help="lambda of the penalty lambda/2 norm(r)^2 of the ridge reward.")  # fmt: skip
@click.option("--width", type=Positive(), default=1e-6, show_default=True,
              help="Relative width of the enclosure.")  # fmt: skip
@click.option("--tolerance", type=Positive(zero=True), default=0.0, show_default=True,
              help="Drop features that the others determine up to this share of their size. All "
              "results are then about the features kept, and the output says what that "
              "costs.")  # fmt: skip
@seed_option
@click.option("--exact", is_flag=True, help="Also solve in rational numbers (small data), with a "
              "certificate.")  # fmt: skip
@time_option
@certificate_option
@click.option("--out", type=click.Path(), help="Write the flipped rows, with their answers "
              "exchanged, to this .jsonl or .jsonl.gz file.")  # fmt: skip
@plot_option("the cost against n and N/n")
@json_option
@click.option("--record", type=click.Path(),
              help="Append the robustness figure to this file, one JSON line a run.")  # fmt: skip
@click.option("--cache", default=".holdfast/embeddings", show_default=True,
              help="Folder that keeps encoded texts.")  # fmt: skip
def poison_command(**given: Any) -> int:
    """Measure how robust the labels of preference DATA are.

    DATA is a .jsonl, .json, .csv or .parquet file with chosen and rejected, or with the columns
    that --columns names, or an .npz file of features. An attack flips labels; a linear reward
    learns from them only through the moments Phi theta, so fewer flips may teach the same. This
    gives certified bounds on how few.
    """
    options = Options(**given)
    console = output.console()
    target = Target.parse(options)
    _check_exact(options)
    _check_paths(options)
    _check_idle(target, options)
    found, dimensions = read_data(console, options)
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
    for line in _written(found, target, measurements, options):
        console.print(line, highlight=False)
    return code


def _check_exact(options: Options) -> None:
    if not options.exact:
        refuse_idle(["certificate"], "goes with --exact; enclosures have none")
        refuse_idle(["budget"], "goes with --exact; an enclosure takes the time that it takes")
    if options.norm == "l2":
        refuse_idle(["certificate"], "has no effect: there is none for --norm l2; leave it out")


def _check_paths(options: Options) -> None:
    """Of what is written and read."""
    if options.out and not options.out.endswith((".jsonl", ".jsonl.gz")):
        raise click.BadParameter(
            f"--out {options.out!r}: rows are written as .jsonl or .jsonl.gz; name it so"
        )
    targets = [
        ("--out", options.out),
        ("--plot", options.plot),
        ("--json", options.json_path),
        ("--record", options.record),
    ]
    if options.exact and options.norm != "l2":
        targets.append(("--certificate", options.certificate))
        make_room(options.certificate)
    given = {
        "--labels": options.labels,
        "--weights": options.weights,
        "--features": options.features,
        "--target": options.target.removeprefix("reward:"),
    }
    files = {name: path for name, path in given.items() if path and Path(path).is_file()}
    check_targets(targets, {"the data": options.data, **files})
    check_picture(options.plot)


def _check_idle(target: Target, options: Options) -> None:
    """Refuses options that would have no effect."""
    named = f"has no effect with --target {options.target}; leave it out"
    if not target.rated:
        refuse_idle(["rate"], named)
    if "length" not in target.kind:
        refuse_idle(["order"], named)
    if target.kind != "random" and options.sizes is None:
        refuse_idle(["seed"], "has no effect where nothing is random; leave it out")
    if options.features not in (None, "sentence") or options.data.endswith(".npz"):
        refuse_idle(["cache"], "has no effect unless texts are encoded as sentences; leave it out")


def _check_request(data: Data, target: Target, dimensions: Sequence[int], options: Options) -> None:
    """What does not go together, now that the data are known."""
    if target.needs > dimensions[0]:
        raise click.BadParameter(
            f"--target {options.target} needs {target.needs} features, but --dimensions begins "
            f"with {dimensions[0]}; leave out what is smaller"
        )
    if not (options.copies or data.hard):
        _check_fractions(target, options)
    pairs = sizes_of(options.sizes, data)[-1]
    if options.exact and dimensions[-1] * pairs > _EXACT:
        raise click.BadParameter(
            f"--exact: {dimensions[-1]} features of {pairs} pairs are {dimensions[-1] * pairs:,} "
            f"entries; rational arithmetic is offered up to {_EXACT:,}"
        )


def _check_fractions(target: Target, options: Options) -> None:
    """Some benign labels are fractions, and so are not rounded without --copies."""
    if options.out:
        raise click.BadParameter("--out needs --copies: some benign labels are fractions")
    if not (target.learns or options.tolerance):
        refuse_idle(["ridge"], "has no effect without --copies, as some benign labels are "
                    "fractions; leave it out")  # fmt: skip


def _measure_all(
    console: Console,
    data: Data,
    target: Target,
    dimensions: Sequence[int],
    options: Options,
) -> list[Measurement]:
    """One measurement for each number of pairs and of features, in this order."""
    sizes = sizes_of(options.sizes, data)
    copies = 1 if options.copies is None and data.hard else options.copies
    conditions = Conditions(options.norm, options.width, copies, options.ridge, options.tolerance)
    total = len(sizes) * len(dimensions)
    with progress_bar(console, "measuring") as report:
        report(0, total)
        found = []
        for size in sizes:
            kept, part = data.part(size, options.seed)
            labels = target.labels(part, kept)
            for n in dimensions:
                found.append(
                    measure(part.features[:n], part.benign, labels, conditions, part.weights)
                )
                report(len(found), total)
    return found


def _exact(console: Console, last: Measurement, options: Options) -> int:
    """Solve the last problem exactly, if asked for; the exit code."""
    if not options.exact:
        return ExitCode.AS_EXPECTED
    from holdfast.solvers import Limits
    from holdfast.solvers.poisoning import FlipProblem, solve_flips

    problem = FlipProblem.of(last.features, last.benign, last.target, last.weights)
    limits = Limits() if options.budget is None else Limits(seconds=options.budget)
    solution = solve_flips(problem, last.norm, limits)
    value = f"{float(solution.value):.12g}" + (" (squared)" if last.norm == "l2" else "")
    console.print(f"\n[bold]exact[/bold]: the least cost is {value}, a rational number of "
                  f"{len(str(solution.value.denominator))} digits; {solution.n_fractional} "
                  "fractional labels")  # fmt: skip
    if last.norm == "l2":
        return ExitCode.AS_EXPECTED
    proof = solution.certificate()
    accepted = write_certificate(console, proof, options.certificate, options.data)
    console.print("its value is minus the cost, which the program maximises")
    return ExitCode.AS_EXPECTED if accepted else ExitCode.CERTIFICATE_REJECTED


def _written(
    data: Data, target: Target, measurements: Sequence[Measurement], options: Options
) -> Iterator[str]:
    """Write what was asked for; a line each on where it went."""
    last = measurements[-1]
    if options.out:
        kept, _ = data.part(last.n_pairs, options.seed)
        rows = write_flipped(data.pairs, kept, last, options.out)
        yield f"flipped rows: {options.out} ({rows:,} of them, n = {last.n_features})"
    if options.json_path:
        write_json(document(data, target, measurements), options.json_path)
        yield f"numbers: {options.json_path}"
    if options.record:
        append_record(data, target, last, options.record)
        yield f"record: {options.record} (one line more)"
    if options.plot:
        yield f"plot: {_draw(measurements, target.described(), options.plot)}"


def _draw(measurements: Sequence[Measurement], title: str, path: str) -> Path:
    from holdfast.verify.poisoning.pictures import CostPoint, draw_costs

    def point(one: Measurement) -> CostPoint:
        costs = (one.upper, one.lower, one.closed_form)
        shares = (cost / one.attack if one.attack else 0.0 for cost in costs)
        return CostPoint(one.n_features, one.n_pairs, *shares)

    return draw_costs([point(one) for one in measurements], title, path)
