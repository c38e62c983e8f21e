"""Joint chance problems in exact numbers: a named one and drawn ones."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import CMDP, Vector, from_arrays
from holdfast.solvers.chance import ChanceProblem


def three_states(discount: Any = 1, initial: Any = (1, 0, 0)) -> CMDP:
    """The model of G3 (test_golden.py derives its optima)."""
    tenths = [[[4, 4, 2], [6, 4, 0]], [[5, 1, 4], [8, 2, 0]], [[5, 5, 0], [0, 10, 0]]]
    law = [[[Fraction(w, 10) for w in row] for row in rows] for rows in tenths]
    return from_arrays(law, [[3, 1], [5, 0], [2, 2]], discount=discount, initial=list(initial))


def random_problem(seed: int, **options: Any) -> ChanceProblem:
    """Two decisions in two or three states of two choices each, with every option drawn.

    The rows have different denominators, the rewards repeat often, so ties are common.
    """
    draw = np.random.Generator(np.random.Philox(key=seed))

    def pick(*values: Any) -> Any:
        return values[int(draw.integers(len(values)))]

    size = pick(2, 3)

    def row() -> list[Fraction]:
        total = pick(1, 2, 3, 5, 10)
        hits = draw.integers(size, size=total).tolist()
        return [Fraction(hits.count(s), total) for s in range(size)]

    def reward() -> Fraction:
        return Fraction(int(draw.integers(-4, 7)), pick(1, 2, 3))

    model = from_arrays(
        [[row(), row()] for _ in range(size)],
        [[reward(), reward()] for _ in range(size)],
        discount=pick(1, Fraction(9, 10), Fraction(1, 2), 0),
        initial=pick([1] + [0] * (size - 1), [Fraction(1, size)] * size),
    )
    drawn = {
        "counts_start": pick(True, False, False),
        "charge": pick(0, 0, Fraction(1, 2), 1),
        "reward_after_violation": pick(True, True, False),
        "terminal": pick(None, None, Vector.of(draw.integers(4, size=size).tolist())),
    }
    unsafe = sorted(draw.permutation(size)[: int(draw.integers(1, size))].tolist())
    return ChanceProblem(model, tuple(unsafe), 2, **{**drawn, **options})
