"""Measured times of the certified solver; run with ``-m benchmark``."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import CMDP, solve
from holdfast.solvers.cmdp.improvement import FloatModel


def random_graph(states: int, actions: int, seed: int = 0) -> CMDP:
    """Branching 4, gamma 9/10, probabilities over 1000; the budget halfway between the extremes."""
    rng = np.random.default_rng(seed)
    size = states * actions
    successors = np.concatenate([rng.choice(states, 4, replace=False) for _ in range(size)])
    weights = np.concatenate([rng.multinomial(996, [0.25] * 4) + 1 for _ in range(size)])
    model = CMDP(
        states,
        np.arange(states + 1) * actions,
        np.tile(np.arange(actions), states),
        np.arange(size + 1) * 4,
        successors,
        weights,
        rng.integers(0, 101, size),
        100,
        rng.integers(0, 101, (1, size)),
        (100,),
        (0,),
        Fraction(9, 10),
        [1] * states,
    )
    floats, cost = FloatModel.of(model), model.cost_vector(0).floats()
    greedy, _ = floats.iterate(model.reward_vector().floats())
    low = -floats.iterate(-cost)[1].mean()
    return model.with_budgets(
        Fraction(round(500 * (low + floats.values(greedy, cost).mean())), 1000)
    )


@pytest.mark.benchmark
@pytest.mark.parametrize(("states", "seconds"), [(4, 0.003), (200, 0.3), (1000, 10)])
def test_certified_solve_is_fast(states, seconds):
    model = random_graph(states, 4)
    solve(random_graph(4, 4))
    best = 1e9
    for _ in range(5 if states < 500 else 1):
        since = time.perf_counter()
        solution = solve(model)
        best = min(best, time.perf_counter() - since)
    print(f"\n{states} x 4: {best:.4f} s, float LP {solution.statistics['seconds']['float']:.4f} s")
    assert solution.n_randomisations == 1
    assert best < seconds
