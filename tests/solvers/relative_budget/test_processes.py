"""Token processes against each other, against scipy's laws, and against hand-made numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget import (
    Chain,
    Empirical,
    Gamma,
    Geometric,
    LogNormal,
    Mixture,
    NegativeBinomial,
    Weibull,
)
from holdfast.solvers.relative_budget.processes import DiscreteProcess, TokenProcess

THIRD = Fraction(1, 3)
STEPS = Chain(
    ((1 - THIRD, THIRD, 0), (0, 1 - THIRD, THIRD), (0, 0, 1))  # type: ignore[arg-type]
)
"""Two steps of probability 1/3: the same law as NegativeBinomial(2, 1/3)."""
LOST = Chain(((Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)), (0, 1, 0), (0, 0, 1)))  # type: ignore[arg-type]
"""State 1 is a dead end: of the 1/2 that leaves state 0 half is lost, so Pr[T < oo] = 1/2."""
DISCRETE: list[DiscreteProcess] = [
    Geometric(THIRD),
    NegativeBinomial(2, THIRD),
    STEPS,
    LOST,
    Empirical((2, 5, 9), (1, 2, 1)),
    Mixture(NegativeBinomial(3, Fraction(1, 2)), Fraction(1, 4)),
]
CONTINUOUS: list[tuple[TokenProcess, stats.rv_continuous]] = [
    (Gamma(2.5, 0.1), stats.gamma(2.5, scale=10)),
    (LogNormal(2.0, 0.8), stats.lognorm(0.8, scale=math.exp(2))),
    (Weibull(0.7, 30.0), stats.weibull_min(0.7, scale=30)),
]


@pytest.mark.parametrize("process", DISCRETE, ids=lambda p: type(p).__name__)
def test_cdf_and_tail_are_the_sums_of_the_masses(process: DiscreteProcess) -> None:
    sums = np.cumsum([float(mass) for mass in process.masses(30)])
    t = np.arange(1.0, 31.0)
    np.testing.assert_allclose(process.cdf(t), sums, atol=1e-13)
    np.testing.assert_allclose(process.tail(t), 1 - sums, atol=1e-13)
    np.testing.assert_array_equal(process.cdf(t + 0.5), process.cdf(t))
    assert process.cdf(np.zeros(1)) == 0


@pytest.mark.parametrize("process", DISCRETE, ids=lambda p: type(p).__name__)
def test_quantiles_are_the_first_length_that_reaches_the_level(process: DiscreteProcess) -> None:
    levels = np.array([0.01, 0.2, 0.45, 0.74, 0.9, 0.999])
    for level, length in zip(levels, process.quantile(levels), strict=True):
        if math.isinf(length):
            assert process.cdf(np.array([1e4]))[0] < level
        else:
            before, there = process.cdf(np.array([length - 1, length]))
            assert before < level <= there


def test_a_chain_of_two_steps_is_negative_binomial() -> None:
    """Mean 2/(1/3) = 6, variance 2 (2/3)/(1/9) = 12."""
    assert STEPS.masses(12) == NegativeBinomial(2, THIRD).masses(12)
    assert STEPS.mean_and_variance() == (6, 12) == NegativeBinomial(2, THIRD).mean_and_variance()
    assert STEPS.shortest == 2


def test_a_dead_end_has_infinite_mean_and_loses_half() -> None:
    assert LOST.mean == math.inf == LOST.std
    assert LOST.mean_and_variance() is None
    assert LOST.masses(2) == (Fraction(1, 4), Fraction(1, 8))
    assert LOST.quantile(np.array([0.5, 0.51]))[1] == math.inf


def test_an_unsolvable_share_scales_the_masses() -> None:
    mixed = Mixture(Geometric(THIRD), Fraction(1, 4))
    assert mixed.masses(2) == (Fraction(1, 4), Fraction(1, 6))
    assert mixed.mean == math.inf
    assert Mixture(Geometric(THIRD), Fraction(0)).mean == 3
    assert Mixture(Gamma(1, 1), Fraction(1)).quantile(np.array([0.5])) == math.inf


def test_a_record_has_its_own_moments() -> None:
    """(2 + 2 5 + 9)/4 = 21/4 and (4 + 50 + 81)/4 - (21/4)^2 = 540/16 - 441/16 = 99/16."""
    record = Empirical((9, 2, 5), (1, 1, 2))
    assert record.lengths == (2, 5, 9)
    assert record.mean_and_variance() == (Fraction(21, 4), Fraction(99, 16))


@pytest.mark.parametrize(("process", "law"), CONTINUOUS, ids=lambda p: type(p).__name__)
def test_densities_are_those_of_scipy(process: TokenProcess, law: stats.rv_continuous) -> None:
    t = np.array([0.5, 3.0, 20.0, 200.0])
    np.testing.assert_allclose(process.cdf(t), law.cdf(t), rtol=1e-9)
    np.testing.assert_allclose(process.tail(t), law.sf(t), rtol=1e-9)
    np.testing.assert_allclose(process.quantile(law.cdf(t[:3])), t[:3], rtol=1e-9)
    assert process.mean == pytest.approx(law.mean(), rel=1e-12)
    assert process.std == pytest.approx(law.std(), rel=1e-12)


def test_tails_do_not_cancel() -> None:
    """Pr[T > 2000] = (1/2)^2000 underflows at 1075; (1/2)^1000 does not."""
    assert Geometric(Fraction(1, 2)).tail(np.array([1000.0]))[0] == pytest.approx(2.0**-1000)
    assert Gamma(1, 1).tail(np.array([500.0]))[0] == pytest.approx(math.exp(-500))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Geometric(Fraction(0)), "success of NegativeBinomial is 0"),
        (lambda: Geometric(Fraction(3, 2)), "success of NegativeBinomial is 3/2"),
        (lambda: Geometric(math.nan), "success is nan"),  # type: ignore[arg-type]
        (lambda: NegativeBinomial(0, THIRD), "steps is 0"),
        (lambda: NegativeBinomial(math.nan, THIRD), "steps is nan"),  # type: ignore[arg-type]
        (lambda: Empirical((math.inf,), (1,)), r"lengths\[0\] is inf"),  # type: ignore[arg-type]
        (lambda: Gamma(-1, 1), "shape of Gamma is -1"),
        (lambda: LogNormal(math.nan, 1), "log_mean of LogNormal is nan"),
        (lambda: Weibull(1, math.inf), "scale of Weibull is inf"),
        (lambda: Empirical((1, 2), (1,)), "2 lengths have 1 counts"),
        (lambda: Empirical((0,), (1,)), r"lengths\[0\] is 0"),
        (lambda: Empirical((1,), (-1,)), r"counts\[0\] is -1"),
        (lambda: Empirical((1,), (0.5,)), r"counts\[0\] is 0.5"),  # type: ignore[arg-type]
        (lambda: Empirical((1, 1), (1, 2)), "length 1 is given twice"),
        (lambda: Empirical((1,), (0,)), "no length was seen"),
        (lambda: Mixture(Geometric(THIRD), Fraction(-1)), "unsolvable of Mixture is -1"),
        (lambda: Mixture(Gamma(1, 1), THIRD).masses(3), "Gamma has a density"),
        (lambda: Mixture(Geometric(THIRD), THIRD).partial_moment(1, 3), "is discrete"),
        (lambda: Chain(((THIRD, THIRD), (0, 1))), "row 0 of the matrix"),  # type: ignore[arg-type]
        (lambda: Chain(((0, 1), (0, 1)), start=2), "start is state 2"),  # type: ignore[arg-type]
        (lambda: Chain(((0, 1), (0, 1)), start=1), "both state 1"),  # type: ignore[arg-type]
        (lambda: Chain(((0, 1), (1, 0))), "state 1 is solved but can be left"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_process_is_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(ModelError, match=words):
        make()
