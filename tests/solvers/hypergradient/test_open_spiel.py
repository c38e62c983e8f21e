"""Games of OpenSpiel as Markov games: rewards by hand, symmetry, a second evaluation, refusals."""

import numpy as np
import pyspiel
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.hypergradient import (
    MarkovGame,
    SoftmaxPolicy,
    game_hypergradient,
    open_spiel_game,
)

SOFT = {"temperature": 0.7, "follower_discount": 0.9, "leader_discount": 0.8}


@pytest.fixture(scope="module")
def soccer() -> tuple[MarkovGame, list[str]]:
    return open_spiel_game("markov_soccer", **SOFT)


@pytest.mark.parametrize("name", ["matrix_pd", "matrix_sh", "matrix_bos"])
@pytest.mark.parametrize("leader", [0, 1])
def test_a_matrix_game_in_closed_form(name: str, leader: int) -> None:
    """The follower answers a policy p softly to the mean of its payoffs over p."""
    matrix = pyspiel.load_matrix_game(name)
    payoffs = [
        np.array([[read(a, b) for b in range(2)] for a in range(2)])
        for read in (matrix.row_utility, matrix.col_utility)
    ]
    ours, theirs = payoffs if leader == 0 else (payoffs[1].T, payoffs[0].T)
    game, _ = open_spiel_game(name, leader=leader, **SOFT)
    logits = np.zeros(game.shape[:2])
    logits[0] = 0.3, -0.4

    def value(logits: np.ndarray) -> float:
        p = np.exp(logits[0]) / np.exp(logits[0]).sum()
        answer = np.exp(p @ theirs / SOFT["temperature"])
        return float(p @ ours @ (answer / answer.sum()))

    found = game_hypergradient(game, SoftmaxPolicy(logits), follower="simultaneous")
    assert found.objective == pytest.approx(value(logits), rel=1e-12)
    step = 1e-5 * np.eye(1, logits.size).reshape(logits.shape)
    slope = (value(logits + step) - value(logits - step)) / 2e-5
    assert found.gradient[0] == pytest.approx(slope, rel=1e-8)
    assert abs(found.indirect[0]) > 1e-4  # the follower does react


def test_soccer_is_the_same_game_for_both_players(soccer) -> None:
    mirrored, _ = open_spiel_game("markov_soccer", leader=1, **SOFT)
    assert soccer[0].shape == mirrored.shape == (1484, 5, 5)
    ours, other = (game_hypergradient(g, follower="simultaneous") for g in (soccer[0], mirrored))
    assert ours.objective == pytest.approx(other.objective, rel=1e-10)
    assert np.sort(ours.gradient) == pytest.approx(np.sort(other.gradient), abs=1e-12)
    assert np.linalg.norm(ours.gradient) > 1e-3


def test_soccer_is_as_openspiel_plays_it(soccer) -> None:
    """Rows of the states that a game by chance comes through, read off OpenSpiel itself."""
    game, texts = soccer
    joint, rng = game.joint, np.random.default_rng(0)
    numbers = {text: k for k, text in enumerate(texts)}
    state, compared, ended = pyspiel.load_game("markov_soccer").new_initial_state(), 0, 0
    while compared < 40 or not ended:
        if state.is_terminal():
            ended += 1
            state = pyspiel.load_game("markov_soccer").new_initial_state()
        elif state.is_chance_node():
            moves, chances = zip(*state.chance_outcomes(), strict=True)
            state.apply_action(int(rng.choice(moves, p=chances)))
        else:
            at, pair = numbers[str(state)], rng.integers(5, size=2)
            row = 25 * at + 5 * pair[0] + pair[1]
            state.apply_actions([int(move) for move in pair])
            law, paid = dict.fromkeys(joint.transitions[[row]].indices.tolist(), 0.0), 0.0
            for order, chance in state.chance_outcomes():
                after = state.child(order)
                law[numbers[str(after)]] += chance
                paid += chance * after.returns()[0]
            stored = joint.transitions[[row]]
            assert dict(zip(stored.indices.tolist(), stored.data, strict=True)) == law
            assert (
                joint.leader_rewards[at, row % 25] == paid == -joint.follower_rewards[at, row % 25]
            )
            compared += 1
    assert ended and joint.terminal.any()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nonsense", {}, "OpenSpiel has no game 'nonsense'"),
        ("tic_tac_toe", {}, "no game of two players who move at once and see everything"),
        ("coop_box_pushing", {}, "no game of two players who move at once and see everything"),
        ("goofspiel(players=2,num_cards=3)", {}, "has 3 and 3 actions at the start and 2 and 2 in"),
        ("laser_tag", {"limit": 300}, "more than limit = 300 states"),
        ("matrix_pd", {"limit": 0}, "limit"),
        ("matrix_pd", {"leader": 2}, "leader is 2; the players are 0 and 1"),
        ("matrix_pd", {"temperature": 0}, "temperature"),
        ("matrix_pd", {"leader_discount": 1}, "discount"),
    ],
)
def test_what_is_no_such_game_is_refused(name: str, options: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        open_spiel_game(name, **{**SOFT, **options})
