"""``train``: what it trains, keeps, says, and refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from holdfast.solvers.neural import chance
from holdfast.solvers.neural.parts import judging
from holdfast.solvers.neural.parts.algorithms import Algorithm
from holdfast.solvers.neural.parts.runs import Run, Workplace
from holdfast.solvers.neural.parts.training import TrainingError, option

from ..conftest import Done, Invoke

TRAIN = ("train", "chance/toy", "--env", "holdfast/TwoDiscs8-v0")


@dataclass(frozen=True)
class Options:
    """Of the toy, which counts to `steps` in twos."""

    steps: int = option(6, "how far it counts")
    limit: float = option(0.1, "what the count may cost")
    careful: bool = option(False, "whether it looks twice")
    mode: str = option("plain", "how it counts")


class Toy:
    """Trains by counting; `trained` are the updates that were done, `stop` what ends one."""

    def __init__(self) -> None:
        self.trained: list[int] = []
        self.stop: dict[int, BaseException] = {}

    def train(self, workplace: Workplace) -> None:
        done, _ = workplace.resume()
        updates = workplace.training.options.steps // 2
        for update in range(done + 1, updates + 1):
            if update in self.stop:
                raise self.stop.pop(update)
            self.trained.append(update)
            workplace.record(update, updates, {"steps": 2 * update, "return": 1.5 * update})
            workplace.checkpoint(update, {"count": torch.tensor([update])}, {})
        workplace.keep({"count": torch.tensor([updates])}, {})

    def load(self, run: Run) -> int:
        return int(run.outcome().tensors["count"])


def suited(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """On the large task the toy counts to 4, and looks twice."""
    own = {"steps": 4, "careful": True} if task == "holdfast/TwoDiscs-v0" else {}
    return {key: value for key, value in own.items() if key not in given}


def judge(run: Run, episodes: int) -> dict[str, str]:
    return {"count": str(run.result()), "episodes": str(episodes)}


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The toy is an algorithm of the pillar `chance`, judged by its count."""
    found = Toy()
    module: Any = ModuleType("holdfast.solvers.neural.chance.toy")
    module.ALGORITHM = Algorithm("chance/toy", Options, found.train, found.load, preset=suited)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(chance.ALGORITHMS, "toy", ("toy", "counts"))
    from holdfast.verify.chance import trained

    monkeypatch.setattr(trained, "judge", judge)
    monkeypatch.delenv("HOLDFAST_RUNS", raising=False)
    yield found


def only_run(folder: str = ".holdfast/runs") -> Path:
    (found,) = Path(folder).iterdir()
    return found


def test_it_trains_judges_and_says_where_the_run_lies(holdfast: Invoke, toy: Toy) -> None:
    done = holdfast(*TRAIN, "--episodes", 7, "--json", "out.json")
    assert done.code == 0
    assert toy.trained == [1, 2, 3]
    assert done.says("count", "episodes", str(only_run()))
    assert "not trained again" not in done.output
    plain = json.loads(Path("out.json").read_text())
    assert plain["runs"] == [
        {"seed": 0, "folder": str(only_run()), "count": "3", "episodes": "7"}
    ]  # fmt: skip


def test_a_finished_run_is_looked_up(holdfast: Invoke, toy: Toy) -> None:
    holdfast(*TRAIN)
    done = holdfast(*TRAIN)
    assert done.says("was there already and was not trained again")
    assert toy.trained == [1, 2, 3]
    holdfast(*TRAIN, "--set", "mode=other")
    assert toy.trained == [1, 2, 3] * 2


def test_one_run_a_seed_in_the_folder_that_is_named(holdfast: Invoke, toy: Toy) -> None:
    assert holdfast(*TRAIN, "--seeds", "0,4-5", "--folder", "kept").code == 0
    seeds = {json.loads((run / "run.json").read_text())["seed"] for run in Path("kept").iterdir()}
    assert seeds == {0, 4, 5}


def test_the_file_says_what_the_line_does_not(holdfast: Invoke, toy: Toy) -> None:
    Path("toy.toml").write_text(
        'env = "holdfast/TwoDiscs8-v0"\nseeds = [3]\nsteps = 8\nlimit = 0.3\nmode = "file"\n'
    )
    done = holdfast("train", "chance/toy", "--config", "toy.toml", "--steps", 4)
    assert done.code == 0
    assert done.says("steps = 4 of the command line goes before 8 of toy.toml")
    record = json.loads((only_run() / "run.json").read_text())
    assert record["seed"] == 3
    assert record["options"] == {"steps": 4, "limit": 0.3, "careful": False, "mode": "file"}


def test_what_suits_the_task_is_said_and_comes_last(holdfast: Invoke, toy: Toy) -> None:
    large = ("train", "chance/toy", "--env", "holdfast/TwoDiscs-v0")
    done = holdfast(*large)
    assert done.says("taken, since they suit holdfast/TwoDiscs-v0: steps = 4, careful = True")
    options = json.loads((only_run() / "run.json").read_text())["options"]
    assert options == {"steps": 4, "limit": 0.1, "careful": True, "mode": "plain"}
    Path("toy.toml").write_text("careful = false\n")
    done = holdfast(*large, "--config", "toy.toml", "--steps", 2, "--folder", "other")
    assert "taken, since" not in done.output
    options = json.loads((only_run("other") / "run.json").read_text())["options"]
    assert options == {"steps": 2, "limit": 0.1, "careful": False, "mode": "plain"}
    assert "taken, since" not in holdfast(*TRAIN).output


def test_values_of_set_have_the_types_of_the_options(holdfast: Invoke, toy: Toy) -> None:
    changes = [x for key in ("careful=true", "mode=2", "steps=4") for x in ("--set", key)]
    assert holdfast(*TRAIN, *changes, "--limit", "1").code == 0
    options = json.loads((only_run() / "run.json").read_text())["options"]
    assert options == {"steps": 4, "limit": 1.0, "careful": True, "mode": "2"}


def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(holdfast: Invoke, toy: Toy) -> None:
    toy.stop[3] = KeyboardInterrupt()
    done = holdfast(*TRAIN)
    assert done.code == 130
    assert done.says(
        "interrupted after update 2; the checkpoint of update 2 is kept in", "the same command"
    )
    assert holdfast(*TRAIN).code == 0
    assert toy.trained == [1, 2, 3]


def test_ctrl_c_before_a_checkpoint_promises_nothing(holdfast: Invoke, toy: Toy) -> None:
    toy.stop[1] = KeyboardInterrupt()
    done = holdfast(*TRAIN)
    assert done.code == 130
    assert done.says("before the first checkpoint; nothing of this run is kept")


def test_a_training_that_diverges_decides_nothing(holdfast: Invoke, toy: Toy) -> None:
    toy.stop[2] = TrainingError("update 2: loss is nan; the last checkpoint is kept")
    done = holdfast(*TRAIN)
    assert done.code == 2
    assert done.says("Undecided: update 2: loss is nan")


def test_help_of_an_algorithm_has_its_options_with_defaults(holdfast: Invoke, toy: Toy) -> None:
    done = holdfast("train", "chance/toy", "--help")
    assert done.code == 0
    assert done.says(
        "Options of chance/toy", "steps (int)", "how far it counts; default 6",
        "mode (str)", "default 'plain'",
    )  # fmt: skip
    assert "Options of" not in holdfast("train", "--help").output


def test_the_list_names_algorithms_and_tasks(holdfast: Invoke, toy: Toy) -> None:
    done = holdfast("train", "--list")
    assert done.code == 0
    assert done.says("chance/toy", "counts", "holdfast/TwoDiscs-v0")


def test_tensorboard_has_each_update_once_also_after_a_stop(holdfast: Invoke, toy: Toy) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    toy.stop[3] = KeyboardInterrupt()
    assert holdfast(*TRAIN, "--tensorboard").code == 130
    assert holdfast(*TRAIN, "--tensorboard").code == 0
    for again in range(2):  # the second time of a run that was looked up
        events = EventAccumulator(str(only_run() / "tensorboard")).Reload()
        found = [(one.step, one.value) for one in events.Scalars("return")]
        assert found == [(1, 1.5), (2, 3.0), (3, 4.5)], again
        assert holdfast(*TRAIN, "--tensorboard").code == 0


SMALL = tuple(x for key in ("n_envs=16", "rollout=15", "batch=240") for x in ("--set", key))


@pytest.mark.parametrize("algorithm", ["ppo-lagrangian", "flipping"])
def test_a_trained_policy_is_measured_and_judged_exactly(holdfast: Invoke, algorithm: str) -> None:
    """One update of few copies: the exact risk lies in the interval of the fresh episodes, of
    greedy and of drawn actions, which differ."""
    done = holdfast("train", f"chance/{algorithm}", *TRAIN[2:], "--steps", 240, *SMALL,
                    "--limit", "0.3", "--json", "out", "--episodes", 400)  # fmt: skip
    assert done.code == 0
    rows = json.loads(Path("out").read_text())["runs"]
    assert [row["actions"] for row in rows] == ["greedy", "drawn"]
    assert done.says("greedy policies take their likeliest action; drawn ones draw")
    best = judging.envelope(TRAIN[3], Fraction(3, 10)).value
    assert best is not None
    for row in rows:
        assert (row["limit"], row["limit of the"]) == ("0.3", "risk")
        assert float(row["exact optimum at the limit"]) == pytest.approx(float(best), rel=1e-5)
        low, high = ends(row["risk"])
        assert low <= float(row["exact risk"]) <= high
        assert row["met"] == ("yes" if float(row["exact risk"]) <= 0.3 else "no")
    assert rows[0]["exact risk"] != rows[1]["exact risk"]


def ends(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.partition("(")[2].rstrip(")").split(" to ")))


class Dear(gymnasium.Env[Any, Any]):
    """Four steps, each of cost 3, then 2, 1, 0: 6 in all, 3 + 2/2 + 1/4 = 4.25 with discount 1/2;
    an episode is always unsafe."""

    observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.left = 4
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        cost = {"cost": float(self.left)}
        return np.zeros(1, np.float32), 1.0, not self.left, False, cost


@pytest.mark.parametrize(
    ("more", "limited", "cost"),
    [
        (("first_violation=false",), "cost", 6.0),
        (("first_violation=false", "discounted=true", "cost_discount=0.5"), "discounted cost",
         4.25),
        ((), "risk", 1.0),
    ],
)  # fmt: skip
def test_what_is_limited_is_shown_with_the_limit_and_whether_it_is_met(
    holdfast: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
    limited: str,
    cost: float,
) -> None:
    spec = gymnasium.envs.registration.EnvSpec("Dear-v0", Dear, max_episode_steps=10)
    monkeypatch.setitem(gymnasium.registry, "Dear-v0", spec)
    small = ("n_envs=4", "rollout=8", "batch=32", *more)
    train = ("train", "chance/ppo-lagrangian", "--env", "Dear-v0", "--steps", 32,
             "--episodes", 20, *(x for key in small for x in ("--set", key)))  # fmt: skip
    # 20 costs that agree: another one has a probability of at most 1 - 0.05 ** (1 / 19), and how
    # large it would be is not known
    limits = {0.85 * cost: "no", cost + 0.25: "not known"}
    if limited == "risk":  # 20 of 20 unsafe: above 0.025 ** (1 / 20) = 0.8316
        limits = {0.83: "no", 0.84: "not known"}
    for limit, met in limits.items():
        done = holdfast(*train, "--limit", limit, "--json", "out")
        assert done.code == 0
        for row in json.loads(Path("out").read_text())["runs"]:
            assert float(row[limited].split()[0]) == cost
            if limited != "risk":
                low, high = ends(row[limited])
                assert low == pytest.approx(cost * 0.05 ** (1 / 19), abs=1e-4) and high == np.inf
            assert (float(row["limit"]), row["limit of the"]) == (limit, limited)
            assert row["met"] == met


def test_victims_of_flipped_labels_have_their_own_row(holdfast: Invoke) -> None:
    train = ("train", "poisoning/reward-model", "--env", "synthetic")
    done = holdfast(*train, "--set", "width=4", "--set", "warm_steps=5", "--steps", 5)
    assert done.code == 0
    assert done.says("loss, least cost", "thinned (control)", "agreement", "drift")
    done = holdfast(*train, "--episodes", 5)
    assert refused(done, "--episodes has no effect on poisoning/reward-model")


def refused(done: Done, *texts: str) -> bool:
    return done.code == 64 and done.says(*texts)


def test_what_is_not_known_is_refused_with_the_nearest(holdfast: Invoke, toy: Toy) -> None:
    assert refused(holdfast("train"), "name what to train", "--list")
    assert refused(holdfast("train", "chance/toi", *TRAIN[2:]), "did you mean chance/toy?")
    assert refused(holdfast(*TRAIN[:2]), "--env", "holdfast/TwoDiscs-v0")
    assert refused(holdfast(*TRAIN, "--set", "carefull=true"), "did you mean careful?")
    assert refused(holdfast(*TRAIN, "--set", "careful=maybe"), "careful = 'maybe'", "true or false")
    assert refused(holdfast(*TRAIN, "--set", "steps"), "'steps' is not KEY=VALUE")
    assert refused(holdfast(*TRAIN, "--set", "steps=x"), "steps = 'x'", "an integer")
    assert refused(holdfast(*TRAIN, "--limit", "low"), "limit = 'low'", "a number")
    assert refused(holdfast(*TRAIN, "--steps", 4, "--set", "steps=2"), "steps is given twice")
    assert not toy.trained


@pytest.mark.parametrize(
    "text", ["", "a", "1,1", "0-2,2", "3-1", "-1", "0-1000000", "1.5", "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_seeds_that_are_none(holdfast: Invoke, toy: Toy, text: str) -> None:
    done = holdfast(*TRAIN, f"--seeds={text}")
    assert refused(done, "--seeds", "0,1,2") or refused(done, "--seeds", "a seed twice")
    assert not toy.trained


def test_files_that_are_no_configuration(holdfast: Invoke, toy: Toy) -> None:
    Path("bad.toml").write_text("steps 8\n")
    assert refused(holdfast(*TRAIN, "--config", "bad.toml"), "bad.toml is not a TOML file")
    assert refused(holdfast(*TRAIN, "--config", "absent.toml"), "absent.toml")
    Path("key.toml").write_text("step = 8\n")
    assert refused(holdfast(*TRAIN, "--config", "key.toml"), "did you mean steps?")
    Path("type.toml").write_text('steps = "8"\n')
    assert refused(holdfast(*TRAIN, "--config", "type.toml"), "steps = '8'", "an integer")


def test_files_whose_keys_are_of_the_command_or_deeper(holdfast: Invoke, toy: Toy) -> None:
    for text, said in {
        "[options]\nsteps = 8\n": "[options] is a table; write the keys at the top level",
        "episodes = 8\n": "episodes is an option of the command and of no file; give --episodes",
        'folder = "x"\n': "folder is an option of the command",
        "xyzzy = 8\n": "no option is named 'xyzzy'; there are steps, limit",
        "env = 3\n": "write env as a text",
        "seeds = 1.5\n": "seeds = 1.5; write such as seeds = [0, 1]",
        "seeds = [true]\n": "seeds = [True]; write such as",
    }.items():
        Path("a.toml").write_text(text)
        assert refused(holdfast(*TRAIN, "--config", "a.toml", "--seeds", "3"), said), text
    Path("a.toml").write_text('steps = "8"\n')
    done = holdfast(*TRAIN, "--config", "a.toml", "--steps", 4)
    assert refused(done, "steps = '8'"), "also where the command line says another"
    assert not toy.trained


def test_what_is_equal_goes_before_nothing(holdfast: Invoke, toy: Toy) -> None:
    Path("a.toml").write_text("seeds = [3, 4]\nsteps = 4\nlimit = 0.3\n")
    same = ("--config", "a.toml", "--seeds", "3,4", "--steps", 4, "--limit", "3/10")
    assert "goes before" not in holdfast(*TRAIN, *same).output
    done = holdfast(*TRAIN, *same[:4], "--steps", 6, "--seeds", "3")
    assert done.says("steps = 6 of the command line goes before 4", "--seeds 3 goes before 3,4")


def test_a_limit_may_be_a_fraction_and_is_that_of_the_decimal(holdfast: Invoke, toy: Toy) -> None:
    assert holdfast(*TRAIN, "--limit", "1/5").code == 0
    assert holdfast(*TRAIN, "--limit", "0.2").says("was not trained again")
    assert refused(holdfast(*TRAIN, "--limit", "1/0"), "limit = '1/0'")


def test_no_note_comes_before_an_error(holdfast: Invoke, toy: Toy) -> None:
    done = holdfast(*TRAIN[:3], "holdfast/TwoDiscs-v0", "--set", "mode=2", "--limit", "x")
    assert refused(done, "limit = 'x'") and "note:" not in done.output


def test_one_episode_has_no_interval(holdfast: Invoke, toy: Toy) -> None:
    assert refused(holdfast(*TRAIN, "--episodes", 1), "not a whole number from 2")
    assert not toy.trained


@pytest.mark.parametrize("algorithm", ["chance/ppo-lagrangian", "chance/cpo"])
def test_steps_and_limits_that_mean_something_else(holdfast: Invoke, algorithm: str) -> None:
    small = [x for key in ("n_envs=16", "rollout=15", "batch=240") for x in ("--set", key)]
    train = ("train", algorithm, *TRAIN[2:], *small)
    done = holdfast(*train, "--steps", 10, "--limit", 1, "--episodes", 20)
    assert done.says("steps = 10 are rounded up to 240, 1 update of 240 steps")
    assert done.says("limit = 1.0 bounds nothing")
    assert refused(holdfast(*train, "--limit", "1.5"), "limit = 1.5 is above 1")


def test_a_device_that_is_not_there(holdfast: Invoke, toy: Toy) -> None:
    assert refused(holdfast(*TRAIN, "--device", "cuda:99"), "cuda:99")
    assert not toy.trained


def test_without_torch_the_line_that_installs_it(
    holdfast: Invoke, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = holdfast(*TRAIN)
    assert refused(done, "torch", "is not installed", "pip install 'holdfast[neural]'")
    assert holdfast("train", "chance/toy", "--help").says("pip install 'holdfast[neural]'")
    assert holdfast("train", "--list").code == 0


def test_options_without_effect_are_refused(holdfast: Invoke, toy: Toy) -> None:
    assert refused(holdfast("train", "--list", "--steps", 3), "--steps has no effect with --list")


def test_a_damaged_run_is_named(holdfast: Invoke, toy: Toy) -> None:
    holdfast(*TRAIN)
    record = json.loads((only_run() / "run.json").read_text())
    (only_run() / "run.json").write_text(json.dumps({**record, "digest": "0" * 64}))
    assert refused(holdfast(*TRAIN), "is the record of another training", "move the folder away")
    weights = only_run() / "policy.safetensors"
    (only_run() / "run.json").write_text(json.dumps(record))
    weights.write_bytes(weights.read_bytes()[:-1])
    assert refused(holdfast(*TRAIN), "policy")
