"""The certified exact solver on random constrained MDPs, its stages and the kernel's check.

Branching 4, gamma 9/10, one cost whose budget binds.  No time is asserted.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import CMDP, solve
from holdfast.solvers.cmdp.improvement import FloatModel
from holdfast.verify.kernel import check

ROUNDS = {200: 5, 1000: 1}


def random_graph(states: int, actions: int = 4, seed: int = 0) -> CMDP:
    """Probabilities over 1000, rewards and costs over 100, the budget half-way between extremes."""
    rng = np.random.default_rng(seed)
    size = states * actions
    successors = np.concatenate([rng.choice(states, 4, replace=False) for _ in range(size)])
    weights = np.concatenate([rng.multinomial(996, [0.25] * 4) + 1 for _ in range(size)])
    model = CMDP(
        states, np.arange(states + 1) * actions, np.tile(np.arange(actions), states),
        np.arange(size + 1) * 4, successors, weights, rng.integers(0, 101, size), 100,
        rng.integers(0, 101, (1, size)), (100,), (Fraction(0),), Fraction(9, 10),
        np.ones(states, dtype=int),
    )  # fmt: skip
    floats, cost = FloatModel.of(model), model.cost_vector(0).floats()
    greedy, _ = floats.iterate(model.reward_vector().floats())
    low = -floats.iterate(-cost)[1].mean()
    middle = round(500 * (low + floats.values(greedy, cost).mean()))
    return model.with_budgets(Fraction(middle, 1000))


@pytest.mark.parametrize("states", ROUNDS, ids=lambda states: f"{states}x4")
def test_certified_optimum(states: int, table, best) -> None:
    model, case = random_graph(states), "exact, random"
    where = {"states": states, "discount": "9/10"}
    seconds, found = best(lambda: solve(model), ROUNDS[states])
    value = f"value {float(found.value):.6f}"
    table.add(case, "certified optimum", seconds, **where, note=value, error=0.0, reference=True)
    stage = found.statistics["seconds"]["float"]
    table.add(case, "of which the float program", stage, **where)
    seconds, report = best(lambda: check(found.certificate()), ROUNDS[states])
    assert report.accepted
    table.add(case, "the kernel's check", seconds, **where)
