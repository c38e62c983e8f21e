"""Exact tail probabilities of frequencies, as rationals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import comb, factorial, prod


def binomial_tail(trials: int, probability: Fraction, deviation: Fraction) -> Fraction:
    """Pr(p^ - p >= t) for the frequency p^ of `trials` independent successes of probability p."""
    a, b = probability.numerator, probability.denominator
    least = trials * (probability + deviation)
    first = max(-(-least.numerator // least.denominator), 0)
    total = sum(comb(trials, k) * a**k * (b - a) ** (trials - k) for k in range(first, trials + 1))
    return Fraction(total, b**trials)


def multinomial_l1_tail(trials: int, law: Sequence[Fraction], radius: Fraction) -> Fraction:
    """Pr(||P^ - P||_1 >= radius) for the empirical law of `trials` independent outcomes."""
    if len(law) == 2:
        p, t = law[0], radius / 2  # both entries of P^ - P are +-(p^ - p)
        upper = binomial_tail(trials, p, t)
        return upper + binomial_tail(trials, 1 - p, t) if t > 0 else Fraction(1)
    total = Fraction(0)
    for counts in _compositions(trials, len(law)):
        frequencies = (Fraction(count, trials) for count in counts)
        if sum(abs(f - p) for f, p in zip(frequencies, law, strict=True)) >= radius:
            ways = factorial(trials) // prod(map(factorial, counts))
            total += ways * prod(p**count for p, count in zip(law, counts, strict=True))
    return total


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)
