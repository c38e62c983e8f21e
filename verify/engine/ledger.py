"""The run's allowance for false alarms, and how samples are charged to it.

A run may be wrong with probability at most ``RUN_ALPHA``.  Each statistical claim gets an equal
share; its i-th test spends share/((i+1)(i+2)), which sums to the share however long the campaign
goes on, so that stopping early or resuming late costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import flint

from holdfast.solvers.binomial import lower_bound, upper_bound

from ..binding.balls import from_arb, to_arb
from ..binding.values import Count, Mean
from ..kernel import Enclosure

RUN_ALPHA = Fraction(1, 10**6)
"""Probability that any verdict of a run is wrong.  Interval widths grow with the square root of its
logarithm, so that a thousand times less makes them a fifth wider."""

_GRID = 2**24
"""Ends of intervals around a mean are multiples of its inverse, in units of the range of a sample,
rounded outwards: short fractions, at a loss far below the width that samples give."""
_PRECISION = 256
"""Bits for the radius around a mean: its rounding is nothing beside the grid."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Divides alpha among `claims` statistical claims; stateless, so shards need not talk."""

    alpha: Fraction = RUN_ALPHA
    claims: int = 1

    def allowance(self, test: int) -> Fraction:
        """The alpha of test number `test` (from 0) of one claim."""
        return self.alpha / max(self.claims, 1) / ((test + 1) * (test + 2))


def interval(value: Count | Mean, alpha: Fraction) -> Enclosure:
    """What the samples say of the probability or expectation at level 1 - alpha: the interval of
    Clopper and Pearson for a count, the empirical Bernstein interval for a mean.
    """
    return _of_count(value, alpha) if isinstance(value, Count) else _of_mean(value, alpha)


def _of_mean(mean: Mean, alpha: Fraction) -> Enclosure:
    """Maurer and Pontil 2009, Theorem 4, at alpha/2 for each side.

    For n independent samples of one law on [0, 1], with unbiased sample variance V, the expectation
    exceeds the mean by more than ``sqrt(2 V ln(2/delta)/n) + 7 ln(2/delta)/(3 (n - 1))`` with
    probability at most delta; applied to x and to 1 - x, scaled to the range, delta = alpha/2.  One
    sample says nothing beyond its range.
    """
    n, lo, width = mean.samples, mean.lo, mean.hi - mean.lo
    if n == 1:
        return Enclosure(lo, mean.hi, alpha)
    variance = mean.variance / width**2
    with flint.ctx.workprec(_PRECISION):
        log = to_arb(4 / alpha).log()
        radius = (2 * to_arb(variance) * log / n).sqrt() + 7 * log / (3 * (n - 1))
        largest = from_arb(radius)[1]
    middle = (mean.total / n - lo) / width
    low = max(0, floor((middle - largest) * _GRID))
    high = min(_GRID, ceil((middle + largest) * _GRID))
    return Enclosure(lo + width * Fraction(low, _GRID), lo + width * Fraction(high, _GRID), alpha)


def _of_count(count: Count, alpha: Fraction) -> Enclosure:
    """Clopper and Pearson's interval, its ends confirmed by enclosures."""
    tested = count.successes, count.trials, alpha / 2
    return Enclosure(lower_bound(*tested), upper_bound(*tested), alpha)
