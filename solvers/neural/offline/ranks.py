"""How well critics rank actions: Spearman's correlation with returns of the policy, rolled out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import rankdata

from ...offline.data_sets import DataSet
from ...sequences import Array
from ..parts.training import Training
from ..parts.updates import word
from ..parts.worlds import circle
from .safe_sac import SafeSAC, largest, least

_PAIRS, _REPEATS = 200, 16
"""Pairs of state and action, and rollouts of each: what these average over is small beside the
differences between pairs."""
_ROLLOUTS = 1_000_000
"""The number of the stream of rollouts, beyond that of any update: those before and after an
alignment are the same, so that only the critics differ."""


class Ranks(NamedTuple):
    """Of ranks a and b, doubled so that the mean of those of equal values is an integer:
    n sum ab - sum a sum b, and the same of a with a and of b with b."""

    products: int
    found: int
    true: int

    @property
    def correlation(self) -> float:
        """Spearman's; NaN where all values of one side are equal."""
        if not (self.found and self.true):
            return math.nan
        return self.products / math.sqrt(self.found * self.true)


def ranked(found: Array, true: Array) -> Ranks:
    """Of float[n] against float[n]; equal values have the mean of their ranks."""
    a, b = (np.rint(2 * rankdata(one)).astype(int) for one in (found, true))

    def centred(x: Array, y: Array) -> int:
        return int(len(x) * (x * y).sum() - x.sum() * y.sum())

    return Ranks(centred(a, b), centred(a, a), centred(b, b))


def ranks(training: Training, agent: SafeSAC, data: DataSet) -> dict[str, Ranks]:
    """Of both critics against discounted returns, at recorded and at drawn actions.

    Empty for other tasks than the circling point, which alone can begin in any state.
    """
    if training.task != circle.TASK:
        return {}
    seed = word(training.seed, _ROLLOUTS)
    stream, found = np.random.default_rng(seed), {}
    at = stream.integers(0, len(data.rewards), _PAIRS)
    states, recorded = data.observations[at], data.actions[at]
    drawn = stream.uniform(-1, 1, recorded.shape).astype(np.float32)
    for name, actions in (("recorded", recorded), ("drawn", drawn)):
        true = returns(agent, states, actions, seed)
        with torch.no_grad():
            seen, taken = torch.as_tensor(states), torch.as_tensor(actions)
            values = least(agent.critic, seen, taken), largest(agent.cost_critic, seen, taken)
        for column, (kind, value) in enumerate(zip(("rewards", "costs"), values, strict=True)):
            found[f"{kind}, {name}"] = ranked(value[:, 0].cpu().numpy(), true[:, column])
    return found


def returns(agent: SafeSAC, states: Array, actions: Array, seed: int) -> Array:
    """float64[n, 2], discounted rewards and costs of the actions, then the policy, mean over
    rollouts."""
    times = np.repeat(states, _REPEATS, axis=0).astype(float)
    after, *first = circle.moved(times, np.repeat(actions, _REPEATS, axis=0).astype(float))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        later = circle.rolled(
            lambda seen: agent.policy.predict(seen)[0], after, circle.STEPS, agent.gamma
        )
    total = np.stack(first, axis=1) + agent.gamma * later
    mean: Array = total.reshape(-1, _REPEATS, 2).mean(axis=1)
    return mean
