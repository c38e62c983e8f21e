"""What safe exploration can reach at all: the closure of one step of the Lipschitz rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

from ..gaussian.checks import Floats

Number = float | Fraction


def reachable(
    points: Floats,
    costs: Sequence[Number],
    seeds: Collection[int],
    limit: Number,
    lipschitz: Number,
    margin: Number = 0,
) -> frozenset[int]:
    r"""The least set with the seeds and, with z, all z' of J(z) + margin + L d(z, z') <= limit.

    :math:`\bar R_\zeta(Z_0)` with the margin :math:`\zeta`, which may be negative; exact for the
    numbers that are given, without a square root.  points: float[N, D]; costs: N true costs.
    """
    grid = [[Fraction(x) for x in row] for row in points.tolist()]
    room = [Fraction(limit) - Fraction(margin) - Fraction(cost) for cost in costs]
    squared = Fraction(lipschitz) ** 2
    found, fresh = set(seeds), list(seeds)
    while fresh:
        source = fresh.pop()
        if room[source] < 0:
            continue
        for other in range(len(grid)):
            apart = sum((a - b) ** 2 for a, b in zip(grid[source], grid[other], strict=True))
            if other not in found and squared * apart <= room[source] ** 2:
                found.add(other)
                fresh.append(other)
    return frozenset(found)
