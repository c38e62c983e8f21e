"""Moments of the reward, its anti-concentration, and how many samples one improvement needs.

The reward of a trajectory is R = (H - T + 1) 1{T <= H} where T is a whole number, and (H - T)_+
where it has a density: UN-normalised, between 0 and H.  Source: Wachi, Kinoshita, Takakura,
Higuchi and Suzuki 2026, recalled; the constants are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import ModelError
from .chains import rational
from .processes import DensityProcess, DiscreteProcess, TokenProcess, has_density, is_discrete

_NEAR_A_TIE = 1e-6
"""Relative distance of a threshold from a whole number below which it is compared exactly: less
risks a wrong tie, more costs the exact comparison more often."""


@dataclass(frozen=True, slots=True)
class Moments:
    """q = Pr[T <= H], J = E R and sigma = std R of the UN-normalised reward."""

    success: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class ExactMoments:
    """q, J and sigma^2 of the UN-normalised reward, exactly."""

    success: Fraction
    mean: Fraction
    variance: Fraction


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one step of improvement by sqrt(kappa) sigma/2 needs.

    samples: 2 H L/(sqrt(kappa) c sigma), not rounded, infinity with a reason where c or sigma is 0;
    moments: of the reward; anti_concentration: c; relative_budget: xi = H/E T; largest_kappa: the
    supremum of kappa for which c is positive.
    """

    samples: float
    reason: str | None
    moments: Moments
    anti_concentration: float
    relative_budget: float
    largest_kappa: float


def class_logarithm(size: int, failure: float) -> float:
    """L = ``log(|R|/delta)`` of a reward class.

    Raises ModelError for an empty class or a probability `failure` outside (0, 1).
    """
    if size < 1 or size // 1 != size:
        raise ModelError(f"the reward class has {size} members; it has at least 1")
    if not 0 < failure < 1:
        raise ModelError(f"the probability of failure is {failure}; give one in (0, 1)")
    return math.log(size) - math.log(failure)


def checked_horizon(process: TokenProcess, horizon: float) -> float:
    """The horizon H; ModelError unless it is positive, and whole where T is."""
    if isinstance(horizon, bool) or not (math.isfinite(horizon) and horizon > 0):
        raise ModelError(f"the horizon is {horizon}; it must be a positive number of tokens")
    if not process.discrete:
        return float(horizon)
    if int(horizon) != horizon:
        raise ModelError(
            f"the horizon is {horizon}, but {type(process).__name__} counts whole tokens; give a "
            "whole number"
        )
    return horizon


def _checked_kappa(kappa: object) -> Fraction:
    value = rational(kappa, "kappa")
    if value <= 0:
        raise ModelError(f"kappa is {kappa}; the radius of the ball of policies is positive")
    return value


def moments(process: TokenProcess, horizon: float) -> Moments:
    """q, J and sigma in floats, free of cancellation: by the tail where most is solved.

    Raises ModelError for a horizon that is not positive, or not whole where T is.
    """
    if is_discrete(process):
        return _summed(process, int(checked_horizon(process, horizon)))
    assert has_density(process)
    return _integrated(process, checked_horizon(process, horizon))


def _summed(process: DiscreteProcess, horizon: int) -> Moments:
    """E R = sum of F(t) over t <= H, E R^2 = sum of (2 (H - t) + 1) F(t); for what is lost,
    H - R = min(T - 1, H), likewise sums over the tail."""
    t = np.arange(1, horizon + 1, dtype=float)
    q = float(process.cdf(t[-1:])[0])
    if 2 * q > 1:
        values, weights = process.tail(t), 2 * t - 1
    else:
        values, weights = process.cdf(t), 2 * (horizon - t) + 1
    first, second = float(values.sum()), float((weights * values).sum())
    mean = horizon - first if 2 * q > 1 else first
    return Moments(q, mean, math.sqrt(max(second - first**2, 0.0)))


def _integrated(process: DensityProcess, horizon: float) -> Moments:
    at = np.array([horizon])
    q, rest = float(process.cdf(at)[0]), float(process.tail(at)[0])
    one, two = (process.partial_moment(k, horizon) for k in (1, 2))
    if 2 * q > 1:  # what is lost is min(T, H)
        first, second = one + horizon * rest, two + horizon**2 * rest
        return Moments(q, horizon - first, math.sqrt(max(second - first**2, 0.0)))
    first, second = horizon * q - one, horizon**2 * q - 2 * horizon * one + two
    return Moments(q, first, math.sqrt(max(second - first**2, 0.0)))


def exact_moments(process: DiscreteProcess, horizon: int) -> ExactMoments:
    """q, J and sigma^2 as Fractions.

    Raises ModelError for a process with a density, or a horizon that is no whole number above 0.
    """
    masses = _masses(process, horizon)
    first, second = (
        sum((mass * (horizon - t) ** k for t, mass in enumerate(masses)), Fraction(0))
        for k in (1, 2)
    )
    return ExactMoments(sum(masses, Fraction(0)), first, second - first**2)


def _masses(process: TokenProcess, horizon: int) -> tuple[Fraction, ...]:
    if not is_discrete(process):
        raise ModelError(
            f"{type(process).__name__} has a density, so no exact moments; take a discrete "
            "process, or moments(...)"
        )
    return process.masses(int(checked_horizon(process, horizon)))


def exact_anti_concentration(process: DiscreteProcess, horizon: int, kappa: object) -> Fraction:
    """c = Pr[R >= J + sigma sqrt(kappa)] as a Fraction, ties included; arguments as above."""
    masses, radius = _masses(process, horizon), _checked_kappa(kappa)
    found = exact_moments(process, horizon)
    reached = Fraction(0)
    for t, mass in enumerate(masses):
        if not exceeds(Fraction(horizon - t), found, radius):
            break
        reached += mass
    return reached if not exceeds(Fraction(0), found, radius) else Fraction(1)


def exceeds(reward: Fraction, found: ExactMoments, kappa: Fraction) -> bool:
    """Whether a reward is at least J + sigma sqrt(kappa), decided without a root."""
    above = reward - found.mean
    return above >= 0 and above**2 >= kappa * found.variance


def anti_concentration(process: TokenProcess, horizon: float, kappa: object) -> float:
    """c = Pr[R >= J + sigma sqrt(kappa)]; where T is a whole number ties are decided exactly.

    Raises ModelError for a horizon as in `moments`, or a kappa that is not positive.
    """
    radius, found = _checked_kappa(kappa), moments(process, horizon)
    level = found.mean + found.deviation * math.sqrt(radius)
    if level == 0:
        return 1.0
    latest = checked_horizon(process, horizon) - level
    if is_discrete(process):
        latest += 1
        if abs(latest - round(latest)) <= _NEAR_A_TIE * max(1.0, horizon):
            return float(exact_anti_concentration(process, int(horizon), radius))
    return float(process.cdf(np.array([latest]))[0]) if latest > 0 else 0.0


def relative_budget(process: TokenProcess, horizon: float) -> float:
    """xi = H/E T; 0 where E T is infinite, whatever Pr[T <= H] is."""
    return checked_horizon(process, horizon) / process.mean


def requirement(
    process: TokenProcess, horizon: float, kappa: object, log_class: float
) -> Requirement:
    """How many samples suffice for an improvement by sqrt(kappa) sigma/2, and why none do.

    log_class: L as `class_logarithm` gives it.  Raises ModelError for it or kappa
    not positive, or a horizon as in `moments`.
    """
    if not (math.isfinite(log_class) and log_class > 0):
        raise ModelError(f"log_class is {log_class}; log(|R|/delta) is a positive number")
    radius, found = _checked_kappa(kappa), moments(process, horizon)
    best = max(horizon - process.shortest + int(process.discrete), 0.0)
    budget = relative_budget(process, horizon)
    if found.deviation == 0:
        return Requirement(math.inf, _same(found, horizon), found, 1.0, budget, math.nan)
    largest = ((best - found.mean) / found.deviation) ** 2
    share = anti_concentration(process, horizon, radius)
    if share == 0:
        reason = (
            f"No trajectory is sqrt(kappa) = {math.sqrt(radius):.4g} deviations better than the "
            f"mean reward: the largest kappa with a positive probability of that is {largest:.4g}, "
            f"and kappa is {float(radius):.4g}. Take a smaller kappa."
        )
        return Requirement(math.inf, reason, found, 0.0, budget, largest)
    samples = 2 * horizon * log_class / (math.sqrt(radius) * share * found.deviation)
    return Requirement(samples, None, found, share, budget, largest)


def _same(found: Moments, horizon: float) -> str:
    if found.success == 0:
        return (
            f"No trajectory is solved within the horizon of {horizon} tokens, so that all rewards "
            "are 0 and there is nothing to learn from. Take a longer horizon."
        )
    return (
        "All trajectories are solved after the same number of tokens, so that all rewards agree "
        "and no policy is better than another."
    )
