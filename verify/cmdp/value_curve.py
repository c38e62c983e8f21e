"""The optimal value as a function of one budget, the others kept: exact points and the picture.

The function is concave and piecewise linear.  Each exact solution gives a point and, with its
multiplier, a tangent.  Where the tangents of two neighbouring points meet on the function, it is
linear on both sides and has its kink there; where they meet above it, that budget is solved too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from holdfast.solvers import CMDP, ModelError, Status, solve
from holdfast.solvers.cmdp.policies import negated

from ..report.numbers import decimal
from ..report.pictures import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST = 600
"""States of a model that is drawn: each point is an exact solution, of about a second there."""
_SECONDS, _POINTS = 60, 40
"""After which no further point is solved: nearer kinks are closer than a pixel."""
_AT_MOST = 4
"""Costs of a model that is drawn, a panel each."""
_LINE, _ASKED, _INFEASIBLE = "#0072b2", "#d55e00", "#e8c9c0"


@dataclass(frozen=True, slots=True)
class Point:
    """A budget, the optimal value there, and the slope of a tangent."""

    budget: Fraction
    value: Fraction
    slope: Fraction


@dataclass(frozen=True, slots=True)
class Curve:
    """The value against the budget of one cost.

    budget, optimum: what was asked, None if it is infeasible; points: by budget, from the least
    that is feasible, with the others kept, to the least that constrains nothing; complete: whether
    the function is linear between them, else it lies on or above the lines.
    """

    index: int
    budget: Fraction
    optimum: Fraction | None
    points: Sequence[Point]
    complete: bool


def check_drawable(model: CMDP) -> None:
    """Raises ModelError where the value has no budget, or the points would take too long."""
    if not model.n_constraints:
        raise ModelError("--plot draws the value against the limit of a cost; the model has none")
    if model.n_constraints > _AT_MOST or model.n_states > LARGEST:
        raise ModelError(
            f"--plot draws models of up to {LARGEST} states and {_AT_MOST} costs, by an exact "
            f"solution for each point; this one has {model.n_states} states and "
            f"{model.n_constraints} costs: leave --plot out, or solve it with several limits"
        )


def value_curves(model: CMDP) -> list[Curve]:
    """Of each cost; of none where the others are infeasible whatever its budget is."""
    optimum = solve(model).value
    ends = [_ends(model, index) for index in range(model.n_constraints)]
    return [_curve(model, i, optimum, pair) for i, pair in enumerate(ends) if pair is not None]


def _curve(model: CMDP, index: int, optimum: Fraction | None, ends: tuple[Point, Point]) -> Curve:
    until = time.monotonic() + _SECONDS
    points, waiting = {*ends}, deque([ends])
    while waiting and len(points) < _POINTS and time.monotonic() < until:
        left, right = waiting.popleft()
        if left.slope == right.slope:
            continue
        rise = right.value - left.value + left.slope * left.budget - right.slope * right.budget
        where = rise / (left.slope - right.slope)
        if not left.budget < where < right.budget:
            continue
        middle = _at(model, index, where)
        points.add(middle)
        if middle.value < left.value + left.slope * (where - left.budget):
            waiting.extend([(left, middle), (middle, right)])
    kinks = _kinks(sorted(points, key=lambda point: point.budget))
    return Curve(index, model.budgets[index], optimum, kinks, not waiting)


def _kinks(points: Sequence[Point]) -> list[Point]:
    """The ends, and the points that are on no line through their neighbours."""
    rises = [(b.value - a.value) / (b.budget - a.budget) for a, b in pairwise(points)]
    bent = [point for point, (a, b) in zip(points[1:-1], pairwise(rises), strict=True) if a != b]
    return [points[0], *bent, *points[1:][-1:]]


def _at(model: CMDP, index: int, budget: Fraction) -> Point:
    budgets = list(model.budgets)
    budgets[index] = budget
    best = solve(model.with_budgets(*budgets))
    assert best.value is not None
    return Point(budget, best.value, best.multipliers[index])


def _ends(model: CMDP, index: int) -> tuple[Point, Point] | None:
    """At the least feasible budget, and at the least that lets the value be as without it."""
    others = [i for i in range(model.n_constraints) if i != index]
    costs, budgets = [model.cost_vector(i) for i in others], [model.budgets[i] for i in others]
    cost = negated(model.cost_vector(index))
    cheapest = solve(model.with_reward(cost).with_costs(costs, budgets))
    free = solve(model.with_costs(costs, budgets))
    if cheapest.value is None or free.value is None:
        return None
    as_good = [*costs, negated(model.reward_vector())], [*budgets, -free.value]
    enough = solve(model.with_reward(cost).with_costs(*as_good))
    assert enough.status is Status.EXACT
    assert enough.value is not None
    return _at(model, index, -cheapest.value), Point(-enough.value, free.value, Fraction(0))


@styled()
def draw(curves: Sequence[Curve]) -> Figure:
    """A panel for each curve; raises ModelError where a number is beyond all floats."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.6 + 3.9 * len(curves)), layout="constrained")
    for axes, curve in zip(figure.subplots(len(curves), squeeze=False)[:, 0], curves, strict=True):
        try:
            _draw(axes, curve)
        except OverflowError as error:
            raise ModelError("--plot: a value or a limit is beyond all floats") from error
        axes.set_xlabel(f"limit of cost {curve.index + 1}, a sum $\\sum_t\\gamma^t c_t$ an episode")
        axes.set_ylabel(r"optimal value, a sum $\sum_t\gamma^t r_t$")
        axes.legend(loc="lower right")
    return figure


def _draw(axes: Axes, curve: Curve) -> None:
    asked, least = float(curve.budget), decimal(curve.points[0].budget)
    budgets = [float(point.budget) for point in curve.points]
    values = [float(point.value) for point in curve.points]
    width = budgets[-1] - budgets[0] or abs(budgets[0]) or 1.0
    left = max(min(budgets[0], asked), budgets[0] - width) - 0.1 * width
    right = min(max(budgets[-1], asked), budgets[-1] + width) + 0.1 * width
    axes.set_xlim(left, right)
    axes.axvspan(left, budgets[0], color=_INFEASIBLE, label=f"infeasible: below {least}")
    where = "kinks" if curve.complete else "points; on or above the lines"
    axes.plot([*budgets, right], [*values, values[-1]], color=_LINE, linewidth=1.3)
    axes.plot(budgets, values, "o", color=_LINE, markersize=3.5,
              label=f"optimal value, exact at {len(budgets)} {where}")  # fmt: skip
    answer = "infeasible" if curve.optimum is None else f"value {decimal(curve.optimum)}"
    label = f"limit {decimal(curve.budget)}, as asked: {answer}"
    if not left <= asked <= right:
        axes.plot([], [], " ", label=f"{label}; beyond the picture")
    elif curve.optimum is None:
        axes.axvline(asked, color=_ASKED, linestyle="--", linewidth=1.2, label=label)
    else:
        axes.axvline(asked, color=_ASKED, linestyle="--", linewidth=0.8)
        axes.plot(asked, float(curve.optimum), "*", color=_ASKED, markersize=12, label=label)
