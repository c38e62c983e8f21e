"""Families of preference data from which a reward is learnt, small enough for exact arithmetic.

At most three features and six pairs; labels are quarters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, solve_flips

from ...binding.draws import Draw
from ...binding.family import Family
from .flips import weights

KINDS = ("generic", "generic", "opposite", "blank", "duplicate")
_ZERO = Fraction(0)


def small_features(draw: Draw) -> list[list[Fraction]]:
    """Columns of n integers or halves, one a pair."""
    n = draw.integer(1, 3)
    scale, kind = draw.choice((1, 1, 2)), draw.choice(KINDS)
    columns = [
        [Fraction(draw.integer(-2, 2), scale) for _ in range(n)] for _ in range(draw.integer(2, 6))
    ]
    if kind == "opposite":
        columns[-1] = [-value for value in columns[0]]
    elif kind == "blank":
        columns[-1] = [_ZERO] * n
    elif kind == "duplicate":
        columns[-1] = columns[0]
    return columns


def by_feature(columns: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """The same, one row a feature."""
    return [list(row) for row in zip(*columns, strict=True)]


def small_labels(draw: Draw, pairs: int) -> list[Fraction]:
    """All one, all 0 or 1, or quarters."""
    steps = draw.choice((0, 1, 4))
    return [1 - Fraction(draw.integer(0, steps), max(1, steps)) for _ in range(pairs)]


def labelled() -> Family:
    """Two labellings of the same pairs, benign and target."""

    def base(draw: Draw) -> FlipProblem:
        rows = by_feature(small_features(draw))
        pairs = len(rows[0])
        labels = small_labels(draw, pairs), small_labels(draw, pairs)
        return FlipProblem.of(rows, *labels, weights(draw, pairs))

    return Family("two labellings of the same pairs", base)


def whole_reward(draw: Draw, problem: FlipProblem, *_: object) -> Vector:
    """A reward that scores every pair a whole multiple of log 2."""
    return whole_multiple(problem, [draw.integer(-2, 2) for _ in problem.features])


def whole_multiple(problem: FlipProblem, entries: Iterable[int]) -> Vector:
    """The least multiple of a reward in integers that scores every pair a whole number."""
    entries = tuple(entries)
    common = lcm(*(value.denominator for value in problem.scores(entries).fractions()))
    return Vector(tuple(common * value for value in entries))


def ridge(draw: Draw, *_: object) -> Fraction:
    """A ridge, from weak to strong."""
    return draw.choice((Fraction(1), Fraction(1, 4), Fraction(5), Fraction(1, 20), Fraction(40)))


def temperature(draw: Draw, *_: object) -> Fraction:
    """A temperature."""
    return draw.choice((Fraction(1), Fraction(1, 2), Fraction(3)))


def answer(draw: Draw, problem: FlipProblem, *_: object) -> Vector:
    """Features of one answer minus those of another, not all 0."""
    return Vector(tuple(draw.integer(-2, 2) or 1 for _ in problem.features))


def copies(draw: Draw, *_: object) -> int:
    """How many copies of each pair there are."""
    return draw.integer(1, 4)


def vertex_labels(draw: Draw, problem: FlipProblem, *_: object) -> Vector:
    """The labels of least cost, at a vertex."""
    return solve_flips(problem).labels


def single(
    feature: Fraction | int, benign: Fraction | int, target: Fraction | int, pairs: int = 1
) -> FlipProblem:
    """Copies of one pair with one feature."""
    return FlipProblem.of([[feature] * pairs], benign, target)
