"""Multipliers, information gain and the Lipschitz constant of a drawn process."""

from math import e, erfc, exp, log, pi, sqrt

import mpmath
import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns.gaussian import confidence, information
from holdfast.solvers.target_returns.gaussian.kernels import FAMILIES, GridKernel, Kernel

LINE = np.linspace(0, 1, 6)[:, None]
RBF = Kernel("rbf", 2.0, (0.4,))


def test_bayesian_multipliers_spend_the_failure_probability() -> None:
    """n targets at times j with Pr(|Z| > alpha_j): the exact ones spend Delta/(n pi_j) each, which
    sums to Delta; the bound exp(-alpha^2/2) does so for alpha_bayes, half of it for one side."""
    n, failure = 36, 0.1
    for j in (1, 2, 50):
        share = failure * 6 / (n * pi**2 * j**2)
        exact = confidence.alpha_exact(n, j, failure)
        bayes = confidence.alpha_bayes(n, j, failure)
        one_sided = confidence.alpha_one_sided(n, j, failure)
        assert erfc(exact / sqrt(2)) == pytest.approx(share, rel=1e-12)
        assert exp(-(bayes**2) / 2) == pytest.approx(share, rel=1e-12)
        assert exp(-(one_sided**2) / 2) / 2 == pytest.approx(share, rel=1e-12)
        assert exact < one_sided < bayes


def test_how_much_of_the_failure_probability_bounds_spend() -> None:
    """Tails beyond j = 3000 are below those of the sum of 1/j^2, 1/3000.  What two surfaces spend
    together is at most Delta with alpha_bayes alone; one side of one does with alpha_one_sided."""

    def spent(alpha, n: int, failure: float) -> float:
        tails = (n * erfc(alpha(n, j, failure) / sqrt(2)) for j in range(1, 3001))
        return sum(tails) / failure

    for n, failure in ((1, 1 - 1e-9), (1, 0.05), (36, 0.05)):
        assert 2 * (spent(confidence.alpha_bayes, n, failure) + 1 / 3000) < 0.87
        assert spent(confidence.alpha_one_sided, n, failure) / 2 + 1 / 3000 < 1
        assert 0.999 < spent(confidence.alpha_exact, n, failure) < 1
    assert spent(confidence.alpha_one_sided, 1, 1 - 1e-9) > 1


def test_multiplier_of_pls() -> None:
    """sqrt(2 log(36 pi^2 / 0.6)) at |Z| = 36, Delta = 0.1, j = 1."""
    assert confidence.alpha_bayes(36, 1, 0.1) == pytest.approx(sqrt(2 * log(36 * pi**2 / 0.6)))


def test_one_target_and_tiny_probabilities() -> None:
    assert confidence.alpha_bayes(1, 1, 0.99) > 0
    assert confidence.alpha_one_sided(1, 1, 0.99) == 0  # half of the probability is on that side
    assert confidence.alpha_exact(1, 1, 1e-300) == pytest.approx(37.07, abs=0.01)


@pytest.mark.parametrize("failure", [0, 1, -0.1, 1.5, float("nan"), True, None])
def test_failure_probabilities_refused(failure) -> None:
    for work in (
        lambda: confidence.alpha_bayes(3, 1, failure),
        lambda: confidence.alpha_one_sided(3, 1, failure),
        lambda: confidence.alpha_exact(3, 1, failure),
        lambda: confidence.beta_determinant(1, 1, 1, 0, failure),
        lambda: confidence.beta_chowdhury_gopalan(1, 1, 0, failure),
        lambda: confidence.lipschitz_bound(RBF, LINE, failure),
    ):
        with pytest.raises(ModelError, match=f"is {failure}; it must lie between 0 and 1"):
            work()


@pytest.mark.parametrize(("n", "j"), [(0, 1), (3, 0), (3, -1), (2.5, 1), (3, True)])
def test_counts_refused(n, j) -> None:
    with pytest.raises(ModelError, match="must be a whole number"):
        confidence.alpha_bayes(n, j, 0.1)


def test_beta_by_hand() -> None:
    """B = 2, R = 1/2, lambda = 1/4, delta = e^-2, log det = 5: 2 + sqrt(4 + 5) = 5; and
    2 + sqrt(2 (3 + 1 + 2))/2 for gamma = 3 in the form of Chowdhury and Gopalan."""
    assert confidence.beta_determinant(2, 0.5, 0.25, 2.5, e**-2) == pytest.approx(5)
    assert confidence.beta_chowdhury_gopalan(2, 0.5, 3, e**-2) == pytest.approx(2 + sqrt(3))


@pytest.mark.parametrize("family", FAMILIES)
def test_lipschitz_bound_holds_on_draws(family: str) -> None:
    """At most a tenth of the draws is steeper, where Delta is 1/2; more are at half of L."""
    kernel = Kernel(family, 2.0, (0.4,))
    bound = confidence.lipschitz_bound(kernel, LINE, 0.5)
    root = np.linalg.cholesky(kernel.matrix(LINE, LINE))
    values = np.random.default_rng(0).standard_normal((4000, 6)) @ root.T
    apart = np.abs(LINE - LINE.T) + np.eye(6)
    steepest = (np.abs(values[:, :, None] - values[:, None, :]) / apart).max(axis=(1, 2))
    assert np.mean(steepest > bound) < 0.1
    assert np.mean(steepest > bound / 2) > 0.1


def test_lipschitz_bound_by_hand() -> None:
    """Two independent targets of variance 1 at distance 1/2: s = sqrt 2, one pair, so
    L = 2 sqrt 2 sqrt(2 log(1/Delta)) = 4 sqrt(log(1/Delta)); for the RBF kernel s/d < sigma/l."""
    points = np.array([[0.0], [0.5]])
    found = confidence.lipschitz_bound(GridKernel(np.eye(2)), points, exp(-4))
    assert found == pytest.approx(8)
    least = sqrt(2) / 0.4 * sqrt(2 * log(15 / 0.05))
    assert 0.9 * least < confidence.lipschitz_bound(RBF, LINE, 0.05) < least
    with pytest.raises(ModelError, match="a grid of one target has no slope"):
        confidence.lipschitz_bound(RBF, LINE[:1], 0.1)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("apart", [1e-100, 1e-9, 1e-3, 1.0, 30.0])
def test_lipschitz_bound_does_not_cancel(family: str, apart: float) -> None:
    """Against 400 digits: never below, and above by no more than its outward rounding.

    k + k' - 2k gives 0 for rbf at 1e-9, where s/d is 1 and 2.448 is needed.
    """
    with mpmath.workdps(400):
        r = mpmath.mpf(apart)
        s = r * mpmath.sqrt({"matern32": 3, "matern52": 5}.get(family, 1))
        factor = {"rbf": 1, "matern12": 1, "matern32": 1 + s, "matern52": 1 + s + s * s / 3}[family]
        drop = 1 - factor * mpmath.exp(-r * r / 2 if family == "rbf" else -s)
        right = mpmath.sqrt(2 * drop / r**2 * 2 * mpmath.log(1 / mpmath.mpf(0.05)))
        kernel = Kernel(family, 1.0, (1.0,))
        found = confidence.lipschitz_bound(kernel, np.array([[0.0], [apart]]), 0.05)
        assert right <= found <= right * (1 + 1e-11)


def test_lipschitz_bound_of_a_matrix_does_not_cancel() -> None:
    """Entries 1, 1 - u, 1 - u with u = 2^-53: s^2 = 2u - u = u, where the naive sum rounds to 0
    or 2u; targets that float64 cannot tell apart when squared are refused."""
    u = 2.0**-53
    kernel = GridKernel([[1.0, 1 - u], [1 - u, 1 - u]])
    found = confidence.lipschitz_bound(kernel, np.array([[0.0], [1.0]]), exp(-0.5))
    assert sqrt(u) <= found <= sqrt(u) * (1 + 1e-11)
    for far in (1e-160, 1e200):
        with pytest.raises(ModelError, match="cannot square"):
            confidence.lipschitz_bound(RBF, np.array([[0.0], [far]]), 0.1)


# -- information gain
def test_information_by_hand() -> None:
    """K = [[1, 1/2], [1/2, 1]], noise 1/2: det(I + 2K) = 9 - 1 = 8."""
    matrix = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert information.information(matrix, 0.5) == pytest.approx(log(8) / 2)
    chosen, gained = information.greedy(GridKernel(matrix), LINE[:2], 0.5, 2)
    assert sorted(chosen) == [0, 1] and gained == pytest.approx(log(8) / 2)
    with pytest.raises(ModelError, match="not positive definite"):
        information.information(-2 * matrix, 0.5)


def test_bounds_are_above_greedy_and_equal_for_independent_targets() -> None:
    """Four observations of two independent targets: twice each, 2 log(1 + 2/nu^2)/2."""
    exact = log(1 + 2 / 0.25)
    _, gained = information.greedy(GridKernel(np.eye(2)), LINE[:2], 0.25, 4)
    assert gained == pytest.approx(exact)
    assert information.water_filling(np.ones(2), 0.25, 4) == pytest.approx(exact)
    assert information.trace_bound(2, 1.0, 0.25, 4) == pytest.approx(exact)
    spectrum = np.linalg.eigvalsh(RBF.matrix(LINE, LINE))
    _, gained = information.greedy(RBF, LINE, 0.1, 9)
    water = information.water_filling(spectrum, 0.1, 9)
    assert gained <= water <= information.trace_bound(6, 2.0, 0.1, 9)
    assert gained >= (1 - exp(-1)) * water


def test_water_filling_is_a_maximum() -> None:
    """No other division of the observations over two eigenvalues does better."""
    best = information.water_filling(np.array([3.0, 0.5]), 0.5, 2)
    others = [log(1 + 6 * m) / 2 + log(1 + (2 - m)) / 2 for m in np.linspace(0, 2, 2001)]
    assert max(others) <= best + 1e-12 and max(others) == pytest.approx(best, abs=1e-6)
    assert information.water_filling(np.array([3.0, 1e-9]), 0.5, 2) == pytest.approx(log(13) / 2)
    assert information.water_filling(np.zeros(2), 0.5, 2) == 0


def test_variance_constant() -> None:
    """2 / log(1 + 1/nu^2) for k = 1, as printed for k <= 1; 50 / log(1 + 25/nu^2) for 25."""
    assert information.variance_constant(1.0, 0.01) == pytest.approx(2 / log(101))
    assert information.variance_constant(25.0, 1.0) == pytest.approx(50 / log(26))
