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
from ..parts.tasks import environment, episode_length, problem_of

_numbers = itertools.count()


@dataclass(frozen=True)
class Named:
    """A task under an id, the folder of its runs, and how many copies there may be.

    copies: 1 where there is one environment only, else None.
    """

    task: str
    folder: Path | None
    copies: int | None = None


@contextmanager
def named(env: str | gymnasium.Env, cost: Cost | None, folder: Path | None) -> Iterator[Named]:
    """The id under which an environment can be made while this lasts.

    Raises ModelError for what is no environment, and for a cost function on an exact task.
    """
    if isinstance(env, str):
        if cost is None:
            yield Named(env, folder)
            return
        if problem_of(env) is not None:
            raise ModelError(
                f"{env} is an exact task, whose cost is whether an unsafe state is entered; leave "
                "the cost function out"
            )
        made, length = partial(_made, env, cost), episode_length(env)
    elif isinstance(env, gymnasium.Env):
        made = partial(_lent, env, cost)
        length = env.spec.max_episode_steps if env.spec else None
    else:
        raise ModelError(
            f"env is a {type(env).__name__}; give the id of a task, such as "
            "'holdfast/TwoDiscs-v0', or one gymnasium environment"
        )
    task = f"given/Environment{next(_numbers)}-v0"
    gymnasium.register(task, entry_point=made, max_episode_steps=length)
    spec = None if isinstance(env, str) else env.unwrapped.spec
    with tempfile.TemporaryDirectory(prefix="holdfast-runs-") as passing:
        try:
            only = None if isinstance(env, str) else 1
            yield Named(task, folder or Path(passing), only)
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
