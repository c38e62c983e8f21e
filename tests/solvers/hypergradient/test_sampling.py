"""Trajectories have the law of the model, end where they should, and come again with their seed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import BilevelModel, solve_follower
from holdfast.solvers.hypergradient.sampling import Trajectories, roll_out

LEVEL = 1e-6


def model(**changes) -> BilevelModel:
    """Two states and an end, which action 1 reaches with probability 1/4 or 1/2."""
    law = [[[0.5, 0.5, 0], [0.5, 0.25, 0.25]], [[0.9, 0.1, 0], [0.25, 0.25, 0.5]], [[0] * 3] * 2]
    rewards = [[0.2, 0.0], [0.0, 0.4], [0, 0]]
    made = BilevelModel.of(
        law, rewards, rewards, temperature=0.5, follower_discount=0.5, leader_discount=0.5,
        initial=[0.75, 0.25, 0], terminal=[False, False, True],
    )  # fmt: skip
    return replace(made, **changes)


def pvalues(drawn: Trajectories, kernel: np.ndarray, policy: np.ndarray, initial: np.ndarray):
    """Exact binomial tests of the first states, the actions and the transitions."""
    firsts = drawn.states[drawn.times == 0]
    yield binomtest(int((firsts == 0).sum()), len(firsts), initial[0]).pvalue
    for s in range(2):
        here = drawn.actions[drawn.states == s]
        yield binomtest(int(here.sum()), len(here), policy[s, 1]).pvalue
        for b in range(2):
            after = drawn.followings[drawn.cells == 2 * s + b]
            for t in np.flatnonzero(kernel[2 * s + b]):
                yield binomtest(int((after == t).sum()), len(after), kernel[2 * s + b, t]).pvalue


def test_steps_have_the_law_of_model_and_policy() -> None:
    """13 exact tests at 1e-6; the control is a kernel that is two hundredths off: at some 100,000
    steps of a pair, twelve deviations."""
    problem = model()
    policy = solve_follower(problem).policy
    drawn = roll_out(problem, policy, 3, horizon=1000, episodes=60_000)
    kernel = problem.transitions.toarray()
    assert min(pvalues(drawn, kernel, policy, problem.initial)) > LEVEL
    off = np.where(kernel == 0.9, 0.88, np.where(kernel == 0.1, 0.12, kernel))
    assert min(pvalues(drawn, off, policy, problem.initial)) < LEVEL
    assert (kernel[drawn.cells, drawn.followings] == problem.transitions.data[drawn.entries]).all()


def test_episodes_end_in_terminal_states_or_at_the_horizon() -> None:
    problem = model()
    drawn = roll_out(problem, np.full((3, 2), 0.5), 0, horizon=7, episodes=500)
    lengths = np.diff(drawn.starts)
    assert drawn.n_episodes == 500
    assert lengths.max() == 7
    ended = drawn.followings[drawn.is_last] == 2
    assert (ended | (lengths == 7)).all()
    assert not (drawn.followings[~drawn.is_last] == 2).any()
    same = drawn.followings[~drawn.is_last] == drawn.states[1:][~drawn.is_last[:-1]]
    assert same.all()


def test_a_number_of_steps_cuts_the_last_episode_alone() -> None:
    drawn = roll_out(model(), np.full((3, 2), 0.5), 0, horizon=50, steps=101)
    assert len(drawn.states) == drawn.starts[-1] == 101
    assert (drawn.followings[drawn.is_last][:-1] == 2).all()


def test_a_seed_gives_the_same_steps_again_and_another_does_not() -> None:
    one, again, other = (
        roll_out(model(), np.full((3, 2), 0.5), seed, horizon=50, steps=200) for seed in (5, 5, 6)
    )
    assert (one.entries == again.entries).all()
    assert (one.entries != other.entries).any()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "either episodes or steps"),
        ({"steps": 5, "episodes": 5}, "either episodes or steps"),
        ({"steps": 0}, "steps is 0"),
        ({"episodes": 2.5}, "episodes is 2.5"),
        ({"episodes": 3, "horizon": -1}, "horizon is -1"),
        ({"episodes": 10**6, "horizon": 10**6}, "1,000,000,000,000 steps are more than"),
        ({"steps": 5, "initial": np.array([0.0, 0.0, 1.0])}, "begins in a terminal state"),
    ],
)
def test_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        roll_out(model(), np.full((3, 2), 0.5), 0, **{"horizon": 9} | wrong)
