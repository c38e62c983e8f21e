"""The compiled loop of the posterior: one row more of a triangular solve, in one pass."""

from __future__ import annotations

from numba import prange

from ...cmdp.scale.compiled import BLOCK, compiled
from .checks import Floats


@compiled
def eliminate(
    solved: Floats, count: int, weights: Floats, pivot: float, residual: float,
    row: Floats, squares: Floats, fitted: Floats,
) -> None:  # fmt: skip
    """solved[count] = (row - weights . solved[:count]) / pivot, with the sums that it adds to.

    solved (capacity, N); weights (count); squares (N) gains the square of the new row, fitted (N)
    residual times it; row (N) is used up.  The order of the sums does not depend on threads.
    """
    size = row.shape[0]
    for block in prange((size + BLOCK - 1) // BLOCK):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        whole = count - count % 4
        for k in range(0, whole, 4):  # four at once: the sums stay in registers for longer
            a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            for x in range(first, last):
                row[x] = (
                    row[x] - a * solved[k, x] - b * solved[k + 1, x]
                    - c * solved[k + 2, x] - d * solved[k + 3, x]
                )  # fmt: skip
        for k in range(whole, count):
            for x in range(first, last):
                row[x] -= weights[k] * solved[k, x]
        for x in range(first, last):
            value = row[x] / pivot
            solved[count, x] = value
            squares[x] += value * value
            fitted[x] += residual * value
