"""The published problems against figures that other means give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import (
    SoftmaxPolicy,
    bilevel_from_cmdp,
    bilevel_lqr,
    building_control,
    discrete_toy4,
    four_rooms,
    game_hypergradient,
    hypergradient,
    random_model,
    reward_penalty,
)
from holdfast.solvers.hypergradient.environments import FOUR_ROOMS
from holdfast.solvers.models.arrays import from_arrays
from holdfast.solvers.models.gymnasium_models import from_gymnasium


def toy(reward: float, chance: float):
    """DiscreteToy4 where the leader takes action 1 in A with this probability."""
    logits = np.array([[0, 0], [np.log(1 - chance), np.log(chance)], [0, 0]])
    return game_hypergradient(discrete_toy4(reward), SoftmaxPolicy(logits))


@pytest.mark.parametrize(
    ("reward", "chance", "figure"),
    [(1, 0.5, 0.617), (1, 1e-9, 33.65), (1, 0.25, 33.39), (1, 0.166, 34.99), (2, 0.503, 39.94)],
)
def test_returns_of_the_toy(reward: float, chance: float, figure: float) -> None:
    """Figures of an independent script (infinite horizon), which gave two to five digits."""
    found = toy(reward, chance)
    assert abs(found.objective - figure) < 0.01 and found.objective_error < 1e-7


@pytest.mark.parametrize(("reward", "at", "best"), [(1, 0.166, 34.99), (2, 0.503, 39.94)])
def test_the_best_leader_of_the_toy(reward: float, at: float, best: float) -> None:
    """Where a search over p ends, the hypergradient changes sign; the direct term does not."""
    found = minimize_scalar(
        lambda p: -toy(reward, p).objective, bounds=(0.01, 0.9), method="bounded",
        options={"xatol": 1e-7},
    )  # fmt: skip
    assert round(found.x, 3) == at and round(-found.fun, 2) == best
    below, above = toy(reward, found.x - 1e-3), toy(reward, found.x + 1e-3)
    assert below.gradient[3] > below.error_bound[3]
    assert above.gradient[3] < -above.error_bound[3]
    assert below.direct[3] * above.direct[3] > 0


def test_four_rooms_walks_by_one_kernel() -> None:
    """104 cells and the end; 0.67 ahead and 0.11 to each other side, from the start in (4, 1)."""
    model = four_rooms(0.001).base
    assert model.n_states == 105 and model.terminal.tolist() == [False] * 104 + [True]
    start = int(np.argmax(model.initial))
    north = model.transitions[[4 * start]].toarray()[0]
    assert sorted(north[north > 0].tolist()) == pytest.approx([0.11, 0.11, 0.11, 0.67])
    assert north[start] == pytest.approx(0.11)  # the wall to the west
    assert sum(row.count(" ") for row in FOUR_ROOMS) == 104


def test_four_rooms_pays_for_its_penalties() -> None:
    """At equal logits 104 / 105 of the budget 0.2 is spent: 5 times that is paid at the goal."""
    leader = four_rooms(0.001)
    model = leader.model(leader.parameters)
    goal = int(np.argmax(leader.base.follower_rewards[:, 0]))
    assert model.leader_rewards[goal] == pytest.approx(-104 / 105)
    assert model.follower_rewards[goal] == pytest.approx(1)
    assert model.follower_rewards[:104].sum() == pytest.approx(4 - 4 * 103 / 105 * 0.2)


@pytest.mark.parametrize("value", [0, 1, 1.5])
def test_four_rooms_without_chance(value: float) -> None:
    with pytest.raises(ModelError, match=f"intended is {value}"):
        four_rooms(intended=value)


@pytest.mark.parametrize(
    "problem", [bilevel_lqr((0.3, -0.4)), building_control(np.linspace(-1, 1, 8))]
)
def test_regulators_differentiate(problem) -> None:
    """Central differences of the closed form (error about h^2 = 1e-8 of the third derivative)."""
    theta, step, gradient = problem.parameters, 1e-4, problem.gradient()
    for at in (0, theta.size - 1):
        moved = step * np.eye(theta.size)[at]
        slope = (problem.objective(theta + moved) - problem.objective(theta - moved)) / (2 * step)
        assert slope == pytest.approx(gradient[at], rel=1e-5)
    direct, indirect = (problem.gradient(terms=t) for t in ("direct", "indirect"))
    assert direct + indirect == pytest.approx(gradient, rel=1e-9)
    assert np.abs(indirect).max() > 1e-6 * np.abs(gradient).max()


def test_the_response_of_a_regulator_is_the_best_one() -> None:
    """Moving any of its gains costs more: sums over 800 steps, no Riccati equation."""
    problem = bilevel_lqr((0.3, -0.4))
    theta = problem.parameters
    system, response = problem.dynamics(theta), problem.respond(theta)

    def cost(gain: np.ndarray) -> float:
        closed = system.drift - system.control @ gain
        weight = problem.state_cost + gain.T @ problem.action_cost @ gain
        state, total = problem.mean, 0.0
        for t in range(800):
            total += 0.95**t * float(np.real(state @ weight @ state))
            state = closed @ state
        return total

    best = cost(response.gain)
    for at in range(2):
        for sign in (1, -1):
            assert cost(response.gain + sign * 0.1 * np.eye(2)[[at]]) > best


def test_a_follower_that_can_not_steer() -> None:
    with pytest.raises(ModelError, match="Riccati recursion does not settle"):
        bilevel_lqr((40.0, 0.0)).objective()


@pytest.mark.parametrize(
    ("name", "states", "ends"), [("FrozenLake-v1", 17, 6), ("CliffWalking-v1", 49, 2)]
)
def test_gymnasium_tables(name: str, states: int, ends: int) -> None:
    """FrozenLake ends in 4 holes and the goal, and waits in the added state; the cliff in one."""
    cmdp = from_gymnasium(name, costs=[{5}], budgets=[1], discount="0.95")
    model = bilevel_from_cmdp(cmdp, temperature=0.1)
    assert (model.n_states, model.n_actions, int(model.terminal.sum())) == (states, 4, ends)
    assert (model.leader_rewards <= 0).all() and model.leader_rewards.any()
    found = hypergradient(
        reward_penalty(model, np.where(model.leader_rewards.ravel() < 0, -1, 0)[:, None])
    )
    assert found.indirect[0] > found.error_bound[0]  # fining the follower there helps the leader


def test_decision_processes_without_a_leader() -> None:
    one = from_arrays([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [[0, 1], [1, 0]], discount="1/2")
    with pytest.raises(ModelError, match="the model has no cost; give leader_rewards"):
        bilevel_from_cmdp(one, temperature=1.0)
    short = from_arrays(
        [[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [[0, 1], [1, 0]], discount="1/2",
        available=[[True, True], [True, False]],
    )  # fmt: skip
    with pytest.raises(ModelError, match="state 1 has 1 actions and others have 2"):
        bilevel_from_cmdp(short, temperature=1.0, leader_rewards=np.ones((2, 2)))


def test_random_models_need_successors() -> None:
    with pytest.raises(ModelError, match="successors is 7"):
        random_model(3, 2, successors=7)
