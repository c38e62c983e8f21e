"""The chord method: the best point under one bound, from an oracle for unconstrained problems.

The points (cost, reward) of all policies have a concave envelope.  Start from two points around the
bound; the slope of their chord is a trial multiplier; the oracle maximises reward - slope * cost.
If nothing is above the chord, it is an edge of the envelope; else what was found replaces one end.
All that is found lies on the envelope, nearer to the bound in each round, and deterministic
policies are finitely many.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Protocol, TypeVar


class Point(Protocol):
    """Anything with a place in the plane."""

    @property
    def point(self) -> tuple[Fraction, Fraction]:
        """(cost, reward), exact."""


P = TypeVar("P", bound=Point)


def slope_between(low: Point, high: Point) -> Fraction:
    """The slope of the chord between two points of different cost."""
    (cost, reward), (more, better) = low.point, high.point
    return (better - reward) / (more - cost)


def height_above(found: Point, slope: Fraction, low: Point) -> Fraction:
    """How far a point that is best for a slope lies above the line of that slope through another.

    Raises AssertionError when it lies below, for then it is not best.
    """
    (cost, reward), (before, least) = found.point, low.point
    height = reward - least - slope * (cost - before)
    assert height >= 0, f"the best point for the slope {slope} is {-height} below another one"
    return height


def close_chord(
    low: P,
    high: P,
    bound: Fraction,
    best: Callable[[Fraction, P], tuple[P, P]],
    *,
    whole: bool = False,
) -> tuple[Fraction, P, P]:
    """The edge of the envelope over a bound: its slope, and points of it around the bound.

    Args:
        low, high: with cost(low) <= bound < cost(high).
        best: points that maximise reward - slope * cost, the one of less cost first (they may be
            the same), for a slope >= 0 and a point to start from.
        whole: whether they are those of least and of greatest cost.  Then they are the answer as
            soon as the bound lies between them.  A chord that falls is answered by slope 0.
    """
    while True:
        slope = slope_between(low, high)
        if whole:
            slope = max(slope, Fraction(0))
        left, right = best(slope, low)
        height = height_above(left, slope, low)
        if whole and left.point[0] <= bound and (bound <= right.point[0] or not slope):
            return slope, left, right
        if not height:
            assert not whole, f"the edge of slope {slope} is on the chord but not around the bound"
            return slope, low, high
        low, high = (right, high) if right.point[0] <= bound else (low, left)
