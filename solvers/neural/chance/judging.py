"""The exact value and risk of a flipping policy on a task whose model is known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...chance import evaluate_episode_flip, evaluate_policy, evaluate_step_flip
from ...exact import Array
from ..parts.judging import cells, exact_world, expected, probabilities, table
from ..parts.tasks import Task
from .policy import FlippingPolicy

_DRAWS = 2**53
"""The coin is one of so many doubles k / 2^53, k >= 0, all equally likely."""


def judge(
    policy: FlippingPolicy, task: Task, *, first_violation: bool = True
) -> tuple[Fraction, Fraction]:
    """(value, risk), exactly, of the flip of two greedy policies; the value is UN-normalised.

    In form "step" the chance of a coin is that of the doubles that it is compared with; a network
    that is asked about fewer observations at once may round it otherwise, in single precision.

    first_violation: whether the policies were trained with the flag in the observation.  Raises
    ModelError for a task without an exact model, and for a policy for other observations.
    """
    problem = exact_world(task).problem
    one, other = (
        table(each, task, first_violation=first_violation) for each in (policy.first, policy.second)
    )
    if policy.probability is not None:
        flipped = evaluate_episode_flip if policy.form == "episode" else evaluate_step_flip
        return flipped(problem, one, other, policy.probability)
    seen = cells(exact_world(task), first_violation)
    chances = np.concatenate([np.asarray(policy.second_chances(each)) for each in seen])
    return evaluate_policy(problem, one, _mixed(one, other, chances.reshape(one.shape)))


def judge_drawn(
    policy: FlippingPolicy, task: Task, *, first_violation: bool = True
) -> tuple[float, float]:
    """(value, risk) in floating point of two heads (form "step") whose actions are drawn."""
    world = exact_world(task)
    one, other = (
        probabilities(each, task, first_violation=first_violation)
        for each in (policy.first, policy.second)
    )
    seen = cells(world, first_violation)
    chances = np.concatenate([np.asarray(policy.second_chances(each)) for each in seen])
    share = chances.reshape(*one.shape[:3], 1)
    return expected(world.problem, (1 - share) * one + share * other)


def _mixed(
    one: Array, other: Array, chances: Array
) -> dict[tuple[int, int, int], dict[int, Fraction]]:
    """The law of the choice wherever the two differ."""
    below = np.ceil(chances * _DRAWS)  # how many of the doubles are below the chance
    found = {}
    for t, n, s in np.argwhere(one != other).tolist():
        share = Fraction(int(below[t, n, s]), _DRAWS)
        found[t, n, s] = {int(one[t, n, s]): 1 - share, int(other[t, n, s]): share}
    return found
