"""The posterior of a Gaussian process in rationals: one conditioning after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Matrix = Sequence[Sequence[Fraction]]


def condition(
    mean: Sequence[Fraction], kernel: Matrix, noise: Fraction, index: int, value: Fraction
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Mean and covariance after an observation of one target with this variance of noise."""
    row, total = kernel[index], kernel[index][index] + noise
    shift = (value - mean[index]) / total
    return (
        [m + c * shift for m, c in zip(mean, row, strict=True)],
        [
            [k - a * b / total for k, b in zip(line, row, strict=True)]
            for line, a in zip(kernel, row, strict=True)
        ],
    )


def variances(kernel: Matrix, noise: Fraction, order: Sequence[int]) -> list[Fraction]:
    """The variance of each observed target just before it is observed."""
    found, mean = [], [Fraction(0)] * len(kernel)
    for index in order:
        found.append(kernel[index][index])
        mean, kernel = condition(mean, kernel, noise, index, Fraction(0))
    return found
