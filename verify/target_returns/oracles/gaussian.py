"""Gaussian processes on a few targets: conditioning in rationals, and many drawn at once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ...binding.draws import philox
from ..families.gaussian import Matrix


def conditioned(
    mean: Sequence[Fraction], covariance: Matrix, index: int, noise: Fraction, value: Fraction
) -> tuple[list[Fraction], Matrix]:
    """Mean and covariance after one observation of a target."""
    row = covariance[index]
    gain = [entry / (row[index] + noise) for entry in row]
    means = [m + g * (value - mean[index]) for m, g in zip(mean, gain, strict=True)]
    rest = [
        tuple(c - g * r for c, r in zip(old, row, strict=True))
        for old, g in zip(covariance, gain, strict=True)
    ]
    return means, tuple(rest)


def variances_met(kernel: Matrix, noise: Fraction, indices: Sequence[int]) -> list[Fraction]:
    """sigma^2_{t-1}(x_t) for each observation."""
    mean, met = [Fraction(0)] * len(kernel), []
    for index in indices:
        met.append(kernel[index][index])
        mean, kernel = conditioned(mean, kernel, index, noise, Fraction(0))
    return met


def submatrix(kernel: Matrix, indices: Sequence[int], added: Fraction) -> flint.fmpq_mat:
    """K at the targets observed, with a number added to its diagonal."""
    return flint.fmpq_mat(
        [[_fmpq(kernel[i][j] + added * (a == b)) for b, j in enumerate(indices)]
         for a, i in enumerate(indices)]
    )  # fmt: skip


def determinant(kernel: Matrix, noise: Fraction, indices: Sequence[int]) -> Fraction:
    """det(I + K / noise) at the targets observed."""
    if not indices:
        return Fraction(1)
    found = submatrix(kernel, indices, noise).det()
    return Fraction(int(found.p), int(found.q)) / noise ** len(indices)


def solved(matrix: flint.fmpq_mat, right: Sequence[Fraction]) -> list[Fraction]:
    """The solution of a linear system."""
    column = matrix.solve(flint.fmpq_mat([[_fmpq(one)] for one in right]))
    return [Fraction(int(one.p), int(one.q)) for one in column.entries()]


def _fmpq(number: Fraction) -> flint.fmpq:
    return flint.fmpq(number.numerator, number.denominator)


def autoregressive(targets: int, correlation: Fraction) -> np.ndarray[Any, Any]:
    """The kernel correlation^|i - j| (Matern 1/2 on a line)."""
    places = np.arange(targets)
    return np.asarray(float(correlation) ** np.abs(places[:, None] - places))


def drawn(kernel: np.ndarray[Any, Any], paths: int, *words: object) -> np.ndarray[Any, Any]:
    """Values of the process on the targets, one row a path."""
    none = np.zeros(len(kernel))
    return philox(*words).multivariate_normal(none, kernel, paths, method="cholesky")


def deviations(
    kernel: np.ndarray[Any, Any],
    truth: np.ndarray[Any, Any],
    noise: float,
    steps: int,
    *words: object,
    oracle: bool = False,
    spread: float | None = None,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(f - mu_t) / sigma_t (steps, paths, targets) and log det(I + K_t / noise) (steps, paths).

    One path a row of the truth, t = 0 .. steps - 1.  The design is adaptive: the target with the
    largest ``|mu_t| + 2 sigma_t`` or, for an oracle that knows f, the largest deviation.
    ``spread`` is the deviation of the noise, where that is not what the posterior assumes.
    """
    every = np.arange(len(truth))
    mean, covariance = np.zeros_like(truth), np.repeat(kernel[None], len(truth), axis=0)
    errors = philox(*words, "noise").standard_normal((steps, len(truth)))
    found, logs = np.empty((steps, *truth.shape)), np.zeros((steps + 1, len(truth)))
    for t in range(steps):
        deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        found[t] = (truth - mean) / deviation
        score = np.abs(found[t]) if oracle else np.abs(mean) + 2 * deviation
        at = score.argmax(axis=1)
        row = covariance[every, at]
        logs[t + 1] = logs[t] + np.log1p(row[every, at] / noise)
        gain = row / (row[every, at] + noise)[:, None]
        values = truth[every, at] + errors[t] * (noise**0.5 if spread is None else spread)
        mean = mean + gain * (values - mean[every, at])[:, None]
        covariance = covariance - gain[:, :, None] * row[:, None, :]
    return found, logs[:-1]
