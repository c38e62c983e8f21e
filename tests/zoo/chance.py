"""Joint chance problems in exact numbers: those whose optimum is known, and drawn ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import CMDP, Vector, from_arrays
from holdfast.solvers.chance import ChanceProblem
from holdfast.verify.chance.landmarks.problems import g3, g7, g8, g10

F = Fraction


def three_states(discount: Any = 1, initial: Any = (1, 0, 0)) -> CMDP:
    """The model of G3 (tests/solvers/chance/test_golden.py derives its optima)."""
    return g3().model.with_discount(discount).with_initial(list(initial))


@dataclass(frozen=True)
class Known:
    """A problem with its optimum at a level; None where no policy is safe enough."""

    problem: ChanceProblem
    level: Fraction
    value: Fraction | None


def boole(problem: ChanceProblem) -> ChanceProblem:
    """Every visit is charged."""
    return replace(problem, charge=F(1))


KNOWN = {
    **{f"G3 at {level}": Known(g3(), F(level), F(value))
       for level, value in {"0": "57/25", "1/10": "191/50", "1/4": "2419/400"}.items()},
    **{f"G3 at {level}, Boole": Known(boole(g3()), F(level), F(value))
       for level, value in {"1/10": "731/200", "1/4": "1121/200"}.items()},
    # Level 1/10 is spent by a hazard that nobody can avoid; those who had it may be reckless.
    "G7": Known(g7(), F(1, 10), F(1, 10)),
    "G7, infeasible": Known(g7(), F(1, 11), None),
    # One risk that is worth 1, and is counted once or at each of 5 times.
    "G8": Known(g8(5), F(1, 10), F(1, 10)),
    "G8, Boole": Known(boole(g8(5)), F(1, 10), F(1, 50)),
    # The level is that of the hazard, which may so be taken once for certain.
    "G10": Known(g10(), F(1, 10), F(1)),
}  # fmt: skip


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
