"""Tiny models in rationals and balls: against the adjoint method in doubles, and by hand."""

from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

from holdfast.solvers.hypergradient import BilevelModel, balls, hypergradient
from holdfast.solvers.hypergradient.balls import Point
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.hypergradient.families.points import numbers, point

HALF = Fraction(1, 2)


class Line:
    """A leader of one number, along the direction of a point; the end is a state of its own."""

    parameters = np.zeros(1)

    def __init__(self, case: Point, rewards: Any) -> None:
        self.case, self.rewards = case, rewards

    def model(self, parameters: Any) -> BilevelModel:
        case, n = self.case, len(self.case.values)
        ends = np.zeros((n + 1, case.policy.shape[1], n + 1))
        ends[:n, :, :n] = case.transitions
        ends[:n, :, n] = 1 - ends[:n, :, :n].sum(axis=2)
        ends[ends < 1e-12] = 0

        def padded(values: Any) -> Any:
            return np.concatenate([values.astype(float), np.zeros((1, *values.shape[1:]))])

        return BilevelModel.of(
            ends, padded(self.rewards), padded(case.leader_rewards),
            temperature=float(case.temperature), initial=padded(case.initial),
            follower_discount=float(case.follower_discount),
            leader_discount=float(case.leader_discount), terminal=[*[False] * n, True],
        )  # fmt: skip

    def pull_back(
        self, parameters: Any, follower_rewards: Any, leader_rewards: Any, transitions: Any,
        initial: Any,
    ) -> Any:  # fmt: skip
        case, n = self.case, len(self.case.values)
        model = self.model(parameters)
        cell, column = model.cells, model.transitions.indices
        state, action = np.divmod(cell, case.policy.shape[1])
        kernel = np.concatenate(
            [case.transition_slope, -case.transition_slope.sum(2)[..., None]], 2
        )
        return np.array([
            (follower_rewards[:n] * case.follower_slope).sum()
            + (leader_rewards[:n] * case.leader_slope).sum()
            + (transitions * kernel[state, action, column]).sum()
            + (initial[:n] * case.initial_slope).sum()
        ], dtype=float)  # fmt: skip


def doubled(case: Point) -> Point:
    """The same data rounded to doubles, as rationals."""

    def round_all(values: Any) -> Any:
        return balls.elementwise(lambda one: Fraction(float(one)), values)

    return Point(*(round_all(getattr(case, one.name)) for one in fields(case)))


@pytest.mark.parametrize("index", range(12))
def test_the_adjoint_method_is_within_its_own_bounds_of_the_balls(index: int) -> None:
    draw = PhiloxDraw("doubles", index)
    case = doubled(point(draw))
    rewards = numbers(draw, *case.policy.shape)
    found = hypergradient(Line(case, rewards))
    with flint.ctx.workprec(256):
        there = balls.enclosed(case, rewards)
        truth = balls.hypergradient(there)
        assert abs(truth - float(found.gradient[0])) <= float(found.error_bound[0]) < 1e-8
        assert abs(balls.direct(there) - float(found.direct[0])) < flint.arb("1e-8")
        assert abs(balls.objective(there) - found.objective) <= found.objective_error


def test_the_rewards_of_a_rational_policy_have_it_as_their_optimum() -> None:
    for index in range(10):
        case = point(PhiloxDraw("implied", index))
        with flint.ctx.workprec(128):
            found = balls.enclosed(case, balls.implied_rewards(case))
            for exact, ball in zip(case.policy.ravel(), found.policy.ravel(), strict=True):
                assert balls.number(exact) in ball
                assert ball.rad() < flint.arb("1e-25")


def test_one_state_by_hand() -> None:
    """r_F = (0, log 3), temperature 1 and discount 1/2: V = 2 log 4, g = (1/4, 3/4)."""
    with flint.ctx.workprec(128):
        rewards = np.array([[flint.arb(0), flint.arb(3).log()]], dtype=object)
        kernel = np.array([[[flint.arb(1)], [flint.arb(1)]]], dtype=object)
        policy, values = balls.enclose_follower(rewards, kernel, flint.arb(1), flint.arb(1) / 2)
        assert flint.arb(3) / 4 in policy[0, 1]
        assert values[0].overlaps(2 * flint.arb(4).log())


def test_an_interval_of_parameters_encloses_each_of_its_points() -> None:
    draw = PhiloxDraw("interval", 1)
    case = point(draw, rewards_only=True)
    rewards = numbers(draw, *case.policy.shape)
    with flint.ctx.workprec(128):
        whole = balls.hypergradient(balls.enclosed(case, rewards, flint.arb(0, 2**-20)))
        for share in (-1, 0, 1):
            at = Fraction(share, 2**21)
            assert balls.hypergradient(balls.enclosed(case, rewards, at)).overlaps(whole)
        away = replace(case, follower_slope=2 * case.follower_slope)
        assert not balls.hypergradient(balls.enclosed(away, rewards)).overlaps(whole)
