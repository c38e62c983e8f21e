"""The compiled loop of the posterior: one row more of a triangular solve, in one pass."""

from __future__ import annotations

from ...cmdp.scale.compiled import BLOCK, compiled
from .checks import Floats


@compiled
def eliminate(
    begin: int, end: int, solved: Floats, count: int, weights: Floats, pivot: float,
    residual: float, row: Floats, squares: Floats, fitted: Floats,
) -> None:  # fmt: skip
    """solved[count] = (row - weights . solved[:count]) / pivot, with the sums that it adds to.

    solved (capacity, N); weights (count); squares (N) gains the square of the new row, fitted (N)
    residual times it; row (N) is used up.  The order of the sums does not depend on threads.
    """
    size, whole = row.shape[0], count - count % 4
    for block in range(begin, end):
        first, last = block * BLOCK, min(size, (block + 1) * BLOCK)
        part, new = row[first:last], solved[count, first:last]
        for k in range(0, whole, 4):  # four rows at once, so that the sums are loaded less often
            a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            p, q = solved[k, first:last], solved[k + 1, first:last]
            r, s = solved[k + 2, first:last], solved[k + 3, first:last]
            for x in range(last - first):
                part[x] = part[x] - a * p[x] - b * q[x] - c * r[x] - d * s[x]
        for k in range(whole, count):
            p = solved[k, first:last]
            for x in range(last - first):
                part[x] -= weights[k] * p[x]
        for x in range(last - first):
            new[x] = part[x] / pivot
            squares[first + x] += new[x] * new[x]
            fitted[first + x] += residual * new[x]
