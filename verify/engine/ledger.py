"""The run's allowance for false alarms, and how counts of trials are charged to it.

A run may be wrong with probability at most ``RUN_ALPHA``.  Each statistical claim gets an equal
share; its i-th test spends share/((i+1)(i+2)), which sums to the share however long the campaign
goes on, so that stopping early or resuming late costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import flint

from ..binding.values import Count
from ..kernel import Enclosure

RUN_ALPHA = Fraction(1, 10**6)
"""Probability that any verdict of a run is wrong.  Interval widths grow with the square root of its
logarithm, so that a thousand times less makes them a fifth wider."""

_GRID = 2**24
"""Ends of intervals are multiples of its inverse, rounded outwards: short fractions, at a loss far
below the width of any interval that samples give."""
_PRECISION = 256
"""Bits for the binomial tail that proves an end: with fewer, ends move outwards until it is proved;
more cost time on every count."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Divides alpha among `claims` statistical claims; stateless, so shards need not talk."""

    alpha: Fraction = RUN_ALPHA
    claims: int = 1

    def allowance(self, test: int) -> Fraction:
        """The alpha of test number `test` (from 0) of one claim."""
        return self.alpha / max(self.claims, 1) / ((test + 1) * (test + 2))


def interval(count: Count, alpha: Fraction) -> Enclosure:
    """The Clopper-Pearson interval at level 1 - alpha, its ends confirmed by enclosures.

    scipy proposes the ends; each is moved outward on a grid of 2^-24 until the binomial tail there,
    enclosed by arb, is certainly at most alpha/2.
    """
    mirrored = Count(count.trials - count.successes, count.trials)
    low, high = (_lower_end(side, alpha / 2) for side in (count, mirrored))
    return Enclosure(low, 1 - high, alpha)


def _lower_end(count: Count, alpha: Fraction) -> Fraction:
    from scipy.stats import beta

    if count.successes == 0:
        return Fraction(0)
    proposed = beta.ppf(float(alpha), count.successes, count.trials - count.successes + 1)
    numerator = int(proposed * _GRID)
    with flint.ctx.workprec(_PRECISION):
        level = flint.arb(flint.fmpq(alpha.numerator, alpha.denominator))
        while numerator > 0 and not _upper_tail(count, numerator) <= level:
            numerator -= 1
    return Fraction(numerator, _GRID)


def _upper_tail(count: Count, numerator: int) -> flint.arb:
    """Pr(X >= successes) for X binomial with p = numerator / 2^24: I_p(k, n - k + 1)."""
    k, n = count.successes, count.trials
    p = flint.arb(flint.fmpq(numerator, _GRID))
    return p.beta_lower(flint.arb(k), flint.arb(n - k + 1), regularized=True)
