"""Exact solutions of sparse square systems that are triangular but for a narrow border.

Chains are such: each state is entered from few others, and only the cost rows, and a column for
each randomised choice, run across.  Rows with one unknown left are solved one after another; where
none is left, a column is set aside (a *tear*).  With k tears, k rows remain for them:

    [ L  E ] [x]   [a]        L lower triangular in the order of the pivots,
    [ C  D ] [t] = [b]        x = L^-1 a - (L^-1 E) t,

so that k + 1 substitutions and a k x k system suffice, instead of dense algebra with all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpz_mat

from ..exact import SingularMatrixError, Vector, common_denominator, solve_flint_system, to_fraction
from .lifting import Lifted, Line

#: Smaller systems are lifted, in 20 milliseconds at most; with a border of ten, twice as fast.
SMALLEST = 200
#: Tears beyond which a system is dense for our purposes; each costs one more substitution.
TEARS = 12
Affine = tuple[fmpq, dict[int, fmpq]]
"""An unknown: a constant, and the coefficients of the border's unknowns that are not zero."""
_ZERO = fmpq(0)


@dataclass(frozen=True, slots=True)
class Bordered:
    """A square matrix in that form: row -> {column: value} and column -> {row: value}.

    Attributes:
        pivots: (row, column) in order; tears: columns; rest: rows, as many.
    """

    rows: Sequence[Line]
    columns: Sequence[Line]
    pivots: tuple[tuple[int, int], ...]
    tears: tuple[int, ...]
    rest: tuple[int, ...]

    @classmethod
    def of(cls, rows: Sequence[Line]) -> Bordered | None:
        """The form of a square matrix, or None if it is small, or its border is not narrow."""
        if len(rows) < SMALLEST:
            return None
        columns = transposed_lines(rows)
        order = _Ordering([set(row) for row in rows], columns)
        if not order.complete():
            return None
        rest = set(range(len(rows))) - {i for i, _ in order.pivots}
        return cls(rows, columns, tuple(order.pivots), tuple(order.tears), tuple(sorted(rest)))

    def solve(self, right: Sequence[int], transposed: bool = False) -> Vector:
        """The solution; raises SingularMatrixError if there is not exactly one."""
        if transposed:
            pivots = [(j, i) for i, j in reversed(self.pivots)]
            return _solve(self.columns, pivots, self.rest, self.tears, right)
        return _solve(self.rows, self.pivots, self.tears, self.rest, right)


def transposed_lines(lines: Sequence[Line]) -> list[Line]:
    """The other lines of a square matrix: its columns from its rows, or its rows from those."""
    others: list[dict[int, int]] = [{} for _ in lines]
    for i, line in enumerate(lines):
        for j, value in line.items():
            others[j][i] = value
    return list(others)


def _dense(rows: Sequence[Line]) -> fmpz_mat:
    """The square matrix with these rows."""
    return fmpz_mat([[row.get(j, 0) for j in range(len(rows))] for row in rows])


def square_solver(rows: Sequence[Line]) -> Callable[[Sequence[int], bool], Vector]:
    """solve(right, transposed) for a square matrix, row -> {column: value}, sparse or dense.

    It raises SingularMatrixError.  FLINT solves where a matrix is neither bordered nor lifted.
    """
    rows = [{j: value for j, value in row.items() if value} for row in rows]
    bordered = Bordered.of(rows)
    if bordered is not None:
        return bordered.solve
    lifted = Lifted.of(rows)

    def solve(right: Sequence[int], transposed: bool) -> Vector:
        found = None if lifted is None else lifted.solve(right, transposed)
        if found is not None:
            return found
        matrix = _dense(rows)
        return solve_flint_system(matrix.transpose() if transposed else matrix, right)

    return solve


class _Ordering:
    """The pivots so far; ``open`` are the columns without one, ``left`` those of each row."""

    def __init__(self, left: list[set[int]], columns: Sequence[Line]) -> None:
        self.left, self.columns = left, columns
        self.open = set(range(len(columns)))
        self.single = [i for i, row in enumerate(left) if len(row) == 1]
        self.pivots: list[tuple[int, int]] = []
        self.tears: list[int] = []

    def complete(self) -> bool:
        """Pivots, and tears where there is none, for all columns; False if the border is wide."""
        while self.open:
            if not self.pivot() and (len(self.tears) == TEARS or not self.tear()):
                return False
        return True

    def pivot(self) -> bool:
        """Solve one row for its only unknown, if there is such a row."""
        while self.single:
            row = self.single.pop()
            if len(self.left[row]) == 1:
                (column,) = self.left[row]
                self.pivots.append((row, column))
                self._close(column)
                return True
        return False

    def tear(self) -> bool:
        """Set aside a column of the shortest row, the one in most rows; False if none is left."""
        shortest = min(filter(None, self.left), key=len, default=None)
        if shortest is None:
            return False
        column = max(shortest, key=lambda j: (len(self.columns[j]), j))
        self.tears.append(column)
        self._close(column)
        return True

    def _close(self, column: int) -> None:
        self.open.discard(column)
        for row in self.columns[column]:
            self.left[row].discard(column)
            if len(self.left[row]) == 1:
                self.single.append(row)


def _solve(
    equations: Sequence[Line],
    pivots: Sequence[tuple[int, int]],
    border: Sequence[int],
    rest: Sequence[int],
    right: Sequence[int],
) -> Vector:
    """The solution with ``pivots`` (equation, unknown) in order and the unknowns of the border."""
    known: dict[int, Affine] = {j: (_ZERO, {p: fmpq(1)}) for p, j in enumerate(border)}
    for equation, own in pivots:
        constant, slopes = _remainder(equations[equation], right[equation], known, own)
        value = equations[equation][own]
        known[own] = constant / value, {p: slope / value for p, slope in slopes.items() if slope}
    at = _border([_remainder(equations[i], right[i], known) for i in rest])
    values = (_value(known[j], at) for j in range(len(equations)))
    top, bottom = common_denominator(map(to_fraction, values))
    return Vector(tuple(top), bottom)


def _remainder(line: Line, right: int, known: dict[int, Affine], own: int | None = None) -> Affine:
    """The right side less all terms of the equation but that of ``own``."""
    constant, slopes = fmpq(right), dict[int, fmpq]()
    for j, value in line.items():
        if j != own:
            base, ways = known[j]
            constant -= value * base
            for p, slope in ways.items():
                slopes[p] = slopes.get(p, _ZERO) - value * slope
    return constant, slopes


def _value(unknown: Affine, at: Sequence[fmpq]) -> fmpq:
    base, ways = unknown
    return base + sum((slope * at[p] for p, slope in ways.items()), _ZERO)


def _border(remainders: Sequence[Affine]) -> list[fmpq]:
    """The unknowns of the border, for which every constant + slopes . them is zero."""
    size = len(remainders)
    matrix, right = fmpq_mat(size, size), fmpq_mat(size, 1)
    for row, (constant, slopes) in enumerate(remainders):
        right[row, 0] = -constant
        for p, slope in slopes.items():
            matrix[row, p] = slope
    try:
        return list(matrix.solve(right).entries())
    except ZeroDivisionError as problem:
        raise SingularMatrixError(
            f"the {size} rows that remain of a triangular system are dependent; choose another "
            "basis or policy"
        ) from problem
