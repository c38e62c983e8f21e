"""Tasks by name, as vectorised environments with a cost.

A task is an id, or an exact finite-horizon problem of ours.  Each step has its cost in
``info["cost"]``.  Everything that is drawn follows from the seed: an environment that is seeded and
reset behaves as a fresh one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import gymnasium

from ...chance import ChanceProblem
from ...errors import ModelError
from .costs import Cost, CostEnv
from .nearest import nearest
from .worlds import circle
from .worlds.bullet import BULLET, LENGTHS, BulletEnv
from .worlds.finite import FiniteWorld
from .worlds.known import DISCS, known_world
from .worlds.velocity import THRESHOLDS

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

#: The id of a task, or an exact problem.
Task: TypeAlias = str | ChanceProblem

#: Known ids, with one line each.
TASKS: dict[str, str] = {
    **{task: line for task, (_, _, line) in DISCS.items()},
    **{
        f"holdfast/{body}Velocity-v0": f"{body} of MuJoCo below {limit} metres a second"
        for body, limit in THRESHOLDS.items()
    },
    **BULLET,
    circle.TASK: "a point circles fast, within two walls; numpy alone, and no simulator",
}


_OF_ONES = ("Run-v0", "Circle-v0", "Velocity-v0")  # others may count collisions


def make(
    task: Task,
    *,
    seed: int,
    n_envs: int,
    first_violation: bool,
    cost: Cost | None = None,
    exploring: int = 0,
) -> VecEnv:
    """n_envs copies of a task, seeded.

    Args:
        exploring: of the copies of an exact problem, how many begin each episode anywhere, in a
            drawn state at a drawn time.
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
        if exploring:
            raise ModelError(
                f"exploring = {exploring}, but {task} is no exact problem that could begin "
                "anywhere; leave it out"
            )
        return _outside(str(task), seed, n_envs, first_violation, cost)
    if cost is not None:
        raise ModelError(
            "the task is an exact problem, whose cost is whether an unsafe state is entered; "
            "a cost function has no place there, so leave it out"
        )
    from .worlds.vectors import FiniteVecEnv

    return FiniteVecEnv(
        world, n_envs, seed=seed, first_violation=first_violation, exploring=exploring
    )


def problem_of(task: Task) -> ChanceProblem | None:
    """The exact problem of a task of ours; None for environments that have no exact model."""
    world = world_of(task)
    return None if world is None else world.problem


def world_of(task: Task) -> FiniteWorld | None:
    """The exact problem with what an agent sees of it; None where there is none."""
    if isinstance(task, ChanceProblem):
        return FiniteWorld(task)
    return known_world(task) if task in DISCS else None


def is_known(task: str) -> bool:
    """Whether there is a task of this id, of ours or registered with gymnasium."""
    return task in TASKS or task in gymnasium.registry


def unknown(task: str) -> str:
    """What an error says of an id that is not known: the nearest, or the first of all."""
    near, first = nearest(task, TASKS), ", ".join(list(TASKS)[:2])
    hint = f"did you mean {near!r}?" if near else f"there are {first} and others."
    return (
        f"there is no task {task!r}; {hint} `holdfast train --list` lists all {len(TASKS)}, and "
        "any id of gymnasium will do whose environment gives a cost"
    )


def episode_length(task: str) -> int | None:
    """The most steps of an episode; None for an unknown id, and where nothing ends it for sure."""
    if task in DISCS:
        return known_world(task).problem.horizon
    if task in LENGTHS:
        return LENGTHS[task]
    found = gymnasium.registry.get(task)
    return found.max_episode_steps if found else None


def largest_cost(task: str) -> float:
    """The most that an episode costs, of tasks whose steps cost 0 or 1; infinite where that, or the
    length, is not known."""
    of_ones = task in TASKS and task.endswith(_OF_ONES)
    return float(episode_length(task) or math.inf) if of_ones or task in DISCS else math.inf


def _outside(task: str, seed: int, n_envs: int, first_violation: bool, cost: Cost | None) -> VecEnv:
    """Copies of an environment of another package, one after the other in this process."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    def single() -> CostEnv:
        return CostEnv(environment(task), first_violation=first_violation, cost=cost)

    if task not in TASKS and cost is None:
        _probe(single())
    env = DummyVecEnv([single] * n_envs)
    env.seed(seed)
    return env


def environment(task: str) -> gymnasium.Env[Any, Any]:
    """One environment of another package, as its package makes it.  Raises ModelError as `make`."""
    if task in BULLET:
        return BulletEnv(task)
    if task not in gymnasium.registry:
        raise ModelError(unknown(task))
    return gymnasium.make(task, disable_env_checker=True)


def _probe(env: CostEnv) -> None:
    """One step, which raises ModelError when there is no cost."""
    env.reset(seed=0)
    env.action_space.seed(0)
    env.step(env.action_space.sample())
    env.close()
