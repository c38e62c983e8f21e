"""What names a run, and options from a mapping."""

import re
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.chance.ppo_lagrangian import PpoLagrangianOptions
from holdfast.solvers.neural.parts import training as module
from holdfast.solvers.neural.parts.algorithms import find, known
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training, options_from

TRAINING = Training("chance/ppo-lagrangian", "holdfast/TwoDiscs8-v0", 3, PpoLagrangianOptions())


@pytest.mark.parametrize(
    "other",
    [
        replace(TRAINING, algorithm="chance/cpo"),
        replace(TRAINING, task="holdfast/TwoDiscs-v0"),
        replace(TRAINING, seed=4),
        replace(TRAINING, device="cuda:0"),
        replace(TRAINING, options=replace(TRAINING.options, limit=0.2)),
    ],
)
def test_whatever_differs_makes_another_run(other: Training) -> None:
    assert other.digest != TRAINING.digest
    assert replace(TRAINING).digest == TRAINING.digest


def test_another_version_makes_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = replace(TRAINING).digest
    monkeypatch.setattr(module, "versions", lambda: {"torch": "1.0"})
    assert replace(TRAINING).digest != before


@pytest.mark.parametrize("seed", [-1, 2**63, True, 0.0, "0"])
def test_a_seed_that_is_none(seed: object) -> None:
    with pytest.raises(ModelError, match=r"seed = .* from 0 to 2\*\*63 - 1"):
        replace(TRAINING, seed=seed)


def test_options_take_an_integer_for_a_float() -> None:
    options = options_from(PpoLagrangianOptions, {"limit": 1, "steps": 100})
    assert (options.limit, type(options.limit), options.steps) == (1.0, float, 100)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"limt": 0.1}, "no option is named 'limt'; did you mean limit?"),
        ({"episodes": 1}, "no option is named 'episodes'; there are steps"),
        ({"xyzzy": 0.1}, "no option is named 'xyzzy'; there are steps, n_envs"),
        ({"steps": 1.5}, "steps = 1.5 is of type float; write an integer"),
        ({"steps": True}, "steps = True is of type bool"),
        ({"limit": float("nan")}, "limit = nan is not a finite number"),
        ({"discounted": 1}, "discounted = 1 is of type int; write true or false"),
        ({"limit": -0.5}, "limit = -0.5; a limit on costs is at least 0"),
        ({"n_envs": 0}, "n_envs = 0 must be positive; give such as 256"),
        ({"gae": 1.5}, "gae = 1.5 must lie from 0 to 1"),
        ({"controller": "bang"}, "no controller is named 'bang'; there are fixed, ascent, pid"),
        ({"controller": "fixed", "ascent_rate": 2.0}, "ascent_rate = 2.0 has no effect with con"),
        ({"integral": 2.0}, "integral = 2.0 has no effect with controller = 'ascent'"),
        ({"discounted": True}, "has no effect with cost_discount = 1.0"),
        ({"exploring": 256}, "exploring = 256 of n_envs = 256 copies"),
        (
            {"controller": "pid", "multiplier": 1.0, "integral": 0.0},
            "start is 1.0, but with an int",
        ),
        ({"batch": 1000}, "batch = 1000 does not divide"),
    ],
)
def test_options_that_cannot_be_meant(given: dict[str, object], named: str) -> None:
    with pytest.raises(ModelError) as caught:
        options_from(PpoLagrangianOptions, given)
    assert named in str(caught.value)


def test_algorithms_are_found_by_name() -> None:
    assert {"chance/ppo-lagrangian", "chance/cpo"} <= set(known())
    for name in ("chance/ppo-lagrangian", "chance/cpo"):
        assert find(name).name == name
    with pytest.raises(ModelError, match="no algorithm is named 'chance/cp0'; did you mean chance"):
        find("chance/cp0")


def test_every_option_has_help_and_a_plain_default() -> None:
    for name in ("chance/ppo-lagrangian", "chance/cpo"):
        for known_option in find(name).options.__dataclass_fields__.values():
            assert known_option.metadata["help"]
            assert type(known_option.default) in (int, float, bool, str)


@pytest.mark.parametrize(
    "actions",
    [
        gymnasium.spaces.MultiDiscrete([2, 3]),
        gymnasium.spaces.MultiBinary(3),
        gymnasium.spaces.Discrete(3, start=1),
    ],
)
def test_actions_that_no_policy_has_are_refused_before_training(
    actions: gymnasium.Space, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Odd(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float32)
        action_space = actions

        def reset(self, **_: object) -> tuple[np.ndarray, dict]:
            return np.zeros(1, np.float32), {}

        def step(self, action: object) -> tuple[np.ndarray, float, bool, bool, dict]:
            return np.zeros(1, np.float32), 0.0, True, False, {"cost": 0.0}

    spec = gymnasium.envs.registration.EnvSpec("Odd-v0", Odd, max_episode_steps=3)
    monkeypatch.setitem(gymnasium.registry, "Odd-v0", spec)
    with pytest.raises(ModelError, match=re.escape(f"Odd-v0 has the actions {actions}")):
        obtain(replace(TRAINING, task="Odd-v0"), folder=tmp_path)
    assert not list(tmp_path.iterdir())
