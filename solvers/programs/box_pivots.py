"""The dual simplex method in exact arithmetic for  min c.x  s.t.  A x = b,  0 <= x <= upper.

A basis with all others at an end of their box is dual feasible when every variable at zero has a
reduced cost of at least 0 and every one at its upper end of at most 0; variables that have an upper
end are put where their reduced costs want them, so that almost any basis will do to start from, and
that of the artificial variables, one a row and fixed at 0, always does.  A basic variable outside
its box goes to the end it violates; the one that enters is the first whose reduced cost would
change its sign.  The smallest index decides ties, so that no basis comes back (Bland 1977).

Every step solves n x n systems afresh in FLINT: features are few, variables are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpz_mat

from ..exact import SingularMatrixError, Vector, solve_flint_system
from ..limits import Allowance


@dataclass(frozen=True, slots=True)
class Vertex:
    """An optimal vertex: basic variables, their values, those at their upper ends, and prices y."""

    basis: tuple[int, ...]
    values: Vector
    raised: frozenset[int]
    dual: Vector


@dataclass
class BoxPivots:
    """Pivots on one program.

    Attributes:
        columns: one for each variable, of n integers each; the last n are artificial.
        upper: their upper ends, or None; rhs: (n).  Costs are 1, of artificial variables 0.
    """

    columns: Sequence[Sequence[int]]
    upper: Sequence[int | None]
    rhs: Sequence[int]
    allowance: Allowance

    @classmethod
    def of(
        cls,
        columns: Sequence[Sequence[int]],
        upper: Sequence[int | None],
        rhs: Sequence[int],
        allowance: Allowance,
    ) -> BoxPivots:
        """With artificial variables added to columns without any."""
        size = len(rhs)
        units = [[int(i == k) for i in range(size)] for k in range(size)]
        return cls([*columns, *units], [*upper, *(0 for _ in units)], rhs, allowance)

    def __post_init__(self) -> None:
        self.matrix = fmpz_mat([list(column) for column in self.columns])
        self.artificial = len(self.columns) - len(self.rhs)
        self.costs = [1] * self.artificial + [0] * len(self.rhs)
        self.movable = [bound is None or bound > 0 for bound in self.upper]

    def solve(self, basis: Sequence[int], raised: Sequence[int]) -> Vertex:
        """The optimum, from a basis if it serves, else from the artificial one.

        Raises LimitReachedError when the allowance is used up.
        """
        try:
            found = self._pivots(list(basis), set(raised))
        except SingularMatrixError:
            found = None
        fresh = list(range(self.artificial, len(self.columns)))
        found = found or self._pivots(fresh, set())
        if found is None:
            raise AssertionError("the basis of the artificial variables is always dual feasible")
        return found

    def _pivots(self, basis: list[int], raised: set[int]) -> Vertex | None:
        """Pivots up to the optimum; None if the basis is none, or not dual feasible."""
        if len(basis) != len(self.rhs):
            return None
        while True:
            frame = fmpz_mat([list(self.columns[j]) for j in basis])
            dual = solve_flint_system(frame, [self.costs[j] for j in basis])
            costs = self._reduced(dual)
            raised.difference_update(basis)
            if not self._settle(costs, raised):
                return None
            values = solve_flint_system(frame.transpose(), self._remaining(raised))
            leaving = self._outside(basis, values)
            if leaving is None:
                return Vertex(tuple(basis), values, frozenset(raised), dual)
            self.allowance.pivot()
            self._exchange(frame, basis, raised, leaving, values, costs)

    def _reduced(self, dual: Vector) -> list[int]:
        """Reduced costs times the denominator of y."""
        prices = self._times(dual.numerators)
        scale = dual.denominator
        return [cost * scale - price for cost, price in zip(self.costs, prices, strict=True)]

    def _times(self, vector: Sequence[int]) -> list[int]:
        """A_j . vector for every variable."""
        return [int(v) for v in (self.matrix * fmpz_mat(len(vector), 1, list(vector))).entries()]

    def _settle(self, costs: Sequence[int], raised: set[int]) -> bool:
        """Put variables where their reduced costs want them; whether that is possible for all."""
        for j, cost in enumerate(costs):
            if cost > 0:
                raised.discard(j)
            elif cost < 0 and self.movable[j]:
                if self.upper[j] is None:
                    return False
                raised.add(j)
        return True

    def _remaining(self, raised: set[int]) -> list[int]:
        right = list(self.rhs)
        for j in raised:
            bound = self.upper[j] or 0
            right = [value - a * bound for value, a in zip(right, self.columns[j], strict=True)]
        return right

    def _outside(self, basis: Sequence[int], values: Vector) -> int | None:
        """The place of the basic variable of the smallest index that is outside its box."""
        places = []
        for place, (j, value) in enumerate(zip(basis, values.numerators, strict=True)):
            bound = self.upper[j]
            if value < 0 or (bound is not None and value > bound * values.denominator):
                places.append((j, place))
        return min(places)[1] if places else None

    def _exchange(
        self, frame: fmpz_mat, basis: list[int], raised: set[int], place: int, values: Vector,
        costs: Sequence[int],
    ) -> None:  # fmt: skip
        below, leaving = values.numerators[place] < 0, basis[place]
        unit = [0] * len(basis)
        unit[place] = 1 if below else -1
        row = self._times(solve_flint_system(frame, unit).numerators)
        basis[place] = self._entering(row, costs, raised, leaving)
        if not below and self.movable[leaving]:
            raised.add(leaving)
        raised.discard(basis[place])

    def _entering(
        self, row: Sequence[int], costs: Sequence[int], raised: set[int], leaving: int
    ) -> int:
        """The first variable whose reduced cost would change its sign."""
        ratios = (
            (Fraction(abs(costs[j]), abs(entry)), j)
            for j, entry in enumerate(row)  # zero for all other basic variables
            if entry and j != leaving and self.movable[j] and (entry > 0) is (j in raised)
        )
        best = min(ratios, default=None)
        if best is None:
            raise AssertionError("a program with a feasible point was found infeasible")
        return best[1]
