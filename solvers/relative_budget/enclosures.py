"""Reward moments of laws with a density, enclosed by arb at the working precision.

The same closed forms as in `continuous`, for exact parameters and R = (H - T)_+.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import flint

from ..errors import ModelError
from .continuous import Gamma, LogNormal, Weibull

_KINDS: dict[str, Callable[[float, float], Gamma | LogNormal | Weibull]] = {
    "gamma": Gamma,
    "log-normal": LogNormal,
    "weibull": Weibull,
}


def _arb(number: Fraction | int) -> flint.arb:
    number = Fraction(number)
    return flint.arb(flint.fmpq(number.numerator, number.denominator))


@dataclass(frozen=True, slots=True)
class Density:
    """A law of T with exact parameters, in the order of its record in `continuous`.

    kind: "gamma", "log-normal" or "weibull".

    Raises ModelError for another kind or a parameter that its law does not take.
    """

    kind: str
    first: Fraction
    second: Fraction

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ModelError(f"{self.kind!r} is not a law; give one of {', '.join(_KINDS)}")
        self.process()

    def process(self) -> Gamma | LogNormal | Weibull:
        """The law in floats."""
        return _KINDS[self.kind](float(self.first), float(self.second))

    def cdf(self, t: flint.arb) -> flint.arb:
        """Pr[T <= t]."""
        return self.partial_moment(0, t)

    def moment(self, order: int) -> flint.arb:
        """E T^order."""
        a, b = _arb(self.first), _arb(self.second)
        if self.kind == "gamma":
            return _rising(a, order) / b**order
        if self.kind == "weibull":
            return b**order * (1 + order / a).gamma()
        return (order * a + (order * b) ** 2 / 2).exp()

    def partial_moment(self, order: int, t: flint.arb) -> flint.arb:
        """E T^order 1{T <= t}; the part of a ball below 0 counts as 0."""
        if t <= 0:
            return flint.arb(0)
        if not t > 0:
            top = t.upper()
            return self.partial_moment(order, top).union(0) if top > 0 else flint.arb("nan")
        a, b = _arb(self.first), _arb(self.second)
        if self.kind == "gamma":
            share = (b * t).gamma_lower(a + order, regularized=1)
        elif self.kind == "weibull":
            share = ((t / b) ** a).gamma_lower(1 + order / a, regularized=1)
        else:
            score = (t.log() - a) / b - order * b
            share = (-score / flint.arb(2).sqrt()).erfc() / 2
        return self.moment(order) * share


def _rising(first: flint.arb, steps: int) -> flint.arb:
    found = flint.arb(1)
    for i in range(steps):
        found *= first + i
    return found


def gamma_density(shape: Fraction) -> Density:
    """The Gamma law of mean 1, whose horizon is the relative budget."""
    return Density("gamma", shape, shape)


@dataclass(frozen=True, slots=True)
class EnclosedMoments:
    """q, J and sigma of the UN-normalised reward (H - T)_+."""

    success: flint.arb
    mean: flint.arb
    deviation: flint.arb


def enclosed_moments(law: Density, horizon: Fraction | flint.arb) -> EnclosedMoments:
    """q, J and sigma of the UN-normalised reward, at the working precision."""
    h = horizon if isinstance(horizon, flint.arb) else _arb(horizon)
    q, one, two = (law.partial_moment(k, h) for k in range(3))
    mean = h * q - one
    square = h**2 * q - 2 * h * one + two - mean**2
    return EnclosedMoments(q, mean, square.max(0).sqrt())


def enclosed_anti_concentration(
    law: Density, horizon: Fraction | flint.arb, kappa: Fraction | flint.arb
) -> flint.arb:
    """c = Pr[R >= J + sigma sqrt(kappa)], at the working precision."""
    h, k = (one if isinstance(one, flint.arb) else _arb(one) for one in (horizon, kappa))
    found = enclosed_moments(law, h)
    return law.cdf(h - found.mean - k.sqrt() * found.deviation)


def enclosed_requirement(
    law: Density, horizon: Fraction | flint.arb, kappa: Fraction | flint.arb
) -> flint.arb:
    """n/L = 2 H/(sqrt(kappa) c sigma), at the working precision; not finite where c may be 0."""
    h, k = (one if isinstance(one, flint.arb) else _arb(one) for one in (horizon, kappa))
    share = enclosed_anti_concentration(law, h, k)
    return 2 * h / (k.sqrt() * share * enclosed_moments(law, h).deviation)
