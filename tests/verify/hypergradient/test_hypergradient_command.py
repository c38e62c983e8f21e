"""``hypergradient`` on published problems, decision processes and one's own leaders."""

import json
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers.hypergradient import (
    SoftmaxPolicy,
    discrete_toy4,
    four_rooms,
    game_leader,
    hypergradient,
)
from holdfast.verify.campaign.exit_codes import ExitCode

from ..conftest import Invoke

LEADER = '''
from dataclasses import replace
import numpy as np
from holdfast.solvers.hypergradient import CallableLeader


def bonus(model):
    """One parameter: an amount that is added to the follower's reward of action 0 in state 0."""
    def moved(at):
        rewards = model.follower_rewards.copy()
        rewards[0, 0] += at[0] {power}
        return replace(model, follower_rewards=rewards)

    def pull_back(at, follower, leader, transitions, initial):
        return np.array([follower[0, 0]])

    return CallableLeader(np.array([{start}]), moved, pull_back)


def number(model):
    return 3
'''


def answer() -> dict:
    return json.loads(Path("out.json").read_text())


def test_the_answer_is_that_of_the_solvers(holdfast: Invoke) -> None:
    done = holdfast("hypergradient", "toy4", "--episodes", 100, "--json", "out.json", "--plot",
                    "plot.png", "--ascend", 20, "--steps", 450)  # fmt: skip
    assert done.code == 0, done.output
    exact = hypergradient(game_leader(discrete_toy4(1), SoftmaxPolicy(np.zeros((3, 2)))))
    found = answer()
    assert found["objective"] == exact.objective
    assert found["gradient"] == exact.gradient.tolist()
    assert found["names"][2:4] == ["A, action 0", "A, action 1"]
    sampled, naive = found["estimates"]["bc-hg"], found["estimates"]["naive"]
    assert sampled["cosine"] > 0.99
    assert naive["cosine"] < -0.99  # the direct term points the other way
    for k in (2, 3):
        gap = abs(sampled["mean"][k] - exact.gradient[k])
        assert 0 < gap < 6 * sampled["standard_error"][k]
    ends = {name: one["objectives"][-1] for name, one in found["ascents"].items()}
    assert ends["exact"] > 34.99
    assert ends["bc-hg"] > 0.96 * 34.9926
    assert ends["naive"] < 0.617 == pytest.approx(exact.objective, abs=1e-3)
    assert found["ascents"]["bc-hg"]["samples"][-1] == 20 * 450
    assert Path("plot.png").read_bytes()[:4] == b"\x89PNG"
    assert done.says(
        "no episode ends; estimates cut it after 917 steps", "where the gradient points"
    )


def test_four_rooms_is_drawn_as_a_map_and_its_components_are_the_largest(holdfast: Invoke) -> None:
    done = holdfast("hypergradient", "four-rooms", "--episodes", 40, "--plot", "plot.svg",
                    "--json", "out.json", "--method", "bc-hg")  # fmt: skip
    assert done.code == 0, done.output
    assert done.says("105 parameters of the leader", "the 12 largest of 105", "not spent")
    exact = hypergradient(four_rooms()).gradient
    assert answer()["gradient"] == exact.tolist()
    assert "derivative" in Path("plot.svg").read_text() or Path("plot.svg").stat().st_size > 10_000


def test_a_world_gets_a_leader_and_the_error_bound_holds(holdfast: Invoke) -> None:
    """Holes are the first cost of the lake; a bonus in the start keeps the follower from them."""
    run = ("hypergradient", "frozen-lake-4x4", "--temperature", 0.1, "--leader", "rewards",
           "--episodes", 40, "--json", "out.json", "--all")  # fmt: skip
    assert holdfast(*run).code == 0
    first = answer()
    assert first["gradient"][0] > 1
    step = np.zeros(11)
    step[0] = 1e-4
    returns = []
    for sign in (1, -1):
        np.save("at.npy", sign * step)
        assert holdfast(*run, "--at", "at.npy").code == 0
        returns.append(answer()["objective"])
    slope = (returns[0] - returns[1]) / 2e-4
    assert slope == pytest.approx(first["gradient"][0], rel=1e-6)


def test_gym_models_and_budgets(holdfast: Invoke) -> None:
    done = holdfast("hypergradient", "gym:FrozenLake-v1", "--temperature", 0.1, "--cost",
                    "states:5,7,11,12", "--leader", "budget", "--amount", 0.5, "--episodes",
                    20, "--json", "out.json")  # fmt: skip
    assert done.code == 0, done.output
    assert answer()["names"][-1] == "not spent"
    assert sum(answer()["gradient"]) == pytest.approx(0, abs=1e-12)  # shares sum to one
    assert max(map(abs, answer()["gradient"])) > 1e-3


def test_a_leader_of_ones_own(holdfast: Invoke) -> None:
    Path("mine.py").write_text(LEADER.format(power="", start="0.25"))
    done = holdfast("hypergradient", "toy4", "--leader", "mine:bonus", "--episodes", 20)
    assert done.code == 0, done.output
    assert done.says("1 parameter of the leader")
    done = holdfast("hypergradient", "toy4", "--leader", "mine:number")
    assert done.says("--leader mine:number returned 3, which is not a leader")
    Path("kinked.py").write_text(LEADER.format(power="* (at[0] > 0)", start="0.0"))
    done = holdfast("hypergradient", "toy4", "--leader", "kinked:bonus")
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("the leader is not differentiable at [0.]", "Choose other parameters")


def test_steps_that_are_too_long_are_said(holdfast: Invoke) -> None:
    """The second toy begins near its best leader, over which steps of length 1 go."""
    run = ("hypergradient", "toy4-2", "--episodes", 20, "--horizon", 50, "--method", "naive",
           "--ascend", 9, "--steps", 50, "--learning-rate")  # fmt: skip
    words = "the exact ascent ends lower than it began; a smaller --learning-rate may climb"
    assert holdfast(*run, 30).says(words)
    assert not holdfast(*run, 1e-4).says(words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no model 'nothing'"),
        (["four-rooms", "--leader", "rewards"], "four-rooms has its own"),
        (["four-rooms", "--temperature", "0"], "0"),
        (["four-rooms", "--temperature", "nan"], "nan"),
        (["four-rooms", "--amount", "1"], "--amount has no effect with four-rooms"),
        (["four-rooms", "--method", "bi-ac"], "bi-ac is for games"),
        (["frozen-lake-4x4", "--leader", "rewards"], "has no temperature; give --temperature"),
        (["frozen-lake-4x4", "--temperature", "1"], "has no leader of its own; give --leader"),
        (["frozen-lake-4x4", "--leader", "row"], "frozen-lake-4x4 has no leader named row"),
        (
            ["frozen-lake-4x4", "--temperature", "1", "--leader", "budget", "--amount", "0"],
            "--amount 0 leaves nothing to spread",
        ),
        (["gym:FrozenLake-v1", "--temperature", "1", "--leader", "rewards"], "give --cost"),
        (["toy4", "--steps", "9"], "--steps has no effect without --ascend"),
        (["toy4", "--method", "naive", "--method", "naive"], "--method has naive more than once"),
        (["toy4", "--episodes", "3"], "'3' is not a whole number from 20"),
        (["toy4", "--at", "missing.npy"], "--at missing.npy cannot be read"),
        (["toy4", "--plot", "plot.txt"], "plot.txt"),
        (["toy4", "--leader", "nowhere:f"], "--leader nowhere:f: ModuleNotFoundError"),
    ],
)
def test_refused(arguments: list[str], words: str, holdfast: Invoke) -> None:
    done = holdfast("hypergradient", *arguments)
    assert done.code == ExitCode.BAD_USAGE
    assert done.says(words)


def test_parameters_of_another_number_are_refused(holdfast: Invoke) -> None:
    np.save("at.npy", np.zeros(5))
    done = holdfast("hypergradient", "toy4", "--at", "at.npy")
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("parameters has shape (5,); the leader's are (6,)")
