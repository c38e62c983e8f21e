"""Linear programs: max c.x over x >= 0 under rows "<=" and "=". Nothing is solved.

That x is a point, and y a bound, is seen by multiplying out: for x >= 0 that meets the rows and y
with y.A >= c, where y >= 0 on the "<=" rows, c.x <= y.(A x) <= y.b.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from .documents import anything, array, digest, located, one_of, ranged, record, vector
from .exact import (
    Rejected,
    Vector,
    common_multiple,
    common_vector,
    effort,
    least,
    longest,
    rational,
    require,
    spend,
)


class Column(NamedTuple):
    """Entries (row, integer) over a denominator; none of the integers is longer than `bits`."""

    denominator: int
    bits: int
    entries: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Slacks:
    """The numbers numerators[j] / scale."""

    numerators: list[Fraction]
    scale: int

    def least(self) -> Fraction:
        """The smallest, 0 if there are none."""
        return least(self.numerators) / self.scale


@dataclass(frozen=True, slots=True)
class Program:
    """max objective.x, row i being "<=" if bounded[i] and "=" if not; column(j) of each x_j."""

    objective: Vector
    column: Callable[[int], Column]
    bounded: list[bool]
    rhs: Vector
    title: str = ""

    def check_primal(self, x: Vector) -> None:
        """Raise unless x >= 0 and every row holds."""
        x.require_length("primal", len(self.objective))
        x.require_positive("primal")
        totals = self._left_sides(x)
        base, scale = self.rhs.denominator, totals.denominator
        one = effort(scale.bit_length(), longest(self.rhs.numerators))
        spend(len(totals) * (one + effort(longest(totals.numerators), base.bit_length())))
        sides = zip(totals.numerators, self.rhs.numerators, self.bounded, strict=True)
        for i, (total, bound, bounded) in enumerate(sides):
            excess = total * base - bound * scale
            if excess > 0 or (excess and not bounded):
                raise Rejected(f"row {i}: left minus right side", Fraction(excess, scale * base))

    def _left_sides(self, x: Vector) -> Vector:
        """A x."""
        support = [(n, self.column(j)) for j, n in enumerate(x.numerators) if n]
        common = common_multiple(column.denominator for _, column in support)
        bits = longest(x.numerators) + common.bit_length()
        totals = [0] * len(self.bounded)
        for n, column in support:
            spend((1 + len(column.entries)) * effort(bits, column.bits))
            scaled = n * (common // column.denominator)
            for i, a in column.entries:
                totals[i] += a * scaled
        return Vector(totals, common * x.denominator)

    def slacks(self, y: Vector, objective: Vector) -> Slacks:
        """y.column(j) - objective[j] for each j."""
        y.require_length("dual", len(self.bounded))
        scale = y.denominator * objective.denominator
        return Slacks(list(self._numerators(y, objective)), scale)

    def _numerators(self, y: Vector, objective: Vector) -> Iterator[Fraction]:
        bits = longest(y.numerators) + longest([objective.denominator, *objective.numerators])
        for j, c in enumerate(objective.numerators):
            denominator, width, entries = self.column(j)
            spend(len(entries) * effort(bits, width) + 2 * effort(bits + width, width))
            total = objective.denominator * sum([a * y.numerators[i] for i, a in entries])
            yield Fraction(total - c * denominator * y.denominator, denominator)

    def check_dual(self, y: Vector, objective: Vector) -> None:
        """Raise unless y >= 0 on the "<=" rows and no slack is negative."""
        slacks = self.slacks(y, objective)
        for i, bounded in enumerate(self.bounded):
            require(not bounded or y.numerators[i] >= 0, f"dual[{i}] of a <= row is negative", y[i])
        if (worst := slacks.least()) < 0:
            j = slacks.numerators.index(worst * slacks.scale)
            raise Rejected(f"column {j} has negative slack", worst)


@dataclass(frozen=True, slots=True)
class Row:
    """Terms [column, "p/q"], still to be read, a relation and a right side."""

    terms: list[list[Any]]
    relation: str
    rhs: Fraction


def _columns(count: int, rows: list[Row]) -> list[dict[int, Fraction]]:
    columns: list[dict[int, Fraction]] = [{} for _ in range(count)]
    position = ranged(0, len(columns) - 1)
    for i, row in enumerate(rows):
        for name, coefficient in row.terms:
            j = located(f".rows[{i}], column", position, name)
            require(i not in columns[j], f".rows[{i}] names a column twice", j)
            columns[j][i] = located(f".rows[{i}], column {j}", rational, coefficient)
    return columns


def _build(sense: str, objective: Vector, rows: list[Row]) -> Program:
    columns = _columns(len(objective), rows)

    def column(j: int) -> Column:
        common = common_multiple(a.denominator for a in columns[j].values())
        scaled = [(i, int(a * common)) for i, a in columns[j].items()]
        return Column(common, max(common.bit_length(), longest(a for _, a in scaled)), scaled)

    rhs = common_vector([row.rhs for row in rows])
    title = f"the linear program ({sense}, {len(objective)} variables, {len(rows)} rows"
    return Program(objective, column, [row.relation == "<=" for row in rows], rhs, title)


_row = record(Row, terms=array(array(anything, 2)), relation=one_of("=", "<="), rhs=rational)
_program = record(_build, sense=one_of("max"), objective=vector, rows=array(_row))


def program(value: Any) -> Program:
    """{"sense": "max", "objective": [...], "rows": [...]}, columns 0 .. len(objective) - 1."""
    parsed: Program = _program(value)
    return replace(parsed, title=f"{parsed.title}, digest {digest(value)})")
