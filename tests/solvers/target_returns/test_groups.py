"""Estimators of the policy gradient by enumeration, and advantages; wrong input."""

from fractions import Fraction
from math import nan

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns.groups.advantages import clipped, group_advantages
from holdfast.solvers.target_returns.groups.gradients import (
    gradient_by_successes,
    greedy_tail,
    group_gradient,
    groups,
    mean,
    mixed,
    sampled,
    second_moment,
)
from holdfast.solvers.target_returns.groups.process import Policy, Process, episodes
from holdfast.verify.target_returns.claims.group_gradients import listening
from holdfast.verify.target_returns.oracles.derivatives import gradient, value

F = Fraction
ONE = F(1)
COIN = Process((tuple(((ONE, reward, 0),) for reward in (0, 1)),), 1)
EVEN = Policy(((1, 1),), ((1, 1),))
UP = Policy(((0, 1),), ((0, 0),))


def test_a_coin_by_hand() -> None:
    """p = 1/2: dp = p(1 - p) = 1/4; a group of two with one success has the estimate
    (1/2)((1 - 1/2)(1/2) + (0 - 1/2)(-1/2)) = 1/4, with probability 1/2, so 1/8 = (1 - 1/2)/4."""
    law = sampled(COIN, EVEN, UP)
    assert mean(law, lambda one: one.total * one.score) == F(1, 4)
    assert group_gradient(law, 2) == F(1, 8)
    assert second_moment(law, 2) == F(1, 32)
    assert gradient_by_successes(law, 2) == (0, F(1, 8), 0)


def test_the_oracle_differentiates() -> None:
    """p(w) = w/(1 + w) with log w as parameter has the derivative p(1 - p): 2/9 at w = 2."""
    assert gradient(COIN, Policy(((1, 2),), ((1, 1),)), UP, 0, 0) == F(2, 9)


def test_what_the_policy_was_told_and_what_hindsight_writes() -> None:
    two = Process(COIN.outcomes, 2)
    episode = next(e for e in episodes(two, 0) if [r for _, _, r in e.steps] == [1, 0])
    assert episode.intended(3) == (3, 2)
    assert episode.relabelled() == (1, 0)


def test_relabelling_halves_the_gradient_of_the_coin() -> None:
    """The derivation is in the docstring of the counterexample: 1/4 in place of 1/2."""
    case, taken = listening()
    options = {"target": case.target, "relabel": True}
    law = sampled(case.process, case.old, case.along, **options)
    assert mean(law, lambda one: (one.total - taken) * one.score) == F(1, 4)
    assert gradient(case.process, case.old, case.along, 0, case.target) == F(1, 2)


def test_mixed_reset_states_are_noisier() -> None:
    """Two states whose actions do not matter, worth 0 and 20: sharing the state leaves no noise.
    Mixed, half the groups hold one of each: advantages +-10, scores +-1/2, mean square 25 * 1/2."""
    flat = Process(tuple((((ONE, r, s),),) * 2 for s, r in ((0, 0), (1, 20))), 1)
    even, up = Policy(((1, 1),) * 2, ((1, 1),)), Policy(((0, 1),) * 2, ((0, 0),))
    laws = [sampled(flat, even, up, start=state) for state in (0, 1)]
    assert [second_moment(law, 2) for law in laws] == [0, 0]
    both = mixed(laws, (F(1, 2), F(1, 2)))
    assert group_gradient(both, 2) == 0
    assert second_moment(both, 2) == F(25, 4)


def test_a_greedy_tail_is_another_policy() -> None:
    """Two tosses of a coin with p = 2/3, the second greedy: 2/3 + 1 in place of 4/3."""
    two, policy = Process(COIN.outcomes, 2), Policy(((1, 2),), ((1, 1),))
    assert greedy_tail(two, policy, 0, 0, 1) == F(5, 3)
    assert greedy_tail(two, policy, 0, 0, 2) == value(two, policy, 0, (0,)) == F(4, 3)


def test_advantages_of_groups() -> None:
    """Returns 0, 2 have mean 1 and deviation 1; equal returns have no advantage."""
    found = group_advantages([[0, 2], [5, 5]])
    assert found == pytest.approx(np.array([[-1, 1], [0, 0]]), abs=2e-8)
    assert found[1].tolist() == [0, 0]
    assert group_advantages([1e-8, 3e-8]) == pytest.approx([-0.5, 0.5])  # 1e-8 / (1e-8 + 1e-8)
    assert group_advantages([1e308, -1e308, 0]) == pytest.approx([1.5**0.5, -(1.5**0.5), 0])
    assert group_advantages([1e-320, 2e-320]) == pytest.approx([0, 0], abs=1e-300)
    close = group_advantages([0.1 + 0.2, 0.3, 0.3])  # they differ by 2**-54, a rounding
    unit = 2**-54 / 1e-8 / 3
    assert close == pytest.approx([2 * unit, -unit, -unit], rel=1e-6)
    third = group_advantages(np.full(3, 0.1 + 0.2))
    assert third.tolist() == [0, 0, 0]


def test_the_clipped_objective_by_hand() -> None:
    fifth = F(1, 5)
    assert clipped(F(2), F(1), fifth) == F(6, 5)
    assert clipped(F(2), F(-1), fifth) == -2
    assert clipped(F(1, 2), F(-1), fifth) == -F(4, 5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: group_advantages([1]), "at least 2 episodes"),
        (lambda: group_advantages([[1, nan]]), r"return \(0, 1\) of a group is nan"),
        (lambda: clipped(ONE, ONE, ONE), "distance of 1"),
        (lambda: list(groups(sampled(COIN, EVEN, UP), 1)), "group of 1"),
        (lambda: gradient_by_successes(sampled(Process(COIN.outcomes, 2), EVEN, UP), 2), "of 2"),
        (lambda: Process(((((F(1, 2), 0, 0),),),), 1), "must sum to 1"),
        (lambda: Process(((((ONE, -1, 0),),),), 1), r"state and action \(0, 0\)"),
        (lambda: Process(COIN.outcomes, 0), "0 actions"),
    ],
)
def test_wrong_input_is_named(call, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        call()
