"""The chord method agrees exactly with the linear program."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Status, policy_return, solve, solve_by_chord


def test_golden_one_constraint(two_states):
    # G1 at d = 3/2 (derivation in test_occupancy.py): on the edge from (1,3) to (8/3,14/3).
    solution = solve_by_chord(two_states([[0, 1, 0, 2]], [Fraction(3, 2)]))
    assert (solution.value, solution.multiplier) == (Fraction(7, 2), 1)
    assert (solution.low.cost, solution.high.cost) == (1, Fraction(8, 3))
    assert solution.weight == Fraction(3, 10)
    assert solution.policy.probabilities == (0, 1, Fraction(7, 9), Fraction(2, 9))


@pytest.mark.parametrize("kind", ["generic", "deterministic", "ties", "unreachable"])
@pytest.mark.parametrize("seed", range(40))
def test_values_equal_those_of_the_linear_program(random_model, seed, kind):
    model = random_model(seed, states=2 + seed % 5, kind=kind)
    chord, program = solve_by_chord(model), solve(model)
    assert chord.status is program.status is Status.EXACT
    assert chord.value == program.value
    assert policy_return(model, chord.policy) == chord.value
    assert policy_return(model, chord.policy, ("cost", 0)) <= model.budgets[0]
    assert chord.policy.n_randomisations(model) <= 1
    assert sum(a != b for a, b in zip(chord.low.choices, chord.high.choices, strict=True)) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_infeasibility_agrees(random_model, seed):
    model = random_model(seed)
    least = solve_by_chord(model.with_budgets(-(10**9)))
    assert least.status is Status.INFEASIBLE
    below = model.with_budgets(least.minimum_cost - Fraction(1, 10**12))
    assert solve_by_chord(below).status is Status.INFEASIBLE
    assert solve(below).relaxation == Fraction(1, 10**12)
    at = model.with_budgets(least.minimum_cost)
    assert solve_by_chord(at).value == solve(at).value


def test_a_medium_model_agrees(random_model):
    model = random_model(3, states=60, actions=4)
    assert solve_by_chord(model).value == solve(model).value


def test_other_numbers_of_constraints_are_refused(two_states):
    with pytest.raises(ModelError, match="2 constraints; the chord method takes exactly one"):
        solve_by_chord(two_states([[0, 1, 0, 2], [0, 1, 1, 0]], [1, 1]))
    with pytest.raises(ModelError, match="0 constraints"):
        solve_by_chord(two_states([], []))
