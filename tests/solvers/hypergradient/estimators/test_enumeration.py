"""Bias and variance as enclosed numbers, and the true gradient by differences of high precision."""

from dataclasses import fields
from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient.estimators.enumeration import (
    LayeredProblem,
    _Balls,
    exact_bias_and_variance,
    small_problem,
)

TIGHT = 1e-60


def moved(problem: LayeredProblem, parameter: int, step: Fraction) -> LayeredProblem:
    """The problem with one parameter moved: its tables are linear in the parameters."""
    changes = {field.name: getattr(problem, field.name) for field in fields(problem)}
    for name in ("transitions", "follower_rewards", "leader_rewards", "initial"):
        table = getattr(problem, name) + step * problem.slopes[name][..., parameter]
        changes[name] = table.tolist()
    return LayeredProblem(**changes | {"slopes": {}})


def encloses_zero(ball: flint.arb) -> bool:
    return ball.contains(0) and float(ball.rad()) < TIGHT


@pytest.mark.parametrize("parameter", range(3))
def test_the_true_gradient_is_that_of_differences(parameter: int) -> None:
    """Central differences of step 10^-20 in 300 bits: their error is some 10^-40."""
    with flint.ctx.workprec(300):
        step = Fraction(1, 10**20)
        returns = []
        for sign in (1, -1):
            balls = _Balls(moved(small_problem(), parameter, sign * step))
            returns.append(balls.initial @ balls.critic.values)
        slope = (returns[0] - returns[1]) * 10**20 / 2
        true = _Balls(small_problem()).gradient[parameter]
        assert abs(slope - true) < flint.arb("1e-35")
        assert abs(true) > 0.5


@pytest.mark.parametrize("episodes", [1, 2])
def test_the_trace_is_unbiased_and_its_variance_falls_as_one_over_episodes(episodes: int) -> None:
    found = exact_bias_and_variance(small_problem(), "bc-hg", episodes)
    one = exact_bias_and_variance(small_problem(), "bc-hg", 1)
    assert all(map(encloses_zero, found.bias))
    for of_one, of_many in zip(one.variance, found.variance, strict=True):
        with flint.ctx.workprec(256):
            assert encloses_zero(of_one / episodes - of_many)
        assert of_many > 0.9


def test_means_over_visits_of_a_pair_cost_no_bias_here() -> None:
    found = exact_bias_and_variance(small_problem(), "bc-hg-averaged", 2)
    assert all(map(encloses_zero, found.bias))


def test_hpgd_is_exactly_zero_where_each_state_is_visited_once() -> None:
    """The first parameter moves the follower's reward alone.  Rewards and discounts are dyadic, so
    that the ball of the Monte-Carlo estimate has radius 0: it is the number 0, always."""
    found = exact_bias_and_variance(small_problem(), "hpgd-mc", 1)
    assert found.mean[0] == 0
    assert found.variance[0] == 0
    assert found.mean[0].rad() == found.variance[0].rad() == 0
    assert abs(found.bias[0]) > 1.6
    sarsa = exact_bias_and_variance(small_problem(), "hpgd-sa", 1)
    assert encloses_zero(sarsa.mean[0])


def test_a_second_episode_shrinks_the_bias_of_hpgd_and_does_not_end_it() -> None:
    one, two = (exact_bias_and_variance(small_problem(), "hpgd-mc", k).bias for k in (1, 2))
    for before, after in zip(one, two, strict=True):
        assert 0 < abs(after) < abs(before)


@pytest.mark.parametrize("method", ["naive", "sobirl", "hpgd-mc", "hpgd-sa", "hpgd-oracle"])
def test_every_other_estimator_is_biased_in_every_component(method: str) -> None:
    found = exact_bias_and_variance(small_problem(), method, 1)
    assert all(abs(bias) > 0.05 for bias in found.bias)


def test_the_direct_term_alone_does_not_see_the_followers_reward() -> None:
    found = exact_bias_and_variance(small_problem(), "naive", 1)
    assert found.mean[0] == 0
    assert encloses_zero(found.bias[0] + found.gradient[0])


def test_refused() -> None:
    with pytest.raises(ModelError, match="bi-ac is for games alone"):
        exact_bias_and_variance(small_problem(), "bi-ac")
    with pytest.raises(ModelError, match="'reinforce' is not an estimator; give one of bc-hg"):
        exact_bias_and_variance(small_problem(), "reinforce")
    with pytest.raises(ModelError, match="113,379,904 batches are more than 200,000"):
        exact_bias_and_variance(small_problem(), "bc-hg", 6)
    known = small_problem()
    parts = {field.name: getattr(known, field.name) for field in fields(known)}
    back = known.transitions.copy()
    back[1, 0] = [Fraction(1, 2), 0, Fraction(1, 2), 0]
    with pytest.raises(ModelError, match=r"transitions\[1\]\[0\] leads back"):
        LayeredProblem(**parts | {"transitions": back, "slopes": {}})
    short = known.transitions.copy()
    short[1, 0, 2] = 0
    with pytest.raises(ModelError, match=r"transitions\[1\]\[0\] or its slope is that of no law"):
        LayeredProblem(**parts | {"transitions": short, "slopes": {}})
    assert np.all(known.transitions[-1] == 0)
