"""Label-flip problems with the awkward cases: dependent rows, zero and repeated columns."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers.poisoning import FlipProblem


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
