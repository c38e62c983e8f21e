"""Tasks by name, as vectorised environments with a cost.

A task is an id, or an exact finite-horizon problem of ours.  Each step has its cost in
``info["cost"]``.  Everything that is drawn follows from the seed: an environment that is seeded and
reset behaves as a fresh one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from ...chance import ChanceProblem
from ...errors import ModelError
from ...models.grids import corner_rewards, two_discs

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

    from .worlds.finite import FiniteWorld

#: The id of a task, or an exact problem.
Task: TypeAlias = str | ChanceProblem

_DISCS = {"holdfast/TwoDiscs-v0": (16, 30), "holdfast/TwoDiscs8-v0": (8, 15)}
"""Side of the square and decisions of an episode."""

#: Known ids, with one line each.
TASKS: dict[str, str] = {
    "holdfast/TwoDiscs-v0": "cross 16x16 cells around two discs in 30 decisions; exact",
    "holdfast/TwoDiscs8-v0": "the same on 8x8 cells in 15 decisions, for tests; exact",
}


def make(
    task: Task,
    *,
    seed: int,
    n_envs: int,
    first_violation: bool,
    cost: Callable[..., float] | None = None,
) -> VecEnv:
    """n_envs copies of a task, seeded.

    Args:
        first_violation: the cost of an episode is 1 at its first unsafe step and 0 elsewhere, and
            the flag "already violated" is appended to the observation.
        cost: for an environment that has no ``info["cost"]``: cost(observation, action, following
            observation, info) -> float, counted as unsafe where it is positive.

    Raises ModelError for an unknown id, naming the nearest and those that are known; for an
    environment without a cost; for observations that are no vectors of numbers.
    """
    if n_envs < 1:
        raise ModelError(f"n_envs is {n_envs}; at least 1 copy of the task is needed")
    world = world_of(task)
    if world is None:
        raise unknown(str(task))
    if cost is not None:
        raise ModelError(
            "the task is an exact problem, whose cost is whether an unsafe state is entered; "
            "a cost function has no place there, so leave it out"
        )
    from .worlds.vectors import FiniteVecEnv

    return FiniteVecEnv(world, n_envs, seed=seed, first_violation=first_violation)


def problem_of(task: Task) -> ChanceProblem | None:
    """The exact problem of a task of ours; None for environments that have no exact model."""
    world = world_of(task)
    return None if world is None else world.problem


def world_of(task: Task) -> FiniteWorld | None:
    """The exact problem with what an agent sees of it; None where there is none."""
    from .worlds.finite import FiniteWorld

    if isinstance(task, ChanceProblem):
        return FiniteWorld(task)
    return _discs(task) if task in _DISCS else None


@cache
def _discs(task: str) -> FiniteWorld:
    from .worlds.finite import FiniteWorld

    side, horizon = _DISCS[task]
    model = two_discs(side)
    problem = ChanceProblem(model, model.label("unsafe"), horizon)
    return FiniteWorld(problem, corner_rewards(side))


def unknown(task: str) -> ModelError:
    """The error for an id that nobody knows."""
    near = difflib.get_close_matches(task, TASKS, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ModelError(f"there is no task {task!r}; {hint}known are {', '.join(TASKS)}")
