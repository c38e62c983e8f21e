"""What ``holdfast poison`` prints: what an attack costs, what is left of it, what is certain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table

from holdfast.solvers.poisoning.measure.measurement import Effect, Measurement
from holdfast.solvers.solution import Status
from holdfast.verify.report.numbers import DASH, count, duration
from holdfast.verify.report.text import VisibleText as Text

from ...terminal.output import plain
from .input import Data
from .targets import Target

PURPOSE = (
    "This measures how robust a preference-learning pipeline is to changed labels. It works on "
    "your own data only, exchanges answers that are in it, and writes no text of its own."
)
_UNITS = {
    "l1": "expected flips",
    "l2": "l2 norm of the changes",
    "linf": "largest change of a label",
}


_WIDE = 1000
"""Columns that no table here has."""


def headline(console: Console, data: Data, target: Target) -> None:
    """What is measured, on which data, and what for."""
    pairs = data.pairs
    console.print(
        f"[bold]{plain(pairs.path.name)}[/bold]: {count(pairs.n_pairs, 'pair')}, "
        f"digest {pairs.digest}",
        highlight=False,
    )
    console.print(f"features: {plain(data.described)}", highlight=False)
    console.print(f"target:   {plain(target.described())}", highlight=False)
    console.print(f"[dim]{PURPOSE}[/dim]\n", highlight=False)


def flips(target: Target, measurements: Sequence[Measurement]) -> Iterator[str]:
    """What the target flips of each number of pairs."""
    rows = {one.n_pairs: one for one in measurements}
    for one in rows.values():
        where = f", N = {one.n_pairs:,}" if len(rows) > 1 else ""
        verb = "flips" if target.rated else "changes"
        yield f"target {verb}{where}: {target.flipped(one)}"


def titled(title: str, table: Table | _Numbers, caption: str) -> Group:
    """A table with a title and a caption as wide as the page, whatever its own width."""
    return Group(Text(title, style="bold"), table, Text(caption, style="dim"), "")


class _Numbers:
    """Rows of numbers under headings; each row is a column where a terminal is too narrow."""

    def __init__(self, *headings: str) -> None:
        self.headings, self.rows = headings, list[Sequence[str]]()

    def add_row(self, *cells: str) -> None:
        """One cell for each heading."""
        self.rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table()
        for heading in self.headings:
            table.add_column(heading, justify="right")
        for row in self.rows:
            table.add_row(*row)
        needed = console.measure(table, options=options.update(max_width=_WIDE)).maximum
        if needed > options.max_width:
            table = Table(show_header=False)
            for _ in range(1 + len(self.rows)):
                table.add_column(justify="right")
            for heading, *cells in zip(self.headings, *self.rows, strict=True):
                table.add_row(heading.replace("\n", " "), *cells)
        yield table


def cost_table(measurements: Sequence[Measurement]) -> Group:
    """What the target costs and the least that has the same effect."""
    unit = _UNITS[measurements[0].norm]
    table = _Numbers("n", "N", "N / n", "target\ncosts", "this much\nsuffices", "saving",
                     "closed\nform", "time")  # fmt: skip
    for one in measurements:
        table.add_row(
            _kept(one),
            f"{one.n_pairs:,}",
            f"{one.ratio:,.0f}" if one.ratio >= 100 else f"{one.ratio:.3g}",
            below(one.attack),
            enclosure(one.lower, one.upper),
            percent(one.saving),
            below(one.closed_form),
            duration(one.seconds),
        )
    return titled(
        f"What the target's effect costs, in {unit} (not divided by N)",
        table,
        "n features, N pairs; closed form: a lower bound that needs no optimisation "
        "(holdfast show poisoning/lower-bound)",
    )


def _kept(one: Measurement) -> str:
    """n, and of how many where a tolerance dropped some."""
    given = f" of {one.n_features + one.n_dropped:,}" if one.n_dropped else ""
    return f"{one.n_features:,}{given}"


def rewards_table(measurements: Sequence[Measurement]) -> Group:
    """What is left of the effect after rounding to whole copies."""
    copies = measurements[0].copies
    table = _Numbers("n", "N", "fractional\nlabels", "rows,\nat least", "rows\nflipped",
                     "loss,\nridge", "loss,\nNewton", "thinned,\nridge")  # fmt: skip
    for one in measurements:
        counts = (one.n_pairs, one.fractional, one.least_rows, one.rows)
        losses = (*map(_loss, one.effects), _share(one.effects[0].thinned))
        table.add_row(_kept(one), *(DASH if n is None else f"{n:,}" for n in counts), *losses)
    return titled(
        "Whole rows" + (f", {copies} copies of each pair" if copies != 1 else ""),
        table,
        "rows: the certified bound, rounded up, and those that were chosen, together, to teach "
        "what the attack teaches. loss: share of the attack's effect that is lost, 0 none of it, 1 "
        "all of it; thinned: the loss of as many rows drawn at random from the attack's",
    )


def notes(data: Data, measurements: Sequence[Measurement]) -> Iterator[str]:
    """What a reader must know to read the tables rightly."""
    yield from data.notes
    few = [one for one in measurements if one.n_pairs <= one.n_features]
    if few:
        yield (
            f"N <= n in {count(len(few), 'row')}: pairs with independent features leave no choice, "
            "so nothing can be saved"
        )
    if measurements[0].rounded is None:
        yield "some benign labels are fractions: give --copies m to round to multiples of 1/m"
    if separable := _not_learnt(measurements, Status.UNATTAINED):
        yield (
            f"separable: some reward ranks all pairs as the {_joined(separable)} labels do, "
            "so that no finite reward fits them best (Newton). Costs and bounds remain valid, and "
            "so does what they mean for any loss with a ridge or a fixed number of steps: the two "
            "losses are the same function up to a constant"
        )
    yield from _of_rows(measurements)
    if _not_learnt(measurements, Status.UNDECIDED):
        yield (
            "Newton stopped early for some rows: the gradient did not vanish within the iterations "
            "allowed; allow more, or add ridge"
        )


def _not_learnt(measurements: Sequence[Measurement], why: Status) -> list[str]:
    """Names of the labels from which some reward is not learnt for this reason."""
    effects = (effect for one in measurements for effect in one.effects)
    failed = (pair for effect in effects for pair in effect.failed.items())
    return sorted({name for name, status in failed if status is why})


def _of_rows(measurements: Sequence[Measurement]) -> Iterator[str]:
    """What is to be known of some rows; a note that is true of several is given once."""
    said: dict[str, str] = {}
    for one in measurements:
        for note in one.notes:
            said.setdefault(note, f"{_row(one)}: {note}")
    yield from said.values()
    for one in measurements:
        if one.dropped is not None:
            yield f"{_row(one)}: {count(one.n_dropped, 'feature')} dropped; {_price(one)}"


def _row(one: Measurement) -> str:
    return f"n = {_kept(one)}, N = {one.n_pairs:,}"


def _price(one: Measurement) -> str:
    """What is known of the reward that is learnt with what was dropped, too."""
    if one.price is None:
        return (
            "nothing is claimed of rewards that are learnt with all features, which takes a ridge "
            "above zero and numbers within doubles"
        )
    return (
        "with the ridge, the reward that all features learn from the cheapest labels is within "
        f"{one.price:.3g} of the target's (2-norm)"
    )


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def statement(measurement: Measurement) -> str:
    """The robustness figure in words."""
    one, weighted = measurement, measurement.weights is not None
    kept = f" kept of {one.n_features + one.n_dropped:,}" if one.n_dropped else ""
    total = Fraction(float(one.weights.sum())) if one.weights is not None else one.n_pairs
    share = below(100 * Fraction(one.lower) / total)
    whole = "" if one.least_rows is None else f", {_whole(one)},"
    what = {
        "l1": f"at least {below(one.lower)} of {count(one.n_pairs, 'label')} "
        f"({share} %){whole} must be changed",
        "l2": f"changes of labels of l2 norm at least {below(one.lower)} are needed",
        "linf": f"some label must be changed by at least {below(one.lower)}",
    }[one.norm]
    if weighted and one.norm == "l1":
        what = (
            f"labels of a weight of at least {below(one.lower)} of {below(total)} ({share} %) must "
            "be changed"
        )
    elif weighted:
        what += " (each change times the weight of its pair)"
    return (
        f"{what} to move the learnt reward to this target (a linear reward on "
        f"{count(one.n_features, 'fixed feature')}{kept})"
    )


def _whole(one: Measurement) -> str:
    """The bound in whole rows."""
    if one.copies in (None, 1):
        return f"{one.least_rows:,} if whole labels are flipped"
    return (
        f"{one.least_rows:,} of the {one.n_pairs * one.copies:,} rows of {one.copies} copies each"
    )


def robustness(measurement: Measurement) -> str:
    """The defence's view of the last row."""
    return f"[bold]robustness, certified[/bold]: {statement(measurement)}"


def below(number: float | Fraction) -> str:
    """A decimal that is not above the number: three places, fewer from 100 on."""
    digits = _places(number)
    return _decimal(math.floor(Fraction(number) * 10**digits), digits)


def above(number: float) -> str:
    """A decimal that is not below the number."""
    digits = _places(number)
    return _decimal(math.ceil(Fraction(number) * 10**digits), digits)


def _places(number: float | Fraction) -> int:
    size = abs(Fraction(number))
    return sum(size < limit for limit in (100, 1_000, 10_000))


def enclosure(lower: float, upper: float) -> str:
    """``1.234 .. 1.235``, rounded outwards, or one number where the ends are one."""
    low, high = below(lower), above(upper)
    return low if low == high else f"{low} .. {high}"


def percent(share: float) -> str:
    """A share as a percentage, rounded down."""
    return f"{math.floor(1_000 * Fraction(share)) / 10:.1f} %"


def _decimal(units: int, digits: int) -> str:
    text = f"{Decimal(units).scaleb(-digits):,.{digits}f}"
    return text.removesuffix("." + "0" * digits)


def _loss(effect: Effect) -> str:
    separable = Status.UNATTAINED in effect.failed.values()
    return "separable" if separable else _share(effect.loss)


def _share(loss: float | None) -> str:
    return DASH if loss is None else f"{loss:.3f}"
