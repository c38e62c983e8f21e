"""Policies that are tuned for what best-of-n makes of them: mirror descent on a concave objective.

One prompt.  policy, reference [Y]; rewards [m, Y]; R_i is the expected reward of the best of n_i.
R is the weighted sum of them, their minimum or smooth minimum; the loss is KL(policy | reference)
times the temperature, less R.  In floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .best_of_n import best_value, check_count, first_variation, smoothness
from .tilts import check_temperature


def objective(policy: Array, rewards: Array, counts: Sequence[int], weights: Array) -> Any:
    """The weighted sum of R_i; Fractions give Fractions."""
    found = [best_value(policy, r, n) for r, n in zip(rewards, counts, strict=True)]
    return sum(w * one for w, one in zip(weights, found, strict=True))


def variation(policy: Array, rewards: Array, counts: Sequence[int], weights: Array) -> Array:
    """Its first variation, [Y], up to a constant."""
    found = [first_variation(policy, r, n) for r, n in zip(rewards, counts, strict=True)]
    return sum((w * one for w, one in zip(weights, found, strict=True)), policy * 0)


def smooth_minimum(values: Array, weights: Array, sharpness: float) -> tuple[float, Array]:
    """-log(sum w e^(-sharpness R))/sharpness, and its derivatives by R, [m]."""
    check_temperature(sharpness)
    low = values.min()
    parts = weights * np.exp(-sharpness * (values - low))
    return float(low - np.log(parts.sum()) / sharpness), parts / parts.sum()


def certified(rewards: Array, counts: Sequence[int], weights: Array) -> Any:
    """The smoothness of the weighted sum relative to KL: the sum of the weighted constants."""
    spans = rewards.max(axis=1) - rewards.min(axis=1)
    ones = [smoothness(s, n) for s, n in zip(spans, counts, strict=True)]
    return sum(w * one for w, one in zip(weights, ones, strict=True))


def descent_step(policy: Array, reference: Array, slope: Array, temperature: Any, L: Any) -> Array:
    """A step of mirror descent by the slope of R, of size 1/L, in closed form, [Y].

    With L = 0 it is the tilt of the reference by the slope, at once optimal.
    """
    check_temperature(temperature)
    logs = slope + temperature * np.log(reference) + L * np.log(policy)
    found = np.exp((logs - logs.max()) / (temperature + L))
    result: Array = found / found.sum()
    return result


def loss(
    policy: Array,
    reference: Array,
    rewards: Array,
    counts: Sequence[int],
    weights: Array,
    temperature: float,
) -> float:
    """temperature KL(policy | reference) less the weighted sum."""
    far = (policy * np.log(policy / reference)).sum()
    return float(temperature * far - objective(policy, rewards, counts, weights))


def unbiased_derivative(rewards: Array, n: int) -> Array:
    """n times the mean, over all n - 1 others of a group [M], of the best of them and each one.

    Its mean given a response is the first variation there, up to a constant.  Raises ModelError
    for a group of fewer than n.
    """
    check_count(n)
    M = len(rewards)
    check_count(M, "size of a group", n)
    found = rewards * 0
    for i in range(M):
        others = [r for j, r in enumerate(rewards) if j != i]
        total = (
            sum(max(rewards[i], *chosen) for chosen in combinations(others, n - 1))
            if (n > 1)
            else rewards[i]
        )
        found[i] = n * total / comb(M - 1, n - 1)
    return found


def advantages(rewards: Array, n: int) -> Array:
    """Those derivatives less their mean, times M/(M - n), which makes their update unbiased."""
    M = len(rewards)
    if n == M:
        raise ModelError(
            f"a group of {M} for the best of {n} has the mean update 0 once the mean is "
            "subtracted; draw more responses"
        )
    found = unbiased_derivative(rewards, n)
    scaled: Array = (found - found.sum() / M) * M / (M - n)
    return scaled
