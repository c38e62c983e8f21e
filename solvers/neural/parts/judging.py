"""Exact judgement of a trained policy on a task whose model is known.

The network is asked once about every (time, memory, state), with the very observations that the
environment gives.  What it answers is a policy of the exact problem, with an exact value and risk.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ...chance import ChanceProblem, ChanceSolution, solve
from ...errors import ModelError
from ...exact import Array, Rational, to_fraction
from .evaluation import Policy
from .tasks import Task, world_of

if TYPE_CHECKING:
    from .worlds.finite import FiniteWorld

_BATCH = 65_536
"""Observations that a network is asked about at once: more need more memory, and are no faster."""


def table(policy: Policy, task: Task, *, first_violation: bool = True) -> Array:
    """int[T, M, S], the greedy choice (numbered over the whole model) in every cell.

    `solvers.chance.evaluate_policy(problem, table)` is then the exact (value, risk) of the policy,
    UN-normalised; `evaluate_episode_flip` and `evaluate_step_flip` those of flips of two tables.

    first_violation: whether the policy was trained with the flag in the observation.  Raises
    ModelError for a task without an exact model, a policy for other observations, and a policy that
    remembers: a flip is judged by its parts.
    """
    world = exact_world(task)
    chosen = []
    for seen in cells(world, first_violation):
        _check_width(policy, seen)
        actions, state = policy.predict(seen, None, np.ones(len(seen), dtype=bool), True)
        if state is not None or hasattr(policy, "form"):
            raise ModelError(
                f"the policy, a {type(policy).__name__}, remembers something between its steps or "
                "tosses a coin, so that one table does not tell what it does; judge the policies "
                "that it flips"
            )
        chosen.append(actions)
    shape = (world.problem.horizon, world.problem.levels, world.problem.model.n_states)
    return world.problem.model.choice_start[:-1] + np.concatenate(chosen).reshape(shape)


def probabilities(policy: Any, task: Task, *, first_violation: bool = True) -> Array:
    """float64[T, M, S, A], how likely each action is where the policy is sampled.

    policy: one of stable-baselines3 with a categorical distribution, or an algorithm that has one.
    Raises ModelError for others, and as `table` does.
    """
    import torch

    world, network = exact_world(task), getattr(policy, "policy", policy)
    if not hasattr(network, "get_distribution"):
        raise ModelError(
            f"a {type(policy).__name__} does not say how likely its actions are; give a policy of "
            "stable-baselines3, such as model.policy of a PPO model"
        )
    found = []
    for seen in cells(world, first_violation):
        _check_width(network, seen)
        with torch.no_grad():
            inputs, _ = network.obs_to_tensor(seen)
            law = network.get_distribution(inputs).distribution.probs
        found.append(law.double().cpu().numpy())
    problem = world.problem
    shape = (problem.horizon, problem.levels, problem.model.n_states, world.n_actions)
    return np.concatenate(found).reshape(shape)


def stochastic(policy: Any, task: Task, *, first_violation: bool = True) -> tuple[float, float]:
    """(value, risk) of a policy whose actions are sampled, in floating point: it proves nothing."""
    law = probabilities(policy, task, first_violation=first_violation)
    return expected(exact_world(task).problem, law)


def expected(problem: ChanceProblem, law: Array) -> tuple[float, float]:
    """(value, risk) of float64[T, M, S, A] probabilities, in floating point, UN-normalised.

    The law of the cells is carried forward.  Every state must have A choices.
    """
    model, size = problem.model, problem.model.n_states
    rows = model.float_transitions()
    rewards = np.asarray(model.reward_vector().floats())
    earns = np.array([problem.earns(memory) for memory in range(problem.levels)], dtype=float)
    start = model.initial_vector().floats()
    cells = np.zeros((problem.levels, size))
    for state, mass in enumerate(start):
        cells[problem.first_memory(state), state] = mass
    value, risk = 0.0, float(problem.start_risk)
    for time, layer in enumerate(law):
        taken = (cells[:, :, None] * layer).reshape(problem.levels, -1)
        value += float(earns @ (taken @ rewards)) * float(model.discount) ** time
        arrived = taken @ rows
        entering = arrived * problem.is_unsafe
        risk += float(np.array(problem.charges, dtype=float) @ entering.sum(axis=1))
        cells = arrived - entering
        cells[1:] += entering[:-1]
        cells[-1] += entering[-1]
    if problem.terminal is not None:
        end = float(earns @ (cells @ problem.terminal.floats()))
        value += end * float(model.discount) ** problem.horizon
    return value, risk


def envelope(task: Task, level: Rational | float) -> ChanceSolution:
    """The exact optimum of a task at a level, over all policies; kept for the next call.

    Raises ModelError for a task without an exact model, and as `solvers.chance.solve` does.
    """
    problem = exact_world(task).problem
    return _solved(problem, to_fraction(level, "level"))


@lru_cache(maxsize=64)
def _solved(problem: ChanceProblem, level: Fraction) -> ChanceSolution:
    return solve(problem, level)


def exact_world(task: Task) -> FiniteWorld:
    """The exact problem as agents see it; ModelError for a task that has none."""
    world = world_of(task)
    if world is None:
        raise ModelError(
            f"the task {task!r} has no exact model; only tasks of ours have, such as "
            "'holdfast/TwoDiscs-v0'; use evaluate for an estimate with an interval"
        )
    return world


def cells(world: FiniteWorld, flag: bool) -> Iterator[Array]:
    """The observations of all cells in the order time, memory, state, in batches of whole times."""
    problem = world.problem
    size, states = problem.model.n_states, np.arange(problem.model.n_states)
    layer = max(1, _BATCH // (size * problem.levels))
    for first in range(0, problem.horizon, layer):
        yield np.concatenate(
            [
                world.observe(time, memory, states, flag=flag)
                for time in range(first, min(first + layer, problem.horizon))
                for memory in range(problem.levels)
            ]
        )


def _check_width(policy: Any, seen: Array) -> None:
    space = getattr(policy, "observation_space", None)
    if space is not None and space.shape != seen.shape[1:]:
        raise ModelError(
            f"the policy takes observations of shape {space.shape}, and the task gives "
            f"{seen.shape[1:]}; judge it on the task it was trained for, with the first_violation "
            "of its training"
        )
