"""The posterior of a Gaussian process in rationals, and what is certified by its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from holdfast.solvers.target_returns import Tuning

Matrix = Sequence[Sequence[Fraction]]
Tells = Sequence[tuple[int, float]]


def condition(
    mean: Sequence[Fraction], kernel: Matrix, noise: Fraction, index: int, value: Fraction
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Mean and covariance after an observation of one target with this variance of noise."""
    row, total = kernel[index], kernel[index][index] + noise
    shift = (value - mean[index]) / total
    return (
        [m + c * shift for m, c in zip(mean, row, strict=True)],
        [
            [k - a * b / total for k, b in zip(line, row, strict=True)]
            for line, a in zip(kernel, row, strict=True)
        ],
    )


def variances(kernel: Matrix, noise: Fraction, order: Sequence[int]) -> list[Fraction]:
    """The variance of each observed target just before it is observed."""
    found, mean = [], [Fraction(0)] * len(kernel)
    for index in order:
        found.append(kernel[index][index])
        mean, kernel = condition(mean, kernel, noise, index, Fraction(0))
    return found


def matrix(tuning: Tuning) -> list[list[Fraction]]:
    """The kernel matrix of the costs, as the floats have it."""
    rows = (tuning.cost.kernel.rows(tuning.points, z) for z in range(len(tuning.points)))
    return [[Fraction(x) for x in row.tolist()] for row in rows]


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
            mean, kernel = condition(mean, kernel, noise, index, Fraction(cost))
    return sets


def _squared(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0))
