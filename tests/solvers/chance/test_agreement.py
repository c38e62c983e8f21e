"""The chord, the flag program, enumeration and the unrolled model agree exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from holdfast.solvers.chance import (
    ChanceProblem,
    best_flip,
    enumerate_policies,
    evaluate_policy,
    frontier,
    minimum_risk,
    solve,
    solve_by_flag_program,
    upper_hull,
)

LEVELS = [Fraction(k, 7) for k in range(0, 7, 2)]


@pytest.mark.parametrize("seed", range(36))
def test_random_problems(random_problem, seed):
    problem = random_problem(seed)
    points = [(policy.risk, policy.value) for policy in enumerate_policies(problem)]
    corners = [points[i] for i in upper_hull(points)]
    assert minimum_risk(problem).risk == corners[0][0]
    middle = [(a + b) / 2 for (a, _), (b, _) in pairwise(corners)]
    for level in [*LEVELS, *(risk for risk in middle if problem.charge or risk < 1)]:
        chord, program = solve(problem, level), solve_by_flag_program(problem, level)
        flip = best_flip(points, level)
        assert chord.status is program.status
        assert chord.value == program.value == (None if flip is None else flip.value)
        if flip is None:
            assert chord.minimum_risk == program.minimum_risk == corners[0][0] > level
            continue
        if level in middle:
            assert chord.multiplier == program.multiplier
            assert chord.flip_probability == Fraction(1, 2)
            assert chord.safer.risk + chord.bolder.risk == 2 * level
        for solution in (chord, program):
            exact = (solution.value, solution.risk)
            assert evaluate_policy(problem, solution.policy.choices, solution.mixed) == exact
            assert solution.risk <= level


@pytest.mark.parametrize("seed", range(60, 80))
def test_the_envelope_is_the_hull_of_all_policies(random_problem, seed):
    problem = random_problem(seed)
    points = [(policy.risk, policy.value) for policy in enumerate_policies(problem)]
    found = frontier(problem)
    assert list(found.kinks) == [points[i] for i in upper_hull(points)]
    assert found.complete
    assert all(found.edges)
    for point in found.points:
        assert evaluate_policy(problem, point.choices) == (point.value, point.risk)


@pytest.mark.parametrize("seed", range(20))
def test_charges_interpolate_between_joint_and_boole(random_problem, seed):
    """The charge grows with z, so the optimum falls; the ends are the joint chance and Boole."""
    draws = [random_problem(seed, charge=Fraction(k, 4)) for k in range(5)]
    values = [solve(problem, "1/4").value for problem in draws]
    feasible = [value for value in values if value is not None]
    assert values == feasible + [None] * (5 - len(feasible))
    assert feasible == sorted(feasible, reverse=True)


def test_charges_interpolate_strictly(three_states):
    values = [
        solve(ChanceProblem(three_states(), [2], 3, charge=Fraction(k, 4)), "2/5").value
        for k in range(5)
    ]
    assert (values[0], values[-1]) == (Fraction(403, 50), Fraction(3826, 525))
    assert all(a > b for a, b in pairwise(values))


def test_reward_only_while_safe_makes_nobody_reckless(three_states):
    """With nothing left to earn after a violation, the same level is worth less."""
    free, safe = (
        solve(ChanceProblem(three_states(), [2], 3, reward_after_violation=after), "1/4")
        for after in (True, False)
    )
    assert safe.value < free.value
    # After the first violation (memory 1) reward is 0 whatever is done.
    assert safe.value == solve_by_flag_program(safe.problem, "1/4").value


def test_other_denominators_in_every_row(three_states):
    """Rows in sevenths and elevenths: the common denominator differs from layer to layer."""
    model = three_states().with_initial([3, 1, 0])
    problem = ChanceProblem(model.with_discount(Fraction(6, 7)), [2], 6)
    assert solve(problem, "1/3").value == solve_by_flag_program(problem, "1/3").value
