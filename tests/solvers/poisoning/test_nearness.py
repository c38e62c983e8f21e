"""The stability bound: both sides of it, rounded outwards, for rewards that anything has found."""

from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.exact import Array
from holdfast.solvers.poisoning import FlipProblem
from holdfast.solvers.poisoning.rewards.enclosed import enclose_gradient, sigma
from holdfast.solvers.poisoning.rewards.exact_loss import gradient
from holdfast.solvers.poisoning.rewards.learning import fit_reward
from holdfast.solvers.poisoning.rewards.nearness import _above, _below, nearness

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


PAIRS = np.array([[1.0, 2.0]])
LABELS = np.array([1.0, 0.0]), np.zeros(2)


@pytest.mark.parametrize("head", [1e150, -1e25, -1e150, -1e300])
def test_upper_bounds_hold_for_heads_of_any_size(head: float) -> None:
    """By hand: r = h, s = 0, lambda = 1, labels (1, 0) and (0, 0): the gap of moments is 1, the
    gradient at 0 is 1/2 + 1 and that at h is about h, so that 2.5 + abs(h) - 4 <= bound."""
    found = nearness(PAIRS, LABELS, (np.array([head]), np.zeros(1)), 1.0)
    assert found.distance_lower <= abs(head) <= found.distance_upper <= found.bound
    assert found.moments == pytest.approx(1) and found.moments >= 1
    assert abs(head) <= found.gradients <= 1.001 * (abs(head) + 5)
    # a pair of score 0 at s has the chance 1/2, at h nearly 0 or 1
    assert found.moved == pytest.approx(0.5) and found.moved >= 0.5
    assert found.moved <= found.allowed


def test_a_score_that_is_known_to_no_digit_bounds_nothing_away() -> None:
    """sigma lies in [0, 1] whatever is known of the score."""
    wide = sigma(flint.arb(0, flint.arb(10) ** 40))
    assert wide.contains(0) and wide.contains(1) and wide.is_finite()
    assert sigma(-(flint.arb(10) ** 30)).is_finite()
    assert _above(flint.arb("nan")) == _above(flint.arb(0, flint.arb("inf"))) == np.inf
    assert _below(flint.arb("nan")) == 0


@pytest.mark.parametrize(
    ("rewards", "held_out", "message"),
    [
        ((np.array([np.nan]), np.zeros(1)), None, "first reward holds nan at"),
        ((np.zeros(1), np.array([np.inf])), None, "second reward holds inf at"),
        ((np.zeros(2), np.zeros(2)), None, r"first reward has shape \(2,\)"),
        ((np.zeros(1), np.zeros(2)), None, r"second reward has shape \(2,\)"),
        ((np.zeros(1), np.zeros(1)), np.array([[np.nan]]), "held_out holds nan at"),
        ((np.zeros(1), np.zeros(1)), np.ones((2, 2)), r"held_out has shape \(2, 2\)"),
        ((np.zeros(1), np.zeros(1)), np.ones(3), r"held_out has shape \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused(
    rewards: tuple[Array, Array], held_out: Array | None, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        nearness(PAIRS, LABELS, rewards, 1.0, held_out=held_out)


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan, np.inf])
def test_without_a_ridge_there_is_no_bound(ridge: float) -> None:
    with pytest.raises(ModelError, match="without a positive, finite one there is no such bound"):
        nearness(FEATURES, (ONES, TARGET), (np.ones(4), np.ones(4)), ridge)
