"""The allowance for false alarms, and the confidence intervals that spend it."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import comb, factorial, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verify.binding.values import Count, Mean
from holdfast.verify.engine.ledger import RUN_ALPHA, Ledger, interval
from holdfast.verify.kernel import Enclosure


@given(st.integers(1, 200), st.integers(0, 300))
def test_a_run_never_spends_more_than_its_alpha(claims: int, tests: int) -> None:
    """sum over i < n of 1/((i+1)(i+2)) telescopes to 1 - 1/(n+1) < 1."""
    ledger = Ledger(claims=claims)
    spent = sum((ledger.allowance(test) for test in range(tests)), Fraction(0))
    assert spent == RUN_ALPHA / claims * (1 - Fraction(1, tests + 1))
    assert claims * spent < RUN_ALPHA


def test_allowances_depend_on_nothing_but_the_number_of_the_test() -> None:
    assert Ledger().allowance(17) == Ledger().allowance(17) == RUN_ALPHA / (18 * 19)
    assert Ledger(claims=0).allowance(0) == RUN_ALPHA / 2


def binomial(n: int, k: int, p: Fraction) -> Fraction:
    return comb(n, k) * p**k * (1 - p) ** (n - k)


def tail(n: int, least: int, p: Fraction) -> Fraction:
    """Pr(X >= least)."""
    return sum((binomial(n, k, p) for k in range(least, n + 1)), Fraction(0))


@pytest.mark.parametrize("n", [1, 2, 5, 12])
@pytest.mark.parametrize("alpha", [Fraction(1, 4), Fraction(1, 20), Fraction(1, 10**9)])
def test_coverage_is_at_least_one_minus_alpha_for_every_p(n: int, alpha: Fraction) -> None:
    """Summed exactly: the probability of the counts whose interval misses p."""
    intervals = [interval(Count(k, n), alpha) for k in range(n + 1)]
    for numerator in range(65):
        p = Fraction(numerator, 64)
        missed = sum(
            (binomial(n, k, p) for k, ends in enumerate(intervals) if not ends.lo <= p <= ends.hi),
            Fraction(0),
        )
        assert missed <= alpha


@pytest.mark.parametrize("n", [1, 7, 30])
def test_the_ends_are_those_of_clopper_and_pearson(n: int) -> None:
    """At the lower end Pr(X >= k) <= alpha/2, and not 2^-20 further in; so at the upper."""
    alpha, step = Fraction(1, 100), Fraction(1, 2**20)
    for k in range(n + 1):
        ends = interval(Count(k, n), alpha)
        assert ends.alpha == alpha
        for end, least, inward in ((ends.lo, k, step), (1 - ends.hi, n - k, step)):
            if least == 0:
                assert end == 0
                continue
            at, within = (tail(n, least, p) for p in (end, end + inward))
            assert at <= alpha / 2 < within


def test_intervals_are_symmetric_and_nested() -> None:
    tight, wide = (interval(Count(3, 10), alpha) for alpha in (Fraction(1, 10), Fraction(1, 1000)))
    assert wide.lo <= tight.lo < Fraction(3, 10) < tight.hi <= wide.hi
    mirrored = interval(Count(7, 10), Fraction(1, 10))
    assert (mirrored.lo, mirrored.hi) == (1 - tight.hi, 1 - tight.lo)


@pytest.mark.parametrize("count", [Count(0, 10**6), Count(10**6, 10**6), Count(1, 10**6)])
def test_large_counts_and_tiny_alphas(count: Count) -> None:
    ends = interval(count, RUN_ALPHA / 10**6)
    assert 0 <= ends.lo <= Fraction(count.successes, count.trials) <= ends.hi <= 1
    assert ends.hi - ends.lo < Fraction(1, 10**4)


LOOSE = Fraction(1, 2)
"""A level at which intervals are short enough to miss sometimes, if they miss too often."""
Law = tuple[tuple[Fraction, Fraction], ...]


def samples_of(law: Law, n: int) -> Iterator[tuple[Fraction, Mean]]:
    """(probability, mean) of every outcome of n samples of a law of at most three values in [0, 1],
    summed exactly over the counts of the values."""
    (a, p), (b, q), *rest = law
    c, r = rest[0] if rest else (Fraction(0), Fraction(0))
    for i in range(n + 1):
        for j in range(n + 1 - i) if rest else (n - i,):
            k = n - i - j
            ways = factorial(n) // (factorial(i) * factorial(j) * factorial(k))
            total, squares = i * a + j * b + k * c, i * a**2 + j * b**2 + k * c**2
            found = Mean(n, Fraction(total), Fraction(squares), Fraction(0), Fraction(1))
            yield ways * p**i * q**j * r**k, found


def missed(law: Law, n: int, bounds: Callable[[Mean], Enclosure]) -> Fraction:
    """The probability that the interval of n samples does not hold the expectation."""
    expectation = sum((value * p for value, p in law), Fraction(0))
    ends = ((share, bounds(mean)) for share, mean in samples_of(law, n))
    return sum((share for share, e in ends if not e.lo <= expectation <= e.hi), Fraction(0))


def two(p: Fraction) -> Law:
    return (Fraction(0), 1 - p), (Fraction(1), p)


SKEWED: Law = (
    (Fraction(0), Fraction(9, 10)),
    (Fraction(1, 10), Fraction(9, 100)),
    (Fraction(1), Fraction(1, 100)),
)


@pytest.mark.parametrize(("law", "n"), [
    *((two(Fraction(k, 100)), n) for k in (1, 5, 20, 50, 99) for n in (2, 60, 250)),
    (SKEWED, 2), (SKEWED, 50),
])  # fmt: skip
def test_a_mean_is_covered_as_often_as_the_level_says(law: Law, n: int) -> None:
    assert missed(law, n, lambda mean: interval(mean, LOOSE)) <= LOOSE


def normal(mean: Mean) -> Enclosure:
    """The interval of a normal law at the level 1 - 1/2: 0.6745 standard errors to each side."""
    reach = Fraction(0.6745 * sqrt(mean.variance / mean.samples))
    middle = mean.total / mean.samples
    return Enclosure(middle - reach, middle + reach, LOOSE)


@pytest.mark.parametrize(("law", "n"), [(two(Fraction(1, 20)), 5), (SKEWED, 10)])
def test_the_interval_of_a_normal_law_misses_too_often(law: Law, n: int) -> None:
    """With few samples of a skewed law all are mostly 0: then it is a point, and beside the mean.
    That coverage was summed, and is not true of whatever interval, shows here."""
    assert missed(law, n, normal) > LOOSE


def shortened(mean: Mean) -> Enclosure:
    """The empirical Bernstein interval without the term that pays for estimating the variance."""
    reach = Fraction(sqrt(2 * mean.variance * log(4 / LOOSE) / mean.samples))
    middle = mean.total / mean.samples
    return Enclosure(middle - reach, middle + reach, LOOSE)


def test_the_term_of_the_estimated_variance_is_needed() -> None:
    """p = 1/100, n = 60: (99/100)^60 = 0.547 of the samples have variance zero."""
    assert missed(two(Fraction(1, 100)), 60, shortened) > LOOSE


@pytest.mark.parametrize(("lo", "hi"), [(0, 1), (-3, 17)])
def test_the_ends_are_those_of_maurer_and_pontil(lo: int, hi: int) -> None:
    """30 samples at the lower end, 70 at the upper: in units of the range the mean is 7/10 and the
    variance 100/99 (7/10)(3/10); rounded outwards by at most two steps of the grid."""
    n, width, alpha = 100, hi - lo, Fraction(1, 1000)
    total, squares = Fraction(30 * lo + 70 * hi), Fraction(30 * lo**2 + 70 * hi**2)
    ends = interval(Mean(n, total, squares, Fraction(lo), Fraction(hi)), alpha)
    level = log(2 / (1 / 1000 / 2))
    reach = sqrt(2 * (100 / 99) * 0.21 * level / n) + 7 * level / (3 * 99)
    assert reach < 0.7
    assert 0 <= lo + width * (0.7 - reach) - ends.lo <= width * 2**-23
    assert ends.hi == hi, "1 is less than a radius away"
    assert ends.alpha == alpha


def test_one_sample_says_nothing_beyond_its_range() -> None:
    one = Mean(1, Fraction(1, 3), Fraction(1, 9), Fraction(0), Fraction(1))
    assert interval(one, LOOSE) == Enclosure(Fraction(0), Fraction(1), LOOSE)


def test_a_bounded_mean_of_many_samples_is_narrow_at_the_alpha_of_a_run() -> None:
    """20,000 samples of variance 1/100: sqrt(2/100 ln(4 10^12)/20,000) + ... < 0.0055 + 0.0034."""
    n = 20_000
    mean = Mean(n, Fraction(n, 2), Fraction(n, 4) + Fraction(n, 100), Fraction(0), Fraction(1))
    ends = interval(mean, RUN_ALPHA / 10**6)
    assert ends.lo < Fraction(1, 2) < ends.hi
    assert ends.hi - ends.lo < Fraction(18, 1000)
