"""Small constrained MDPs in exact numbers: named ones, whose optimum is known, and drawn ones."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import CMDP, policy_iteration, policy_return, value_of


def two_states(costs: list[list[int]], budgets: list[Any]) -> CMDP:
    """G1 without its cost: P(0,.) = [(1/2,1/2),(1,0)], P(1,.) = [(0,1),(1/2,1/2)], gamma = 1/2."""
    return CMDP(
        2,
        [0, 2, 4],
        [0, 1, 0, 1],
        [0, 2, 3, 4, 6],
        [0, 1, 0, 1, 0, 1],
        [1] * 6,
        [0, 2, 1, 3],
        1,
        costs if costs else _no_rows(4),
        (1,) * len(budgets),
        tuple(budgets),
        Fraction(1, 2),
        [1, 1],
    )


def _no_rows(width: int) -> Any:
    return np.empty((0, width), dtype=int)


def random_model(
    seed: int, *, states: int = 4, actions: int = 3, constraints: int = 1, kind: str = "generic"
) -> CMDP:
    """A small model with exact random data; ``kind`` adds ties, determinism or unreachable states.

    Budgets lie a random fraction of the way from each least cost to the cost of a reward-optimal
    policy (so that one constraint is always feasible).
    """
    rng = random.Random(f"{seed}/{states}/{actions}/{constraints}/{kind}")
    successors: list[int] = []
    weights: list[int] = []
    indptr, choices, start = [0], [], [0]
    for s in range(states):
        count = rng.randint(1, actions)
        choices += range(count)
        start.append(start[-1] + count)
        for _ in range(count):
            reach = range(states - 1) if kind == "unreachable" and s < states - 1 else range(states)
            width = 1 if kind == "deterministic" else rng.randint(1, min(3, len(reach)))
            successors += rng.sample(list(reach), width)
            weights += [rng.randint(1, 9) for _ in range(width)]
            indptr.append(len(successors))
    top = 1 if kind in ("deterministic", "ties") else 20
    size = len(choices)
    model = CMDP(
        states,
        start,
        choices,
        indptr,
        successors,
        weights,
        [rng.randint(-top, top) for _ in range(size)],
        7,
        [[rng.randint(-top, top) for _ in range(size)] for _ in range(constraints)]
        if constraints
        else _no_rows(size),
        (3,) * constraints,
        (0,) * constraints,
        rng.choice([Fraction(0), Fraction(1, 3), Fraction(9, 10), Fraction(99, 100)]),
        [1] + [0 if kind == "unreachable" else 1] * (states - 1),
    )
    best = policy_iteration(model).policy(model)
    budgets = []
    for i in range(constraints):
        least = value_of(model, policy_iteration(model, ("cost", i), maximise=False).values)
        share = Fraction(rng.randint(0, 8), 8)
        budgets.append(least + share * (policy_return(model, best, ("cost", i)) - least))
    return model.with_budgets(*budgets)
