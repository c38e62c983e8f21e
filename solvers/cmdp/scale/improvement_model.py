"""What one policy knows about all others: the dual function to first order.

For a policy pi with values V_i and discounted visits rho, the returns of another policy are about
J_i(pi) + sum_s rho(s) A_i(s, k(s)), where A_i are advantages and k its choices (the performance
difference with the visits of pi).  The best such policy for every price lambda gives a convex
piecewise linear model of the dual function, exact for pi's neighbours, whose minimum costs no
further product with the transitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ...programs.highs import solve
from .advantages import advantages, best_choices, best_total
from .bounds import Column
from .compiled import n_blocks
from .image import AbstractImage, Array
from .search import values_of

#: Cuts of the model's dual; each is a pass over the gains.  What is then found is near the minimum.
_CUTS = 100
#: A choice changes only for a gain beyond rounding: gains are differences of values.
_MARGIN = 1e-13
#: Of the small linear program over the cuts: it proposes only.
_TOLERANCE = 1e-10
#: Lower and upper limits (m each).
Box: TypeAlias = tuple[Array, Array]
_Cut: TypeAlias = tuple[Array, float, Array]


@dataclass(frozen=True)
class Minimum:
    """Where a model is least (m) and its value; ``sides`` are prices (m) about that point whose
    policies differ, each with its predicted costs (m)."""

    multipliers: Array
    value: float
    sides: tuple[tuple[Array, Array], ...]


@dataclass(frozen=True)
class ImprovementModel:
    """Advantages (float64[K, p]) over a column, and discounted visits (S) of its policy."""

    image: AbstractImage
    column: Column
    gains: Array
    visits: Array

    @classmethod
    def of(cls, image: AbstractImage, column: Column, visits: Array) -> ImprovementModel:
        """The model around a column."""
        values = values_of(column)
        gains = np.empty((int(image.start[-1]), len(values)))
        choices = image.choices(column.moves)
        for states, places, arrays in image.pieces():
            own, blocks = choices[states] - places.start, n_blocks(states.stop - states.start)
            for i, row in enumerate(values):
                advantages(blocks, *arrays, i, row, own, gains[places])
        return cls(image, column, gains, visits)

    def returns(self, price: Array) -> Array:
        """Predicted returns (p) of the policy that is best for a price."""
        sums = np.empty((n_blocks(self.image.n_states), len(price)))
        best_total(len(sums), self.image.start, self.gains, self.visits, price, sums)
        return self.column.middle + sums.sum(axis=0)

    def choices(self, price: Array) -> Array:
        """The choices that are best for a price; the column's own where rounding cannot tell."""
        choices = self.image.choices(self.column.moves)
        margin = _MARGIN * float(np.abs(values_of(self.column)).max())
        best_choices(n_blocks(len(choices)), self.image.start, self.gains, price, margin, choices)
        return choices

    def least(
        self, budgets: Array, box: Box, start: Array, known: Sequence[Column], accuracy: float
    ) -> Minimum:
        """The least over a box of lambda of  max_pi J_r - lambda.(J_c - budgets).

        The maximum is over the policies that the model predicts and the ``known`` columns, of
        which only what is certain counts: the error of a rough one would never go away.
        """
        cuts = [_tangent(column.certain, np.zeros_like(start), budgets) for column in known]
        point, size, best = np.clip(start, *box), 0.0, (start, np.inf)
        for _ in range(_CUTS):
            cuts.append(_tangent(self.returns(np.array([1.0, *(-point)])), point, budgets))
            value = max(v + float(s @ (point - at)) for at, v, s in cuts)
            if value < best[1]:
                best = (point, value)
            point, promise = lowest_point(cuts, best, box, size)
            size = best[1] - promise
            if size <= accuracy:
                break
        sides = [
            (at, budgets - slope)
            for at, value, slope in cuts[len(known) :]
            if value + slope @ (point - at) >= promise - accuracy
        ]
        return Minimum(best[0], best[1], tuple(sides))


def _tangent(returns: Array, point: Array, budgets: Array) -> _Cut:
    slope = budgets - returns[1:]
    return point, float(returns[0] + point @ slope), slope


def lowest_point(
    cuts: Sequence[_Cut], best: tuple[Array, float], box: Box, size: float
) -> tuple[Array, float]:
    """Where the greatest of some tangents is least in a box, and its value there.

    ``best`` is the lowest point known with its value; ``size`` is how much lower it may be (0 if
    unknown), which scales the program.
    """
    (centre, level), (floors, caps) = best, box
    if not len(centre):
        return centre, level
    heights = np.array([value - level + slope @ (centre - at) for at, value, slope in cuts])
    slopes = np.array([slope for _, _, slope in cuts])
    if len(centre) == 1:
        step, depth = _lowest_on_line(
            heights, slopes[:, 0], floors[0] - centre[0], caps[0] - centre[0]
        )
        return centre + step, level + depth
    unit = size if size > 0 else max(float(np.abs(heights).max()), 1.0)
    found = _lowest_in_box(heights / unit, slopes / unit, floors - centre, caps - centre)
    if found is None:
        return centre, level
    return np.clip(centre + found[:-1], floors, caps), level + unit * float(found[-1])


def _lowest_in_box(heights: Array, slopes: Array, low: Array, high: Array) -> Array | None:
    """(x, t) with the least t >= heights_j + slopes_j . x for low <= x <= high; None if it fails.

    HiGHS is asked directly, for scipy takes four times as long to pass on so small a program.
    """
    rows, size = slopes.shape
    found = solve(
        np.array([*np.zeros(size), 1.0]),
        (np.append(low, -np.inf), np.append(high, np.inf)),
        np.vstack([slopes.T, -np.ones(rows)]),
        (np.full(rows, -np.inf), -heights),
        presolve=True,
        tolerance=_TOLERANCE,
    )
    return found.x if found.optimal else None


def _lowest_on_line(heights: Array, slopes: Array, low: float, high: float) -> tuple[float, float]:
    """The least of max_j heights_j + slopes_j x over [low, high]: at an end or a crossing."""
    falling, rising = slopes < 0, slopes >= 0
    gaps = slopes[rising][:, None] - slopes[falling][None, :]
    crossings = (heights[falling][None, :] - heights[rising][:, None]) / gaps
    places = np.clip(np.array([low, high, 0.0, *crossings.ravel()]), low, high)
    values = (heights[:, None] + slopes[:, None] * places[None, :]).max(axis=0)
    lowest = int(np.argmin(values))
    return float(places[lowest]), float(values[lowest])
