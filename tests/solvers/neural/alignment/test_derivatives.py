"""First variations of the best of n against enumeration, and its optimum against another solver."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import minimize

from holdfast.solvers.alignment.inference_aware import plug_in_derivative as plug_in
from holdfast.solvers.alignment.inference_aware import unbiased_derivative as unbiased
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.alignment.grouped.hipo import SYSTEM, USER, Judged, earned
from holdfast.solvers.neural.alignment.grouped.inference_aware import best_law, best_of
from holdfast.solvers.neural.alignment.grouped.inference_aware import soft_derivative as soft

RANDOM = np.random.default_rng(0)
REWARDS = np.array([[0.5, -0.25, 0.5, 1.0], [0.0, 0.125, -1.0, 0.75]])
"""With a tie."""
LAW = RANDOM.dirichlet(np.ones(4), 2)


def _enumerated(draws: int) -> np.ndarray:
    chosen = list(product(range(4), repeat=draws))
    return np.array([
        sum(np.prod(p[list(one)]) * r[list(one)].max() for one in chosen)
        for p, r in zip(LAW, REWARDS, strict=True)
    ])  # fmt: skip


@pytest.mark.parametrize("draws", [1, 2, 4])
def test_best_of_n_and_its_slope(draws) -> None:
    value, slope = best_of(REWARDS, LAW, draws)
    assert np.allclose(value, _enumerated(draws), atol=1e-14)
    toward, step = RANDOM.dirichlet(np.ones(4), 2) - LAW, 1e-6
    moved = (best_of(REWARDS, LAW + step * toward, draws)[0] - value) / step
    assert np.allclose(moved, (slope * toward).sum(axis=1), atol=1e-5)


def test_the_unbiased_estimate_is_the_mean_over_sets_of_others() -> None:
    group = RANDOM.normal(size=(3, 6))
    others = [[j for j in range(6) if j != i] for i in range(6)]
    wanted = [
        [4 * np.mean([max(row[i], *row[list(s)]) for s in combinations(others[i], 3)])
         for i in range(6)]
        for row in group
    ]  # fmt: skip
    assert np.allclose(unbiased(group, 4), wanted)
    assert np.array_equal(unbiased(group, 1), group)
    with pytest.raises(ModelError, match="group is 6; it must be an integer of at least 7"):
        unbiased(group, 7)


def test_the_plug_in_is_the_slope_at_the_empirical_law() -> None:
    group = RANDOM.normal(size=(3, 6))
    off = plug_in(group, 4) - best_of(group, np.full((3, 6), 1 / 6), 4)[1]
    assert np.allclose(off, off[:, :1])  # up to a constant


def test_the_soft_slope_has_mean_zero_and_follows_the_value() -> None:
    group = RANDOM.normal(size=(1, 5))
    slope = soft(group, 0.5)
    assert np.isclose(slope.mean(), 0)

    def value(law: np.ndarray) -> float:
        tilted = law * np.exp(group[0] / 0.5)
        return float((tilted * group[0]).sum() / tilted.sum())

    even, toward = np.full(5, 0.2), np.array([0.3, -0.1, -0.1, 0.0, -0.1])
    assert np.isclose(
        (value(even + 1e-6 * toward) - value(even)) / 1e-6, (slope[0] * toward).sum(), atol=1e-4
    )


def test_the_optimum_is_that_of_a_solver_of_smooth_functions() -> None:
    found = best_law(LAW, REWARDS, draws=3, temperature=0.25)

    def lost(logits: np.ndarray) -> float:
        law = np.exp(logits.reshape(2, 4))
        law /= law.sum(axis=1, keepdims=True)
        gap = (law * np.log(law / LAW)).sum(axis=1)
        return -float((best_of(REWARDS, law, 3)[0] - 0.25 * gap).sum())

    best = minimize(lost, np.log(LAW).ravel(), method="BFGS", options={"gtol": 1e-9})
    assert lost(np.log(found)) <= best.fun + 1e-10


def test_standardised_rewards_of_opposite_ranks_cancel() -> None:
    """The first response left out; at lambda = 1 nothing is left at either prompt, whatever the
    rewards are worth."""
    which, tokens = np.array([0, 1]), np.array([[1, 2, 2, 1], [1, 1, 2, 1]])
    both = USER[which[:, None], tokens], SYSTEM[which[:, None], tokens]
    printed, repaired = (
        Judged(scale, 0.75, 0.07, 20.0, 0.9, 1.0).reward(*both) for scale in ("each", "common")
    )
    assert np.allclose(printed, 0, atol=1e-6)
    assert repaired[0].tolist() == [1, 1.95, 1.95, 1]
    assert np.allclose(repaired[1], [1.5, 1.5, 0.6, 1.5])


def test_best_and_equal_policies_on_the_instance() -> None:
    """39/40 and 23/44, at 3/4 of the system's reward."""
    best = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    assert earned(best) == pytest.approx({"user": 39 / 40, "system": 3 / 4})
    equal = np.array([[0.0, 1 / 11, 10 / 11]] * 2)
    assert earned(equal) == pytest.approx({"user": 23 / 44, "system": 3 / 4})
    assert (USER[:, 0] == 0).all()
    assert (SYSTEM[:, 0] == 0).all()
