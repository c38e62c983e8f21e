"""Closed forms: projections, mixtures, the knapsack, rounding."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.poisoning import (
    FlipProblem,
    lower_bound,
    mixture,
    one_direction,
    projection,
    round_labels,
    rounding_bounds,
    solve_flips,
)
from holdfast.solvers.poisoning.flips.closed_forms import size

from ...zoo.flips import random_problem

F = Fraction
NORMS = ("l1", "l2", "linf")


def test_lower_bounds_by_hand(small):
    """p = -phi/21: squares 1/21, greatest entry 4/21, sum 7/21; all three bounds are attained."""
    assert projection(small).fractions() == (F(-1, 21), F(-2, 21), F(-4, 21))
    assert [lower_bound(small, norm) for norm in NORMS] == [F(1, 4), F(1, 21), F(1, 7)]


@pytest.mark.parametrize("seed", range(60))
def test_the_projection_is_orthogonal(seed):
    """The same moments as d, and a combination of the rows: nothing shorter has them."""
    problem = random_problem(seed)
    p = projection(problem)
    assert problem.moments(p) == problem.moment
    d = problem.displacement
    assert sum(a * b for a, b in zip(p.fractions(), d.fractions(), strict=True)) == size(p, "l2")


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("norm", NORMS)
def test_the_chain(seed, norm):
    problem = random_problem(seed)
    mixed, cost = mixture(problem), solve_flips(problem, norm).value
    assert lower_bound(problem, norm) <= cost
    assert cost <= mixed.tighter_bound(norm) <= mixed.upper_bound(norm)
    assert mixed.upper_bound(norm) <= size(problem.displacement, norm)
    assert mixed.line_search <= mixed.share
    for share in (mixed.line_search, mixed.share):
        changes = mixed.changes(share)
        assert problem.moments(changes) == problem.moment
        rooms = (problem.room_down.fractions(), problem.room_up.fractions())
        assert all(-a <= x <= b for x, a, b in zip(changes.fractions(), *rooms, strict=True))


def test_the_mixture_by_hand():
    """phi = (1, 1), benign 3/4: d = (-1/4, 1/8), p = (-1/16, -1/16) lies in the box: b = 0.

    With benign 1 and target (1/2, 1): d = (-1/2, 0), p = (-1/4, -1/4), again inside.  With
    phi = (1, -1) p = (-1/4, 1/4) leaves it by 1/4; the slack of d is 0, so that the share of
    Theorem 3 is 1, and so is the exact one: only d has a second entry of at most 0.
    """
    inside = mixture(FlipProblem.of([[1, 1]], F(3, 4), [F(1, 2), F(7, 8)]))
    assert (inside.worst, inside.slack, inside.share) == (0, F(1, 8), 0)
    assert inside.projected.fractions() == (F(-1, 16), F(-1, 16))
    assert mixture(FlipProblem.of([[1, 1]], 1, [F(1, 2), 1])).line_search == 0
    outside = mixture(FlipProblem.of([[1, -1]], 1, [F(1, 2), 1]))
    assert (outside.worst, outside.slack, outside.share) == (F(1, 4), 0, 1)
    assert outside.line_search == 1
    assert outside.upper_bound() == F(1, 2)


def test_the_line_search_gains():
    """phi = (4, -1), benign (1, 3/4), target (1/2, 1/2): d = (-1/2, -1/4), b = -7/4,
    p = b (4, -1)/17 = (-7/17, 7/68).  Both inside (up_2 = 1/4): b = 0.  With benign_2 = 1 the
    second may not rise: d = (-1/2, -1/2), b = -3/2, p = (-6/17, 3/34); alpha* = 3/34, slack of d
    is min(1/2, 1/2) = 1/2: share (3/34)/(3/34 + 1/2) = 3/20; exact: (3/34)/(3/34 + 1/2), the same,
    for one pair decides both.  A third pair with feature 0 and target 9/10 has slack 1/10."""
    two = mixture(FlipProblem.of([[4, -1]], 1, [F(1, 2), F(1, 2)]))
    assert two.share == two.line_search == F(3, 20)
    three = mixture(FlipProblem.of([[4, -1, 0]], 1, [F(1, 2), F(1, 2), F(9, 10)]))
    assert three.line_search == F(3, 20)
    assert three.share == F(3, 34) / (F(3, 34) + F(1, 10))
    assert three.tighter_bound() < three.upper_bound()


# -- the knapsack
def test_the_knapsack_by_hand():
    """a = (3, -2, 1), hard labels 1, all flipped: b = -(3 - 2 + 1) = -2.  Changes may only fall, so
    pairs with a_i > 0 help: pair 1 gives 3 a flip, 2/3 of it is enough."""
    problem = FlipProblem.of([[1, 1, 1]], 1, 0)
    found = one_direction(problem, [3, -2, 1])
    assert (found.gap, found.value, found.bound) == (-2, F(2, 3), F(2, 3))
    assert found.changes.fractions() == (F(-2, 3), 0, 0)
    # with target (0, 1, 0) b = -4: pair 1 whole, then pair 3: 1 + 1; without capacities 4/3
    found = one_direction(problem.with_target([0, 1, 0]), [3, -2, 1])
    assert (found.value, found.bound) == (2, F(4, 3))
    assert one_direction(problem, [0, 0, 0]).value == 0
    with pytest.raises(ModelError, match="direction has 2 entries for 3 pairs"):
        one_direction(problem, [1, 2])


@pytest.mark.parametrize("seed", range(40))
def test_the_knapsack_is_the_program_of_one_equation(seed):
    problem = random_problem(seed)
    direction = problem.scores([(seed + k) % 5 - 2 for k in range(problem.n_features)]).fractions()
    found = one_direction(problem, direction)
    if problem.weights is None:
        assert found.value == solve_flips(problem.with_features([direction])).value
    assert found.bound <= found.value <= solve_flips(problem).value


# -- rounding
def test_rounding_by_hand():
    """Halves go towards the benign label: 1/2 to 1 from benign 1, to 0 from benign 0."""
    problem = FlipProblem.of([[1, 1, 1, 1]], [1, 0, 1, 0], [0, 1, 1, 1])
    labels = Vector.of([F(1, 2), F(1, 2), F(1, 3), F(3, 4)])
    assert round_labels(problem, labels, 1).fractions() == (1, 0, 0, 1)
    assert round_labels(problem, labels, 2).fractions() == (F(1, 2), F(1, 2), F(1, 2), F(1, 2))
    assert round_labels(problem, labels, 4).fractions()[3] == F(3, 4)
    with pytest.raises(ModelError, match="copies is 0"):
        round_labels(problem, labels, 0)


@pytest.mark.parametrize("copies", [1, 2, 5])
@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_rounding_keeps_its_bounds(seed, copies):
    problem = random_problem(seed)
    found = solve_flips(problem)
    rounded = round_labels(problem, found.labels, copies)
    kept = FlipProblem(problem.features, found.labels, rounded, problem.weights)
    moved, labelled = kept.displacement, problem.with_target(rounded)
    bounds = rounding_bounds(problem, found.n_fractional, copies)
    assert size(problem.moments(moved), "l2") <= bounds.moments_squared
    assert abs(size(labelled.displacement, "l1") - found.value) <= bounds.cost


def test_rounding_needs_benign_labels_on_the_grid():
    problem = FlipProblem.of([[1, 1]], [1, F(1, 3)], 0)
    with pytest.raises(ModelError, match=r"benign\[1\] is 1/3, no multiple of 1/2"):
        rounding_bounds(problem, 1, 2)
