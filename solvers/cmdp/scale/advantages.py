"""The compiled loops of the policy-improvement model: advantages, and their best total by price."""

from __future__ import annotations

import numpy as np

from .compiled import BLOCK, compiled
from .image import Array
from .kernels import ONE


@compiled
def advantages(
    begin: int, end: int, start: Array, indptr: Array, successors: Array, weights: Array,
    scale: Array, payoffs: Array, index: int, values: Array, choices: Array, result: Array,
) -> None:  # fmt: skip
    """result[k, i] = q(k) - q(choice of the state) for q = payoff_i + gamma P values (S)."""
    size = choices.shape[0]
    for block in range(begin, end):
        for state in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            for choice in range(start[state], start[state + 1]):
                ahead = 0.0
                for j in range(indptr[choice], indptr[choice + ONE]):
                    ahead += weights[j] * values[successors[j]]
                result[choice, index] = payoffs[choice, index] + scale[choice] * ahead
            own = result[np.uint64(choices[state]), index]
            for choice in range(start[state], start[state + 1]):
                result[choice, index] -= own


@compiled
def best_total(
    begin: int, end: int, start: Array, gains: Array, visits: Array, price: Array, sums: Array,
) -> None:  # fmt: skip
    """sum_s visits_s gains[k(s)] with k(s) the choice of largest price . gains: one row a block."""
    size, count = visits.shape[0], price.shape[0]
    for block in range(begin, end):
        for i in range(count):
            sums[block, i] = 0.0
        for state in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            best, taken = -np.inf, start[state]
            for choice in range(start[state], start[state + 1]):
                total = price[0] * gains[choice, 0]
                for i in range(1, count):
                    total += price[i] * gains[choice, i]
                taken = choice if total > best else taken
                best = max(best, total)
            for i in range(count):
                sums[block, i] += visits[state] * gains[taken, i]


@compiled
def best_choices(
    begin: int, end: int, start: Array, gains: Array, price: Array, margin: float, choices: Array,
) -> None:  # fmt: skip
    """Replace each choice whose gain (0 by definition) another exceeds by more than ``margin``."""
    size, count = choices.shape[0], price.shape[0]
    for block in range(begin, end):
        for state in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            best, taken = margin, np.uint64(choices[state])
            for choice in range(start[state], start[state + 1]):
                total = price[0] * gains[choice, 0]
                for i in range(1, count):
                    total += price[i] * gains[choice, i]
                taken = np.uint64(choice) if total > best else taken
                best = max(best, total)
            choices[state] = taken
