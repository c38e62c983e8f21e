"""The environments of bullet-safety-gym, made reproducible.

They draw from the global generators of numpy and Python whatever seed they are given, and a
simulation that is reset is not as a fresh one.  So the global generators are lent to them and put
back.  In a reset with a seed the motors of ball, car and ant, which otherwise keep their last
targets, are set to rest; other environments are built anew (20 ms, with the car 0.2 s, with the
drone 0.7 s).  SafetyBallReach-v0 and SafetyDroneReach-v0 do not repeat themselves even so, and are
left out.
"""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np

from ....errors import ModelError

#: Agent -> what it does, each as Safety<Agent><Task>-v0, and in how many steps.
_AGENTS = {
    "Ball": {"Run": 100, "Circle": 200, "Push": 250, "Gather": 250},
    "Car": {"Run": 200, "Circle": 300, "Push": 500, "Gather": 500, "Reach": 500},
    "Ant": {"Run": 200, "Circle": 500, "Gather": 1000, "Reach": 1000},
    "Drone": {"Run": 200, "Circle": 300, "Gather": 500},
}
_LINES = {
    "Run": "run along a lane below a speed limit",
    "Circle": "circle fast, within two walls",
    "Push": "push a box to a goal past puddles",
    "Gather": "gather apples and no bombs",
    "Reach": "reach goals past obstacles",
}
#: Id -> one line.
BULLET = {
    f"Safety{agent}{task}-v0": f"{agent.lower()}: {_LINES[task]} (bullet-safety-gym)"
    for agent, tasks in _AGENTS.items()
    for task in tasks
}
#: Id -> steps of an episode, known without a simulator.
LENGTHS = {
    f"Safety{agent}{task}-v0": length
    for agent, tasks in _AGENTS.items()
    for task, length in tasks.items()
}
_STILL = ("Run", "Circle")
"""Tasks that draw nothing between resets: their steps need no generators, nothing else moves."""


class BulletEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment of bullet-safety-gym that follows the seed of its last seeded reset."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._still = any(name in task for name in _STILL)
        self._settles = self._still and "Drone" not in task
        self._states = _states_of(0)
        with self._lent():
            super().__init__(_build(task))
            self.env.reset()  # what the first reset leaves is what all later ones go back to

    @contextmanager
    def _lent(self) -> Iterator[None]:
        """The global generators are in the state of this environment, and put back afterwards."""
        theirs = np.random.get_state(), random.getstate()
        _put(self._states)
        try:
            yield
        finally:
            self._states = np.random.get_state(), random.getstate()
            _put(theirs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """(first observation, info); with a seed as that of a fresh environment."""
        if seed is not None:
            self._begin(seed)
        with self._lent():
            return self.env.reset()

    def _begin(self, seed: int) -> None:
        """Nothing is left of earlier episodes."""
        with self._lent():
            _put(_states_of(seed))
            if self._settles:
                self._rest()
                self.env.reset()  # has the simulation take up what the motors were told
                self._rest()
            else:
                self.env.close()
                self.env = _build(self._task)
        self._states = _states_of(seed)

    def _rest(self) -> None:
        agent: Any = self.env.get_wrapper_attr("agent")
        agent.apply_action(np.zeros(self.env.action_space.shape or ()))

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As the environment's."""
        if self._still:
            return self.env.step(action)
        with self._lent():
            return self.env.step(action)


def _states_of(seed: int) -> tuple[Any, Any]:
    """States of numpy's and Python's generators; any seed that is not negative will do."""
    words = np.random.SeedSequence(seed).generate_state(8)
    return np.random.RandomState(words).get_state(), random.Random(words.tobytes()).getstate()


@contextmanager
def _plain_streams() -> Iterator[None]:
    """Standard streams as Python made them: the package mutes them, which fails for others."""
    with redirect_stdout(sys.__stdout__), redirect_stderr(sys.__stderr__):
        yield


def _put(states: tuple[Any, Any]) -> None:
    np.random.set_state(states[0])
    random.setstate(states[1])


def _build(task: str) -> gymnasium.Env[Any, Any]:
    """Raises ModelError when bullet-safety-gym is not there."""
    with _plain_streams(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own old calls, and its float bounds
        try:
            import_module("bullet_safety_gym")
        except ImportError as problem:
            raise ModelError(
                f"{task} needs bullet-safety-gym, which cannot be imported ({problem}); install "
                "holdfast[neural], and then bullet-safety-gym with --no-deps"
            ) from problem
        return gymnasium.make(task, disable_env_checker=True)
