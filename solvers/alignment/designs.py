"""Linear features and data: fitted weights, widths and the exact law of their errors.

Features are the unit vectors e_1, ..., e_d, each observed so many times; Sigma is kappa I plus the
sum of phi phi', so diagonal.  Noise is half the range, up or down with even odds: no noise in an
interval of that length has more variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

import flint

from ..errors import ModelError
from .checks import check_count, real


def fitted(
    weights: Sequence[Fraction], counts: Sequence[int], ridge: Fraction
) -> tuple[Fraction, ...]:
    """Weights that are fitted to labels without noise: by the ridge, or with ridge 0 the least ones
    that fit, which are 0 where nothing is observed.

    Raises ModelError for weights that are no numbers, counts that are no integers of at least 0, a
    negative ridge, and lengths that differ.
    """
    real(ridge, "ridge", least=0)
    if len(weights) != len(counts):
        raise ModelError(f"there are {len(counts)} counts and {len(weights)} weights; give as many")
    for i, (w, n) in enumerate(zip(weights, counts, strict=True)):
        real(w, f"weights[{i}]")
        check_count(n, f"counts[{i}]", 0)
    return tuple(
        w * n / (n + ridge) if n + ridge else Fraction(0)
        for w, n in zip(weights, counts, strict=True)
    )


def binomial_sums(count: int) -> dict[int, Fraction]:
    """The law of a sum of signs: value to probability."""
    return {2 * k - count: Fraction(comb(count, k), 2**count) for k in range(count + 1)}


def squared_error_law(
    weights: Sequence[Fraction], count: int, ridge: Fraction, span: Fraction
) -> dict[Fraction, Fraction]:
    """The law of the squared norm in Sigma of the ridge estimate's error, each e_i observed `count`
    times with noise +-span/2: value to probability.

    Raises ModelError unless the ridge is positive.
    """
    real(ridge, "ridge", above=0)
    real(span, "span", least=0)
    law = {Fraction(0): Fraction(1)}
    for w in weights:
        terms = [
            ((span / 2 * k - ridge * w) ** 2 / (ridge + count), p)
            for k, p in binomial_sums(count).items()
        ]
        added: dict[Fraction, Fraction] = {}
        for value, p in law.items():
            for term, chance in terms:
                added[value + term] = added.get(value + term, Fraction(0)) + p * chance
        law = added
    return law


def quantile(law: dict[Fraction, Fraction], failure: Fraction) -> Fraction:
    """The least value that is exceeded with probability `failure` at most, between 0 and 1."""
    if not 0 < real(failure, "failure") < 1:
        raise ModelError(f"failure is {failure}; it must lie between 0 and 1")
    if sum(law.values()) != 1:
        raise ModelError(f"the law has mass {sum(law.values())}; it must have mass 1")
    left = Fraction(1)
    for value in sorted(law):
        left -= law[value]
        if left <= failure:
            break
    return value


def sum_of_sizes(count: int, dimension: int, power: int = 1) -> tuple[list[int], int]:
    """Weights of the values 0, 1, ... of sum_i abs(S_i)^power for sums S_i of `count` signs, and
    the total weight; exact, by a power of a polynomial."""
    weights = [0] * (count**power + 1)
    for k in range(count + 1):
        weights[abs(2 * k - count) ** power] += comb(count, k)
    found = flint.fmpz_poly(weights) ** dimension
    return [int(one) for one in found.coeffs()], 2 ** (count * dimension)
