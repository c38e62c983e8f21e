"""The Gamma case: closed forms in the relative budget xi, with mean 1 and shape K, in floats.

With T of shape K and mean 1 and H = xi, F_k the regularised lower incomplete gamma function,
q = F_K(K xi), g = J/H = q - F_{K+1}(K xi)/xi, and s = sigma/H.  What is small is computed by its
complement.  Source: Wachi et al. 2026, recalled; closed forms ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy  # its parts are loaded when they are used

from ..target_returns.gaussian.checks import positive


@dataclass(frozen=True, slots=True)
class GammaShares:
    """Shares of the horizon: q, g = J/H, lost = 1 - g, s = sigma/H and slope = dg/dxi."""

    success: float
    mean: float
    lost: float
    deviation: float
    slope: float


def gamma_shares(shape: float, budget: float) -> GammaShares:
    """q, g, 1 - g, s and g' = F_{K+1}(K xi)/xi^2 at a relative budget xi.

    Raises ModelError for a shape or a budget that is not positive and finite.
    """
    k, xi = positive(shape, "the shape"), positive(budget, "the relative budget")
    x = k * xi
    q, one, two = (float(scipy.special.gammainc(k + i, x)) for i in range(3))
    rest = float(scipy.special.gammaincc(k, x))
    mean, lost, square = q - one / xi, one / xi + rest, (k + 1) / (k * xi**2) * two
    # where most is solved, as the variance of min(T, H)/H
    spread = square + rest - lost**2 if 2 * q > 1 else q - 2 * one / xi + square - mean**2
    return GammaShares(q, mean, lost, math.sqrt(max(spread, 0.0)), one / xi**2)


def gamma_anti_concentration(shape: float, budget: float, kappa: float) -> float:
    """c = F_K(K xi (1 - g - s sqrt(kappa))), 0 where that is negative."""
    found = gamma_shares(shape, budget)
    left = found.lost - found.deviation * math.sqrt(positive(kappa, "kappa"))
    return float(scipy.special.gammainc(shape, shape * budget * left)) if left > 0 else 0.0


def gamma_requirement(shape: float, budget: float, kappa: float) -> float:
    """n/L = 2/(sqrt(kappa) c s); infinity where c or s is 0."""
    product = gamma_anti_concentration(shape, budget, kappa) * gamma_shares(shape, budget).deviation
    return 2 / (math.sqrt(kappa) * product) if product else math.inf


def deficient_limit(shape: float) -> float:
    """The limit of n q^(3/2) sqrt(kappa)/(2 L) as xi falls to 0: sqrt((K + 1)(K + 2)/2)."""
    shape = positive(shape, "the shape")
    return math.sqrt((shape + 1) * (shape + 2) / 2)


def ample_limit(shape: float, kappa: float) -> float:
    """The limit of n sqrt(kappa)/(2 L xi) as xi grows: sqrt(K)/F_K(K - sqrt(K kappa)).

    Infinity for kappa >= K, where c falls to 0.
    """
    left = positive(shape, "the shape") - math.sqrt(shape * positive(kappa, "kappa"))
    return math.sqrt(shape) / float(scipy.special.gammainc(shape, left)) if left > 0 else math.inf
