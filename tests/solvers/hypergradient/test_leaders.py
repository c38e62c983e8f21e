"""What leaders and games refuse, and that a derivative that is none is found."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import (
    BilevelModel,
    CallableLeader,
    MarkovGame,
    SoftmaxPolicy,
    check_differentiable,
    discrete_toy4,
    game_hypergradient,
    game_leader,
    hypergradient,
    random_model,
    reward_penalty,
    transition_configuration,
)

BASE = random_model(3, 2, successors=2)


def with_rewards(rewards: np.ndarray) -> BilevelModel:
    return BilevelModel.of(
        BASE.transitions, rewards, BASE.leader_rewards, temperature=0.5, follower_discount=0.9,
        leader_discount=0.8,
    )  # fmt: skip


def coin(chance: float) -> BilevelModel:
    """Two states, one action: to the other with this probability."""
    return BilevelModel.of(
        [[[1 - chance, chance]], [[chance, 1 - chance]]], [[0.0], [0.0]], [[1.0], [0.0]],
        temperature=1, follower_discount=0.5, leader_discount=0.5,
    )  # fmt: skip


COIN_SLOPES = np.array([-1.0, 1.0, 1.0, -1.0])  # of the four stored probabilities, in their order


def test_smooth_leaders_pass() -> None:
    check_differentiable(reward_penalty(BASE, np.ones((6, 2)), budget=-1))
    check_differentiable(
        CallableLeader(np.array([0.3]), lambda p: coin(p[0]), lambda *w: [COIN_SLOPES @ w[3]])
    )


def test_a_kink_is_no_derivative() -> None:
    leader = CallableLeader(
        np.zeros(1),
        lambda p: with_rewards(np.abs(p[0]) * np.ones((3, 2))),
        lambda *w: np.array([w[1].sum()]),
    )
    with pytest.raises(ModelError, match=r"not differentiable at \[0.\].*Choose other parameters"):
        check_differentiable(leader)


def test_a_wrong_pull_back_is_found() -> None:
    good = reward_penalty(BASE, np.eye(6))
    wrong = CallableLeader(good.parameters, good.model, lambda *w: -good.pull_back(*w))
    with pytest.raises(ModelError, match="or its pull_back is wrong"):
        check_differentiable(wrong)


def test_a_leader_without_a_derivative() -> None:
    with pytest.raises(ModelError, match=r"pull_back is None.*its model and its derivative"):
        CallableLeader(np.zeros(1), lambda _: BASE, None)  # type: ignore[arg-type]


def test_a_deterministic_law_that_moves_has_no_score() -> None:
    """The successor is chosen by the sign of theta: the support changes at zero."""
    leader = CallableLeader(np.zeros(1), lambda p: coin(float(p[0] > 0)), lambda *w: np.zeros(1))
    with pytest.raises(ModelError, match=r"law of \(state, action\) \(0, 0\) gains or loses"):
        check_differentiable(leader)


def test_parameters_that_leave_the_simplex() -> None:
    leader = CallableLeader(np.array([1.2]), lambda p: coin(p[0]), lambda *w: [COIN_SLOPES @ w[3]])
    with pytest.raises(ModelError, match=r"from .* \(0, 0\) to state 0 is -0.19.*must be positive"):
        hypergradient(leader)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: reward_penalty(BASE, np.ones((5, 2))), r"follower_rewards has shape \(5, 2\)"),
        (lambda: reward_penalty(BASE, np.eye(6), np.ones((6, 3))), "leader_rewards has shape"),
        (
            lambda: reward_penalty(BASE, np.ones((6, 2)), budget=-1, parameters=[0, 0]),
            r"parameters has shape \(2,\); it needs \(3,\)",
        ),
        (lambda: transition_configuration(BASE, [np.ones((6, 2))]), "kernels have shapes"),
        (
            lambda: transition_configuration(BASE, [BASE.transitions], groups=[0, -1, 0]),
            "least entry -1",
        ),
        (
            lambda: transition_configuration(BASE, [BASE.transitions], logits=[[0, 0]]),
            r"logits has shape \(1, 2\); it needs \(1, 1\)",
        ),
        (lambda: SoftmaxPolicy(np.zeros(3)), r"logits has shape \(3,\)"),
        (
            lambda: game_leader(discrete_toy4(1), SoftmaxPolicy(np.zeros((2, 2)))),
            "3 states with 2 actions of the leader need 6",
        ),
        (
            lambda: game_leader(discrete_toy4(1), SoftmaxPolicy(np.array([[0.0, 1e4]] * 3))),
            "probability of action 0 in state 0 is 0.0; it must be positive",
        ),
        (
            lambda: game_hypergradient(discrete_toy4(1), follower="blind"),  # type: ignore[arg-type]
            "follower is 'blind'",
        ),
        (
            lambda: MarkovGame.of(np.ones((2, 2)), np.ones((2, 2)), 0, temperature=1,
                                  follower_discount=0, leader_discount=0),
            "a game has one entry for each",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(make: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()  # type: ignore[operator]


def test_one_action_of_the_leader_leaves_the_process_of_the_follower() -> None:
    """With L = 1 both kinds of game are the model itself, and the policy has nothing to move."""
    rng = np.random.default_rng(0)
    kernel = BASE.transitions.toarray().reshape(3, 1, 2, 3)
    game = MarkovGame.of(
        kernel, BASE.follower_rewards[:, None], BASE.leader_rewards[:, None], temperature=0.5,
        follower_discount=0.9, leader_discount=0.8,
    )  # fmt: skip
    alone = hypergradient(reward_penalty(BASE, rng.normal(size=(6, 1))))
    for kind in ("observing", "simultaneous"):
        found = game_hypergradient(game, follower=kind)  # type: ignore[arg-type]
        assert (np.abs(found.gradient) <= found.error_bound).all()
        errors = found.objective_error + alone.objective_error
        assert abs(found.objective - alone.objective) <= errors
