"""The stability bound: both sides of it, rounded outwards, for rewards that anything has found."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.poisoning import FlipProblem
from holdfast.solvers.poisoning.rewards.enclosed import enclose_gradient
from holdfast.solvers.poisoning.rewards.exact_loss import gradient
from holdfast.solvers.poisoning.rewards.learning import fit_reward
from holdfast.solvers.poisoning.rewards.nearness import nearness

FEATURES = np.random.default_rng(3).integers(-16, 17, (4, 60)) / 16
ONES = np.ones(60)
TARGET = np.where(np.arange(60) < 12, 0.0, 1.0)


def test_the_gradient_is_that_of_the_exact_loss() -> None:
    """At r = log 2 times integers the probabilities are rational: the second method is exact."""
    problem = FlipProblem.of([[1, 2, 4], [0, -1, 3]], 1, [0, 1, Fraction(1, 3)], [1, 2, 1])
    reward = Vector((1, -2))
    exact = gradient(problem, problem.target, reward)
    with flint.ctx.workprec(200):
        # an enclosure at the nearest rational to log 2 times the reward: off by 2^-190 at most
        unit = Fraction(int((flint.arb.const_log2() * 2**190).floor().unique_fmpz()), 2**190)
        point = Vector.of(unit * r for r in reward.fractions())
        found = enclose_gradient(problem, problem.target, point)
        for ball, value in zip(found, exact.fractions(), strict=True):
            gap = ball - flint.arb(flint.fmpq(value.numerator, value.denominator))
            assert abs(gap) < flint.arb(2) ** -180


@pytest.mark.parametrize("ridge", [0.5, 8.0, 200.0])
def test_both_sides_for_minimisers(ridge: float) -> None:
    rewards = tuple(fit_reward(FEATURES, t, ridge=ridge).reward for t in (ONES, TARGET))
    found = nearness(FEATURES, (ONES, TARGET), (rewards[0], rewards[1]), ridge)
    distance = float(np.linalg.norm(rewards[0] - rewards[1]))
    assert found.distance_lower <= distance <= found.distance_upper <= found.bound
    assert found.distance_upper - found.distance_lower <= 1e-14 * distance
    moments = float(np.linalg.norm(FEATURES @ (ONES - TARGET)))
    assert found.moments == pytest.approx(moments, rel=1e-12)
    assert found.bound == pytest.approx((moments + found.gradients) / ridge, rel=1e-12)
    assert 0 < found.moved <= found.allowed


def test_any_rewards_at_all_obey_it() -> None:
    """No minimisers: far from them the gradients pay for the distance."""
    generator = np.random.default_rng(8)
    for _ in range(20):
        one, two = generator.standard_normal((2, 4)) * 3
        found = nearness(FEATURES, (ONES, TARGET), (one, two), 2.0)
        assert found.distance_upper <= found.bound


def test_a_smaller_constant_would_be_refuted() -> None:
    """With a ridge far above the curvature the bound is nearly attained, so half of it is false."""
    rewards = tuple(fit_reward(FEATURES, t, ridge=5e3).reward for t in (ONES, TARGET))
    found = nearness(FEATURES, (ONES, TARGET), (rewards[0], rewards[1]), 5e3)
    assert found.distance_lower > 0.95 * found.bound


def test_without_the_gradients_it_would_be_refuted() -> None:
    """Equal labels and unequal rewards: the moments do not differ at all."""
    found = nearness(FEATURES, (ONES, ONES), (np.zeros(4), np.ones(4)), 1.0)
    assert found.moments == 0
    assert found.distance_lower == pytest.approx(2.0)
    assert found.distance_upper <= found.bound


def test_equal_rewards_are_at_no_distance() -> None:
    found = nearness(FEATURES, (ONES, TARGET), (np.ones(4), np.ones(4)), 1.0)
    assert found.distance_lower == found.distance_upper == 0
    assert found.moved < 2.0**-180


@pytest.mark.parametrize("ridge", [0.0, -1.0])
def test_without_a_ridge_there_is_no_bound(ridge: float) -> None:
    with pytest.raises(ModelError, match="without a positive one there is no such bound"):
        nearness(FEATURES, (ONES, TARGET), (np.ones(4), np.ones(4)), ridge)
