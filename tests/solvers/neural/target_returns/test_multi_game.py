"""A transformer of several games: its data, what it learns, and which return it is asked for."""

from fractions import Fraction
from math import exp
from pathlib import Path

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.target_returns.discrete import Steps, imitate, seeded_network
from holdfast.solvers.neural.target_returns.games import (
    MINATAR,
    Library,
    Played,
    _whole,
    game,
    games_of,
    play,
)
from holdfast.solvers.neural.target_returns.multi_game import ALGORITHM, MultiGameOptions
from holdfast.solvers.neural.target_returns.target_choice import KAPPA, Tables, asked
from holdfast.solvers.target_returns.experts.targets import (
    adjusted,
    tilted,
)


def played(size: int = 2) -> Played:
    """Two episodes, of 2 and 3 steps; each state holds the number of its step."""
    states = np.repeat(np.arange(5.0)[:, None], size, axis=1).astype(np.float16)
    return Played(states, np.arange(5) % 2, np.array([1.0, 2, 0, 0, 3]), np.array([2, 5]), 2)


def test_returns_to_go_end_with_their_episode() -> None:
    one = played()
    assert one.returns.tolist() == [3, 3]
    assert one.to_go.tolist() == [3, 2, 3, 3, 3]
    assert one.starts.tolist() == [0, 0, 2, 2, 2]


def test_windows_do_not_look_into_another_episode_and_short_states_end_in_zeros() -> None:
    data = Library([played(), played(4)], context=2, bins=3)
    seen = data.take(torch.tensor([8, 2, 1]))
    assert seen.games.tolist() == [[1, 1], [0, 0], [0, 0]]
    assert seen.there.tolist() == [[True, True], [False, True], [True, True]]
    assert seen.times.tolist() == [[0, 1], [0, 0], [0, 1]]
    assert seen.states[0, 1].tolist() == [3] * 4
    assert seen.states[2].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0]]
    assert seen.returns.tolist() == [[2, 2], [2, 2], [2, 2]]  # 3 is beyond the last bin


def test_episodes_that_did_not_end_are_left_out() -> None:
    """Two copies, four steps: the first copy ends one episode after three, the second none."""
    begun = np.array([[1, 1], [0, 0], [0, 0], [1, 0]]) > 0
    states, earned = np.arange(8.0).reshape(4, 2, 1), np.arange(8.0).reshape(4, 2)
    one = _whole("a game", states, earned.astype(int), earned, begun, 6)
    assert one.states.ravel().tolist() == [0, 2, 4]
    assert one.ends.tolist() == [3]
    with pytest.raises(ModelError, match="no episode of a game ended"):
        _whole("a game", states, earned.astype(int), earned, begun & False, 6)


TABLES = Tables(
    np.array([[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]]), np.array([0, 0.25, 0.5]), np.array([2.0])
)


def test_laws_are_those_of_the_plain_functions() -> None:
    """By hand, with fractions: the correction, the tilt, and what is left where nothing is."""
    q = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
    rows = tuple(tuple(Fraction(p) for p in row) for row in TABLES.posterior.tolist())
    weights = tuple(map(Fraction, TABLES.rates.tolist()))
    wanted = tilted(adjusted(q, rows), weights)
    predictions = np.array([q, (1, 0, 0)], float)
    assert asked("mtro", predictions, TABLES)[0] == pytest.approx(list(map(float, wanted)))
    for rule, high in (("by hand", 2), ("by hand, each game", 2)):
        wanted_ = tilted([float(p) for p in q], [exp(KAPPA * r / high) for r in range(3)])
        assert asked(rule, predictions, TABLES)[0] == pytest.approx(wanted_)
    assert asked("untilted", predictions, TABLES).tolist() == predictions.tolist()


def test_where_no_expert_was_the_corrected_law_stays() -> None:
    tables = Tables(np.eye(2), np.zeros(2), np.array([1.0]))
    assert asked("mtro", np.array([[0.25, 0.75]]), tables).tolist() == [[0.25, 0.75]]


def test_what_was_told_decides_the_action_once_it_is_learnt() -> None:
    """Data in which the action is the return; the state says nothing."""
    shape = 256, 2
    told = torch.from_numpy(np.random.default_rng(0).integers(0, 2, shape))
    blank, there = torch.zeros(shape, dtype=torch.long), torch.ones(shape, dtype=torch.bool)
    data = Steps(torch.zeros(*shape, 3), told, told, blank, torch.arange(2).expand(shape), there)
    network = seeded_network(
        0, states=3, actions=(2,), bins=2, context=2, steps=2, width=16, layers=1, heads=2
    )
    losses = list(imitate(network, data, steps=150, batch=64, rate=3e-3, seed=0))
    right = (network(data)[1].argmax(dim=-1) == told).double().mean().item()
    assert right > 0.99
    assert losses[-1] == pytest.approx(np.log(2), abs=0.05)  # of the returns nothing is known


def test_a_game_of_fewer_actions_never_takes_the_others() -> None:
    network = seeded_network(
        0, states=3, actions=(2, 4), bins=2, context=1, steps=2, width=16, layers=1, heads=2
    )
    blank = torch.zeros(2, 1, dtype=torch.long)
    which, there = torch.tensor([[0], [1]]), torch.ones(2, 1, dtype=torch.bool)
    law = network(Steps(torch.zeros(2, 1, 3), blank, blank, which, blank, there))[1].softmax(-1)
    assert law[0, 0, 2:].tolist() == [0, 0]
    assert (law[1, 0] > 0.01).all()


def test_the_five_games_are_vectors_of_numbers() -> None:
    assert games_of("minatar") == MINATAR
    env = game(MINATAR[1])
    first, _ = env.reset(seed=1)
    assert first.shape == (400,) and first.dtype == np.float32 and set(first) == {0, 1}
    env.close()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: games_of("minatar2"), "no game 'minatar2'"),
        (lambda: games_of("ALE/Nonsense-v5"), "no game 'ALE/Nonsense-v5'"),
        (lambda: asked("best", np.ones((1, 3)), TABLES), "no rule is called 'best'"),
        (lambda: MultiGameOptions(bins=1), "bins = 1"),
        (lambda: MultiGameOptions(experts=1.5), "experts = 1.5"),
    ],
)
def test_wrong_input_is_named(call, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        call()


@pytest.mark.slow
def test_a_game_that_is_played_gives_whole_episodes_with_their_own_rewards() -> None:
    """Freeway ends at the time limit, where an agent's buffer adds an estimate of the rest."""
    one = play(MINATAR[2], 4096, 0)
    assert set(np.diff(one.ends, prepend=0)) == {500}
    assert one.ends[-1] == len(one.actions) == len(one.states)
    assert set(one.rewards) <= {0, 1}
    again = play(MINATAR[2], 4096, 0)
    assert (again.actions == one.actions).all()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["MinAtar/Breakout-v1", "ALE/Breakout-v5"])
def test_a_transformer_of_a_game_runs_to_fresh_episodes(task: str, tmp_path: Path) -> None:
    options = MultiGameOptions(play=6000, steps=60, width=32, layers=1)
    run = obtain(Training(ALGORITHM.name, task, 0, options), folder=tmp_path)
    found = run.result()
    first, again = (found.fresh_returns(0, "mtro", 4, ("test",)) for _ in range(2))
    assert first.shape == (4,) and (first >= 0).all()
    assert (first == again).all()
    assert (found.fresh_returns(0, "by hand", 4, ("test",)) >= 0).all()
