"""Bounds from anybody's policy or values hold whatever is given, and are narrow if it is good."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import (
    CMDP,
    WORLDS,
    ModelError,
    Policy,
    certify,
    policy_return,
    solve,
)

from ....zoo.cmdps import random_model
from ....zoo.large import random_sparse


def drawn_policy(model: CMDP, seed: int) -> Policy:
    """Whole numbers to each choice, over their sum; some zero."""
    stream = np.random.default_rng(seed)
    probabilities: list[Fraction] = []
    for count in model.action_counts.tolist():
        parts = stream.integers(0, 4, count).tolist()
        parts[int(stream.integers(count))] += 1
        probabilities += [Fraction(n, sum(parts)) for n in parts]
    return Policy.of(model, probabilities)


@pytest.mark.parametrize("seed", range(20))
def test_the_bounds_hold_for_any_policy(seed: int) -> None:
    """In floating point, against exact evaluation; and the bound on the optimum against `solve`."""
    model = random_model(seed, states=2 + seed)
    policy = drawn_policy(model, seed)
    found = certify(model, policy, exact=False)
    functions = ["reward", *(("cost", i) for i in range(model.n_constraints))]
    for (low, high), function in zip((found.reward, *found.costs), functions, strict=True):
        assert low <= policy_return(model, policy, function) <= high
        assert high - low < 1e-9 * (1 + abs(high))
    best = solve(model)
    if best.value is not None:
        assert found.upper >= best.value


@pytest.mark.parametrize("seed", range(6))
def test_an_optimal_answer_leaves_nothing(seed: int) -> None:
    """The values of r - lambda c prove its optimality up to rounding."""
    model = random_model(seed, states=8)
    best = solve(model)
    if best.value is None:
        pytest.skip("infeasible")
    assert best.policy is not None
    told = certify(
        model, values=best.values.floats(), multipliers=list(map(float, best.multipliers))
    )
    assert 0 <= told.upper - best.value < 1e-9 * (1 + abs(best.value))
    exact = certify(model, best.policy)
    assert exact.reward == (best.value, best.value)
    assert exact.within_budgets


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1.0, 100.0])
def test_values_that_are_wrong_give_wide_bounds(noise: float) -> None:
    lake = WORLDS["frozen-lake-4x4"].build()
    best = solve(lake)
    stream = np.random.default_rng(0)
    values = best.values.floats() + noise * stream.normal(size=17)
    found = certify(lake, values=values, multipliers=[float(best.multipliers[0])], sweeps=0)
    assert best.value is not None
    assert best.value <= found.upper <= best.value + Fraction(500 * noise + 1e-9)
    assert noise == 0 or found.upper > best.value + Fraction(noise)


def test_sweeps_narrow_the_bound() -> None:
    lake = WORLDS["frozen-lake-4x4"].build()
    bounds = [certify(lake, Policy.uniform(lake), sweeps=n).upper for n in (0, 5, 300)]
    assert bounds[0] > bounds[1] > bounds[2] > Fraction(15611, 68000)


def test_a_policy_that_breaks_a_limit_is_found_out() -> None:
    """It is the optimum of the model without the limit, so that no policy within it earns as much:
    what it leaves is not said."""
    lake = WORLDS["frozen-lake-4x4"].build()
    greedy = solve(lake.with_budgets(Fraction(1))).policy
    assert greedy is not None
    found = certify(lake, greedy)
    assert found.within_budgets is False
    assert found.left is None
    assert found.costs[0][0] > lake.budgets[0] == Fraction(1, 20)


def test_rounding_that_hides_a_limit_is_said() -> None:
    """The optimum costs exactly 1/20: doubles do not decide it, fractions do."""
    lake = WORLDS["frozen-lake-4x4"].build()
    best = solve(lake).policy
    assert certify(lake, best, exact=False).within_budgets is None
    found = certify(lake, best, exact=True)
    assert found.within_budgets is True
    assert repr(found) == (
        "<Certification: reward at least 0.229574, cost at most 0.05, within budgets: True, "
        "optimum at most 0.229574>"
    )


def test_a_large_model_is_as_narrow() -> None:
    """Two thousand states; without prices the costs play no part."""
    model = random_sparse(2_000, constraints=2)
    policy = drawn_policy(model, 3)
    found = certify(model, policy)
    assert found.reward is not None
    assert all(high - low < 1e-8 for low, high in (found.reward, *found.costs))
    uniform = certify(model, Policy.uniform(model), multipliers=[0.0, 0.0], sweeps=400)
    free = certify(replace(model, costs=model.costs[:0], cost_denominators=(), budgets=()),
                   Policy.uniform(model), sweeps=400)  # fmt: skip
    assert abs(uniform.upper - free.upper) < 1e-9


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither a policy nor values"),
        ({"values": np.zeros(17)}, "give the multipliers that they were computed for"),
        ({"values": np.zeros(16), "multipliers": [1]}, r"of shape \(16,\)"),
        ({"values": np.full(17, np.inf), "multipliers": [1]}, r"values\[0\] is inf"),
        ({"values": np.zeros(17), "multipliers": [-1]}, "a finite multiplier of at least 0"),
        ({"values": np.zeros(17), "multipliers": [1, 2]}, "the model has 1 costs"),
        ({"values": np.array(["a"] * 17), "multipliers": [1]}, "type <U1"),
        ({"policy": Policy((Fraction(1),))}, "1 probabilities for 50 choices"),
    ],
)
def test_what_cannot_be_meant(given: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        certify(WORLDS["frozen-lake-4x4"].build(), **given)


@pytest.mark.parametrize("seed", range(6))
def test_an_array_is_the_policy_that_it_tells(seed: int) -> None:
    """At the speed of arrays, with bounds that hold the exact returns all the same."""
    model = random_model(seed, states=12)
    policy = drawn_policy(model, seed)
    told, exact = certify(model, policy.table(), exact=False), certify(model, policy, exact=True)
    for (low, high), (value, _) in zip(
        (told.reward, *told.costs), (exact.reward, *exact.costs), strict=True
    ):
        assert low <= value <= high
    actions = np.array([min(policy[state]) for state in range(model.n_states)])
    first = certify(model, actions, exact=False)
    value = policy_return(model, Policy.deterministic(model, actions.tolist()))
    assert first.reward[0] <= value <= first.reward[1]


@pytest.mark.parametrize("changed", [(0, 0.6), (1, np.nan), (2, -0.25), (3, 1.0)])
def test_an_array_that_is_no_policy(changed: tuple[int, float]) -> None:
    lake = WORLDS["frozen-lake-4x4"].build()
    table = Policy.uniform(lake).table()
    table[changed[0], 1] = changed[1]
    with pytest.raises(ModelError, match=f"state {changed[0]}"):
        certify(lake, table, exact=False)
