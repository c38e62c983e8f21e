"""The chord method finds the edge of the hull over a bound, from a list of points."""

import random
from dataclasses import dataclass
from fractions import Fraction as F

import pytest

from holdfast.solvers.chance import best_flip, upper_hull
from holdfast.solvers.programs.chord import close_chord, height_above, slope_between


@dataclass(frozen=True)
class Place:
    point: tuple[F, F]


def oracle(places):
    """The best places for a slope, those of least and of greatest cost."""

    def best(slope, _start=None):
        top = max(p.point[1] - slope * p.point[0] for p in places)
        ends = [p for p in places if p.point[1] - slope * p.point[0] == top]
        return min(ends, key=lambda p: p.point), max(ends, key=lambda p: p.point)

    return best


@pytest.mark.parametrize("whole", [False, True])
def test_the_chord_closes_on_the_edge_of_the_hull(whole: bool) -> None:
    """Both ends of each face, or one point of it, lead to the same edge."""
    numbers = random.Random(0)
    for _ in range(100):
        points = [(F(numbers.randint(0, 9)), F(numbers.randint(0, 9))) for _ in range(8)]
        corners = [points[i] for i in upper_hull(points)]
        if len(corners) < 2:
            continue
        low, high, bound = corners[0], corners[-1], F(numbers.randint(0, 9))
        if not low[0] <= bound < high[0]:
            continue
        best = oracle([Place(p) for p in points])
        one = best if whole else lambda slope, _, best=best: (best(slope)[0],) * 2
        slope, left, right = close_chord(Place(low), Place(high), bound, one, whole=whole)
        assert left.point[0] <= bound <= right.point[0]
        value = left.point[1] + slope * (bound - left.point[0])
        assert value == best_flip(points, bound).value
        assert slope_between(left, right) == slope if left != right else left.point[0] == bound


def test_a_chord_that_falls_is_answered_by_slope_zero() -> None:
    """(2, 1) is no optimum of the reward; (1, 3) is, and meets the bound."""
    low, peak, high = Place((F(0), F(2))), Place((F(1), F(3))), Place((F(2), F(1)))
    found = close_chord(low, high, F(3, 2), oracle([low, peak, high]), whole=True)
    assert found == (0, peak, peak)


def test_an_oracle_that_misses_a_better_point_is_noticed() -> None:
    low, high, poor = Place((F(0), F(0))), Place((F(2), F(2))), Place((F(1), F(1, 2)))
    assert height_above(Place((F(1), F(2))), F(1), low) == 1
    with pytest.raises(AssertionError, match="slope 1 is 1/2 below"):
        close_chord(low, high, F(1), lambda slope, _: (poor, poor))
    with pytest.raises(AssertionError, match="not around the bound"):
        close_chord(low, high, F(1), lambda slope, _: (low, low), whole=True)
