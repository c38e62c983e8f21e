"""The point that circles: its step by hand, one copy and many alike, and its scripted data."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from holdfast.solvers.neural.parts import worlds
from holdfast.solvers.neural.parts.tasks import episode_length, largest_cost
from holdfast.solvers.neural.parts.worlds import circle

gymnasium.register_envs(worlds)


def test_a_step_by_hand() -> None:
    """v = (0, 1) and a = (0, 1/3): v stays (0, 1), and p goes from (1, 0) to (1, 1/10)."""
    states, rewards, costs = circle.moved(np.array([[1, 0, 0, 1.0]]), np.array([[0, 1 / 3]]))
    assert states[0].tolist() == pytest.approx([1, 0.1, 0, 1])
    assert rewards[0] == pytest.approx(1 / (1 + 5 * (1.01**0.5 - 1)))
    assert costs.tolist() == [1.0]
    assert circle.moved(np.array([[0.7, 0, 0, 0]]), np.zeros((1, 2)))[2] == 0


def test_actions_are_clipped_and_no_step_earns_more_than_is_said() -> None:
    still = np.zeros((1, 4))
    assert (
        circle.moved(still, np.full((1, 2), 9.0))[0] == circle.moved(still, np.ones(2))[0]
    ).all()
    stream = np.random.default_rng(0)
    speed = stream.uniform(-3, 3, (20_000, 2))
    states = np.hstack([stream.uniform(-2, 2, (20_000, 2)), speed])
    rewards = circle.moved(states, stream.uniform(-1, 1, (20_000, 2)))[1]
    assert 3 < np.abs(rewards).max() < circle.MOST


def test_gymnasium_makes_one_copy_and_many_alike() -> None:
    check_env(gymnasium.make(circle.TASK).unwrapped, skip_render_check=True)
    one, many = gymnasium.make(circle.TASK), gymnasium.make_vec(circle.TASK, num_envs=1)
    assert (one.reset(seed=3)[0] == many.reset(seed=3)[0][0]).all()
    for time in range(circle.STEPS):
        action = np.array([[0.5, -0.25]], np.float32)
        seen, reward, _, cut, info = one.step(action[0])
        others = many.step(action)
        assert (seen == others[0][0]).all()
        assert (reward, cut, info["cost"]) == (others[1][0], others[3][0], others[4]["cost"][0])
        assert cut == (time == circle.STEPS - 1)
    assert (episode_length(circle.TASK), largest_cost(circle.TASK)) == (100, 100.0)


def test_scripted_controllers_earn_what_they_dare() -> None:
    stream, each = np.random.default_rng(0), 200
    kinds = np.repeat(np.arange(4), each)
    found = circle.rolled(circle.scripted(kinds, stream), circle.starts(4 * each, stream))
    returns, costs = found.reshape(4, each, 2).mean(axis=1).T
    assert (np.diff(returns) > 5).all()
    assert costs[:2].tolist() == [0, 0]
    assert 3 < costs[2] < 10
    assert costs[3] > 40
    assert np.abs(found.mean(axis=0) - [32.7, 12.6]).max() < 1
