"""First variations of the best of n, estimated from the very samples that they will reward.

R[pi] is the mean reward of the best of n independent responses; its first variation at a response y
is n E max(r(y), r(Y_2), ..., r(Y_n)), up to a constant.  Rewards float64[B, M]: B groups of M
samples of one prompt each.  What is returned has the same shape, and is meant up to a constant of
each group.
"""

from __future__ import annotations

from math import comb

import numpy as np

from ....errors import ModelError
from ....sequences import Array


def plug_in(rewards: Array, draws: int) -> Array:
    """At the empirical law of the group, as the paper's algorithm has it; biased."""
    if draws == 1:
        return rewards.copy()
    size = rewards.shape[1]
    # the k-th smallest is the largest of n - 1 draws from the group with these probabilities
    weights = np.diff((np.arange(size + 1) / size) ** (draws - 1))
    best = np.maximum(rewards[:, :, None], np.sort(rewards, axis=1)[:, None, :])
    return np.asarray(draws * (best * weights).sum(axis=2))


def unbiased(rewards: Array, draws: int) -> Array:
    """Over all sets of n - 1 *other* samples: its mean given y is the first variation.

    Raises ModelError if the group has fewer samples than n.
    """
    size = rewards.shape[1]
    if size < draws:
        raise ModelError(
            f"the best of {draws} needs {draws} samples, and a group has {size}; give larger groups"
        )
    if draws == 1:
        return rewards.copy()
    # the k-th smallest of the others is the largest of n - 1 of them with these probabilities
    weights = np.array([comb(k, draws - 2) for k in range(size - 1)]) / comb(size - 1, draws - 1)
    found = np.empty_like(rewards)
    for at in range(size):
        others = np.sort(np.delete(rewards, at, axis=1), axis=1)
        found[:, at] = draws * (np.maximum(rewards[:, at, None], others) * weights).sum(axis=1)
    return found


def soft(rewards: Array, sharpness: float) -> Array:
    """Of E r e^(r/tau) / E e^(r/tau), at the empirical law of the group; sharpness: tau."""
    tilted = np.exp((rewards - rewards.max(axis=1, keepdims=True)) / sharpness)
    whole = tilted.mean(axis=1, keepdims=True)
    value = (rewards * tilted).mean(axis=1, keepdims=True) / whole
    return np.asarray(tilted * (rewards - value) / whole)
