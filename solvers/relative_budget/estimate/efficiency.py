"""What a horizon is worth: rewards under Gamma laws of many prompts, samples needed, tokens spent.

With xi = H/E T, F_k the regularised incomplete Gamma function and w the share that is never solved,
J/H = (1 - w) g and E R^2/H^2 = (1 - w) m in closed form; one step of improvement by
sqrt(kappa) sigma/2 is guaranteed by n = 2 H L/(sqrt(kappa) c sigma) rollouts, each of
E min(T, H) = H - J tokens (at most, where one ends on a wrong answer).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc

from ...sequences import Array

_PROMPTS = 1000
"""Prompts, evenly spread, that stand for all where horizons are compared: shares to a few
percent."""
_HORIZONS = 49
"""Horizons that are compared, in equal ratios: each some 10 to 20 percent above the one before."""


@dataclass(frozen=True, slots=True)
class Rewards:
    """Of P prompts at a horizon H, or of one shape (P, M) at M of them; in units of H.

    mean: J/H; deviation: sigma/H; anti_concentration: c; samples: n, infinity where c or sigma is
    0; gain: sqrt(kappa) sigma/(2 H), what they guarantee; tokens: n (H - J), in tokens.
    """

    mean: Array
    deviation: Array
    anti_concentration: Array
    samples: Array
    gain: Array
    tokens: Array


def rewards(
    mean: Array, shape: float, unsolvable: Array, horizon: Array, kappa: float, log_class: float
) -> Rewards:
    """Rewards of Gamma laws; mean: E T of what is solved, in tokens; arguments are broadcast.

    log_class: L = ``log(|R|/delta)``.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi = np.minimum(horizon / mean, 1e9)
        some = xi > 0
        xi, solvable, x = np.where(some, xi, 1.0), 1 - unsolvable, shape * np.where(some, xi, 1.0)
        first, second, third = (gammainc(shape + k, x) for k in range(3))
        g = np.where(some, solvable * (first - second / xi), 0.0)
        m = solvable * (first - 2 * second / xi + (shape + 1) / (shape * xi**2) * third)
        s = np.where(some, np.sqrt(np.maximum(m - g**2, 0)), 0.0)
        room = 1 - g - s * math.sqrt(kappa)
        c = np.where(some & (room > 0), solvable * gammainc(shape, x * np.maximum(room, 0)), 0.0)
        samples = np.where(c * s > 0, 2 * log_class / (math.sqrt(kappa) * c * s), np.inf)
        return Rewards(g, s, c, samples, math.sqrt(kappa) * s / 2, samples * horizon * (1 - g))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a number of tokens is best spent on.

    horizon: with the greatest sum of guaranteed improvements; share: of prompts that get them;
    gain: the improvement in units of H, a mean over all prompts; cheapest: (tokens, horizon) of the
    improvement of one prompt that costs least; horizons, gains: float64[M], what was compared.
    """

    horizon: int
    share: float
    gain: float
    cheapest: tuple[float, int]
    horizons: Array
    gains: Array


def horizons_to(least: float, most: float) -> Array:
    """The horizons that are compared: whole numbers in about equal ratios."""
    return np.unique(np.rint(np.geomspace(max(least, 1), max(most, 2), _HORIZONS)))


def spend(
    means: Array, shape: float, unsolvable: Array, tokens: float, kappa: float, log_class: float,
    most: int,
) -> Plan:  # fmt: skip
    """Improve prompts once each, the cheapest improvement first, at the best common horizon.

    means, unsolvable: of P prompts; tokens: to spend on all; most: the longest horizon that is
    compared.  That order is the best up to the last prompt.
    """
    some = np.unique(np.linspace(0, len(means) - 1, _PROMPTS).astype(int))
    purse = tokens * len(some) / len(means)
    horizons = horizons_to(float(np.quantile(means, 0.01, method="lower")) / 8, most)
    found = rewards(means[some, None], shape, unsolvable[some, None], horizons, kappa, log_class)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        order = np.argsort(found.tokens / found.gain, axis=0)
    spent = np.take_along_axis(found.tokens, order, axis=0).cumsum(axis=0)
    bought = spent <= purse
    gains = (np.take_along_axis(found.gain, order, axis=0) * bought).sum(axis=0) / len(some)
    best = int(gains.argmax())
    least = np.unravel_index(int(np.argmin(found.tokens)), found.tokens.shape)
    cheapest = float(found.tokens[least]), int(horizons[least[1]])
    share = float(bought[:, best].mean())
    return Plan(int(horizons[best]), share, float(gains[best]), cheapest, horizons, gains)
