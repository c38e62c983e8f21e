"""Best-of-n: the law of the best of n responses, its value, and how both move with the policy.

policy, rewards [Y]: of one prompt.  Ties are broken uniformly, so that a response that ties with
others is chosen in proportion to its probability.  Fractions give Fractions, floats floats.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array


def check_count(n: object, name: str = "n", least: int = 1) -> None:
    """Raises ModelError unless n is an integer of at least `least`."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < least:
        raise ModelError(f"{name} is {n!r}; it must be an integer of at least {least}")


def levels(policy: Array, rewards: Array) -> tuple[Array, Array]:
    """P(r < r(y)) and P(r <= r(y)) under the policy, [Y] each."""
    below, tied = rewards[None, :] < rewards[:, None], rewards[None, :] == rewards[:, None]
    under: Array = (policy * below).sum(axis=1)
    return under, under + (policy * tied).sum(axis=1)


def best_of(policy: Array, rewards: Array, n: int) -> Array:
    """The law [Y] of the best of n."""
    check_count(n)
    below, upto = levels(policy, rewards)
    tied = upto - below
    empty = tied == 0
    share = policy / np.where(empty, tied + 1, tied)
    found: Array = share * (upto**n - below**n)
    return found


def steps(policy: Array, rewards: Array) -> tuple[Array, Array]:
    """Differences [K - 1] of the K distinct rewards, and P(r <= reward) below each difference."""
    values = np.unique(rewards)
    under = (policy * (rewards[None, :] <= values[:-1, None])).sum(axis=1)
    return values[1:] - values[:-1], under


def best_value(policy: Array, rewards: Array, n: int) -> Any:
    """R_n, the expected reward of the best of n: max r less the integral of P(r <= t)^n."""
    check_count(n)
    gaps, under = steps(policy, rewards)
    return rewards.max() - (gaps * under**n).sum()


def first_variation(policy: Array, rewards: Array, n: int) -> Array:
    """How R_n moves with the mass of each response, [Y], up to a constant: 0 at the largest reward
    and negative below, -integral from r(y) of n P(r <= t)^(n-1)."""
    check_count(n)
    gaps, under = steps(policy, rewards)
    slopes = gaps * n * under ** (n - 1)
    at = np.unique(rewards, return_inverse=True)[1]
    tails = np.append(np.cumsum(slopes[::-1])[::-1], slopes.sum() * 0)
    found: Array = -tails[at]
    return found


def smoothness(spread: Any, n: int) -> Any:
    """The smallest L with R_n(pi') >= R_n(pi) + <first variation, pi' - pi> - L KL(pi' | pi).

    spread: largest less smallest reward.  L = spread (n - 1)(1 - 1/n)^(n - 1), 0 for n = 1; a
    Fraction for a rational spread.
    """
    check_count(n)
    return spread * (n - 1) ** n / (n ** (n - 1))


def soft_value(policy: Array, rewards: Array, weights: Array) -> Any:
    """The soft best of many: E r w / E w, with weights w = e^(r/temperature)."""
    return (policy * rewards * weights).sum() / (policy * weights).sum()


def soft_first_variation(policy: Array, rewards: Array, weights: Array) -> Array:
    """How that moves with the mass of each response, [Y]: w (r - value) / E w."""
    found: Array = weights * (rewards - soft_value(policy, rewards, weights))
    return found / (policy * weights).sum()


def groups(policy: Array, size: int) -> list[tuple[tuple[int, ...], Any]]:
    """All groups of responses that are drawn independently, without order, with probabilities."""
    check_count(size, "size of a group")
    return [
        (group, _orders(group) * prod(policy[y] for y in group))
        for group in combinations_with_replacement(range(len(policy)), size)
    ]


def _orders(group: tuple[int, ...]) -> int:
    return factorial(len(group)) // prod(factorial(group.count(y)) for y in set(group))
