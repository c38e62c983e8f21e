"""Flips of trained policies are judged exactly, and fresh episodes agree with that."""

from fractions import Fraction
from math import ceil, log

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from holdfast.solvers import ModelError
from holdfast.solvers.neural.chance import FlippingPolicy, judge
from holdfast.solvers.neural.parts.evaluation import evaluate
from holdfast.solvers.neural.parts.judging import cells, table

from ....zoo.corridor import LEFT, RIGHT, corridor
from .networks import EXACT, WORLD, constant, two_heads

torch.set_num_threads(1)
THIRD = Fraction(1, 3)
NEVER = 1e-9
"""A right judgement disagrees with so many episodes with this probability; the seeds are fixed."""


def flip(form: str, coins: list[float] | None = None) -> FlippingPolicy:
    if coins is not None:
        return FlippingPolicy.of_heads(two_heads(coins, exact=True))
    return FlippingPolicy(constant(LEFT, EXACT), constant(RIGHT, EXACT), THIRD, form=form)


def test_the_printed_form_crashes_where_the_episode_form_never_does() -> None:
    """In each step right has 1/3: the two steps differ in 2 (1/3)(2/3) = 4/9 of the episodes."""
    assert judge(flip("episode"), corridor()) == (1, 0)
    assert judge(flip("printed"), corridor()) == (Fraction(5, 9), Fraction(4, 9))
    half = flip("printed")
    half.probability = Fraction(1, 2)
    assert judge(half, corridor()) == (Fraction(1, 2), Fraction(1, 2))


def test_a_coin_that_sees_the_state_can_be_safe_and_one_that_does_not_cannot() -> None:
    """Logits 1000 and -1000 are sure even as doubles: the head that is safe there is followed."""
    assert judge(flip("step", [0, 1000, -1000]), corridor()) == (1, 0)
    assert judge(flip("step", [0, 0, 0]), corridor()) == (Fraction(1, 2), Fraction(1, 2))
    policy = flip("step", [log(3), 1000, 0])
    seen = np.concatenate([policy.second_chances(each) for each in cells(WORLD, True)])
    law = seen.reshape(2, 2, 5)  # time, memory, state
    chances = (Fraction(float(chance)) for chance in (law[0, 0, 0], law[1, 0, 2]))
    start, right = (Fraction(ceil(chance * 2**53), 2**53) for chance in chances)  # as it is tossed
    assert abs(start - Fraction(1, 4)) < Fraction(1, 10**4)  # 1000 in single precision: 6e-5
    assert judge(policy, corridor()) == (1 - start * (1 - right), start * (1 - right))


@pytest.mark.parametrize(
    "policy", [flip("episode"), flip("printed"), flip("step", [log(3), 2, 0.5])], ids=str
)
def test_fresh_episodes_agree(policy: FlippingPolicy) -> None:
    value, risk = judge(policy, corridor())
    seen = evaluate(policy, corridor(), episodes=3000, seed_words=("corridor",))
    assert seen.returns_sum == seen.episodes - seen.violations
    assert value + risk == 1
    if risk == 0:
        assert seen.violations == 0
    else:
        assert binomtest(seen.violations, 3000, float(risk)).pvalue > NEVER
        assert binomtest(seen.violations, 3000, float(risk) + 0.15).pvalue < NEVER


@pytest.mark.parametrize("policy", [flip("episode"), flip("printed"), flip("step", [0, 0, 0])])
def test_one_table_does_not_tell_what_a_flip_does(policy: FlippingPolicy) -> None:
    with pytest.raises(ModelError, match="judge the policies that it flips"):
        table(policy, corridor())


def test_a_policy_for_other_observations_is_refused() -> None:
    with pytest.raises(ModelError, match=r"takes observations of shape \(3,\)"):
        judge(FlippingPolicy(constant(LEFT), constant(RIGHT), THIRD), corridor())
