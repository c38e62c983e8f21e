"""Preference data: label-flip problems with the awkward cases, and data to learn rewards from."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers.poisoning import FlipProblem

F = Fraction
Array = np.ndarray[Any, Any]
NORMS = ("l1", "l2", "linf")
LEAST_SUM = {
    "single": F(1), "heavy": F(2), "undecided": F(1, 2), "nothing": F(0), "free": F(0),
    "blank": F(1), "duplicate": F(1), "opposite": F(1), "dependent": F(1), "fewer": F(2),
    "weighted": F(2), "saving": F(1), "boxed": F(3), "outside": F(7, 16),
    # b = -11/8, and the first pair, of feature -2, has the room for all of it.
    "line only": F(11, 16),
}  # fmt: skip
"""The least number of flips (l1) of each landmark, derived where the landmark is."""


def arrays(problem: FlipProblem) -> dict[str, Any]:
    """The problem in floats, as ``enclose_flips`` takes it."""
    return {
        "features": np.array([row.floats() for row in problem.features]),
        "benign": problem.benign.floats(),
        "target": problem.target.floats(),
        "weights": None if problem.weights is None else problem.weights.floats(),
    }


def soft_labels(seed: int, n: int = 4, pairs: int = 60) -> tuple[Array, Array, Array]:
    """Features (n, N) whose rows differ by a thousand in scale, soft labels, and weights."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, pairs)) * 10.0 ** rng.integers(-1, 3, size=(n, 1))
    return features, rng.uniform(size=pairs), rng.integers(0, 4, pairs).astype(float)


def random_problem(seed: int, largest: int = 16) -> FlipProblem:
    """n in 1..6, N in 2..largest; every fifth has dependent rows, every seventh a zero column."""
    rng = np.random.default_rng(seed)
    n, size = int(rng.integers(1, 7)), int(rng.integers(2, largest + 1))
    rows = [[Fraction(int(a), 2) for a in rng.integers(-9, 10, size)] for _ in range(n)]
    if n > 1 and seed % 5 == 0:
        rows[-1] = [a + 2 * b for a, b in zip(rows[0], rows[n - 2], strict=True)]
    if seed % 7 == 0:
        for row in rows:
            row[0] = Fraction(0)
    if seed % 11 == 0:
        for row in rows:
            row[-1] = -row[0]

    def labels(kind: int) -> Any:
        bottom = (0, 1, 8)[kind]
        return [Fraction(int(a), bottom) for a in rng.integers(0, bottom + 1, size)] if kind else 1

    kinds = ((0, 1), (0, 2), (1, 2), (2, 2))[seed % 4]
    weights = [Fraction(int(w), 2) for w in rng.integers(0, 5, size)] if seed % 6 == 0 else None
    return FlipProblem.of(rows, labels(kinds[0]), labels(kinds[1]), weights)
