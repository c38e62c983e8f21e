"""The upper hull of points (risk, value): what mixtures of policies can attain.

The points may be of any policies, exact ones or trained ones whose numbers were measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..exact import Rational, to_fraction

Point = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class FlipBetween:
    """A flip between two of the given points: ``probability`` is that of ``bolder``.

    safer, bolder: positions in the list given (the same if one point is best); value: of the flip.
    """

    safer: int
    bolder: int
    probability: Fraction
    value: Fraction


def upper_hull(points: Sequence[tuple[Rational, Rational]]) -> tuple[int, ...]:
    """Positions of the corners of the increasing part of the upper hull, by increasing risk.

    The first is of least risk, the last of greatest value (of least risk among those).  Points on
    an edge are no corners.  Raises ValueError when there is no point.
    """
    exact = _exact(points)
    if not exact:
        raise ValueError("there is no point; give at least one (risk, value)")
    first, *order = sorted(range(len(exact)), key=lambda i: (exact[i][0], -exact[i][1], i))
    corners = [first]
    for i in order:
        if exact[i][1] > exact[corners[-1]][1]:
            while len(corners) > 1 and not _turns(exact[corners[-2]], exact[corners[-1]], exact[i]):
                corners.pop()
            corners.append(i)
    return tuple(corners)


def best_flip(points: Sequence[tuple[Rational, Rational]], level: Rational) -> FlipBetween | None:
    """The best mixture of points whose risk is at most the level; None when there is none.

    Two points are enough: the hull is the envelope of all mixtures.
    """
    exact, bound = _exact(points), to_fraction(level, "level")
    corners = upper_hull(points)
    place = bisect_left([exact[i][0] for i in corners], bound)
    if place == len(corners) or exact[corners[place]][0] == bound:
        best = corners[min(place, len(corners) - 1)]
        return FlipBetween(best, best, Fraction(0), exact[best][1])
    if not place:
        return None
    safer, bolder = corners[place - 1], corners[place]
    (risk, value), (greater, more) = exact[safer], exact[bolder]
    share = (bound - risk) / (greater - risk)
    return FlipBetween(safer, bolder, share, value + share * (more - value))


def _exact(points: Sequence[tuple[Rational, Rational]]) -> list[Point]:
    return [
        (to_fraction(risk, f"risk of point {i}"), to_fraction(value, f"value of point {i}"))
        for i, (risk, value) in enumerate(points)
    ]


def _turns(one: Point, two: Point, three: Point) -> bool:
    """Whether the middle point lies strictly above the line through the others."""
    run, rise = three[0] - one[0], three[1] - one[1]
    return (two[1] - one[1]) * run > rise * (two[0] - one[0])
