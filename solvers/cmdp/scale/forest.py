"""The likeliest successors of a policy: a forest whose trees hang on cycles, solved directly.

Let E send each state to its likeliest successor and beta_s = gamma times that probability.  The
system (I - beta E) x = b costs one pass in an order in which successors come first; only where a
cycle closes a value must be found from the whole cycle.  It preconditions I - gamma P: for moves
that mostly go where they are meant to, few steps of a Krylov method remain.

The order is depth-first from the cycles.  It is cut into chunks that are solved at the same time,
and edges between chunks are dropped.
"""

from __future__ import annotations

import numpy as np

from .compiled import BLOCK, compiled, serial
from .image import Array
from .kernels import ONE

#: States per chunk: edges that leave a chunk are not used.  More: fewer edges lost, fewer threads.
CHUNK = 2**15


@compiled
def likeliest(
    begin: int, end: int, choices: Array, indptr: Array, successors: Array, weights: Array,
    scale: Array, ahead: Array, beta: Array,
) -> None:  # fmt: skip
    """The likeliest successor of each state's choice, and gamma times its probability."""
    size = choices.shape[0]
    for block in range(begin, end):
        for state in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            choice = choices[state]
            best = indptr[choice]
            for j in range(indptr[choice] + ONE, indptr[choice + 1]):
                if weights[j] > weights[best]:
                    best = j
            ahead[state] = successors[best]
            beta[state] = scale[choice] * weights[best]


@serial
def depth_first(ahead: Array, order: Array) -> None:
    """States in an order with ahead[s] before s, except at one state of each cycle."""
    size = ahead.shape[0]
    first = np.zeros(size + 1, dtype=np.uint32)
    for state in range(size):
        first[ahead[state] + 1] += 1
    for state in range(size):
        first[state + 1] += first[state]
    place = first[:-1].copy()
    behind = np.empty(size, dtype=np.uint32)
    for state in range(size):
        parent = ahead[state]
        behind[place[parent]] = state
        place[parent] += 1
    seen = np.zeros(size, dtype=np.uint32)
    done = np.zeros(size, dtype=np.uint8)
    stack = np.empty(size, dtype=np.uint32)
    count = 0
    for start in range(size):
        state = start
        while seen[state] == 0:
            seen[state] = start + 1
            state = ahead[state]
        if seen[state] != start + 1 or done[state]:
            continue
        depth = 1
        stack[0] = state
        done[state] = 1
        while depth:
            depth -= 1
            here = stack[depth]
            order[count] = here
            count += 1
            for j in range(first[here], first[here + 1]):
                child = behind[j]
                if not done[child]:
                    done[child] = 1
                    stack[depth] = child
                    depth += 1


@compiled
def chunked(
    begin: int, end: int, order: Array, ahead: Array, beta: Array, rank: Array, link: Array,
    rate: Array,
) -> None:  # fmt: skip
    """In the new order: the place of the likeliest successor, and beta; cut edges have rate 0."""
    size = order.shape[0]
    for block in range(begin, end):
        first, last = block * CHUNK, min(size, (block + 1) * CHUNK)
        for place in range(first, last):
            target = rank[ahead[order[place]]]
            inside = first <= target < last
            link[place] = target if inside else place
            rate[place] = beta[order[place]] if inside else 0.0
        for place in range(first, last):
            if link[place] > place:
                at = np.int64(link[place])
                while at != place and rate[at] > 0.0:
                    at = np.int64(link[at])
                if at != place:
                    link[place], rate[place] = place, 0.0


@compiled
def solve_forest(
    begin: int, end: int, link: Array, rate: Array, right: Array, result: Array,
) -> None:  # fmt: skip
    """result = (I - rate E)^-1 right, in every column; link[s] < s except where a cycle closes."""
    size, count = right.shape
    for block in range(begin, end):
        for place in range(block * CHUNK, min(size, (block + 1) * CHUNK)):
            target = np.int64(link[place])
            if target < place:
                for i in range(count):
                    result[place, i] = right[place, i] + rate[place] * result[target, i]
                continue
            for i in range(count):
                total, share, at = right[place, i], rate[place], target
                while at != place:
                    total += share * right[at, i]
                    share *= rate[at]
                    at = np.int64(link[at])
                result[place, i] = total / (1.0 - share)


@compiled
def solve_transposed(
    begin: int, end: int, link: Array, rate: Array, right: Array, result: Array,
) -> None:  # fmt: skip
    """result = (I - rate E)^-T right, in every column: what flows along the links."""
    size, count = right.shape
    for block in range(begin, end):
        first, last = block * CHUNK, min(size, (block + 1) * CHUNK)
        for place in range(first, last):
            for i in range(count):
                result[place, i] = right[place, i]
        for place in range(last - 1, first - 1, -1):
            target = np.int64(link[place])
            if target < place:
                for i in range(count):
                    result[target, i] += rate[place] * result[place, i]
                continue
            share, at = rate[place], target
            while at != place:
                share *= rate[at]
                at = np.int64(link[at])
            for i in range(count):
                result[place, i] /= 1.0 - share
                flow, at = rate[place] * result[place, i], target
                while at != place:
                    result[at, i] += flow
                    flow *= rate[at]
                    at = np.int64(link[at])
