"""The allowance for false alarms, and the confidence intervals that spend it."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verify.binding.values import Count
from holdfast.verify.engine.ledger import RUN_ALPHA, Ledger, interval


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
