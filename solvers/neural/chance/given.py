"""Environments that a person gives: by name, as an object, with or without a cost function."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

from ...errors import ModelError
from ..parts.costs import Cost, CostEnv
from ..parts.tasks import environment, problem_of

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
    """A task under an id, the folder of its runs, options that suit it, and how many there may be.

    copies: 1 where there is one environment only, else None.
    """

    task: str
    folder: Path | None
    suited: dict[str, Any]
    copies: int | None = None


@contextmanager
def named(env: str | gymnasium.Env, cost: Cost | None, folder: Path | None) -> Iterator[Named]:
    """The id under which an environment can be made while this lasts.

    Raises ModelError for what is no environment, and for a cost function on an exact task.
    """
    if isinstance(env, str):
        exact = problem_of(env) is not None
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
        made = partial(_lent, env, cost)
        suited = _suited(env.spec.max_episode_steps if env.spec else None, 1)
    else:
        raise ModelError(
            f"env is a {type(env).__name__}; give the id of a task, such as "
            "'holdfast/TwoDiscs-v0', or one gymnasium environment"
        )
    task = f"given/Environment{next(_numbers)}-v0"
    gymnasium.register(task, entry_point=made)
    spec = None if isinstance(env, str) else env.unwrapped.spec
    with tempfile.TemporaryDirectory(prefix="holdfast-runs-") as passing:
        try:
            only = None if isinstance(env, str) else 1
            yield Named(task, folder or Path(passing), suited, only)
        finally:
            del gymnasium.registry[task]
            if not isinstance(env, str):
                env.unwrapped.spec = spec  # gymnasium.make puts its own there


class _Lent(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that stays its owner's: it is not closed."""

    def close(self) -> None:
        """Leave that to the owner."""


def _lent(env: gymnasium.Env[Any, Any], cost: Cost | None) -> gymnasium.Env[Any, Any]:
    return CostEnv(_Lent(env), first_violation=False, cost=cost)


def _made(task: str, cost: Cost) -> gymnasium.Env[Any, Any]:
    return CostEnv(environment(task), first_violation=False, cost=cost)


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
