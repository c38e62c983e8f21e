"""What is certified by the bounds of a posterior in rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from holdfast.solvers.target_returns import Tuning

from ..families.gaussian import Matrix
from .gaussian import conditioned

Tells = Sequence[tuple[int, float]]


def matrix(tuning: Tuning) -> Matrix:
    """The kernel matrix of the costs, as the floats have it."""
    rows = (tuning.cost.kernel.rows(tuning.points, z) for z in range(len(tuning.points)))
    return tuple(tuple(map(Fraction, row.tolist())) for row in rows)


def _at_most(first: Fraction, second: Fraction, room: Fraction) -> bool:
    """Whether sqrt(first) + sqrt(second) <= room, without a root."""
    rest = room * room - first - second
    return room >= 0 and rest >= 0 and 4 * first * second <= rest * rest


def certified(tuning: Tuning, multipliers: Sequence[float], tells: Tells) -> list[frozenset[int]]:
    """The certified targets before each observation and after the last, from the definition.

    Of the direct and the Lipschitz rule, for costs on a kernel matrix, with a multiplier for each
    time.  All bounds so far count, since they are nested.
    """
    grid = [[Fraction(x) for x in row] for row in tuning.points.tolist()]
    every, seeds = range(len(grid)), frozenset(tuning.seeds)
    kernel = matrix(tuning)
    mean, noise = [Fraction(tuning.cost.prior_mean)] * len(grid), Fraction(tuning.cost.noise**2)
    limit, slope = Fraction(tuning.limit), Fraction(tuning.lipschitz or 0) ** 2
    known: list[list[tuple[Fraction, Fraction]]] = [[] for _ in every]
    found, sets = set(seeds), []
    for step, multiplier in enumerate(multipliers):
        for z in every:
            known[z].append((Fraction(multiplier) ** 2 * kernel[z][z], limit - mean[z]))
        fresh = set(every)
        while fresh:
            sources = {z: [z] if tuning.rule == "direct" else found for z in every}
            fresh = {
                z
                for z in set(every) - found
                for source in sources[z]
                for square, room in known[source]
                if _at_most(square, slope * _squared(grid[source], grid[z]), room)
            }
            found |= fresh
        sets.append(frozenset(found))
        if step < len(tells):
            index, cost = tells[step]
            mean, kernel = conditioned(mean, kernel, index, noise, Fraction(cost))
    return sets


def _squared(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0))
