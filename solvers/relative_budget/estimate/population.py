"""How E T varies over prompts: log-normal, fitted to all rollouts with each prompt's own mean.

One law for all rollouts would be wrong where prompts differ: the mixture has a heavier tail than
its parts, which shows beyond the cap alone.  Here the likelihood of a prompt is its likelihood at a
mean, averaged over means; the averages are sums over a grid, which for smooth functions converge
faster than any power of its spacing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

from ...sequences import Array
from .fitting import crossing, likelihoods, rates
from .laws import Counts, Law

_SPACING = 0.05
"""Of log means.  Likelihoods narrower than that, of some 400 solves and more, are widened to it,
which leaves them where they are; finer takes longer and shows in no mean of many prompts."""
_SPREAD = (0.05, 4.0)
"""Standard deviations of log means that are tried: from next to none to a factor of a million."""
_LEAST = 1e-300
"""Of a prompt's likelihood beside its greatest, so that its logarithm is finite."""


@dataclass(frozen=True, slots=True)
class Population:
    """Log means of prompts are normal with this mean and deviation (of tokens, natural logarithm).

    mean, low, high: E T of a rollout of a prompt drawn at random, in tokens, with its interval by
    the profile likelihood; shape: of every prompt's law.
    """

    log_mean: float
    log_deviation: float
    mean: float
    low: float
    high: float
    shape: float

    def parts(self) -> tuple[Array, Array]:
        """Means of prompts and their weights (M, each): the population on a grid."""
        steps = np.linspace(-4, 4, 81)
        weights = np.exp(-(steps**2) / 2)
        means = np.exp(self.log_mean + self.log_deviation * steps)
        return means, weights / weights.sum()


def fit_population(law: Law, counts: Counts, level: float) -> Population:
    """The population of greatest likelihood given the shape; counts of at least two prompts."""
    middle = np.log(counts.longest.sum() / counts.solves.sum())
    each = np.log(np.maximum(counts.longest, 1) / np.maximum(counts.solves, 0.5))
    reach = 3 + max(middle - each.min(), each.max() - middle)
    grid = np.arange(middle - reach, middle + reach, _SPACING)
    table = likelihoods(law, counts, np.exp(grid)) * _widening(law, counts)[:, None]
    table = np.exp(table - table.max(axis=1, keepdims=True))

    def value(log_total: float, deviation: float) -> float:
        """The log-likelihood where E T is exp(log_total)."""
        centre = log_total - deviation**2 / 2
        away = ((grid - centre) / deviation) ** 2 / 2
        weights = np.exp(away.min() - away)
        return float(np.log(np.maximum(table @ weights / weights.sum(), _LEAST)).sum())

    def profile(log_total: float) -> tuple[float, float]:
        bounds = tuple(map(math.log, _SPREAD))
        found = minimize_scalar(
            lambda x: -value(log_total, math.exp(x)), bounds=bounds, method="bounded"
        )
        return -float(found.fun), math.exp(found.x)

    best = minimize_scalar(lambda x: -profile(x)[0], bracket=(middle, middle + 0.2), tol=1e-6)
    least = -float(best.fun) - float(chi2.ppf(level, 1)) / 2
    ends = [crossing(lambda x: profile(x)[0] - least, float(best.x), sign) for sign in (-1, 1)]
    deviation = profile(float(best.x))[1]
    mean, low, high = (math.exp(x) for x in (float(best.x), *ends))
    return Population(float(best.x) - deviation**2 / 2, deviation, mean, low, high, law.shape)


def _widening(law: Law, counts: Counts) -> Array:
    """What each log-likelihood (P) is multiplied by, at most 1, to be as wide as a step."""
    some = counts.solves > 0
    best = np.where(some, rates(law, counts), 0.0)
    sharpness = np.where(some, -law.terms(counts, best).curvature, 0.0)
    return np.minimum(1, 1 / np.maximum(sharpness * _SPACING**2, 1e-9))
