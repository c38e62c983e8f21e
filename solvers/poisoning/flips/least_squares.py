"""The change of labels that is least in l2, exactly:  min norm(zeta)_2  s.t.  Phi zeta = b, box.

The optimum is zeta_i = t_i cut off at the box, t = Phi^T y, where y solves the equations: a Newton
method on the concave dual finds in floats which labels are cut off, and exact equations prove it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import compress
from operator import mul

import numpy as np

from ...errors import ModelError
from ...exact import Vector, floats_of
from ...limits import Limits
from ...programs.program import LinearProgram, LinearStatus
from ...programs.solve import solve_linear_program
from .closed_forms import size
from .dual_newton import SmoothedDual
from .problem import FlipProblem

_STEPS = 200
"""Of Newton's method, far more than it takes where it converges; the exact equations have the last
word."""
_SETTLED = 1e-13
"""What may be missing of the moments, of their size: near the rounding of doubles, for the prices
only say which labels are cut off."""
_NEAR = 1e-7
"""Of the largest room: prices so near their ends are first taken to be inside, whose inequalities
the exact equations then prove or refute."""


def least_squares(
    problem: FlipProblem, limits: Limits
) -> tuple[Fraction, Vector, Vector, tuple[int, ...]]:
    """The squared norm, zeta (N), y (n), and the pairs that are not cut off.

    limits: on the time of the whole, and on the exact pivots of each attempt.

    Raises ModelError when floats cannot tell which labels are cut off, and LimitReachedError.
    """
    if not any(problem.moment.numerators):
        nothing = Vector((0,) * problem.n_pairs)
        return Fraction(0), nothing, Vector((0,) * problem.n_features), ()
    allowance, scores = limits.started(), _prices(problem)
    ups, downs = problem.room_up.floats(), problem.room_down.floats()
    unit = max(float(ups.max()), float(downs.max()))
    for near in (_NEAR * unit, 0.0, 1e3 * _NEAR * unit):
        above, below = scores > ups + near, scores < -downs - near
        sides = np.where(above, 1, np.where(below, -1, 0)).tolist()
        dual = _dual(problem, sides, allowance.left)
        if dual is not None:
            changes = _cut(problem, dual)
            inside = tuple(np.flatnonzero(~(above | below)).tolist())
            return size(changes, "l2"), changes, dual, inside
    raise ModelError(
        "rounding hides which labels are cut off; use enclose_flips with norm l2, whose bounds hold"
    )


def _prices(problem: FlipProblem) -> np.ndarray:
    """t (N) at the maximum of the dual, in floats."""
    features = np.array([floats_of(row.numerators) for row in problem.features])
    largest = np.abs(features).max(axis=1, keepdims=True)
    features /= np.where(largest > 0, largest, 1.0)
    moment = features @ problem.displacement.floats()
    ups, downs = problem.room_up.floats(), problem.room_down.floats()
    dual = SmoothedDual(features.T, moment, ups, downs, kink=0.0)
    without_box = np.linalg.lstsq(features @ features.T, moment, rcond=None)[0]
    return dual.ascend(without_box, 1.0, _SETTLED, _STEPS).prices


def _dual(problem: FlipProblem, sides: Sequence[int], limits: Limits) -> Vector | None:
    """A y whose changes, cut off above (1), below (-1) or not (0), have the moments; or None.

    One equation a feature and one inequality a pair, in y = y+ - y-: a linear program.
    """
    n = problem.n_features
    gram, moments = _equations(problem, sides)
    bounds, ends = zip(*_ends(problem, sides), strict=True)
    rows = [*gram, *bounds]
    table = [[*row, *(-a for a in row)] for row in rows]
    relations = ["="] * n + ["<="] * (len(rows) - n)
    program = LinearProgram.of([0] * (2 * n), table, relations, [*moments, *ends])
    answer = solve_linear_program(program, limits=limits)
    if answer.status is not LinearStatus.OPTIMAL or answer.primal is None:
        return None
    return Vector.of(answer.primal[k] - answer.primal[n + k] for k in range(n))


def _equations(
    problem: FlipProblem, sides: Sequence[int]
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """sum of phi_i phi_i^T over the pairs inside (n, n), and the moments left for them (n)."""
    boxes = zip(sides, problem.room_up.fractions(), problem.room_down.fractions(), strict=True)
    fixed = [{1: up, 0: Fraction(0), -1: -down}[side] for side, up, down in boxes]
    moved = problem.moments(Vector.of(fixed)).fractions()
    inside = [not side for side in sides]
    rows = [tuple(compress(row.fractions(), inside)) for row in problem.features]
    gram = [[sum(map(mul, row, other), Fraction(0)) for other in rows] for row in rows]
    return gram, [b - m for b, m in zip(problem.moment.fractions(), moved, strict=True)]


def _ends(
    problem: FlipProblem, sides: Sequence[int]
) -> Iterator[tuple[Sequence[Fraction], Fraction]]:
    """Rows phi . y <= end: prices beyond the ends where they are cut off, else between them."""
    ups, downs = problem.room_up.fractions(), problem.room_down.fractions()
    for column, side, up, down in zip(problem.columns(), sides, ups, downs, strict=True):
        most, least = {0: up, -1: -down}.get(side), {0: -down, 1: up}.get(side)
        if most is not None:
            yield column, most
        if least is not None:
            yield [-a for a in column], -least


def _cut(problem: FlipProblem, dual: Vector) -> Vector:
    scores = problem.scores(dual.fractions()).fractions()
    ups, downs = problem.room_up.fractions(), problem.room_down.fractions()
    return Vector.of(max(-down, min(up, t)) for t, up, down in zip(scores, ups, downs, strict=True))
