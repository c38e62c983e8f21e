"""How E T varies over prompts: log-normal, fitted to all rollouts with each prompt's own mean.

One law for all rollouts would be wrong where prompts differ: the mixture has a heavier tail than
its parts, which shows beyond the cap alone.  Here the likelihood of a prompt is its likelihood at a
mean, averaged over means; the averages are sums over a grid, which for smooth functions converge
faster than any power of its spacing.  The shape is estimated beside, from all prompts: those of
which many rollouts are solved have been chosen by their outcome, and would make T look alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import ndtr

from ...sequences import Array
from .fitting import (
    Family,
    best_shape,
    crossing,
    law_of,
    likelihoods,
    rates,
    room,
    shape_limits,
)
from .laws import Counts, Law

_SPACING = 0.05
"""Of log means.  Likelihoods narrower than that, of some 400 solves and more, are widened to it,
which leaves them where they are; finer takes longer and shows in no mean of many prompts."""
_POINTS = 400
"""Of a grid at most: where it reaches further, as of small shapes, likelihoods are wide too."""
_FAR = 30.0
"""Logarithm of a factor: means of prompts further from the middle one are taken as that far."""
SPREAD = (0.05, 4.0)
"""Standard deviations of log means that are tried: from next to none to a factor of a million."""
_LEAST = 1e-300
"""Of a prompt's likelihood beside its greatest, so that its logarithm is finite."""
_SHAPES = 13
"""Over the interval of the shape: a third of its deviation apart, so that log-likelihoods are off
by 1/70 at the most."""
_CLOSE = {"xatol": 1e-3, "fatol": 1e-4}
"""Of logarithms and log-likelihoods, of which 1.92 make an interval."""


@dataclass(frozen=True, slots=True)
class Population:
    """Log means of prompts are normal with this mean and deviation (of tokens, natural logarithm).

    mean, low, high: E T of a rollout of a prompt drawn at random, in tokens, with its interval by
    the profile likelihood, shape and deviation maximised out; shape: of every prompt's law; shapes,
    drops: float64[K], shapes of its likelihood interval, and by how much the greatest
    log-likelihood is less there.
    """

    log_mean: float
    log_deviation: float
    mean: float
    low: float
    high: float
    shape: float
    shapes: Array
    drops: Array

    def parts(self) -> tuple[Array, Array]:
        """Means of prompts and their weights (M, each): the population on a grid."""
        steps = np.linspace(-4, 4, 81)
        weights = np.exp(-(steps**2) / 2)
        means = np.exp(self.log_mean + self.log_deviation * steps)
        return means, weights / weights.sum()


@dataclass(frozen=True, slots=True)
class _Surface:
    """The likelihood of a population of one shape; table: float64[P, M], beside the greatest."""

    grid: Array
    table: Array
    offset: float

    @property
    def spacing(self) -> float:
        return float(self.grid[1] - self.grid[0])

    def value(self, log_total: float, log_deviation: float) -> float:
        """The log-likelihood where E T is exp(log_total); beyond the grid it is as at its ends."""
        deviation = math.exp(log_deviation)
        half = self.spacing / 2 / deviation
        away = (self.grid - log_total) / deviation + deviation / 2
        weights = np.exp(-(away**2) / 2) * 2 * half / math.sqrt(2 * math.pi)
        weights[0] += ndtr(away[0] - half)
        weights[-1] += ndtr(-away[-1] - half)
        return float(np.log(np.maximum(self.table @ weights, _LEAST)).sum()) + self.offset

    def bounds(self) -> tuple[float, float]:
        """Logarithms of the deviations that are tried."""
        return math.log(max(SPREAD[0], self.spacing)), math.log(SPREAD[1])

    def best(self) -> tuple[float, float, float]:
        """The greatest value, and where: log_total and log_deviation."""
        weight = self.table[:, 1:-1].sum(axis=0)
        centre = float((weight * self.grid[1:-1]).sum() / weight.sum())
        limits = [(self.grid[0] - 8, self.grid[-1] + 8), self.bounds()]
        found = minimize(lambda x: -self.value(*x), (centre, math.log(0.5)), method="Nelder-Mead",
                         bounds=limits, options=_CLOSE)  # fmt: skip
        return -float(found.fun), float(found.x[0]), float(found.x[1])

    def profile(self, log_total: float) -> float:
        """The greatest value at an E T."""
        found = minimize_scalar(lambda x: -self.value(log_total, x), bounds=self.bounds(),
                                method="bounded", options={"xatol": _CLOSE["xatol"]})  # fmt: skip
        return -float(found.fun)


def fit_population(
    family: Family, counts: Counts, level: float, steps: int | None = None
) -> Population:
    """The population and shape of greatest likelihood; counts of at least two prompts.

    steps: the shape, where it is known.  Log means of P prompts have the deviation of P numbers.
    """
    size = len(counts.solves)
    drop = room(level, size, size - 1)
    known = 1.0 if family == "geometric" else steps
    surfaces: dict[float, tuple[_Surface, tuple[float, float, float]]] = {}

    def highest(shape: float) -> float:
        if shape not in surfaces:
            surface = _surface(law_of(family, shape), counts)
            surfaces[shape] = surface, surface.best()
        return surfaces[shape][1][0]

    if known is None:
        best, top = best_shape(family, counts, highest, _CLOSE["xatol"])
        shapes = _around(family, counts, highest, best, top - drop)
    else:
        best, top, shapes = float(known), highest(known), np.array([float(known)])
    drops = top - np.array([highest(shape) for shape in shapes])
    shapes, drops = shapes[drops < drop + 0.01], np.maximum(drops[drops < drop + 0.01], 0)
    _, log_total, log_deviation = surfaces[best][1]

    def excess(at: float) -> float:
        return max(surfaces[x][0].profile(at) for x in shapes.tolist()) - top + drop

    low, high = (crossing(excess, log_total, sign, _CLOSE["fatol"]) for sign in (-1, 1))
    deviation = math.exp(log_deviation)
    mean, low, high = (max(math.exp(x), 1.0) for x in (log_total, low, high))  # T is no less
    centre = log_total - deviation**2 / 2
    return Population(centre, deviation, mean, low, high, best, shapes, drops)


def _around(
    family: Family, counts: Counts, highest: Callable[[float], float], best: float, least: float
) -> Array:
    """Shapes of the likelihood interval around the best, which is one of them."""
    whole = family == "negative-binomial"
    limits = shape_limits(family, counts)

    def shape(x: float) -> float:
        return max(1.0, float(round(math.exp(x)))) if whole else math.exp(x)

    middle = math.log(best)
    ends = []
    for sign, limit in zip((-1, 1), limits, strict=True):
        end = crossing(lambda x: highest(shape(x)) - least, middle, sign, _CLOSE["xatol"], limit)
        ends.append(end)
    sides = [np.linspace(end, middle, _SHAPES // 2, endpoint=False) for end in ends]
    return np.unique([best, *(shape(x) for side in sides for x in side.tolist())])


def _surface(law: Law, counts: Counts) -> _Surface:
    some = counts.solves > 0
    best = np.where(some, rates(law, counts), 0.0)
    terms = law.terms(counts, best)
    logs = np.where(some, np.log(law.shape / law.rate(best)), np.log(np.maximum(counts.longest, 1)))
    middle = float(np.median(logs[some]))
    logs = np.clip(logs, middle - _FAR, middle + _FAR)
    first, last = logs.min() - 3, logs.max() + 3
    grid = np.linspace(first, last, min(_POINTS, int((last - first) / _SPACING) + 2))
    sharpness = np.where(some, -terms.curvature, 0.0)
    wide = np.minimum(1, 1 / np.maximum(sharpness * (grid[1] - grid[0]) ** 2, 1e-9))
    peak = np.where(some, terms.value, 0.0)
    table = np.exp(wide[:, None] * (likelihoods(law, counts, np.exp(grid)) - peak[:, None]))
    offset = (peak + np.where(some, law.constant(counts), 0.0) + np.log(wide) / 2).sum()
    return _Surface(grid, table, float(offset))
