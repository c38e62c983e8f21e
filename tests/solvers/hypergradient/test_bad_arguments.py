"""Every public name with arguments that cannot be meant: a ModelError that says which and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import (
    AffineLeader,
    BilevelModel,
    CallableLeader,
    Jacobians,
    MarkovGame,
    SoftmaxPolicy,
    adjoint_weights,
    bilevel_from_cmdp,
    bilevel_lqr,
    building_control,
    check_differentiable,
    discrete_toy4,
    evaluate_leader,
    four_rooms,
    game_hypergradient,
    game_leader,
    hypergradient,
    jacobians_of,
    random_model,
    reward_penalty,
    solve_follower,
    transition_configuration,
)
from holdfast.solvers.hypergradient.estimators.ascent import Sampler, ascend
from holdfast.solvers.hypergradient.estimators.estimate import estimate
from holdfast.solvers.hypergradient.sampling import roll_out

BASE = random_model(3, 2, successors=2)
RESPONSE = solve_follower(BASE)
UNIFORM = np.full((3, 2), 0.5)
LEADER = reward_penalty(BASE, np.eye(6)[:, :2])
DRAWN = roll_out(BASE, UNIFORM, 0, horizon=5, episodes=2)
CRITIC = evaluate_leader(BASE, UNIFORM)
GAME = discrete_toy4(1)
FACTS: dict[str, Any] = {"temperature": 1.0, "follower_discount": 0.5, "leader_discount": 0.5}
HALF = np.full((2, 2, 2), 0.5)
JOINT = np.full((2, 2, 2, 2), 0.5)
PAID = np.ones((2, 2, 2))


def model(**changes: Any) -> BilevelModel:
    given = {"transitions": HALF, "follower_rewards": np.eye(2), "leader_rewards": np.eye(2)}
    return BilevelModel.of(**(given | FACTS | changes))


def game(**changes: Any) -> MarkovGame:
    given = {"transitions": JOINT, "follower_rewards": PAID, "leader_rewards": PAID}
    return MarkovGame.of(**(given | FACTS | changes))


def sampler(**changes: Any) -> Sampler:
    return Sampler(**({"leader": LEADER, "seed": 0, "horizon": 5, "steps": 9} | changes))


def climb(**changes: Any) -> Any:
    return ascend(LEADER, **({"iterations": 1, "learning_rate": 0.1} | changes))


def made(pull_back: Any = None, returned: Any = BASE, parameters: Any = (0.0,)) -> CallableLeader:
    return CallableLeader(
        np.array(parameters), lambda _: returned, pull_back or (lambda *_: np.zeros(1))
    )


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    # complex numbers, which lost their imaginary part
    ("model", lambda: model(follower_rewards=np.eye(2) * 1j), r"follower_rewards\[0, 0\] is .*1j"),
    ("model", lambda: model(leader_rewards=[[1j, 0], [0, 0]]), r"leader_rewards\[0, 0\] is 1j"),
    ("model", lambda: model(transitions=HALF + 0j), "transitions.*complex.*give real numbers"),
    ("model", lambda: model(initial=[1 + 0j, 0]), r"initial\[0\].*complex"),
    ("model", lambda: model(temperature=1 + 1j), r"temperature is \(1\+1j\)"),
    ("theta", lambda: hypergradient(LEADER, np.array([1j, 0])), r"parameters\[0\] is 1j"),
    ("penalty", lambda: reward_penalty(BASE, np.eye(6) * 1j), r"follower_rewards\[0, 0\]"),
    ("penalty", lambda: reward_penalty(BASE, np.eye(6), parameters=[1j] * 6), "give real numbers"),
    ("softmax", lambda: SoftmaxPolicy(np.array([[1j, 0]])), r"logits\[0, 0\] is 1j"),
    ("game", lambda: game(follower_rewards=PAID * 1j), "follower_rewards.*complex"),
    ("game", lambda: game(leader_rewards=PAID * 1j), "leader_rewards.*complex"),
    ("lqr", lambda: bilevel_lqr((1j, 0)), r"gains\[0\]"),
    ("lqr", lambda: bilevel_lqr().objective(np.array([1j, 0])), "parameters.*give real numbers"),
    ("building", lambda: building_control(np.ones(8) * 1j), r"logits\[0\]"),
    ("pull", lambda: hypergradient(made(lambda *_: np.array([1j]))), "finite real numbers"),
    ("climb", lambda: climb(gradient=lambda at: at + 1j), "type complex128; it needs a real"),
    # texts, truth values and nothing where numbers are meant
    ("model", lambda: model(follower_rewards=[["a", 0], [0, 0]]), r"follower_rewards\[0, 0\] is a"),
    ("model", lambda: model(temperature="1"), "temperature is 1; it must be"),
    ("model", lambda: model(temperature=None), "temperature is None"),
    ("model", lambda: model(leader_discount="0.5"), "leader_discount is 0.5"),
    ("model", lambda: model(terminal=[0, 2]), r"terminal is \[0, 2\]; give each of the 2 states"),
    ("model", lambda: model(terminal=[True]), "give each of the 2 states True or False"),
    ("model", lambda: model(initial=[1]), r"initial has shape \(1,\)"),
    ("model", lambda: model(transitions=3), r"transitions has shape \(\)"),
    ("model", lambda: replace(model(), follower_rewards=[[1, 0], [0, 1]]), "use BilevelModel.of"),
    ("toy", lambda: discrete_toy4("1"), "reward is '1'; give a finite real number"),  # type: ignore[arg-type]
    ("toy", lambda: discrete_toy4(np.nan), "reward is nan"),
    ("toy", lambda: discrete_toy4(1, temperature=-1), "temperature is -1"),
    ("toy", lambda: discrete_toy4(1, discount=1), "discount is 1; it must be at least 0"),
    ("rooms", lambda: four_rooms(0), "temperature is 0"),
    ("rooms", lambda: four_rooms(intended=1.5), "intended is 1.5"),
    ("rooms", lambda: four_rooms(goal=(0, 0)), r"goal is \(0, 0\), which is no free cell"),
    ("rooms", lambda: four_rooms(price=np.inf), "price is inf"),
    ("rooms", lambda: four_rooms(logits=np.zeros(3)), r"shape \(3,\); it needs \(105,\)"),
    ("random", lambda: random_model(0, 2), "states is 0; give a whole number from 1"),
    ("random", lambda: random_model(3, 2.0), "actions is 2.0; give a whole number"),  # type: ignore[arg-type]
    ("random", lambda: random_model(3, True), "actions is True; give a whole number"),
    ("random", lambda: random_model(3, 2, successors=0), "successors is 0"),
    ("random", lambda: random_model(3, 2, seed=-1), "seed is -1; give a whole number from 0"),
    ("cmdp", lambda: bilevel_from_cmdp(BASE, temperature=1), "model is BilevelModel.*give a CMDP"),  # type: ignore[arg-type]
    ("game", lambda: MarkovGame(BASE, 3), "leader_actions is 3, which does not divide the 2"),
    ("game", lambda: MarkovGame(3, 1), "joint is 3, of type int"),  # type: ignore[arg-type]
    ("game", lambda: game(leader_rewards=np.ones((2, 2))), r"leader_rewards has shape \(2, 2\)"),
    ("game", lambda: game(transitions=HALF), r"transitions has shape \(2, 2, 2\); it needs"),
    ("game", lambda: game(follower_discount=1), "follower_discount is 1"),
    ("game", lambda: game_leader(BASE, SoftmaxPolicy(UNIFORM)), "give a MarkovGame"),  # type: ignore[arg-type]
    ("game", lambda: game_leader(GAME, UNIFORM), "give a SoftmaxPolicy with logits"),  # type: ignore[arg-type]
    ("game", lambda: game_hypergradient(BASE), "give a MarkovGame"),  # type: ignore[arg-type]
    ("game", lambda: game_hypergradient(GAME, terms="both"), "terms is 'both'"),  # type: ignore[arg-type]
    ("softmax", lambda: SoftmaxPolicy(np.zeros((0, 2))), r"logits has shape \(0, 2\)"),
    ("softmax", lambda: SoftmaxPolicy(np.array([[np.nan, 0]])), r"logits\[0, 0\] is nan"),
    ("softmax", lambda: SoftmaxPolicy(UNIFORM, scale=np.inf), "scale is inf"),
    ("softmax", lambda: SoftmaxPolicy(UNIFORM, dropped=0.5), "dropped is 0.5"),  # type: ignore[arg-type]
    ("affine", lambda: AffineLeader(3, None, None), "base is 3"),  # type: ignore[arg-type]
    ("affine", lambda: replace(LEADER, vector=UNIFORM), "give a SoftmaxPolicy, or an object"),
    ("affine", lambda: replace(LEADER, maps=None), "maps is None, of type NoneType"),
    (
        "affine",
        lambda: replace(LEADER, maps=Jacobians(LEADER.maps.follower_rewards[:3], *[None] * 3)),
        r"the map of follower_rewards has shape \(3, 2\); it needs \(6, 2\)",
    ),
    ("affine", lambda: replace(LEADER, groups=np.arange(3)), "vector has 2 numbers; with groups"),
    ("callable", lambda: CallableLeader(np.array(["a"]), len, len), r"parameters\[0\] is a"),
    ("callable", lambda: hypergradient(made(returned=3)), "model returned 3, of type int"),
    ("callable", lambda: hypergradient(made(parameters=())), "without parameters there is"),
    ("callable", lambda: hypergradient(made(lambda *_: None)), "pull_back returned"),
    ("callable", lambda: hypergradient(made(lambda *_: np.zeros(2))), r"of shape \(2,\)"),
    ("check", lambda: check_differentiable(made(lambda *_: np.zeros(2))), r"of shape \(2,\)"),
    ("check", lambda: check_differentiable(made(lambda *_: "no")), "pull_back returned 'no'"),
    ("check", lambda: check_differentiable(made(parameters=())), "without parameters there is"),
    ("check", lambda: check_differentiable(LEADER, np.zeros(3)), r"the leader's are \(2,\)"),
    ("check", lambda: check_differentiable(LEADER, seed=0.5), "seed is 0.5"),  # type: ignore[arg-type]
    ("check", lambda: check_differentiable(3), "the leader is 3; give an object"),  # type: ignore[arg-type]
    ("leader", lambda: hypergradient(BASE), "the leader is BilevelModel"),  # type: ignore[arg-type]
    ("leader", lambda: hypergradient(LEADER, [0, "a"]), r"parameters\[0\] is 0, of type str"),  # type: ignore[arg-type]
    ("jacobians", lambda: jacobians_of(made(returned=3), np.zeros(1)), "model returned 3"),
    ("penalty", lambda: reward_penalty(3, np.eye(6)), "model is 3"),  # type: ignore[arg-type]
    ("penalty", lambda: reward_penalty(BASE, np.eye(6) * np.nan), "every number must be finite"),
    ("penalty", lambda: reward_penalty(BASE, np.ones(6)), r"shape \(6,\); give a matrix"),
    ("penalty", lambda: reward_penalty(BASE, np.eye(6), budget=0), "leaves nothing to spread"),
    ("penalty", lambda: reward_penalty(BASE, np.eye(6), budget=np.nan), "budget is nan"),
    ("kernels", lambda: transition_configuration(BASE, []), "kernels have shapes"),
    ("kernels", lambda: transition_configuration(BASE, 3), "kernels is no sequence"),
    (
        "kernels",
        lambda: transition_configuration(BASE, [BASE.transitions], groups=[0, 0.5, 1]),
        "groups has shape .* type float64; give whole numbers",
    ),
    (
        "kernels",
        lambda: transition_configuration(BASE, [BASE.transitions], groups=[0, 0, 2]),
        "groups goes up to 2 and leaves out 1",
    ),
    ("follower", lambda: solve_follower(3), "model is 3"),  # type: ignore[arg-type]
    ("follower", lambda: solve_follower(BASE, np.zeros(2)), r"start has shape \(2,\)"),
    ("follower", lambda: solve_follower(BASE, np.full(3, np.nan)), r"start\[0\] is nan"),
    ("critic", lambda: evaluate_leader(BASE, UNIFORM[:2]), r"policy has shape \(2, 2\)"),
    ("critic", lambda: evaluate_leader(BASE, 2 * UNIFORM), r"policy\[0\] is \[1.0, 1.0\]; give"),
    ("weights", lambda: adjoint_weights(BASE, -UNIFORM, CRITIC), r"policy\[0\] is \[-0.5"),
    ("roll", lambda: roll_out(BASE, UNIFORM, 0, horizon=1.5, steps=9), "horizon is 1.5"),  # type: ignore[arg-type]
    ("roll", lambda: roll_out(BASE, UNIFORM, 0, horizon=2, episodes=0), "episodes is 0"),
    ("roll", lambda: roll_out(BASE, UNIFORM, -1, horizon=2, episodes=1), "seed is -1"),
    ("roll", lambda: roll_out(BASE, 2 * UNIFORM, 0, horizon=2, steps=9), r"policy\[0\]"),
    (
        "roll",
        lambda: roll_out(BASE, UNIFORM, 0, horizon=2, steps=9, initial=np.ones(3)),
        "initial sums to 3.0",
    ),
    ("estimate", lambda: estimate(LEADER, np.zeros(3), RESPONSE, DRAWN, CRITIC), "leader's are"),
    ("estimate", lambda: estimate(LEADER, np.zeros(2), RESPONSE, DRAWN, CRITIC, None), "None is"),  # type: ignore[arg-type]
    ("sampler", lambda: sampler(leader=3), "the leader is 3"),
    ("sampler", lambda: sampler(seed=-1), "seed is -1"),
    ("sampler", lambda: sampler(horizon=0), "horizon is 0"),
    ("sampler", lambda: sampler(steps=None), "give either episodes or steps"),
    ("sampler", lambda: sampler(episodes=2), "give either episodes or steps"),
    ("sampler", lambda: sampler(steps=2.5), "steps is 2.5"),
    ("sampler", lambda: sampler(critic_step=2), "the step of the critic is 2"),
    ("sampler", lambda: sampler(oracle_steps=0), "oracle_steps is 0"),
    ("sampler", lambda: sampler(method=3), "3 is not an estimator"),
    ("climb", lambda: climb(iterations=1.5), "iterations is 1.5; give a whole number from 1"),
    ("climb", lambda: climb(iterations=True), "iterations is True"),
    ("climb", lambda: climb(records=0), "records is 0"),
    ("climb", lambda: climb(learning_rate=np.nan), "learning_rate is nan"),
    ("climb", lambda: climb(clip="1"), "clip is '1'"),
    ("climb", lambda: climb(gradient=3), "gradient is 3; give a function"),
    ("climb", lambda: climb(gradient=lambda at: at[:1]), r"iteration 1 has shape \(1,\)"),
    ("climb", lambda: climb(parameters=np.zeros(3)), r"the leader's are \(2,\)"),
    ("lqr", lambda: bilevel_lqr((0.0, 0.0, 0.0)), r"gains has shape \(3,\); it needs \(2,\)"),  # type: ignore[arg-type]
    ("lqr", lambda: bilevel_lqr().gradient(np.zeros(3)), r"it needs \(2,\)"),
    ("lqr", lambda: bilevel_lqr().gradient(terms="both"), "terms is 'both'"),  # type: ignore[arg-type]
    ("lqr", lambda: replace(bilevel_lqr(), temperature=-1), "temperature is -1"),
    ("lqr", lambda: replace(bilevel_lqr(), leader_discount=1), "leader_discount is 1"),
    ("lqr", lambda: replace(bilevel_lqr(), state_cost=np.eye(3)), "state_cost has shape"),
    ("building", lambda: building_control(np.zeros(7)), r"logits has shape \(7,\)"),
    ("building", lambda: building_control([np.nan] * 8), r"logits\[0\] is nan"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("make", "words"),
    [case[1:] for case in REFUSED],
    ids=[f"{k}-{c[0]}" for k, c in enumerate(REFUSED)],
)
def test_what_cannot_be_meant_is_refused_with_its_value(
    make: Callable[[], Any], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        make()


def test_what_can_be_meant_is_taken() -> None:
    """Fractions, integers and lists; and random models of few states."""
    same = model(follower_rewards=[[Fraction(1), 0], [0, 1]], temperature=Fraction(1))
    assert (same.follower_rewards == np.eye(2)).all()
    assert random_model(4, 2).transitions.shape == (8, 4)
    assert random_model(1, 1).n_states == 1
    assert len(hypergradient(LEADER, [0, 1]).gradient) == 2  # type: ignore[arg-type]
