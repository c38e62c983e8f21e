"""Options that suit a task: for each algorithm and task, beside whatever is given."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

import gymnasium
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.chance import ALGORITHMS
from holdfast.solvers.neural.chance.presets import LEAST_EPISODES, LEAST_STEPS
from holdfast.solvers.neural.parts.algorithms import find, known
from holdfast.solvers.neural.parts.tasks import TASKS, episode_length, problem_of
from holdfast.solvers.neural.parts.worlds.bullet import LENGTHS

NAMES = [f"chance/{name}" for name in ALGORITHMS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_preset_of_whole_episodes_and_batches(name: str, task: str) -> None:
    algorithm, length = find(name), episode_length(task)
    assert length
    options = algorithm.options_for(task, {})
    assert algorithm.preset(task, {})
    assert options.rollout % length == 0
    assert options.per_update % options.batch == 0
    assert options.per_update >= LEAST_STEPS
    assert options.n_envs * options.rollout >= length * LEAST_EPISODES


GIVEN: list[dict[str, Any]] = [
    {"n_envs": 16, "steps": 100},
    {"n_envs": 7, "rollout": 300},
    {"rollout": 3},
    {"batch": 10, "learning_rate": 0.5},
    {"controller": "pid"},
    {"controller": "fixed", "multiplier": 3.0},
    {"discounted": True, "cost_discount": 0.9},
]


def has(name: str, given: dict[str, Any]) -> bool:
    return given.keys() <= {one.name for one in fields(find(name).options)}


@pytest.mark.parametrize("task", ["holdfast/TwoDiscs-v0", "SafetyBallRun-v0"])
@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name in NAMES for given in GIVEN if has(name, given)]
)
def test_what_is_given_goes_first_and_is_not_contradicted(
    name: str, task: str, given: dict[str, Any]
) -> None:
    """An option of a preset that clashed would be refused, though nobody has asked for it."""
    algorithm = find(name)
    options = algorithm.options_for(task, given)
    assert {key: getattr(options, key) for key in given} == given
    assert not given.keys() & algorithm.preset(task, given).keys()


def test_bad_values_are_refused_as_ever() -> None:
    algorithm = find("chance/ppo-lagrangian")
    for given, said in (
        ({"n_envs": 0}, "n_envs = 0"),
        ({"n_envs": "x"}, "n_envs = 'x'"),
        ({"rollot": 3}, "did you mean rollout"),
        ({"batch": 7}, "batch = 7 does not divide"),
        ({"controller": "bang"}, "no controller is named 'bang'"),
    ):
        for task in ("holdfast/TwoDiscs-v0", "SafetyBallRun-v0"):
            with pytest.raises(ModelError, match=said):
                algorithm.options_for(task, given)


def test_what_has_no_preset_has_the_defaults_of_the_record() -> None:
    for name in known():
        algorithm = find(name)
        assert algorithm.options_for("Unheard-of-v0", {}) == algorithm.options()


def test_an_environment_of_another_package_is_a_simulator() -> None:
    options = find("chance/cpo").options_for("Pendulum-v1", {"n_envs": 1})
    assert options.rollout == 200 * LEAST_EPISODES
    assert options.discount == 0.99


def test_lengths_are_those_that_the_simulator_registers() -> None:
    import_module("bullet_safety_gym")  # registers its tasks; a missing one is a failure
    assert {task: gymnasium.spec(task).max_episode_steps for task in LENGTHS} == LENGTHS
    assert all(problem_of(task) is None for task in LENGTHS)
