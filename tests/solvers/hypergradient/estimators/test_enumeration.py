"""Bias and variance of estimators as exact fractions, over all trajectories."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient.balls import leader_advantages
from holdfast.solvers.hypergradient.estimators.enumeration import (
    _Exact,
    exact_bias_and_variance,
    small_points,
)
from holdfast.solvers.hypergradient.exact_traces import END, direct_sum, trace_sum

POINTS = small_points()
FOLLOWER, LAWS, BOTH = POINTS


@pytest.mark.parametrize("episodes", [1, 2])
def test_the_trace_is_unbiased_and_its_variance_falls_as_one_over_episodes(episodes: int) -> None:
    for point in POINTS if episodes == 1 else (BOTH,):
        found = exact_bias_and_variance(point, "bc-hg", episodes)
        assert found.bias == 0
        assert found.mean == found.gradient != 0
        assert found.variance * episodes == exact_bias_and_variance(point).variance > 1


def test_the_true_derivative_and_the_variance_are_those_of_a_plain_sum() -> None:
    """By the steps of `exact_traces`, another estimator's code, in which nothing is an array."""
    for point in POINTS:
        exact = _Exact(point)
        advantages = leader_advantages(point)
        total = square = mass = Fraction(0)
        for way, chance in exact.episodes(point.initial):
            after = [step[0] for step in way[1:]] + [END]
            steps = [(s, b, t) for (s, b, _), t in zip(way, after, strict=True)]
            value = direct_sum(point, exact.critic.values, steps)
            value += trace_sum(point, advantages, steps) / point.temperature
            total, square, mass = total + chance * value, square + chance * value**2, mass + chance
        found = exact_bias_and_variance(point)
        assert mass == 1
        assert (found.mean, found.variance) == (total, square - total**2)


def test_means_over_visits_of_a_pair_cost_no_bias_here() -> None:
    assert exact_bias_and_variance(BOTH, "bc-hg-averaged", 2).bias == 0


@pytest.mark.parametrize("method", ["hpgd-mc", "hpgd-sa", "naive"])
def test_hpgd_is_zero_where_each_state_is_visited_once(method: str) -> None:
    """Along a direction that moves the follower's reward alone it is the number 0, always: of the
    derivative, 25/12 short of zero, nothing is seen."""
    found = exact_bias_and_variance(FOLLOWER, method, 1)
    assert (found.mean, found.variance) == (0, 0)
    assert found.bias == -found.gradient


def test_a_second_episode_shrinks_the_bias_of_hpgd_and_does_not_end_it() -> None:
    one, two = (abs(exact_bias_and_variance(FOLLOWER, "hpgd-mc", k).bias) for k in (1, 2))
    assert 0 < two < one


@pytest.mark.parametrize("method", ["naive", "sobirl", "hpgd-mc", "hpgd-sa", "hpgd-oracle"])
def test_every_other_estimator_is_biased_along_every_direction(method: str) -> None:
    assert all(abs(exact_bias_and_variance(p, method).bias) > Fraction(1, 50) for p in POINTS)


def test_a_value_that_is_off_biases_the_trace() -> None:
    """The control: one of the follower's values is wrong by one, and weighs scores that differ."""
    wrong = replace(LAWS, values=LAWS.values + np.array([0, 0, 1]))
    assert exact_bias_and_variance(LAWS).mean != exact_bias_and_variance(wrong).mean


def test_refused() -> None:
    with pytest.raises(ModelError, match="bi-ac is for games alone"):
        exact_bias_and_variance(BOTH, "bi-ac")
    with pytest.raises(ModelError, match="'reinforce' is not an estimator; give one of bc-hg"):
        exact_bias_and_variance(BOTH, "reinforce")
    with pytest.raises(ModelError, match="batches are more than 200,000"):
        exact_bias_and_variance(BOTH, "bc-hg", 9)
    back = BOTH.transitions.copy()
    back[2, 0, 1] = Fraction(1, 2)
    with pytest.raises(ModelError, match="an episode meets state 1 again"):
        exact_bias_and_variance(replace(BOTH, transitions=back))
