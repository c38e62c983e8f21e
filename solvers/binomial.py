"""One-sided bounds of Clopper and Pearson on a probability, proved by enclosures of the tail."""

from __future__ import annotations

from fractions import Fraction

import flint

_GRID = 2**24
"""Bounds are multiples of its inverse, rounded outwards: short fractions, at a loss far below the
width that samples give."""
_PRECISION = 256
"""Bits for the tail that proves a bound: with fewer, bounds move outwards until it is proved; more
cost time on every count."""


def lower_bound(successes: int, trials: int, error: Fraction) -> Fraction:
    """A smaller probability shows so many successes in independent trials with Pr <= error.

    scipy proposes it; it is lowered on a grid of 2^-24 until the binomial tail there, enclosed by
    arb, is certainly at most the error.
    """
    from scipy.stats import beta

    if successes == 0:
        return Fraction(0)
    numerator = int(beta.ppf(float(error), successes, trials - successes + 1) * _GRID)
    with flint.ctx.workprec(_PRECISION):
        allowed = flint.arb(flint.fmpq(error.numerator, error.denominator))
        while numerator > 0 and not _upper_tail(successes, trials, numerator) <= allowed:
            numerator -= 1
    return Fraction(numerator, _GRID)


def upper_bound(successes: int, trials: int, error: Fraction) -> Fraction:
    """A larger probability shows so few successes with Pr <= error."""
    return 1 - lower_bound(trials - successes, trials, error)


def _upper_tail(successes: int, trials: int, numerator: int) -> flint.arb:
    """Pr(X >= successes) for X binomial with p = numerator / 2^24: I_p(k, n - k + 1)."""
    p = flint.arb(flint.fmpq(numerator, _GRID))
    first, second = flint.arb(successes), flint.arb(trials - successes + 1)
    return p.beta_lower(first, second, regularized=True)
