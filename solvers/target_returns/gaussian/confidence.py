r"""How many posterior deviations hold at all n targets and all times j at once.

Bayesian multipliers are for a process drawn from the prior, with known Gaussian noise; those called
beta are for a fixed function of bounded norm in the kernel's space, with R-sub-Gaussian noise.
"""

from __future__ import annotations

from math import log, pi, sqrt

import numpy as np
import scipy  # its parts are loaded when they are used

from ...errors import ModelError
from .checks import Floats, count, failure_probability, finite, grid_of, positive
from .kernels import OUTWARD, AnyKernel

_SMALLEST = 1e-280  # squares of distances below it lose digits


def _log_shares(targets: int, step: int, failure: float) -> float:
    """log(n j^2 pi^2 / (6 Delta)): the inverse of the probability for one target at one time."""
    n, j = count(targets, "the number of targets"), count(step, "the step, which counts from 1,")
    return log(n * j * j * pi * pi / 6) - log(failure_probability(failure))


def alpha_bayes(targets: int, step: int, failure: float) -> float:
    """sqrt(2 log(n j^2 pi^2 / (6 Delta))), two-sided (Srinivas et al. 2010, Lemma 5.1)."""
    return sqrt(2 * _log_shares(targets, step, failure))


def alpha_one_sided(targets: int, step: int, failure: float) -> float:
    """The same for one side alone, with 2 Delta: sqrt(2 log(n j^2 pi^2 / (12 Delta)))."""
    return sqrt(2 * max(_log_shares(targets, step, failure) - log(2), 0.0))


def alpha_exact(targets: int, step: int, failure: float) -> float:
    """The exact Gaussian quantile of 1 - Delta / (2 n pi_j), two-sided; less than alpha_bayes."""
    return float(-scipy.special.ndtri_exp(-_log_shares(targets, step, failure) - log(2)))


def beta_determinant(
    norm: float, noise: float, regulariser: float, information: float, failure: float
) -> float:
    """B + R / sqrt(lambda) sqrt(2 log(1/delta) + log det(I + K_t / lambda)).

    ``information`` is half that log det, as `Posterior.information` has it with noise variance
    lambda (Abbasi-Yadkori 2013; Durand et al. 2018; Fiedler et al. 2024).
    """
    return finite(norm, "the norm bound") + positive(noise, "the noise bound") / sqrt(
        positive(regulariser, "the regulariser")
    ) * sqrt(2 * finite(information, "the information") - 2 * log(failure_probability(failure)))


def beta_chowdhury_gopalan(norm: float, noise: float, gain: float, failure: float) -> float:
    """B + R sqrt(2 (gamma + 1 + log(1/delta))), for the regulariser 1 + 2/T and k <= 1 alone."""
    inside = finite(gain, "the information gain") + 1 - log(failure_probability(failure))
    return finite(norm, "the norm bound") + positive(noise, "the noise bound") * sqrt(2 * inside)


def lipschitz_bound(kernel: AnyKernel, points: Floats, failure: float) -> float:
    """L with ``|f(z) - f(z')| <= L |z - z'|`` on the grid, except with probability ``failure``.

    The maximum of ``s(z, z') / |z - z'|``, s^2 the variance of the difference, times
    sqrt(2 log(n (n - 1) / (2 Delta))), rounded up; Euclidean distance in the coordinates as they
    are.  Raises ModelError for a single target, and for targets so close or far that squares of
    their differences underflow or overflow.
    """
    points = grid_of(points)
    n = len(points)
    if n < 2:
        raise ModelError("a grid of one target has no slope; give at least two targets")
    steepest, shares = 0.0, log(n * (n - 1) / 2) - log(failure_probability(failure))
    for index in range(n - 1):
        with np.errstate(over="ignore"):
            distance = ((points[index + 1 :] - points[index]) ** 2).sum(axis=1)
        if not (distance.min() > _SMALLEST and distance.max() < 1 / _SMALLEST):
            raise ModelError(
                f"target {index} is nearer than 1e-140 to another, or further than 1e140, which "
                "float64 cannot square; give other units to the coordinates"
            )
        spread = kernel.spread(points, index)[index + 1 :]
        steepest = max(steepest, float((spread / distance).max()))
    return sqrt(steepest * 2 * shares) * OUTWARD
