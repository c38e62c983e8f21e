"""The compiled steps of BiCGSTAB for V - gamma P V = f, several right-hand sides at once.

Everything happens modulo constants: vectors are kept free of their mean, because adding a constant
to V shifts all residuals alike and no bound depends on it.  Each column has its own scalars.
Row b of ``sums`` holds the block's partial sums of each column.
"""

from __future__ import annotations

import numpy as np

from .compiled import BLOCK, compiled, serial
from .image import Array


@serial
def expect(
    rows: Array, successors: Array, weights: Array, x: Array, first: int, last: int, result: Array
) -> None:
    """result[s] = sum_j weights_j x[successors_j] in a block of states, two columns at once."""
    count = x.shape[1]
    for i in range(0, count - 1, 2):
        for state in range(first, last):
            one, two = 0.0, 0.0
            for j in range(rows[state], rows[state + 1]):
                weight, ahead = float(weights[j]), successors[j]
                one += weight * x[ahead, i]
                two += weight * x[ahead, i + 1]
            result[state, i], result[state, i + 1] = one, two
    if count % 2:
        i = count - 1
        for state in range(first, last):
            one = 0.0
            for j in range(rows[state], rows[state + 1]):
                one += weights[j] * x[successors[j], i]
            result[state, i] = one


@compiled
def residuals(
    begin: int, end: int, rows: Array, successors: Array, weights: Array, scale: Array,
    payoffs: Array, values: Array, result: Array, stats: Array,
) -> None:  # fmt: skip
    """result = payoff + gamma P V - V in every column; greatest, least and total of each block."""
    size, count = values.shape
    for block in range(begin, end):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        expect(rows, successors, weights, values, first, last, result)
        for i in range(count):
            greatest, least, total = -np.inf, np.inf, 0.0
            for state in range(first, last):
                gain = payoffs[state, i] + scale[state] * result[state, i] - values[state, i]
                result[state, i] = gain
                greatest, least, total = max(greatest, gain), min(least, gain), total + gain
            stats[block, i, 0], stats[block, i, 1], stats[block, i, 2] = greatest, least, total


@compiled
def apply(
    begin: int, end: int, rows: Array, successors: Array, weights: Array, scale: Array, x: Array,
    other: Array, result: Array, sums: Array,
) -> None:  # fmt: skip
    """result = x - gamma P x, with the sums of result, other * result and result^2."""
    size, count = x.shape
    for block in range(begin, end):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        expect(rows, successors, weights, x, first, last, result)
        for i in range(count):
            total, along, square = 0.0, 0.0, 0.0
            for state in range(first, last):
                y = x[state, i] - scale[state] * result[state, i]
                result[state, i] = y
                total, along, square = total + y, along + other[state, i] * y, square + y * y
            sums[block, i, 0], sums[block, i, 1], sums[block, i, 2] = total, along, square


@compiled
def half_step(
    begin: int, end: int, residual: Array, image: Array, mean: Array, alpha: Array,
) -> None:  # fmt: skip
    """residual -= alpha (image - mean)."""
    size, count = residual.shape
    for block in range(begin, end):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        for i in range(count):
            rate, centre = alpha[i], mean[i]
            for state in range(first, last):
                residual[state, i] -= rate * (image[state, i] - centre)


@compiled
def full_step(
    begin: int, end: int, x: Array, step: Array, second_step: Array, residual: Array, image: Array,
    mean: Array, alpha: Array, omega: Array, shadow: Array, sums: Array,
) -> None:  # fmt: skip
    """x += alpha step + omega second_step, residual -= omega (image - mean).

    ``sums`` gets shadow . residual, the greatest and the least residual.
    """
    size, count = x.shape
    for block in range(begin, end):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        for i in range(count):
            rate, weight, centre = alpha[i], omega[i], mean[i]
            along, greatest, least = 0.0, -np.inf, np.inf
            for state in range(first, last):
                x[state, i] += rate * step[state, i] + weight * second_step[state, i]
                r = residual[state, i] - weight * (image[state, i] - centre)
                residual[state, i] = r
                along += shadow[state, i] * r
                greatest, least = max(greatest, r), min(least, r)
            sums[block, i, 0], sums[block, i, 1], sums[block, i, 2] = along, greatest, least


@compiled
def turn(
    begin: int, end: int, direction: Array, residual: Array, image: Array, mean: Array,
    beta: Array, omega: Array,
) -> None:  # fmt: skip
    """direction = residual + beta (direction - omega (image - mean))."""
    size, count = direction.shape
    for block in range(begin, end):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        for i in range(count):
            rate, weight, centre = beta[i], omega[i], mean[i]
            for state in range(first, last):
                kept = direction[state, i] - weight * (image[state, i] - centre)
                direction[state, i] = residual[state, i] + rate * kept
