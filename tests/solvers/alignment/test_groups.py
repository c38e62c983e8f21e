"""Expected updates: against ordered groups, limits of scales, fixed points by ascent, bad input."""

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from holdfast.solvers.alignment import groups as solver
from holdfast.solvers.alignment import tilt
from holdfast.solvers.errors import ModelError

POLICY = np.array([Fraction(k, 6) for k in (1, 2, 3)])
REWARDS = np.array([Fraction(k) for k in (2, 0, 1)])
REFERENCE, HEAT = np.array([0.5, 0.2, 0.3]), 0.7


def ordered(size: int, baseline: str) -> np.ndarray:
    """The expectation over all Y^G ordered groups."""
    total = POLICY * 0
    for group in product(range(3), repeat=size):
        chance = prod(POLICY[y] for y in group)
        found = solver.advantages(REWARDS[list(group)], baseline=baseline)
        for y, one in zip(group, found, strict=True):
            score = -POLICY.copy()
            score[y] += 1
            total = total + chance * one * score / size
    return total


@pytest.mark.parametrize("baseline", solver.BASELINES)
@pytest.mark.parametrize("size", [2, 3])
def test_groups_without_order_give_the_same(size: int, baseline: str) -> None:
    found = solver.expected_update(POLICY, REWARDS, size, baseline=baseline)
    assert (found == ordered(size, baseline)).all()
    share = 1 - Fraction(1, size) if baseline == "mean" else 1
    assert (found == share * solver.gradient(POLICY, REWARDS)).all()


def test_standardised_pairs_are_signs_over_a_root() -> None:
    """Rewards 2 and 0: advantages 1 and -1 over the deviation, which is the root of 2."""
    found = solver.advantages(np.array([2.0, 0.0]), scaled=True)
    assert np.allclose(found, [0.5**0.5, -(0.5**0.5)])
    assert np.allclose(solver.advantages(np.array([2.0, 0.0]), scaled=True, epsilon=1e9), 0)
    assert (solver.advantages(np.ones(3), scaled=True) == 0).all()


def test_standard_deviations_bend_the_update() -> None:
    policy, rewards = POLICY.astype(float), np.array([0.0, 1, 5])
    update = solver.expected_update(policy, rewards, 2, scaled=True)
    gradient = solver.gradient(policy, rewards)
    cosine = update @ gradient / np.linalg.norm(update) / np.linalg.norm(gradient)
    assert 0.5 < cosine < 0.999


def ascend(**options: object) -> np.ndarray:
    """Where the expected update with a KL in the loss comes to rest."""
    logits = np.log(REFERENCE)
    rewards = REWARDS.astype(float)
    for _ in range(600):
        policy = np.exp(logits) / np.exp(logits).sum()
        pull = solver.estimator_gradient(policy, REFERENCE, "k3", ratio=True)
        update = solver.expected_update(policy, rewards, 3, **options)  # type: ignore[arg-type]
        logits = logits + 2 * (update - HEAT * pull)
    return policy


@pytest.mark.parametrize(("baseline", "share"), [("mean", 2 / 3), ("leave-one-out", 1)])
def test_where_updates_come_to_rest(baseline: str, share: float) -> None:
    """Ascent, a second method: at the tilt by (1 - 1/G) r, or by r."""
    expected = tilt(REFERENCE[None], share * REWARDS.astype(float)[None], HEAT)[0]
    assert np.allclose(ascend(baseline=baseline), expected, atol=1e-5)


def test_gradients_of_divergences_are_derivatives() -> None:
    logits, step = np.log(POLICY.astype(float)), 1e-6

    def at(moved: np.ndarray) -> tuple[float, float]:
        p = np.exp(moved) / np.exp(moved).sum()
        return p @ np.log(p / REFERENCE), REFERENCE @ np.log(REFERENCE / p)

    policy = POLICY.astype(float)
    for y, unit in enumerate(np.eye(3)):
        slopes = (np.array(at(logits + step * unit)) - at(logits - step * unit)) / (2 * step)
        assert slopes[0] == pytest.approx(solver.reverse_gradient(policy, REFERENCE)[y], abs=1e-8)
        assert slopes[1] == pytest.approx(solver.forward_gradient(policy, REFERENCE)[y], abs=1e-8)


@pytest.mark.parametrize(
    ("options", "size", "message"),
    [
        ({}, 1, "size of a group is 1; it must be an integer of at least 2"),
        ({"baseline": "none", "scaled": True}, 1, "size of a group is 1"),
        ({"baseline": "median"}, 2, "baseline is 'median'"),
    ],
)
def test_groups_that_are_refused(options: dict[str, object], size: int, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        solver.expected_update(POLICY, REWARDS, size, **options)  # type: ignore[arg-type]


def test_estimators_that_are_refused() -> None:
    with pytest.raises(ModelError, match="estimator is 'k4'"):
        solver.estimator_gradient(POLICY, POLICY, "k4")
    with pytest.raises(ModelError, match="take at least 2"):
        solver.advantages(REWARDS[:1])
