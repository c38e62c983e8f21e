"""Gymnasium environments as exact models, and the named worlds."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from holdfast.solvers import (
    WORLDS,
    ModelError,
    Status,
    enclose,
    from_gymnasium,
    policy_iteration,
    policy_return,
    solve,
    solve_by_chord,
)

gymnasium = pytest.importorskip("gymnasium")


def environment(table, initial=None):
    """An object with a transition table, as gymnasium's toy-text environments have."""
    raw = SimpleNamespace(P=table, spec=None)
    if initial is not None:
        raw.initial_state_distrib = np.array(initial)
    return SimpleNamespace(unwrapped=raw)


# Two states; "work" in 0 earns 1 and ends with probability 1/2 at state 1, a duplicate entry.
LOOP = {
    0: {0: [(0.25, 1, 1, True), (0.25, 1, 1, True), (0.5, 0, 1, False)], 1: [(1.0, 0, 0, False)]},
    1: {0: [(1.0, 1, 1, False)], 1: [(1.0, 1, 1, False)]},
}


def test_done_transitions_end_the_reward():
    # V(0) = 1 + (1/2)(1/2) V(0) = 4/3; state 1's own reward 1 is never collected after done.
    model = from_gymnasium(environment(LOOP, [1.0, 0.0]), discount="1/2")
    assert model.n_states == 3
    assert model.transition_row(0) == [(2, Fraction(1, 2)), (0, Fraction(1, 2))]
    assert solve(model).value == Fraction(4, 3)
    assert any("added absorbing state, numbered 2" in note for note in model.notes)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (lambda s, a, t: 3 * (t == 1), ["3/2", 0, 3, 3, 0]),
        (lambda s, a, t, r: r, [1, 0, 1, 1, 0]),
        ({1}, ["1/2", 0, 1, 1, 0]),
        (np.array([2, 5]), [2, 2, 5, 5, 0]),
        ([[1, 2], [3, 4]], [1, 2, 3, 4, 0]),
    ],
)
def test_each_form_of_cost(cost, expected):
    model = from_gymnasium(environment(LOOP), costs=[cost], budgets=[1], discount="1/2")
    assert model.cost_vector(0).fractions() == tuple(map(Fraction, expected))


def test_the_reward_can_be_replaced_and_actions_restricted():
    model = from_gymnasium(
        environment(LOOP),
        reward=lambda s, a, t: 7,
        discount=0,
        available=[[True, False], [True, True]],
    )
    assert model.action_counts.tolist() == [1, 2, 1]
    assert model.reward_vector().fractions() == (7, 7, 7, 0)
    assert any("uniform initial law" in note for note in model.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"costs": [{9}], "budgets": [1]}, r"costs\[0\] names state 9"),
        ({"costs": [[1, 2, 3]], "budgets": [1]}, r"costs\[0\] has shape \(3,\)"),
        ({"costs": [lambda s: 1], "budgets": [1]}, r"costs\[0\] takes 1 arguments"),
        (
            {"costs": [lambda s, a, t: float("nan")], "budgets": [1]},
            r"costs\[0\] at \(state 0, action 0\) is nan",
        ),
        ({"costs": [{1}]}, r"1 cost\(s\) and 0 budget\(s\)"),
        ({"discount": 2}, "discount is 2"),
        ({"initial": [1]}, "initial has 1 entries"),
        ({"initial": ["1/2", "1/3"]}, "initial sums to 5/6"),
        ({"available": [[True]]}, r"available has shape \(1, 1\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ModelError, match=message):
        from_gymnasium(environment(LOOP), **({"discount": "1/2"} | arguments))


def test_bad_tables_are_named():
    broken = {0: {0: [(0.5, 0, 0, False), (0.4, 0, 0, False)]}}
    with pytest.raises(ModelError, match=r"\(state 0, action 0\) of SimpleNamespace sums to 0.9"):
        from_gymnasium(environment(broken), discount="1/2")
    with pytest.raises(ModelError, match="numbers its states"):
        from_gymnasium(environment({3: LOOP[0]}), discount="1/2")


def test_environments_without_a_table_and_unknown_ids_are_named():
    with pytest.raises(ModelError, match="CartPole-v1 exposes no transition table"):
        from_gymnasium("CartPole-v1", discount="1/2")
    with pytest.raises(ModelError, match="knows no environment 'NoSuchLake-v0'"):
        from_gymnasium("NoSuchLake-v0", discount="1/2")
    with pytest.raises(ModelError, match="cannot make 'FrozenLake-v1'"):
        from_gymnasium("FrozenLake-v1", discount="1/2", make_kwargs={"no_such_option": 1})


def test_an_unregistered_version_falls_back_with_a_note():
    model = from_gymnasium("FrozenLake-v99", discount="9/10")
    assert "FrozenLake-v99 is not registered; FrozenLake-v1 was used" in model.notes


def test_frozen_lake_thirds_are_kept_as_written_unless_asked():
    # gymnasium writes 1/3 as 0.3333333333333333 and 0.33333333333333337 within one row.
    written = from_gymnasium("FrozenLake-v1", discount="9/10")
    assert all(p != Fraction(1, 3) for _, p in written.transition_row(4 * 1))
    thirds = from_gymnasium("FrozenLake-v1", discount="9/10", limit_denominator=1000)
    assert {p for _, p in thirds.transition_row(4)} == {Fraction(1, 3)}
    a, b = policy_iteration(written).values[0], policy_iteration(thirds).values[0]
    assert a != b and abs(a - b) < Fraction(1, 10**12)


def test_splits_below_float_resolution_are_decided_exactly():
    """The 8x8 lake as written: 1/3 in two spellings separates actions by 1e-17.

    HiGHS sees ties and its basis may be rejected, so this is repair on a real model; the chord
    method, which asks no linear program, must agree to the last digit.
    """
    holes = {19, 29, 35, 41, 42, 46, 49, 52, 54, 59}
    model = from_gymnasium(
        "FrozenLake-v1",
        costs=[holes],
        budgets=["27/1000"],
        discount="99/100",
        make_kwargs={"map_name": "8x8"},
    )
    solution = solve(model)
    assert solution.value == solve_by_chord(model).value
    assert solution.statistics["repaired"] == (solution.statistics["pivots"] > 0)


def test_importing_icu_sepsis_prints_nothing():
    code = (
        "from holdfast.solvers.gymnasium_models import make_environment;"
        "make_environment('Sepsis/ICU-Sepsis-v2', {})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


DISCOUNTED = sorted(name for name, world in WORLDS.items() if world.horizon is None)


@pytest.mark.parametrize("name", DISCOUNTED)
def test_worlds_bind_and_randomise_once(name):
    model = WORLDS[name].build()
    solution, enclosed = solve(model), enclose(model, width=1e-9)
    assert solution.status is Status.OPTIMAL
    assert (solution.n_randomisations, model.n_constraints) == (1, 1)
    assert solution.multipliers[0] > 0
    assert enclosed.lower <= solution.value <= enclosed.upper
    assert enclosed.width <= Fraction(1e-9)
    assert sum(solution.occupancy.numerators) == solution.occupancy.denominator / (
        1 - model.discount
    )
    if model.n_states < 100:
        assert policy_return(model, solution.policy) == solution.value
        assert policy_return(model, solution.policy, ("cost", 0)) == model.budgets[0]
