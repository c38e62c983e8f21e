"""Environments that a person gives: by name, as an object, with or without a cost function."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import gymnasium

from ...errors import ModelError
from ..parts.tasks import problem_of

#: cost(observation, action, following observation, info), positive where unsafe.
Cost: TypeAlias = Callable[[Any, Any, Any, dict[str, Any]], float]

LEAST_STEPS = 4096
"""Environment steps of an update, at least: fewer measure the risk of a small limit too badly, more
make updates rare."""
LARGEST_BATCH = 512
"""Observations of a batch, at most: more make an update faster and learn less in it."""
_COPIES = 8
"""Copies of a simulator that is given by name; it is stepped in turns, so that more gain little."""
_UNBOUNDED = 2048
"""Steps of a copy in an update where the length of an episode is not known, as in
Stable-Baselines3's PPO."""

_numbers = itertools.count()


@dataclass(frozen=True)
class Named:
    """A task under an id, the folder of its runs, and options that suit it."""

    task: str
    folder: Path | None
    suited: dict[str, Any]


@contextmanager
def named(env: str | gymnasium.Env, cost: Cost | None, folder: Path | None) -> Iterator[Named]:
    """The id under which an environment can be made while this lasts.

    Raises ModelError for what is no environment, and for a cost function on an exact task.
    """
    if isinstance(env, str):
        exact = _is_exact(env)
        if cost is None:
            yield Named(env, folder, {} if exact else _suited(_length(env), _COPIES))
            return
        if exact:
            raise ModelError(
                f"{env} is an exact task, whose cost is whether an unsafe state is entered; leave "
                "the cost function out"
            )
        made = partial(_made, env, cost)
        suited = _suited(_length(env), _COPIES)
    elif isinstance(env, gymnasium.Env):
        made = partial(_WithCost, env, cost)
        suited = _suited(env.spec.max_episode_steps if env.spec else None, 1)
    else:
        raise ModelError(
            f"env is a {type(env).__name__}; give the id of a task, such as "
            "'holdfast/TwoDiscs-v0', or one gymnasium environment"
        )
    task = f"given/Environment{next(_numbers)}-v0"
    gymnasium.register(task, entry_point=made)
    with tempfile.TemporaryDirectory(prefix="holdfast-runs-") as passing:
        try:
            yield Named(task, folder or Path(passing), suited)
        finally:
            del gymnasium.registry[task]


class _WithCost(gymnasium.Wrapper):
    """Puts what a function says into ``info["cost"]``, and leaves closing to the owner."""

    def __init__(self, env: gymnasium.Env, cost: Cost | None) -> None:
        super().__init__(env)
        self._cost, self._seen = cost, None

    def reset(self, **arguments: Any) -> Any:
        self._seen, info = self.env.reset(**arguments)
        return self._seen, info

    def step(self, action: Any) -> Any:
        before, (self._seen, reward, ended, cut, info) = self._seen, self.env.step(action)
        if self._cost is not None:
            info = {**info, "cost": float(self._cost(before, action, self._seen, info))}
        return self._seen, reward, ended, cut, info

    def close(self) -> None:
        pass


def _made(task: str, cost: Cost) -> gymnasium.Env:
    return _WithCost(gymnasium.make(task), cost)


def _is_exact(task: str) -> bool:
    return problem_of(task) is not None


def _length(task: str) -> int | None:
    """Steps of an episode, where gymnasium knows a limit."""
    found = gymnasium.registry.get(task)
    return found.max_episode_steps if found else None


def _suited(length: int | None, copies: int) -> dict[str, Any]:
    """Whole episodes in all copies, and a batch that divides them."""
    once = length or _UNBOUNDED
    rollout = once * -(-LEAST_STEPS // (once * copies))
    total = rollout * copies
    batch = max(size for size in range(1, LARGEST_BATCH + 1) if total % size == 0)
    return {"n_envs": copies, "rollout": rollout, "batch": batch, "discount": 0.99}
