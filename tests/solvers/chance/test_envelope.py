"""The envelope, its truncation, hulls of arbitrary points, and the limits of enumeration."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from holdfast.solvers import WORLDS, ModelError
from holdfast.solvers.chance import (
    ChanceProblem,
    best_flip,
    count_policies,
    enumerate_policies,
    frontier,
    solve,
    upper_hull,
)


def test_the_kinks_of_three_states(three_states):
    """The first three edges are derived in test_golden.py.

    Then choice 0 in state 0 at time 1 (reached with 4/10): 3 + 4/10 + 4/10 5 + 2/10 2 = 29/5 for
    9/25 against 1 + 6/10 + 4/10 5 = 18/5 for 4/25: slope 11, 2/25 of risk.  Last, state 0 at time 2
    (reached with 4/10 4/10 + 4/10 5/10): 2 for 1/5: slope 10, 9/125 of risk.
    """
    found = frontier(ChanceProblem(three_states(), [2], 3))
    assert found.complete
    risks = [str(risk) for risk, _ in found.kinks]
    assert risks == ["0", "1/5", "9/25", "11/25", "13/25", "74/125"]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(found.kinks)]
    assert slopes == [Fraction(77, 5), Fraction(55, 4), Fraction(25, 2), 11, 10]
    assert found.value_at(Fraction(1, 10)) == Fraction(191, 50)
    assert found.value_at(Fraction(1, 5)) == Fraction(134, 25)
    assert found.value_at(Fraction(99, 100)) == found.kinks[-1][1]
    assert found.value_at(Fraction(-1)) is None


def test_a_truncated_envelope_says_so():
    world = WORLDS["two-discs"]
    model = world.build()
    problem = ChanceProblem(model, model.label("unsafe"), world.horizon)
    found = frontier(problem, most=6)
    assert not found.complete
    assert 6 <= len(found.points) <= 7
    assert not all(found.edges)
    level = Fraction(17, 100)
    assert found.value_at(level) < solve(problem, level).value
    with pytest.raises(ModelError, match="most is 1; a frontier needs at least its two ends"):
        frontier(problem, most=1)


def test_one_policy_is_its_own_envelope(three_states):
    """Nothing is unsafe, so the reward's optimum has risk 0."""
    found = frontier(ChanceProblem(three_states(), [], 3))
    assert (len(found.points), found.complete, found.edges) == (1, True, ())
    assert found.points[0].risk == 0


POINTS = [(0, 0), ("1/2", 3), ("1/4", "3/2"), ("1/4", 1), (1, 4), (1, 5), ("3/2", 5), ("1/8", -1)]


def test_corners_of_a_hull():
    """(1/4, 3/2) is on the edge from (0, 0) to (1/2, 3); (3/2, 5) is no better than (1, 5)."""
    assert upper_hull(POINTS) == (0, 1, 5)
    assert upper_hull([(2, 1)]) == (0,)
    assert upper_hull([(1, 1), (0, 2)]) == (1,)
    assert upper_hull([(0, 1), (0, 1), (0, 2)]) == (2,)


def test_flips_between_given_points():
    middle = best_flip(POINTS, "3/4")
    assert (middle.safer, middle.bolder, middle.probability) == (1, 5, Fraction(1, 2))
    assert middle.value == 4
    assert best_flip(POINTS, 9).value == 5
    assert best_flip(POINTS, "1/2").probability == 0
    assert best_flip(POINTS, "1/4").value == Fraction(3, 2)
    assert best_flip(POINTS, -1) is None


def test_points_must_be_numbers_and_some():
    with pytest.raises(ValueError, match="there is no point; give at least one"):
        upper_hull([])
    with pytest.raises(ValueError, match="risk of point 1 is nan"):
        upper_hull([(0, 0), (float("nan"), 0)])


def test_enumeration_counts_reachable_cells(three_states):
    """Time 0: state 0.  Time 1: 0, 1 and (visited) 2.  Two choices each: 2^4."""
    problem = ChanceProblem(three_states(), [2], 2)
    policies = list(enumerate_policies(problem))
    assert count_policies(problem) == len(policies) == 16
    assert len({tuple(sorted(p.choices.items())) for p in policies}) == 16


def test_large_enumerations_are_refused_with_the_count(three_states):
    problem = ChanceProblem(three_states(), [2], 6)
    count = count_policies(problem)
    assert count > 200_000
    with pytest.raises(ModelError, match=f"there are {count} deterministic policies.*frontier"):
        enumerate_policies(problem)
