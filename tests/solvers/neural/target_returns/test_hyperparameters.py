"""Fits by gpytorch: their likelihood is the exact one by another method, and the greatest."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.target_returns.hyperparameters import fit
from holdfast.solvers.sequences import Array
from holdfast.solvers.target_returns.gaussian.kernels import Kernel
from holdfast.solvers.target_returns.gaussian.posterior import Posterior

TRUTH, NOISE, MEAN = Kernel("matern52", 400.0, (150.0, 20.0)), 3.0, 40.0


def drawn(count: int = 120, seed: int = 0) -> tuple[Array, Array]:
    """Targets, and noisy values of a process of the kernel TRUTH."""
    stream = np.random.default_rng(seed)
    points = stream.uniform((0, 0), (700, 90), (count, 2))
    matrix = TRUTH.matrix(points, points) + NOISE**2 * np.eye(count)
    return points, MEAN + np.linalg.cholesky(matrix) @ stream.standard_normal(count)


def log_likelihood(points: Array, values: Array, kernel: Kernel, noise: float) -> float:
    """By the chain rule, from the posterior before each value: a second method."""
    posterior, total = Posterior(kernel, points, noise**2, MEAN), 0.0
    for index, value in enumerate(values):
        variance = float(posterior.variance[index]) + noise**2
        surprise = (value - float(posterior.mean[index])) ** 2 / variance
        total -= 0.5 * (surprise + np.log(2 * np.pi * variance))
        posterior.append(index, float(value))
    return total


def test_the_likelihood_is_the_posteriors_and_no_neighbour_has_more() -> None:
    points, values = drawn(40)
    found = fit(points, values, prior_mean=MEAN, family="matern52")
    own = log_likelihood(points, values, found.kernel, found.noise)
    assert own == pytest.approx(found.log_likelihood, abs=1e-6)
    assert own >= log_likelihood(points, values, TRUTH, NOISE)
    kernel, (a, b) = found.kernel, found.kernel.lengths
    for factor in (0.9, 1.1):
        for variance, lengths, noise in (
            (kernel.variance * factor, (a, b), found.noise),
            (kernel.variance, (a * factor, b), found.noise),
            (kernel.variance, (a, b * factor), found.noise),
            (kernel.variance, (a, b), found.noise * factor),
        ):
            other = Kernel("matern52", variance, lengths)
            assert log_likelihood(points, values, other, noise) < own


def test_the_truth_is_found_again() -> None:
    """With 120 values; lengths and noise are known to some tens of percent."""
    found = fit(*drawn(), prior_mean=MEAN, family="matern52")
    assert found.kernel.lengths == pytest.approx(TRUTH.lengths, rel=0.35)
    assert found.noise == pytest.approx(NOISE, rel=0.35)


@pytest.mark.parametrize(
    ("points", "values", "family", "message"),
    [
        (np.eye(2), np.ones(3), "rbf", "give n targets"),
        (np.eye(2), np.ones(2), "rbf", "no length to fit"),
        (np.array([[0, 1.0], [1, 1]]), np.arange(2.0), "rbf", "no length to fit"),
        (np.eye(2), np.array([1, np.nan]), "rbf", "is not finite"),
        (np.eye(2), np.arange(2.0), "cubic", "'cubic' is unknown; choose rbf"),
    ],
)
def test_what_cannot_be_fitted(points: Array, values: Array, family: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        fit(points, values, prior_mean=0.0, family=family)
