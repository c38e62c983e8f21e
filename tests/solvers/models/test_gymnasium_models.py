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
from holdfast.solvers.chance import ChanceProblem
from holdfast.solvers.chance import solve as solve_chance

gymnasium = pytest.importorskip("gymnasium")


def environment(table, initial=None):
    """An object with a transition table, as gymnasium's toy-text environments have."""
    raw = SimpleNamespace(P=table, spec=None)
    if initial is not None:
        raw.initial_state_distrib = np.array(initial)
    raw.unwrapped = raw
    return raw


# Two states; "work" in 0 earns 1 and ends with probability 1/2 at state 1, a duplicate entry.
LOOP = {
    0: {0: [(0.25, 1, 1, True), (0.25, 1, 1, True), (0.5, 0, 1, False)], 1: [(1.0, 0, 0, False)]},
    1: {0: [(1.0, 1, 1, False)], 1: [(1.0, 1, 1, False)]},
}
HALF = Fraction(1, 2)


def test_done_transitions_end_the_reward():
    # V(0) = 1 + (1/2)(1/2) V(0) = 4/3; state 1's own reward 1 is never collected after done.
    model = from_gymnasium(environment(LOOP, [1.0, 0.0]), discount="1/2")
    assert (model.n_states, model.action_counts.tolist()) == (3, [2, 1, 1])
    assert model.transition_row(0) == [(1, HALF), (0, HALF)]
    assert model.transition_row(2) == model.transition_row(3) == [(2, 1)]
    assert solve(model).value == Fraction(4, 3)
    assert any("episodes end in state 1: " in note for note in model.notes)


def test_a_state_that_is_also_passed_through_is_two():
    # Started in 1 as well, its decisions are those of the table: V(1) = 1 / (1 - 1/2) = 2.
    model = from_gymnasium(environment(LOOP, [0.5, 0.5]), discount="1/2")
    assert model.action_counts.tolist() == [2, 2, 1, 1]
    assert model.transition_row(0) == [(2, HALF), (0, HALF)]
    assert [model.transition_row(k) for k in (2, 4, 5)] == [[(1, 1)], [(3, 1)], [(3, 1)]]
    assert solve(model).value == (Fraction(4, 3) + 2) / 2
    assert model.label("1") == (1, 2)
    assert any("second copy for the end: 1 as 2" in note for note in model.notes)


def test_entered_with_and_without_the_end():
    # 0 goes on to 1 or ends there, by halves; a visit that goes on earns 4, both cost 1.
    table = {
        0: {0: [(0.5, 1, 0, True), (0.5, 1, 0, False)]},
        1: {0: [(1.0, 2, 4, True)]},
        2: {0: [(1.0, 2, 0, True)]},
    }
    arrived, decided = {1}, np.array([0, 1, 0])
    model = from_gymnasium(
        environment(table, [1, 0, 0]), costs=[arrived, decided], budgets=[1, 1], discount="1/2"
    )
    # arrivals: 1 at time 0.  The array: 1/2 on the end at time 0, 1/2 at time 1.
    assert solve(model).value == Fraction(1, 2) * Fraction(1, 2) * 4
    only = policy_iteration(model).policy(model)
    assert policy_return(model, only, ("cost", 0)) == 1
    assert policy_return(model, only, ("cost", 1)) == Fraction(1, 2) + Fraction(1, 4)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (lambda s, a, t: 3 * (t == 1), ["3/2", 0, 3, 3, 0, 0]),
        (lambda s, a, t, r: r, [1, 0, 1, 1, 0, 0]),
        (lambda s, a, t, scale=2: scale * (t == 1), [1, 0, 2, 2, 0, 0]),
        ({1}, ["1/2", 0, 1, 1, 0, 0]),
        (np.array([2, 5]), ["9/2", 2, 5, 5, 0, 0]),  # 2 at the decision, 5 on ending in 1
        (np.array([False, True]), ["1/2", 0, 1, 1, 0, 0]),
        ([[1, 2], [3, 3]], ["5/2", 2, 3, 3, 0, 0]),
    ],
)
def test_each_form_of_cost(cost, expected):
    model = from_gymnasium(environment(LOOP), costs=[cost], budgets=[1], discount="1/2")
    assert model.cost_vector(0).fractions() == tuple(map(Fraction, expected))


HOLES = [5, 7, 11, 12]


@pytest.mark.parametrize(
    "cost",
    [
        set(HOLES),
        np.isin(np.arange(16), HOLES).astype(float),
        np.isin(np.arange(16), HOLES)[:, None].repeat(4, axis=1),
        lambda s, a, t: t in HOLES,
    ],
)
def test_falling_into_a_hole_costs_the_same_however_it_is_said(cost):
    # The optimum of the shipped world, whose cost is the set: 15611/68000 with multiplier
    # 15611/3400, by a linear program over the environment's own table.
    model = from_gymnasium(
        "FrozenLake-v1",
        costs=[cost],
        budgets=["1/20"],
        discount="99/100",
        limit_denominator=1000,
    )
    solution = solve(model)
    assert solution.value == Fraction(15611, 68000)
    assert solution.multipliers == (Fraction(15611, 3400),)


@pytest.mark.parametrize(
    ("level", "value", "risk"),
    [
        # A linear program over (time, state, action) on the environment's own table: 0.0460252,
        # 0.2282379 and 0.3478727, the last with a risk of at least 0.1243429; as fractions:
        ("1/100", Fraction(5396791119237, 117257380595150), Fraction(1, 100)),
        (
            "1/20",
            Fraction(17170365924122456746909, 75230120835344889209970),
            Fraction(1, 20),
        ),
        (
            "17/100",
            Fraction(71623904693980, 205891132094649),
            Fraction(8533703306966, 68630377364883),
        ),
    ],
)
def test_the_holes_of_the_lake_are_visited(level, value, risk):
    lake = from_gymnasium("FrozenLake-v1", discount=1, limit_denominator=1000)
    solution = solve_chance(ChanceProblem(lake, tuple(HOLES), 30), level)
    assert (solution.value, solution.risk) == (value, risk)


def test_costs_where_no_policy_goes_are_said():
    lonely = LOOP | {2: {0: [(1.0, 2, 0, False)]}}
    for cost in ({2}, np.array([0, 0, 1])):
        model = from_gymnasium(
            environment(lonely, [1, 0, 0]), costs=[cost], budgets=[1], discount="1/2"
        )
        assert any("no policy can reach state 2, where costs[0]" in note for note in model.notes)
    reached = from_gymnasium(
        environment(lonely, [1, 0, 0]), costs=[{1}], budgets=[1], discount="1/2"
    )
    assert not any("no policy can reach" in note for note in reached.notes)


def test_the_reward_can_be_replaced_and_actions_restricted():
    model = from_gymnasium(
        environment(LOOP),
        reward=lambda s, a, t: 7,
        discount=0,
        available=[[True, False], [True, True]],
    )
    assert model.action_counts.tolist() == [1, 2, 1, 1]
    assert model.reward_vector().fractions() == (7, 7, 7, 0, 0)
    assert any("uniform initial law" in note for note in model.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"costs": [{9}], "budgets": [1]}, r"costs\[0\] names state 9"),
        ({"costs": [[1, 2, 3]], "budgets": [1]}, r"costs\[0\] has shape \(3,\)"),
        ({"costs": [{"1"}], "budgets": [1]}, r"costs\[0\] names state '1'"),
        ({"costs": [[[1, 2], [3, 4]]], "budgets": [1]}, "differs between the actions of state 1"),
        ({"costs": [lambda s: 1], "budgets": [1]}, r"costs\[0\] takes 1 arguments"),
        (
            {"costs": [lambda s, a, t: 1 // t], "budgets": [1]},
            r"costs\[0\] at \(state 0, action 0\) raised ZeroDivisionError",
        ),
        ({"make_kwargs": {"map_name": "8x8"}}, "an environment that is made already"),
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


@pytest.mark.parametrize(
    ("identifier", "there"),
    [("FrozenLake-v9", "FrozenLake-v1"), ("Taxi-v3", "Taxi-v4"), ("FrozenLake", "FrozenLake-v1")],
)
def test_a_version_that_does_not_exist_names_those_that_do(identifier, there):
    with pytest.raises(ModelError, match=f"no environment '{identifier}'; it has {there}"):
        from_gymnasium(identifier, discount="9/10")


def test_an_id_without_a_version():
    gymnasium.register("HoldfastPlain", entry_point=Tabular, disable_env_checker=True)
    try:
        with pytest.raises(ModelError, match="'HoldfastPlain-v3'; it has HoldfastPlain"):
            from_gymnasium("HoldfastPlain-v3", discount="9/10")
        # V(1) = 5, V(0) = max(1/2 (1 + 9/10 * 5) + 9/20 V(0), 2) = 5
        assert solve(from_gymnasium("HoldfastPlain", discount="9/10")).value == 5
    finally:
        del gymnasium.registry["HoldfastPlain"]


class Tabular(gymnasium.Env):
    """Three states, the last of which is the end."""

    def __init__(self):
        self.observation_space = gymnasium.spaces.Discrete(3)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.isd = np.array([1.0, 0.0, 0.0])
        self.P = {
            0: {0: [(0.5, 1, 1.0, False), (0.5, 0, 0.0, False)], 1: [(1.0, 2, 2.0, True)]},
            1: {0: [(1.0, 2, 5.0, True)], 1: [(1.0, 0, 0.0, False)]},
            2: {0: [(1.0, 2, 0.0, True)], 1: [(1.0, 2, 0.0, True)]},
        }


def test_wrappers_that_change_what_the_table_does_not_say_are_refused():
    with pytest.raises(ModelError, match="wrapped in TransformReward"):
        doubled = gymnasium.wrappers.TransformReward(Tabular(), lambda reward: 2 * reward)
        from_gymnasium(doubled, discount="9/10")
    limited = from_gymnasium(gymnasium.wrappers.TimeLimit(Tabular(), 7), discount="9/10")
    assert "the time limit of 7 steps is no part of the table, nor of this model" in limited.notes


def test_dynamics_outside_the_table_are_refused():
    with pytest.raises(ModelError, match="fickle_passenger"):
        from_gymnasium("Taxi-v4", discount="1/2", make_kwargs={"fickle_passenger": True})


def test_two_initial_laws_that_differ():
    raw = Tabular()
    raw.initial_state_distrib = np.array([0.0, 1.0, 0.0])
    with pytest.raises(ModelError, match="two initial laws, initial_state_distrib and isd"):
        from_gymnasium(raw, discount="9/10")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            [(1.0, 3, 5.0, False)],
            r"\(state 1, action 0\) of Tabular has successor 3; states are 0 .. 2",
        ),
        ([(1.0, 3, 5.0, True)], "successor 3"),
        ([(1.0, -1, 5.0, False)], "successor -1"),
        ([(1.0, 1.5, 5.0, False)], "successor 1.5"),
        ([(1.0, True, 5.0, False)], "successor True"),
        ([(1.0, 2)], r"2 entries; it must be \(probability, state, reward, done\)"),
        ([1.0], "an item of 1.0"),
        ([(1.0, 2, 5.0, "False")], "done 'False'"),
        ([(1.0, 2, float("nan"), True)], "reward at .* is nan"),
    ],
)
def test_rows_of_a_table_are_looked_at(row, message):
    raw = Tabular()
    raw.P[1][0] = row
    with pytest.raises(ModelError, match=message):
        from_gymnasium(raw, discount="9/10")


def test_fractions_of_a_table_stay_exact():
    third = Fraction(1, 3)
    raw = Tabular()
    raw.P[0][0] = [(third, 1, 1, False), (1 - third, 0, 0, False)]
    model = from_gymnasium(raw, discount="9/10")
    assert model.transition_row(0) == [(1, third), (0, 1 - third)]


def test_rows_of_float32_are_renormalised():
    chances = [np.float32(0.1), np.float32(0.2), np.float32(0.7)]
    raw = Tabular()
    raw.P[0][0] = [(p, t, 0, False) for t, p in enumerate(chances)]
    model = from_gymnasium(raw, discount="9/10")
    weights = [Fraction(float(p)) for p in chances]
    assert model.transition_row(0) == [(t, w / sum(weights)) for t, w in enumerate(weights)]
    assert sum(weights) != 1
    assert model.notes[-1].startswith("1 probability row(s) re-normalised exactly (farthest")
    raw.P[0][0] = [(float(p), t, 0, False) for t, p in enumerate(chances)]
    with pytest.raises(ModelError, match="farther than 1e-09"):
        from_gymnasium(raw, discount="9/10")


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
        "from holdfast.solvers.models.gymnasium_tables import make_environment;"
        "make_environment('Sepsis/ICU-Sepsis-v2', {})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


DISCOUNTED = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "icu-sepsis" else [])
    for name, world in sorted(WORLDS.items())
    if world.horizon is None
]


def test_the_holes_of_the_lakes_are_unsafe():
    """As FrozenLake's own maps show them, row by row: H."""
    assert WORLDS["frozen-lake-4x4"].build().label("unsafe") == (5, 7, 11, 12)
    holes = (19, 29, 35, 41, 42, 46, 49, 52, 54, 59)
    assert WORLDS["frozen-lake-8x8"].build().label("unsafe") == holes


@pytest.mark.parametrize("name", DISCOUNTED)
def test_worlds_bind_and_randomise_once(name):
    model = WORLDS[name].build()
    solution, enclosed = solve(model), enclose(model, width=1e-9)
    assert solution.status is Status.EXACT
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
