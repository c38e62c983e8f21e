"""The least cost of teaching what the target teaches, exactly, in three norms.

    (PCM)   min norm(zeta)   subject to   Phi zeta = Phi d,   -down <= zeta <= up.

In l1, the expected number of flips, it is a linear program with the dual

    max_y  y.Phi d - sum_i [ up_i (t_i - 1)_+ + down_i (-t_i - 1)_+ ],   t = Phi^T y,

of which every y is a certificate.  At a vertex at most rank(Phi) labels are neither benign nor 0 or
1.  In l2 it is a projection, in l-infinity a linear program with one more variable.

Source: Kusaka et al. 2025, Theorem 1; the dual and the count are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

from ...errors import ModelError
from ...exact import Rational, Vector, to_fraction
from ...limits import Limits
from ...programs.box import BoxProgram, solve_box_program
from ...programs.program import LinearProgram, LinearSolution, LinearStatus
from ...programs.solve import solve_linear_program
from ...solution import ExactValue, Status
from .closed_forms import check_norm, size
from .problem import FlipProblem

_LARGEST_UNIFORM = 400
"""Pairs of an exact linf, each a row of the program: beyond it exact pivots take too long."""
_ZERO = Fraction(0)
_GENEROUS = Limits()


@dataclass(frozen=True, repr=False)
class FlipSolution(ExactValue):
    """A cheapest change of labels.

    Attributes:
        norm: "l1", "l2" or "linf"; value: the norm of the changes, un-normalised (for l1 the
            expected number of flips); for "l2" its SQUARE.
        changes: zeta (N), weighted; dual: y (n), with dual_value(problem, y, norm) == value.
        basis: the pairs that are basic at the vertex (l1), strictly inside the box (l2).
        boxed: whether the box was kept.
    """

    problem: FlipProblem
    norm: str
    value: Fraction
    changes: Vector
    dual: Vector
    basis: tuple[int, ...] = ()
    boxed: bool = True
    program: LinearSolution | None = field(default=None, repr=False)

    @property
    def status(self) -> Status:
        """EXACT: the target itself is feasible."""
        return Status.EXACT

    @property
    def statistics(self) -> dict[str, Any]:
        """Those of the linear program in linf; of l1 and l2 nothing is kept."""
        return {} if self.program is None else self.program.summary()

    @cached_property
    def labels(self) -> Vector:
        """theta (N), the labels after the changes."""
        return self.problem.labels_after(self.changes)

    @cached_property
    def fractional(self) -> tuple[int, ...]:
        """The pairs whose change is none of -down_i, 0 and up_i."""
        ups, downs = self.problem.room_up.fractions(), self.problem.room_down.fractions()
        entries = zip(self.changes.fractions(), ups, downs, strict=True)
        return tuple(i for i, (x, up, down) in enumerate(entries) if x not in (-down, 0, up))

    @property
    def n_fractional(self) -> int:
        """How many of them; at most rank(Phi) at a vertex."""
        return len(self.fractional)

    def certificate(self) -> dict[str, Any]:
        """A document of kind "linear-program-optimum" whose value is MINUS the cost.

        The program maximises minus the cost of the changes, in units of 1 / their denominator.
        Raises ModelError in l2, which is no linear program.
        """
        if self.norm == "l2":
            raise ModelError("the least cost in l2 has no certificate; l1 and linf have")
        if self.program is not None:
            return self.program.certificate()
        return _l1_certificate(self)


# -- l1 ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Moves:
    """Variables (pair, sign, upper bound) in integer units of 1 / unit."""

    moves: tuple[tuple[int, int, int], ...]
    unit: int
    rhs: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, problem: FlipProblem, boxed: bool = True) -> _Moves:
        d, up, down = problem.displacement, problem.room_up, problem.room_down
        unit = math.lcm(d.denominator, up.denominator, down.denominator)
        ups, downs = _scaled(up, unit), _scaled(down, unit)
        moves = []
        for i in range(problem.n_pairs):
            rooms = (ups[i], downs[i]) if boxed else (ups[i] + downs[i],) * 2
            moves += [(i, sign, room) for sign, room in zip((1, -1), rooms, strict=True) if room]
        rows = tuple(row.numerators for row in problem.features)
        shift = _scaled(d, unit)
        rhs = tuple(sum(map(mul, row, shift)) for row in rows)
        return cls(tuple(moves), unit, rhs, rows)

    def box_program(self, boxed: bool) -> BoxProgram:
        by_pair = list(zip(*self.rows, strict=True))
        columns = tuple(tuple(sign * a for a in by_pair[i]) for i, sign, _ in self.moves)
        return BoxProgram(columns, tuple(u if boxed else None for *_, u in self.moves), self.rhs)

    def changes(self, x: Vector, pairs: int) -> Vector:
        """zeta, from the values of the variables."""
        totals = [0] * pairs
        for (i, sign, _), value in zip(self.moves, x.numerators, strict=False):
            totals[i] += sign * value
        return Vector(tuple(totals), x.denominator * self.unit)


def _scaled(vector: Vector, unit: int) -> list[int]:
    return [value * (unit // vector.denominator) for value in vector.numerators]


def solve_flips(problem: FlipProblem, norm: str = "l1", limits: Limits = _GENEROUS) -> FlipSolution:
    """The least cost, exactly.

    limits: on the time and on the exact pivots.

    Raises ModelError for an unknown norm, and in l2 and linf for data too large or too degenerate
    for exact arithmetic (use ``enclose_flips``); LimitReachedError where the limits do not suffice.
    """
    check_norm(norm)
    if norm == "l2":
        from .least_squares import least_squares

        value, changes, dual, inside = least_squares(problem, limits)
        return FlipSolution(problem, norm, value, changes, dual, inside)
    return _least_sum(problem, limits) if norm == "l1" else _least_maximum(problem, limits)


def solve_unboxed_flips(problem: FlipProblem) -> FlipSolution:
    """The least cost in l1 when labels may leave [0, 1] (pairs of weight zero stay)."""
    return _least_sum(problem, _GENEROUS, boxed=False)


def _least_sum(problem: FlipProblem, limits: Limits, boxed: bool = True) -> FlipSolution:
    moves = _Moves.of(problem, boxed)
    found = solve_box_program(moves.box_program(boxed), limits)
    changes = moves.changes(found.primal, problem.n_pairs)
    dual = Vector.of(
        y * row.denominator for y, row in zip(found.dual.fractions(), problem.features, strict=True)
    )
    basis = tuple(sorted({moves.moves[j][0] for j in found.basis}))
    return FlipSolution(problem, "l1", size(changes, "l1"), changes, dual, basis, boxed)


def _l1_certificate(solution: FlipSolution) -> dict[str, Any]:
    """Written from the dual: bounds have the multipliers (t_i - 1)_+ and (-t_i - 1)_+."""
    problem = solution.problem
    moves = _Moves.of(problem, solution.boxed)
    box = moves.box_program(solution.boxed)
    program = box.linear_program()
    dual = solution.dual.fractions()
    equations = [
        -y / (row.denominator * moves.unit) for y, row in zip(dual, problem.features, strict=True)
    ]
    scores = problem.scores(dual).fractions()
    bounds = [max(_ZERO, sign * scores[i] - 1) / moves.unit for i, sign, _ in moves.moves]
    primal = [max(_ZERO, sign * solution.changes[i] * moves.unit) for i, sign, _ in moves.moves]
    units = LinearProgram(
        program.columns, program.rhs, program.equality, program.objective, moves.unit
    )
    answer = LinearSolution(
        LinearStatus.OPTIMAL,
        units,
        -solution.value,
        Vector.of(primal),
        Vector.of([*equations, *(bounds if solution.boxed else [])]),
    )
    return answer.certificate()


# -- l-infinity ----------------------------------------------------------------------------------
def _least_maximum(problem: FlipProblem, limits: Limits) -> FlipSolution:
    """max -s over changes, with rows for the box and for abs(zeta_i) <= s."""
    if problem.n_pairs > _LARGEST_UNIFORM:
        raise ModelError(
            f"{problem.n_pairs} pairs are too many for the exact least maximum (up to "
            f"{_LARGEST_UNIFORM}); use enclose_flips with norm linf"
        )
    moves = _Moves.of(problem)
    answer = solve_linear_program(_maximum_program(moves, problem.n_pairs), limits=limits)
    assert answer.primal is not None and answer.dual is not None
    changes = moves.changes(answer.primal, problem.n_pairs)
    dual = Vector.of(
        -answer.dual[k] * moves.unit * row.denominator for k, row in enumerate(problem.features)
    )
    return FlipSolution(problem, "linf", size(changes, "linf"), changes, dual, program=answer)


def _maximum_program(moves: _Moves, pairs: int) -> LinearProgram:
    n, count = len(moves.rhs), len(moves.moves)
    columns = []
    for j, (i, sign, _) in enumerate(moves.moves):
        entries = {k: sign * row[i] for k, row in enumerate(moves.rows) if row[i]}
        entries |= {n + j: 1, n + count + i: 1}
        columns.append((tuple(entries), tuple(entries.values())))
    columns.append((tuple(range(n + count, n + count + pairs)), (-1,) * pairs))
    return LinearProgram(
        tuple(columns),
        (*moves.rhs, *(room for *_, room in moves.moves), *(0,) * pairs),
        (True,) * n + (False,) * (count + pairs),
        (0,) * count + (-1,),
        moves.unit,
    )


# -- the dual ------------------------------------------------------------------------------------
def dual_value(problem: FlipProblem, dual: Sequence[Rational], norm: str = "l1") -> Fraction:
    """The lower bound on the cost that a vector y (n) proves; for "l2" on its square.

    l1:   y.b - sum_i [ up_i (t_i - 1)_+ + down_i (-t_i - 1)_+ ],
    l2:   2 (y.b - sum_i max over the box of t_i x - x^2 / 2),
    linf: y.b + min over s >= 0 of  s - sum_i abs(t_i) min(s, room_i), room in the sign of t_i.
    """
    check_norm(norm)
    scores = problem.scores(dual).fractions()
    y = [to_fraction(value, f"dual[{k}]") for k, value in enumerate(dual)]
    gain = sum((a * b for a, b in zip(y, problem.moment.fractions(), strict=True)), _ZERO)
    ups, downs = problem.room_up.fractions(), problem.room_down.fractions()
    rooms = [
        (abs(t), up if t > 0 else down) for t, up, down in zip(scores, ups, downs, strict=True)
    ]
    return (gain - _charge(rooms, norm)) * (2 if norm == "l2" else 1)


def _charge(rooms: list[tuple[Fraction, Fraction]], norm: str) -> Fraction:
    """What the dual subtracts, for abs(t_i) and the room in the sign of t_i of every pair."""
    if norm == "l1":
        return sum((room * (t - 1) for t, room in rooms if t > 1), _ZERO)
    if norm == "l2":
        nearest = ((t, min(t, room)) for t, room in rooms)
        return sum((t * x - x * x / 2 for t, x in nearest), _ZERO)
    return _uniform_charge(rooms)


def _uniform_charge(rooms: list[tuple[Fraction, Fraction]]) -> Fraction:
    places = {_ZERO, *(room for _, room in rooms)}
    return max(sum((t * min(s, room) for t, room in rooms), _ZERO) - s for s in places)
