"""Moments of the reward: by hand, exactly, by quadrature; and when no number suffices."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget import (
    Empirical,
    Gamma,
    Geometric,
    LogNormal,
    Mixture,
    NegativeBinomial,
    Weibull,
    anti_concentration,
    class_logarithm,
    exact_anti_concentration,
    exact_moments,
    moments,
    relative_budget,
    requirement,
)

HALF = Fraction(1, 2)


def test_two_tokens_of_a_fair_coin() -> None:
    """R is 2, 1, 0 with probability 1/2, 1/4, 1/4: J = 5/4, E R^2 = 9/4, variance 11/16."""
    found = exact_moments(Geometric(HALF), 2)
    assert (found.success, found.mean, found.variance) == (
        Fraction(3, 4),
        Fraction(5, 4),
        Fraction(11, 16),
    )


@pytest.mark.parametrize("horizon", [1, 3, 10, 60])
@pytest.mark.parametrize(
    "process",
    [
        Geometric(Fraction(1, 7)),
        NegativeBinomial(3, Fraction(1, 4)),
        Empirical((2, 5, 9), (1, 2, 1)),
        Mixture(Geometric(HALF), Fraction(1, 3)),
    ],
    ids=lambda p: type(p).__name__,
)
def test_floats_agree_with_fractions(process: Geometric, horizon: int) -> None:  # type: ignore[valid-type]
    found, exact = moments(process, horizon), exact_moments(process, horizon)
    assert found.success == pytest.approx(float(exact.success), rel=1e-12)
    assert found.mean == pytest.approx(float(exact.mean), rel=1e-12)
    assert found.deviation == pytest.approx(math.sqrt(exact.variance), rel=1e-10)


@pytest.mark.parametrize("horizon", [0.5, 7.0, 30.0, 200.0])
@pytest.mark.parametrize(
    "process", [Gamma(2.5, 0.1), LogNormal(2.0, 0.8), Weibull(0.7, 30.0)], ids=str
)
def test_closed_forms_agree_with_quadrature(process: Gamma, horizon: float) -> None:
    """E R is the integral of F, E R^2 that of 2 (H - t) F, each over [0, H]."""

    def cdf(t: float) -> float:
        return float(process.cdf(np.array([t]))[0])

    first = quad(cdf, 0, horizon, epsabs=0, epsrel=1e-11)[0]
    second = quad(lambda t: 2 * (horizon - t) * cdf(t), 0, horizon, epsabs=0, epsrel=1e-11)[0]
    found = moments(process, horizon)
    assert found.mean == pytest.approx(first, rel=1e-9)
    assert found.deviation == pytest.approx(math.sqrt(second - first**2), rel=1e-7)


def test_a_long_horizon_leaves_the_deviation_of_the_length() -> None:
    """R = H - T + 1 where all is solved, so sigma = std T = sqrt(6); E R^2 - J^2 would have lost
    all digits."""
    assert moments(Geometric(Fraction(1, 3)), 10**6).deviation == pytest.approx(6**0.5, rel=1e-12)
    assert moments(Gamma(3, 1), 1e9).deviation == pytest.approx(3**0.5, rel=1e-9)


def test_ties_count() -> None:
    """Two lengths of one half each: R = 3 or 1, J = 2, sigma = 1, and 3 = J + sigma exactly."""
    pair = Empirical((1, 3), (1, 1))
    assert anti_concentration(pair, 3, 1) == 0.5 == exact_anti_concentration(pair, 3, 1)
    assert anti_concentration(pair, 3, Fraction(1001, 1000)) == 0


@pytest.mark.parametrize("kappa", [Fraction(1, 100), HALF, 1])
def test_anti_concentration_agrees_with_fractions(kappa: Fraction) -> None:
    for horizon in range(1, 40):
        process = NegativeBinomial(2, Fraction(1, 5))
        exact = exact_anti_concentration(process, horizon, kappa)
        assert anti_concentration(process, horizon, kappa) == pytest.approx(float(exact), rel=1e-12)


def test_the_relative_budget_is_the_horizon_over_the_mean() -> None:
    assert relative_budget(Geometric(Fraction(1, 4)), 6) == 1.5
    assert relative_budget(Mixture(Geometric(HALF), Fraction(1, 9)), 6) == 0


def test_the_requirement_by_hand() -> None:
    """H = 3, L = log 10, kappa = 1, c = 1/2, sigma = 1: 2 3 log(10)/(1/2) = 12 log 10."""
    found = requirement(Empirical((1, 3), (1, 1)), 3, 1, class_logarithm(1, 0.1))
    assert found.samples == pytest.approx(12 * math.log(10))
    assert found.reason is None and found.relative_budget == 1.5 and found.largest_kappa == 1


def test_no_solved_trajectory_needs_infinitely_many() -> None:
    found = requirement(NegativeBinomial(5, HALF), 4, 0.1, 1.0)
    assert found.samples == math.inf
    assert found.reason is not None and "horizon of 4 tokens" in found.reason


def test_equal_lengths_need_infinitely_many() -> None:
    found = requirement(Empirical((4,), (10,)), 9, 0.1, 1.0)
    assert found.samples == math.inf
    assert found.reason is not None and "same number of tokens" in found.reason


def test_a_kappa_that_is_too_large_is_told_the_largest() -> None:
    """T exponential of mean 1, xi = 5: J/H and sigma/H as in `gamma`, (H - J)/sigma is 1.0366."""
    found = requirement(Gamma(1, 1), 5, 1.2, 1.0)
    assert found.samples == math.inf and found.anti_concentration == 0
    assert found.reason is not None and "the largest kappa" in found.reason
    below = requirement(Gamma(1, 1), 5, found.largest_kappa * 0.999, 1.0)
    above = requirement(Gamma(1, 1), 5, found.largest_kappa * 1.001, 1.0)
    assert math.isfinite(below.samples) and math.isinf(above.samples)


@pytest.mark.parametrize(
    ("horizon", "kappa", "log_class", "words"),
    [
        (0, 1, 1.0, "the horizon is 0"),
        (2.5, 1, 1.0, "counts whole tokens"),
        (math.inf, 1, 1.0, "the horizon is inf"),
        (3, 0, 1.0, "kappa is 0"),
        (3, math.nan, 1.0, "kappa is nan"),
        (3, 1, 0.0, "log_class is 0"),
    ],
)
def test_bad_input_is_named(horizon: float, kappa: float, log_class: float, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        requirement(Geometric(HALF), horizon, kappa, log_class)


def test_a_density_has_no_exact_moments() -> None:
    with pytest.raises(ModelError, match="Gamma has a density"):
        exact_moments(Gamma(1, 1), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "failure"), [(0, 0.1), (2, 0.0), (2, 1.0), (math.inf, 0.1)])
def test_no_class_and_no_probability_are_refused(size: int, failure: float) -> None:
    with pytest.raises(ModelError, match=r"reward class|probability of failure"):
        class_logarithm(size, failure)
