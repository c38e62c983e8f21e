"""Enclosures contain the exact optimum, and their bounds do not depend on the floats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, Status, Vector, enclose, evaluate, solve, value_of
from holdfast.solvers.enclosure import quantised, return_bounds, upper_bound
from holdfast.solvers.policies import Policy, policy_return


@pytest.mark.parametrize("constraints", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_lies_inside(random_model, seed, constraints):
    model = random_model(seed, states=12, actions=4, constraints=constraints)
    exact = solve(model)
    try:
        enclosed = enclose(model)
    except ModelError as problem:  # a budget exactly at a least cost cannot be decided by floats
        assert "use solve" in str(problem)
        return
    assert enclosed.status is exact.status
    if exact.status is Status.INFEASIBLE:
        assert 0 < enclosed.relaxation <= exact.relaxation
        return
    assert enclosed.lower <= exact.value <= enclosed.upper
    assert enclosed.width < Fraction(1, 10**6)
    assert sum(c.weight for c in enclosed.components) == 1
    assert len(enclosed.components) <= constraints + 1
    for i, budget in enumerate(model.budgets):
        cost = sum(
            c.weight * policy_return(model, Policy.of_choices(model, c.choices), ("cost", i))
            for c in enclosed.components
        )
        assert cost <= budget


def test_most_random_models_are_decided_by_floats(random_model):
    decided = 0
    for seed in range(12):
        try:
            decided += enclose(random_model(seed, states=12, constraints=1)).width is not None
        except ModelError:
            continue
    assert decided >= 8


def test_bounds_hold_for_arbitrary_values(two_states):
    """G1 at d = 3/2 has value 7/2: any V and lambda give an upper bound, tight at the true ones."""
    model = two_states([[0, 1, 0, 2]], [Fraction(3, 2)])
    exact = solve(model)
    assert upper_bound(model, exact.values, exact.multipliers) == Fraction(7, 2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = quantised(rng.normal(size=2))
        assert upper_bound(model, values, [Fraction(rng.random())]) >= Fraction(7, 2)


def test_return_bounds_enclose_and_collapse(two_states):
    model = two_states([[0, 1, 0, 2]], [1])
    choices = [1, 3]
    values = evaluate(model, Policy.of_choices(model, choices))
    # G1's policy 11 earns 14/3.
    assert return_bounds(model, choices, values, "reward") == (Fraction(14, 3), Fraction(14, 3))
    low, high = return_bounds(model, choices, Vector((1, -1)), "reward")
    assert low <= value_of(model, values) == Fraction(14, 3) <= high


def test_certificates_are_complete(two_states):
    document = enclose(two_states([[0, 1, 0, 2]], [Fraction(3, 2)])).certificate
    assert document["kind"] == "cmdp-enclosure"
    component = document["mixture"]["components"][0]
    assert set(component) == {"weight", "policy", "reward_values", "cost_values"}
    assert Fraction(document["value"][0]) <= Fraction(7, 2) <= Fraction(document["value"][1])


def test_infeasibility_is_proved_exactly(two_states, check_certificate):
    enclosed = enclose(two_states([[0, 1, 0, 2], [0, 1, 1, 0]], ["3/2", "1/4"]))
    assert enclosed.status is Status.INFEASIBLE
    # The exact relaxation is 1/20 (test_occupancy.py).
    assert Fraction(1, 20) - Fraction(1, 10**9) < enclosed.relaxation <= Fraction(1, 20)
    check_certificate(enclosed.certificate)


def test_undecidable_budgets_say_so(random_model):
    model = random_model(2, states=12)
    least = solve(model.with_budgets(-(10**6))).relaxation - 10**6
    with pytest.raises(ModelError, match="use solve, which is exact"):
        enclose(model.with_budgets(least - Fraction(1, 10**25)))
