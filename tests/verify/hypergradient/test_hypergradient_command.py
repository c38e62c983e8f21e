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
from holdfast.solvers.hypergradient.estimators.estimate import METHODS
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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros(5), "parameters has shape (5,); the leader's are (6,)"),
        (np.zeros((3, 2)), "parameters has shape (3, 2)"),
        (np.array(["a"] * 6), "parameters[0] is a, of type str"),
        (np.zeros(6) + 1j, "of type complex"),
        (np.array([0, 0, np.nan, 0, 0, 0]), "parameters[2] is nan; every number must be finite"),
        (np.array([0, 0, 0, -np.inf, 0, 0]), "parameters[3] is -inf"),
    ],
)
def test_parameters_that_are_none(given: np.ndarray, words: str, holdfast: Invoke) -> None:
    np.save("at.npy", given)
    done = holdfast("hypergradient", "toy4", "--at", "at.npy")
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("--at at.npy: ", words)
    assert done.says("one real number for each of the leader's 6 parameters")


FAULTY = """
from dataclasses import replace
import numpy as np
from holdfast.solvers.hypergradient import CallableLeader


def leader(model):
    def moved(at):
        rewards = model.follower_rewards.copy()
        rewards[0, 0] += at.sum()
        {moved}
        return replace(model, follower_rewards=rewards)

    def pull_back(at, follower, leader, transitions, initial):
        {pull}
        return np.full(len(at), follower[0, 0])

    return CallableLeader({start}, moved, pull_back)
"""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"moved": "rewards = rewards[:2]"}, "its model raised ModelError: "),
        ({"moved": "return rewards"}, "model returned array"),
        ({"moved": "raise KeyError('lost')"}, "its model raised KeyError: 'lost'"),
        ({"moved": "if at[0] != 0.25: 1 / 0"}, "its model raised ZeroDivisionError"),
        ({"pull": "return np.zeros(3)"}, "pull_back returned [0. 0. 0.] of shape (3,)"),
        ({"pull": "return np.zeros(0)"}, "one for each of the 2 parameters"),
        ({"pull": "return None"}, "pull_back returned"),
        ({"pull": "return follower * 1j"}, "of shape (6, 3)"),
        ({"pull": "raise RuntimeError('no')"}, "its pull_back raised RuntimeError: no"),
        ({"pull": "return leader[99]"}, "its pull_back raised IndexError"),
        ({"start": "np.zeros(0)"}, "have shape (0,); give them in one row, and at least one"),
        ({"start": "np.zeros((2, 2))"}, "parameters have shape (2, 2)"),
        ({"start": "[None]"}, "parameters[0] is None"),
    ],
)
def test_faults_of_a_leader_are_told_by_its_option(
    fault: dict[str, str], words: str, holdfast: Invoke
) -> None:
    given = {"moved": "pass", "pull": "pass", "start": "np.array([0.25, 0.0])"} | fault
    name = f"faulty{abs(hash(words))}"
    Path(f"{name}.py").write_text(FAULTY.format(**given))
    done = holdfast("hypergradient", "toy4", "--leader", f"{name}:leader")
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert done.says(f"--leader {name}:leader", words)


def test_a_leader_that_fails_on_the_way_is_told_by_its_option(holdfast: Invoke) -> None:
    """Not where it starts, but where the ascent leads."""
    Path("late.py").write_text(
        FAULTY.format(moved="if at[0] > 0.3: 1 / 0", pull="pass", start="np.array([0.25, 0.0])")
    )
    done = holdfast("hypergradient", "toy4", "--leader", "late:leader", "--episodes", 20,
                    "--horizon", 9, "--ascend", 9, "--learning-rate", 10)  # fmt: skip
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert done.says("--leader late:leader: its model raised ZeroDivisionError")


def test_what_is_cut_at_the_horizon_is_said(holdfast: Invoke) -> None:
    run = ("hypergradient", "frozen-lake-4x4", "--temperature", 0.1, "--leader", "rewards",
           "--episodes", 20, "--method", "naive", "--horizon")  # fmt: skip
    assert holdfast(*run, 10).says("not every episode has ended after 10 steps", "estimates cut")
    assert not holdfast(*run, 3000).says("not every episode has ended")


def test_sobirl_in_a_game_is_naive_and_says_so(holdfast: Invoke) -> None:
    done = holdfast("hypergradient", "toy4", "--episodes", 20, "--horizon", 20, "--critic", "exact",
                    "--method", "sobirl", "--method", "naive", "--json", "out.json")  # fmt: skip
    assert done.says("note: sobirl sees the follower's rewards alone")
    found = answer()["estimates"]
    assert found["sobirl"]["mean"] == found["naive"]["mean"]


@pytest.mark.parametrize("critic", [None, "exact", "sarsa", "monte-carlo"])
@pytest.mark.parametrize("model", ["toy4", "four-rooms"])
def test_all_methods_with_all_critics(model: str, critic: str | None, holdfast: Invoke) -> None:
    """Numbers that are finite; and a critic that is estimated moves what rests on it."""
    methods = [name for name in METHODS if model == "toy4" or name != "bi-ac"]
    named = [part for name in methods for part in ("--method", name)]
    given = ["--critic", critic] if critic else []
    done = holdfast("hypergradient", model, "--episodes", 20, "--horizon", 30, "--json", "out.json",
                    "--ascend", 1, "--steps", 40, *named, *given)  # fmt: skip
    assert done.code == 0, done.output
    found = answer()
    assert list(found["estimates"]) == methods
    assert list(found["ascents"]) == ["exact", *methods]
    for one in found["estimates"].values():
        assert np.isfinite([*one["mean"], *one["standard_error"]]).all()


def test_published_problems_are_among_the_known(holdfast: Invoke) -> None:
    done = holdfast("hypergradient", "nosuch")
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("no model 'nosuch'", "four-rooms, toy4, toy4-2", "frozen-lake-4x4")


def test_help_is_in_plain_english(holdfast: Invoke) -> None:
    done = holdfast("hypergradient", "--help")
    assert done.says("NUMBER ABOVE 0") and not done.says("1e+300")
    done = holdfast("hypergradient", "toy4", "--learning-rate", "0", "--ascend", 1)
    assert done.says("'0' is not a number above 0, such as 0.05")


def test_the_list_is_printed_as_json_and_takes_no_file(holdfast: Invoke) -> None:
    done = holdfast("list", "--json", "list.json")
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("write holdfast list --json > list.json")


def test_bounds_of_a_users_functions_say_what_they_cover(holdfast: Invoke) -> None:
    run = ("hypergradient", "toy4", "--episodes", 20, "--horizon", 9, "--json", "out.json")
    words = "for what the leader returns, whose own rounding is not known"
    assert not holdfast(*run).says(words)
    assert answer()["bounds_cover_leader"] and answer()["objective_error"] > 0
    Path("mine_too.py").write_text(LEADER.format(power="", start="0.25"))
    assert holdfast(*run, "--leader", "mine_too:bonus").says(words)
    assert not answer()["bounds_cover_leader"]


def test_a_game_of_openspiel_is_led_by_its_first_player(holdfast: Invoke) -> None:
    """The stag hunt: with p the leader's share of stag, the answer is a softmax of (2 p, 1)."""
    options = "--temperature 1 --method bc-hg --episodes 40 --json out.json"
    done = holdfast("hypergradient", "open-spiel:matrix_sh", *options.split())
    assert done.code == 0, done.output
    found = answer()
    assert found["objective"] == pytest.approx(0.5 * 0.5 * 2 + 0.5 * 1, rel=1e-12)
    # by p: 2 p s + 1 - p with s = expit(2 p - 1) at p = 1/2: 2 s - 1 + 2 p 2 s (1 - s) = 1/2
    assert found["gradient"][:2] == pytest.approx([0.125, -0.125], rel=1e-9)
    assert found["names"][1].endswith("action 1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("open-spiel:markov_soccer", "has no temperature; give --temperature"),
        ("open-spiel:matrix_sh --temperature 1 --cost reward", "has no effect with open-spiel"),
        ("open-spiel:matrix_sh --temperature 1 --leader budget", "is its first player"),
        ("open-spiel:matrix_sh --temperature 1 --discount 1", "discount"),
        ("open-spiel:nothing --temperature 1", "OpenSpiel has no game 'nothing'"),
    ],
)
def test_what_a_game_does_not_have_is_refused(
    holdfast: Invoke, arguments: str, message: str
) -> None:
    done = holdfast("hypergradient", *arguments.split())
    assert done.code == 64 and done.says(message), done.output
