"""Many draws of T up to a horizon, from any token process, by one compiled loop.

The law of min(T, H + 1) becomes a table of Walker's alias method, so that a draw costs one random
number, one look-up and one comparison, whatever the process.  Random numbers are those of
xoshiro256++ (Blackman and Vigna 2019), of which each block of draws has a state of its own from a
Philox stream: results depend on the seed alone, not on the number of threads.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..cmdp.scale.compiled import compiled, serial
from ..errors import ModelError
from ..sequences import Array
from ..target_returns.gaussian.checks import count
from .processes import TokenProcess

_BLOCK = 2**16
"""Draws of a state: many for each seeding, few enough that two cores share a million."""
_MOST = 2**22
"""Tokens of a horizon: its table then has 64 MB."""
_ROTATIONS = tuple(map(np.uint64, (23, 41, 45, 19, 17)))  # of xoshiro256++ and the rest of 64


def simulate(process: TokenProcess, horizon: int, size: int, seed: int) -> Array:
    """`size` independent draws of min(T, horizon + 1), int32: horizon + 1 stands for not solved.

    Where T has a density it is rounded up to whole tokens.  The masses are those of the process's
    cdf in floats, to some 1e-16 each.  Raises ModelError for a horizon outside 1 to 4,194,304,
    and a size or a seed that is negative or no whole number.
    """
    if isinstance(horizon, bool) or horizon // 1 != horizon or not 1 <= horizon <= _MOST:
        raise ModelError(f"the horizon is {horizon}; give a whole number from 1 to {_MOST:,}")
    if isinstance(size, bool) or size // 1 != size or size < 0:
        raise ModelError(f"size is {size}; it is a number of draws")
    draws = np.empty(int(size), np.int32)
    thresholds, others = alias_table(masses(process, int(horizon)))
    streams = np.random.Generator(np.random.Philox(count(seed, "seed", 0)))
    states = streams.integers(0, 2**64, (-(-len(draws) // _BLOCK), 4), np.uint64, endpoint=False)
    states[:, 0] |= np.uint64(1)  # a state of zeros would stay so
    _draw(len(states), states, thresholds, others, draws)
    return draws


def masses(process: TokenProcess, horizon: int) -> Array:
    """Pr[T <= 1], Pr[1 < T <= 2], ..., Pr[T > horizon]: float64[horizon + 1]."""
    times = np.arange(1.0, horizon + 1)
    below, above = process.cdf(times), process.tail(times)
    low = np.diff(below, prepend=0.0)
    high = -np.diff(above, prepend=1.0)
    inside = np.where(below < 0.5, low, high)  # differences of small numbers, not of ones
    return np.maximum(np.append(inside, above[-1]), 0.0)


def alias_table(weights: Array) -> tuple[Array, Array]:
    """Walker's table of outcomes 1 to N of these weights (N), with as many cells as a power of 2.

    Cell k stands for outcome k + 1 where 64 random bits, those of the cell's number shifted out,
    are below thresholds[k], uint64, and for others[k], int32, otherwise.
    """
    bits = max(1, int(len(weights) - 1).bit_length())
    scaled = np.zeros(2**bits)
    scaled[: len(weights)] = weights * (2**bits / weights.sum())
    others = np.arange(1, 2**bits + 1, dtype=np.int32)
    _pair(scaled, others, np.argsort(scaled, kind="stable"))
    below = np.minimum(scaled, np.nextafter(1.0, 0.0))  # a full cell has no other outcome
    return (below * 2.0**63).astype(np.uint64) << np.uint64(1), others


@serial
def _pair(scaled: Array, others: Array, order: Array) -> None:
    """Fill each cell of less than one with the rest of a fuller one, which then may lack some."""
    small, large = 0, len(order) - 1
    current = order[small]
    while small < large:
        fuller = order[large]
        others[current] = fuller + 1
        scaled[fuller] -= 1.0 - scaled[current]
        if scaled[fuller] < 1.0:
            current = fuller
            large -= 1
        else:
            small += 1
            current = order[small]


@partial(compiled, least=1)
def _draw(
    begin: int, end: int, states: Array, thresholds: Array, others: Array, draws: Array,
) -> None:  # fmt: skip
    bits = np.uint64(0)
    while (1 << bits) < len(thresholds):
        bits += np.uint64(1)
    down = np.uint64(64) - bits
    a, b, c, d, e = _ROTATIONS
    for block in range(begin, end):
        s0, s1, s2, s3 = states[block, 0], states[block, 1], states[block, 2], states[block, 3]
        for k in range(block * _BLOCK, min(len(draws), (block + 1) * _BLOCK)):
            total = s0 + s3
            word = ((total << a) | (total >> b)) + s0
            t = s1 << e
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            s2 ^= t
            s3 = (s3 << c) | (s3 >> d)
            cell = word >> down
            other, own = others[cell], np.int32(cell) + np.int32(1)
            # without a branch, which would be mispredicted in up to half of the draws
            draws[k] = other + (own - other) * np.int32((word << bits) < thresholds[cell])
