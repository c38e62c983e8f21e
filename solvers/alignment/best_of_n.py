"""Best-of-n: the law of the best of n responses, its value, and how both move with the policy.

policy, rewards [Y]: of one prompt.  Ties are broken uniformly, so that a response that ties with
others is chosen in proportion to its probability.  Fractions give Fractions, floats floats.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any

import numpy as np

from ..sequences import Array
from .checks import check_count, laws, real, reals, same_kind


def alike(policy: Any, rewards: Any, *more: tuple[Any, str]) -> tuple[Array, ...]:
    """A law [Y], rewards [Y] and further numbers [Y] as arrays; ModelError for anything else."""
    found = laws(policy, "policy", axes=1)
    others = [(rewards, "rewards"), *more]
    arrays = [reals(one, name, shape=found.shape) for one, name in others]
    names = ["policy", *(name for _, name in others)]
    same_kind(dict(zip(names, (found, *arrays), strict=True)))
    return found, *arrays


def levels(policy: Array, rewards: Array) -> tuple[Array, Array]:
    """P(r < r(y)) and P(r <= r(y)) under the policy, [Y] each; unchecked."""
    below, tied = rewards[None, :] < rewards[:, None], rewards[None, :] == rewards[:, None]
    under: Array = (policy * below).sum(axis=1)
    return under, under + (policy * tied).sum(axis=1)


def best_of(policy: Array, rewards: Array, n: int) -> Array:
    """The law [Y] of the best of n.

    Raises ModelError for a policy that is no law, other shapes, or n below 1.
    """
    check_count(n)
    policy, rewards = alike(policy, rewards)
    below, upto = levels(policy, rewards)
    tied = upto - below
    empty = tied == 0
    share = policy / np.where(empty, tied + 1, tied)
    found: Array = share * (upto**n - below**n)
    return found


def steps(policy: Array, rewards: Array) -> tuple[Array, Array]:
    """Differences [K - 1] of the K distinct rewards, and P(r <= reward) below each difference.

    Nothing is checked, as in inner loops.
    """
    values = np.unique(rewards)
    under = (policy * (rewards[None, :] <= values[:-1, None])).sum(axis=1)
    return values[1:] - values[:-1], under


def best_value(policy: Array, rewards: Array, n: int) -> Any:
    """R_n, the expected reward of the best of n: max r less the integral of P(r <= t)^n.

    Raises ModelError as `best_of` does.
    """
    check_count(n)
    policy, rewards = alike(policy, rewards)
    gaps, under = steps(policy, rewards)
    return rewards.max() - (gaps * under**n).sum()


def first_variation(policy: Array, rewards: Array, n: int) -> Array:
    """How R_n moves with the mass of each response, [Y], up to a constant: 0 at the largest reward
    and negative below, -integral from r(y) of n P(r <= t)^(n-1).

    Raises ModelError as `best_of` does.
    """
    check_count(n)
    policy, rewards = alike(policy, rewards)
    gaps, under = steps(policy, rewards)
    slopes = gaps * n * under ** (n - 1)
    at = np.unique(rewards, return_inverse=True)[1]
    tails = np.append(np.cumsum(slopes[::-1])[::-1], slopes.sum() * 0)
    found: Array = -tails[at]
    return found


def smoothness(spread: Any, n: int) -> Any:
    """The smallest L with R_n(pi') >= R_n(pi) + <first variation, pi' - pi> - L KL(pi' | pi).

    spread: largest less smallest reward.  L = spread (n - 1)(1 - 1/n)^(n - 1), 0 for n = 1; a
    Fraction for a rational spread.  Raises ModelError for a negative spread, or n below 1.
    """
    check_count(n)
    real(spread, "spread", least=0)
    if isinstance(spread, (float, np.floating)):  # (n - 1)^n leaves the doubles from n = 144 on
        return float(spread) * (n - 1) * (1 - 1 / n) ** (n - 1)
    return spread * (n - 1) * Fraction(n - 1, n) ** (n - 1)


def soft_value(policy: Array, rewards: Array, weights: Array) -> Any:
    """The soft best of many: E r w / E w, with weights w = e^(r/temperature).

    Raises ModelError for a policy that is no law, other shapes, or weights of 0 or less.
    """
    return soft_ratio(*_soft(policy, rewards, weights))


def soft_ratio(policy: Array, rewards: Array, weights: Array) -> Any:
    """The same for numbers of any kind, dual ones too; unchecked."""
    return (policy * rewards * weights).sum() / (policy * weights).sum()


def _soft(policy: Any, rewards: Any, weights: Any) -> tuple[Array, ...]:
    found = alike(policy, rewards, (weights, "weights"))
    for y, one in enumerate(found[2]):
        real(one, f"weights[{y}]", above=0)
    return found


def soft_first_variation(policy: Array, rewards: Array, weights: Array) -> Array:
    """How that moves with the mass of each response, [Y]: w (r - value) / E w.

    Raises ModelError as `soft_value` does.
    """
    policy, rewards, weights = _soft(policy, rewards, weights)
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
