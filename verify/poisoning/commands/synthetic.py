"""``holdfast poison-synthetic``: how the cost of a label attack falls with pairs per feature."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, TypeVar

import click
from rich.console import Console, Group
from rich.table import Table

from holdfast.solvers.poisoning.measure.synthetic import (
    Cell,
    LossCell,
    loss_cells,
    random_cells,
    structured_cells,
)
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import DASH, count, duration

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import Whole, json_option, plot_option, refuse_repeated
from ...terminal.targets import check_picture, check_targets
from .input import progress_bar
from .numbers import share, whole_numbers
from .output import PURPOSE, titled


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``poison-synthetic`` says."""

    dimension: int
    multiples: str
    rates: str
    structured: str
    losses: str
    copies: str
    seeds: int
    plot: str | None
    json_path: str | None


@click.command(name="poison-synthetic", epilog=PURPOSE)
@click.option("--dimension", type=Whole(1, 10**6), default=50, show_default=True,
              help="Features n of the first table; the others have 3/5 and 2/5 of it.")  # fmt: skip
@click.option("--multiples", default="1,2,3,5,10,20,40", show_default=True,
              help="Pairs per feature, N / n, in the first table.")  # fmt: skip
@click.option(
    "--rates", default="0.05,0.25,0.5", show_default=True, help="Shares of the pairs to flip."
)
@click.option("--structured", default="10,14,24,40,52", show_default=True,
              help="N / n of the attacks that follow the features.")  # fmt: skip
@click.option("--loss", "losses", default="3,10,20,40,80", show_default=True,
              help="N / n in the table of losses after rounding.")  # fmt: skip
@click.option(
    "--copies", default="1,5,20", show_default=True, help="Numbers m of copies of each pair."
)
@click.option("--seeds", type=Whole(1, 10**6), default=5, show_default=True,
              help="Number of seeds to average over.")  # fmt: skip
@plot_option("the first two tables")
@json_option
def poison_synthetic_command(**given: Any) -> int:
    """Show on made-up data how few flips do the work of an attack.

    Features are Gaussian and all benign labels 1. Three tables: random flips by pairs per
    feature and rate, attacks that follow the features, and what rounding to copies leaves of the
    effect.
    """
    options = Options(**given)
    check_targets([("--plot", options.plot), ("--json", options.json_path)])
    check_picture(options.plot)
    console, since = output.console(), time.perf_counter()
    shares = [share(part, "a rate") for part in options.rates.split(",")]
    refuse_repeated(shares, "--rates")
    dimension, seeds = options.dimension, options.seeds
    small, smaller = max(1, 3 * dimension // 5), max(1, 2 * dimension // 5)
    columns = whole_numbers(options.multiples, "--multiples")
    later = whole_numbers(options.structured, "--structured")
    sizes = [k * smaller for k in whole_numbers(options.losses, "--loss")]
    _check_sizes(dimension * columns[-1] * dimension, small * later[-1] * small,
                 smaller * sizes[-1])  # fmt: skip
    granularity = whole_numbers(options.copies, "--copies")
    first = _collect(console, random_cells(dimension, columns, shares, seeds),
                     len(columns) * len(shares))  # fmt: skip
    console.print(_ratios(first, f"Random flips, n = {dimension}: {_WHAT}", seeds))
    second = _collect(console, structured_cells(small, later, seeds), 2 * len(later))
    console.print(_ratios(second, f"Flips that follow the features, n = {small}: {_WHAT}", seeds))
    third = _collect(console, loss_cells(smaller, sizes, granularity, _LOSS_RATE, seeds),
                     len(sizes) * len(granularity))  # fmt: skip
    console.print(_losses(third, seeds))
    console.print(f"every ratio is enclosed to {max(c.width for c in [*first, *second]):.1e}; "
                  f"{duration(time.perf_counter() - since)}", highlight=False)  # fmt: skip
    if options.json_path:
        cells = {"ratios": [*map(asdict, first), *map(asdict, second)],
                 "losses": [*map(asdict, third)], "seeds": seeds}  # fmt: skip
        write_json(cells, options.json_path)
        console.print(f"numbers: {options.json_path}", highlight=False)
    if options.plot:
        console.print(f"plot: {_draw([*first, *second], options.plot)}", highlight=False)
    return ExitCode.AS_EXPECTED


_ENTRIES = 10**8
"""Of the features of one problem, 0.8 GB of doubles: more would be held several times over."""


def _check_sizes(*entries: int) -> None:
    if max(entries) > _ENTRIES:
        raise click.BadParameter(
            f"the largest table has features of {max(entries):,} entries, n * N; at most "
            f"{_ENTRIES:,} are made: lower --dimension, --multiples, --structured or --loss"
        )


_Cell = TypeVar("_Cell", Cell, LossCell)
_LOSS_RATE = Fraction(1, 4)
_WHAT = "flips that suffice, as a share of the attack's"


def _collect(console: Console, cells: Iterable[_Cell], total: int) -> list[_Cell]:
    """All cells, on one thread: for matrices this small more threads are in each other's way."""
    from threadpoolctl import threadpool_limits

    found: list[_Cell] = []
    with threadpool_limits(1), progress_bar(console, "solving") as report:
        report(0, total)
        for cell in cells:
            found.append(cell)
            report(len(found), total)
    return found


def _ratios(cells: Sequence[Cell], title: str, seeds: int) -> Group:
    columns = sorted({cell.n_pairs // cell.n_features for cell in cells})
    table = Table("N / n", *map(str, columns), show_lines=True)
    for name in dict.fromkeys(cell.attack for cell in cells):
        row = {c.n_pairs // c.n_features: c for c in cells if c.attack == name}
        table.add_row(name, *(_mean(row[k].upper, row[k].spread) for k in columns))
    return titled(
        title,
        table,
        f"mean of {count(seeds, 'seed')} ± half the range"
        "; rates are rounded to whole flips, at least one",
    )


def _losses(cells: Sequence[LossCell], seeds: int) -> Group:
    sizes = sorted({cell.n_pairs for cell in cells})
    table = Table("copies m", *(f"N = {size:,}" for size in sizes), show_lines=True)
    for m in sorted({cell.copies for cell in cells}):
        row = {c.n_pairs: c for c in cells if c.copies == m}
        table.add_row(str(m), *(_mean(row[size].loss, row[size].spread, 3) for size in sizes))
    return titled(
        f"Effect lost by rounding to m copies, n = {cells[0].n_features}, random flips of "
        f"{float(100 * _LOSS_RATE):g} %",
        table,
        f"performance-loss ratio of the ridge reward, mean of {count(seeds, 'seed')} ± half the "
        f"range; at most {max(cell.fractional for cell in cells)} labels are fractional",
    )


def _mean(value: float, spread: float, digits: int = 2) -> str:
    """The mean, and under it the spread where there is one; a dash where it is not known."""
    if math.isnan(value):
        return DASH
    shown = f"±{spread:.{digits}f}".replace("±0.", "±.")
    return f"{value:.{digits}f}" + (f"\n{shown}" if spread >= 0.5 * 10.0**-digits else "")


def _draw(cells: Sequence[Cell], path: str) -> str:
    from holdfast.verify.poisoning.pictures import draw_ratios

    series: dict[str, list[tuple[float, float, float, float]]] = {}
    for cell in cells:
        point = (cell.n_pairs / cell.n_features, cell.upper, cell.least, cell.greatest)
        series.setdefault(f"{cell.attack} (n = {cell.n_features})", []).append(point)
    return str(draw_ratios(series, path))
