"""Best-of-n by going through all n-tuples of responses, in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from holdfast.solvers.sequences import Array


def tuples(policy: Array, n: int) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """All tuples of responses with their probabilities."""
    for one in product(range(len(policy)), repeat=n):
        yield prod((policy[y] for y in one), start=policy[0] * 0 + 1), one


def best_of_tuples(policy: Array, rewards: Array, n: int) -> Array:
    """The law of the best of n; those that tie, copies included, share equally."""
    found = policy * 0
    for chance, one in tuples(policy, n):
        winners = [y for y in one if rewards[y] == max(rewards[k] for k in one)]
        for y in winners:
            found[y] = found[y] + chance / len(winners)
    return found


def best_with(policy: Array, rewards: Array, n: int) -> Array:
    """E max(r(y), rewards of n - 1 draws) for each y."""
    return np.array(
        [
            sum(chance * max(own, *(rewards[k] for k in one), own)
                for chance, one in tuples(policy, n - 1))
            for own in rewards
        ],
        dtype=object,
    )  # fmt: skip
