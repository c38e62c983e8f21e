"""From floating-point residuals to rational bounds that hold.

For any h (S), with res = f + gamma P h - h,

    max_pi J_f(pi)  <=  mu.h + max_k res_k / (1 - gamma),
    J_f(pi)  in  mu.h + [min_s res_s, max_s res_s] / (1 - gamma)   over the choices of pi,

for h + t with a suitable constant t satisfies Bellman's inequality.  Here h is a vector of doubles
that are multiples of one power of two, so that mu.h is computed exactly; the residuals are those of
the compiled loops, each wrong by at most ``Image.residual_error``; the rest is in Fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ...errors import ModelError
from .evaluation import Evaluation
from .image import AbstractImage, Array
from .kernels import GREATEST, LEAST

#: Values are split into two halves of so many bits, for dot products in int64 without overflow.
_HALF = 26


def expectation(image: AbstractImage, values: Array, grid: float) -> Fraction:
    """mu . values, exactly; values (S) are multiples of 1 / grid below 2^52 / grid."""
    integers = (values * grid).astype(np.int64)
    initial, total = image.model.initial, image.model.initial_denominator
    if initial.dtype == object or total >= 2 ** (62 - _HALF):
        pairs = zip(initial.tolist(), integers.tolist(), strict=True)
        return Fraction(sum(n * v for n, v in pairs), total) / Fraction(grid)
    high = integers >> _HALF
    low = integers - (high << _HALF)
    dot = (int(initial @ high) << _HALF) + int(initial @ low)
    return Fraction(dot, total) / Fraction(grid)


def exact(number: float) -> Fraction:
    """A double as the rational it is; raises ModelError when the arithmetic has overflowed."""
    if not math.isfinite(number):
        raise ModelError(
            "the values leave the range of double precision; use solve, which is exact"
        )
    return Fraction(number)


@dataclass(frozen=True)
class Column:
    """A deterministic policy with rigorous bounds on its returns.

    Attributes:
        moves: the place of the choice among those of its state, in the smallest dtype (S).
        lower, upper: bounds on J_r and every J_c.
        accuracy: how far the widest of the bounds are apart, in units of the reward.
        multipliers: float64[m], the lambda it was found for.
        values: float64[p, S], up to constants, row i in multiples of 1 / grids[i]; None when
            forgotten.
    """

    moves: Array
    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    accuracy: float
    multipliers: Array
    values: Array | None
    grids: tuple[float, ...]

    @cached_property
    def middle(self) -> Array:
        """float64[p], the middles of the bounds."""
        ends = zip(self.lower, self.upper, strict=True)
        return np.array([float((low + high) / 2) for low, high in ends])

    @cached_property
    def certain(self) -> Array:
        """float64[p], the least reward and the greatest costs that the bounds allow."""
        return np.array([float(self.lower[0]), *(float(high) for high in self.upper[1:])])

    def floor(self, price: Array) -> Fraction:
        """A lower bound on price . J."""
        ends = zip(price.tolist(), self.lower, self.upper, strict=True)
        return sum((Fraction(w) * (low if w > 0 else high) for w, low, high in ends), Fraction(0))


def return_bounds(
    image: AbstractImage, found: Evaluation
) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Lower and upper bounds on the return of a policy in every payoff, from its evaluation."""
    count = len(found.values)
    lower, upper = [], []
    for i, constant in enumerate(image.constants):
        if constant is not None:  # earned at every step by every policy, so that no error remains
            found.values[i] = 0.0
            lower.append(constant * image.horizon)
            upper.append(constant * image.horizon)
            continue
        row, grid = found.values[i], found.grids[i]
        height = max(float(row.max()), -float(row.min()))
        error = image.residual_error([Fraction(int(i == k)) for k in range(count)], exact(height))
        centre = expectation(image, row, grid)
        lower.append(centre + (exact(float(found.ends[i, LEAST])) - error) * image.horizon)
        upper.append(centre + (exact(float(found.ends[i, GREATEST])) + error) * image.horizon)
    return tuple(lower), tuple(upper)
