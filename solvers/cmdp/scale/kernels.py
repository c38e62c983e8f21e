"""The compiled loops over states: Bellman sweep, policy residuals, and vector combinations.

``stats`` and ``sums`` hold one row a block; callers reduce them in order.  What counts transitions
is unsigned, for signed indices may be negative, and looking at each of them for that takes longer
than the sum itself; mixed with signed numbers they would become floats, hence ``ONE``.
"""

from __future__ import annotations

import numpy as np

from .compiled import BLOCK, compiled
from .image import Array

GREATEST, LEAST, TOTAL, CHANGED = range(4)
ONE = np.uint64(1)


@compiled
def bellman(
    begin: int, end: int, start: Array, indptr: Array, successors: Array, weights: Array,
    scale: Array, payoffs: Array, price: Array, values: Array, own_values: Array, margin: float,
    choices: Array, improved: Array, stats: Array,
) -> None:  # fmt: skip
    """One sweep of max_k price.payoff_k + gamma P_k V - V, with the maximising choices.

    ``values`` are those of all successors, ``own_values`` those of the states that are swept.
    ``choices`` keeps its entry unless another is better by more than ``margin``; ``improved`` (S)
    gets the maximum.  Row b of ``stats`` gets the greatest and least residual of the block, the
    total advantage of the best choices over the entries of ``choices``, and the number of changes.
    """
    size, count = own_values.shape[0], price.shape[0]
    for block in range(begin, end):
        greatest, least, total, changed = -np.inf, np.inf, 0.0, 0
        for state in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            current = np.uint64(choices[state])
            best, kept, taken = -np.inf, -np.inf, current
            for choice in range(start[state], start[state + 1]):
                ahead = 0.0
                for j in range(indptr[choice], indptr[choice + ONE]):
                    ahead += weights[j] * values[successors[j]]
                own = price[0] * payoffs[choice, 0]
                for i in range(1, count):
                    own += price[i] * payoffs[choice, i]
                q = own + scale[choice] * ahead
                kept = q if choice == current else kept
                taken = np.uint64(choice) if q > best else taken
                best = max(best, q)
            if best > kept + margin:
                choices[state] = taken
                changed += 1
            improved[state], residual = best, best - own_values[state]
            greatest, least = max(greatest, residual), min(least, residual)
            total += best - kept
        stats[block, GREATEST], stats[block, LEAST] = greatest, least
        stats[block, TOTAL], stats[block, CHANGED] = total, changed


@compiled
def copy_rows(
    begin: int, end: int, chosen: Array, indptr: Array, successors: Array, weights: Array,
    rank: Array, rows: Array, own_successors: Array, own_weights: Array,
) -> None:  # fmt: skip
    """The transitions of the chosen choices, one after another from ``rows``.

    ``rank`` renames the successors; an empty one keeps their names.
    """
    size, renamed = chosen.shape[0], rank.shape[0] > 0
    for block in range(begin, end):
        for state in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            source, target = indptr[chosen[state]], rows[state]
            for j in range(rows[state + 1] - target):
                name = successors[source + j]
                own_successors[target + j] = rank[name] if renamed else name
                own_weights[target + j] = weights[source + j]


@compiled
def round_to(begin: int, end: int, values: Array, grid: float) -> None:
    """Every one of the values (flat) rounded to a multiple of 1 / grid (a power of two)."""
    size = values.shape[0]
    for block in range(begin, end):
        for place in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            values[place] = np.rint(values[place] * grid) / grid
