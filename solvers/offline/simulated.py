"""Logs that a policy makes in a model: many episodes at once, the same for the same seed."""

from __future__ import annotations

import numpy as np

from ..cmdp.policies import Policy, check_policy
from ..errors import ModelError
from ..exact import Vector
from ..models.cmdp import CMDP
from ..sequences import Array
from .logs import Log, bounded, log_of_steps

MOST_STEPS = 10**7
"""Of a simulated log, which are kept until they are counted: 1 GB."""


def idle_states(model: CMDP) -> Array:
    """bool[S], where nothing happens any more: an episode ends on arrival."""
    paid = (model.reward != 0) | (model.costs != 0).any(axis=0)
    single = np.diff(model.indptr) == 1
    stays = single & (model.successors[model.indptr[:-1]] == model.choice_states) & ~paid
    idle: Array = np.logical_and.reduceat(stays, model.choice_start[:-1])
    return idle


def simulate(model: CMDP, policy: Policy, steps: int, *, length: int, seed: int) -> Log:
    """A log of so many steps of a policy, in episodes of at most `length`.

    Episodes end where nothing happens any more, and are cut after `length` steps; the last one is
    cut where the steps end.  Raises ModelError for numbers out of range, or when every episode
    begins where nothing happens.
    """
    check_policy(model, policy)
    for name, value, most in (("steps", steps, MOST_STEPS), ("length", length, MOST_STEPS)):
        if not 1 <= value <= most:
            raise ModelError(f"{name} is {value}; give a whole number from 1 to {most:,}")
    for vector in _functions(model):
        bounded("a reward or cost of the model", *set(vector.fractions()))
    idle = idle_states(model)
    begin = np.where(idle, 0, model.initial.astype(float))
    if not begin.sum():
        raise ModelError("every episode begins where nothing happens; give another initial law")
    draws = np.random.Generator(np.random.Philox(key=seed))
    acting = _table(np.array(list(map(float, policy.probabilities))), model.choice_start)
    bottoms = np.repeat(model.denominators, np.diff(model.indptr))
    moving = _table((model.weights / bottoms).astype(float), model.indptr)
    starting = np.cumsum(begin / begin.sum())
    parts: list[Array] = []
    made, number = 0, 0
    while made < steps:
        # as many episodes as could still be needed, were they all of full length
        size = max(1, -(-(steps - made) // length))
        part = _episodes(draws, size, length, (starting, acting, moving), model, idle)
        part[:, 0] += number
        parts.append(part)
        made, number = made + len(part), number + size
    rows = np.concatenate(parts)[:steps]
    episode, at, choice, then = rows.T
    ends = idle[then]
    cuts = np.append(episode[1:] != episode[:-1], True) & ~ends
    gains = np.stack([vector.floats()[choice] for vector in _functions(model)], axis=1)
    return log_of_steps("the simulated log", at, model.actions[choice], then, gains, ends, cuts,
                        model.discount)  # fmt: skip


def _table(chances: Array, starts: Array) -> Array:
    """k plus the chances up to and with each entry of row k, to be searched for k + u."""
    sums = np.cumsum(chances)
    before = np.concatenate([[0.0], sums])[starts[:-1]]
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    found: Array = rows + np.minimum(sums - before[rows], 1.0)
    found[starts[1:] - 1] = np.arange(1, len(starts))  # rows end at exactly k + 1
    return found


def _functions(model: CMDP) -> list[Vector]:
    return [model.reward_vector(), *(model.cost_vector(i) for i in range(model.n_constraints))]


def _episodes(
    draws: np.random.Generator, size: int, length: int, tables: tuple[Array, Array, Array],
    model: CMDP, idle: Array,
) -> Array:  # fmt: skip
    """int64[n, 4], rows (episode, state, choice, next state), one episode after the other."""
    starting, acting, moving = tables
    number, at = np.arange(size), np.searchsorted(starting, draws.random(size), side="right")
    found = []
    for _ in range(length):
        choice = np.searchsorted(acting, at + draws.random(len(at)), side="right")
        then = model.successors[
            np.searchsorted(moving, choice + draws.random(len(at)), side="right")
        ]
        found.append(np.stack([number, at, choice, then], axis=1))
        going = ~idle[then]
        number, at = number[going], then[going].astype(np.int64)
        if not len(at):
            break
    rows = np.concatenate(found)
    ordered: Array = rows[np.argsort(rows[:, 0], kind="stable")]
    return ordered
