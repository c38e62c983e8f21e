"""Limits say what they bound, and are refused where the exact layer proves them impossible."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from holdfast.solvers.chance import ChanceProblem, minimum_risk
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.limit import CostLimit, cost_limit

from .test_worlds import corridor, small


def hazard() -> ChanceProblem:
    """Three decisions; each enters the unsafe state with 1/4, whatever is done."""
    return ChanceProblem(small([1, 1], [{0: 3, 1: 1}] * 2, [0, 0]), (1,), 3)


def test_the_conversions_by_hand() -> None:
    # three steps, discount 1/2: a cost of 1 a step is 1 + 1/2 + 1/4 = 7/4 discounted, and 3 if not
    per_episode = CostLimit(Fraction(6), False, 3, Fraction(1, 2))
    discounted = per_episode.spread(discounted=True)
    assert (discounted.limit, discounted.discounted) == (Fraction(7, 2), True)
    assert discounted.spread(discounted=False) == per_episode
    # costs all at the last step: 6 there are 6/4 discounted, and a bound above that may be broken
    assert per_episode.implied(discounted=True).limit == Fraction(3, 2)
    # costs all at the first step are the same of both kinds: 7/2 undiscounted implies discounted
    assert discounted.implied(discounted=False).limit == Fraction(7, 2)
    endless = CostLimit(Fraction(1), True, None, Fraction(9, 10))
    assert endless.steps == 10


def test_without_a_horizon_nothing_is_made_up() -> None:
    with pytest.raises(ModelError, match="finite cost only if that is discounted; give the"):
        cost_limit(1).spread(discounted=True)
    with pytest.raises(ModelError, match="no discounted bound implies one per episode"):
        cost_limit(1, discount="1/2").implied(discounted=True)


def test_a_limit_that_no_policy_meets_is_refused_with_both_numbers() -> None:
    # Pr(some violation) = 1 - (3/4)^3 = 37/64; unsafe steps: 3/4 in the mean
    assert minimum_risk(hazard()).risk == Fraction(37, 64)
    message = "limit is 1/2, but no policy of the task has an expected cost of an episode below"
    with pytest.raises(ModelError, match=f"{message} 37/64; raise"):
        cost_limit("1/2").check(hazard())
    cost_limit("37/64").check(hazard())
    with pytest.raises(ModelError, match="below 3/4"):
        cost_limit("37/64").check(hazard(), first_violation=False)
    cost_limit("3/4").check(hazard(), first_violation=False)
    # a first violation at the last of three steps counts 1/4 when half is discounted each
    cost_limit("37/256", discounted=True, discount="1/2").check(hazard())
    with pytest.raises(ModelError, match="expected discounted cost below 37/256"):
        cost_limit("36/256", discounted=True, discount="1/2").check(hazard())


def test_tasks_that_can_be_safe_and_those_without_a_model_pass() -> None:
    cost_limit(0).check("holdfast/TwoDiscs-v0")
    cost_limit(0).check(replace(corridor(), reward_after_violation=False))
    cost_limit(0).check("SafetyBallRun-v0")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cost_limit(-1), "limit is -1; costs are not negative"),
        (lambda: cost_limit(math.nan), "limit is nan"),
        (lambda: cost_limit("a"), "limit"),
        (lambda: cost_limit(1, discount=0), r"discount is 0; it must lie in \(0, 1\]"),
        (lambda: cost_limit(1, horizon=0), "horizon is 0; an episode has at least 1 step"),
    ],
)
def test_wrong_limits_are_refused(make, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()
