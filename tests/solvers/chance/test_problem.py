"""The record of a problem: its memory, its document, and what it refuses."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.chance import ChanceProblem, solve


@pytest.mark.parametrize(
    ("charge", "after", "levels"),
    [(0, True, 2), (0, False, 2), (1, True, 1), (1, False, 2), ("1/2", True, 6), ("1/2", False, 6)],
)
def test_the_memory_is_a_flag_a_count_or_nothing(three_states, charge, after, levels):
    problem = ChanceProblem(three_states(), [2], 5, charge=charge, reward_after_violation=after)
    assert problem.levels == levels
    assert problem.charges == tuple(Fraction(charge) ** n for n in range(levels))
    assert problem.memory_after(0, 2) == min(1, levels - 1)
    assert problem.memory_after(levels - 1, 2) == levels - 1
    assert problem.memory_after(0, 1) == 0
    assert [problem.earns(n) for n in range(2)] == [True, after]


def test_an_unsafe_start_counts_only_if_asked(three_states):
    model = three_states(initial=[Fraction(1, 2), 0, Fraction(1, 2)])
    free, counted = (ChanceProblem(model, [2], 3, counts_start=c) for c in (False, True))
    assert (free.first_memory(2), counted.first_memory(2), counted.first_memory(0)) == (0, 1, 0)
    assert (free.start_risk, counted.start_risk) == (0, Fraction(1, 2))


def test_the_document_is_exact_and_complete(three_states):
    document = ChanceProblem(three_states(), [2, 0], 3, charge="1/3").to_dict("1/20")
    assert json.loads(json.dumps(document)) == document
    del document["model"]
    assert document == {
        "kind": "joint-chance",
        "unsafe": [0, 2],
        "horizon": 3,
        "level": "1/20",
        "counts_start": False,
        "charge": "1/3",
        "reward_after_violation": True,
        "terminal": {"denominator": "1", "numerators": ["0", "0", "0"]},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": 0}, "horizon is 0; it must be at least 1: with no decision"),
        ({"horizon": -3}, "horizon is -3"),
        ({"horizon": 2.0}, r"horizon is 2\.0; it must be an int"),
        ({"horizon": True}, "horizon is True; it must be an int"),
        ({"unsafe": [0, 7]}, r"unsafe holds 7, which is not a state; they are 0 \.\. 2"),
        ({"unsafe": [-1]}, "unsafe holds -1, which is not a state"),
        ({"unsafe": [1, 1]}, "unsafe holds state 1 twice; list each state once"),
        ({"unsafe": ["lava"]}, r"unsafe holds 'lava'; it lists states, the ints 0 \.\. 2"),
        ({"unsafe": [True]}, "unsafe holds True; it lists states"),
        ({"charge": 2}, r"charge is 2; visit j costs charge\^\(j-1\), so it must lie in \[0, 1\]"),
        ({"charge": "-1/2"}, "charge is -1/2"),
        ({"charge": float("nan")}, "charge is nan"),
        ({"terminal": Vector((1, 2))}, "terminal has 2 entries for 3 states"),
    ],
)
def test_bad_problems_are_refused(three_states, change, message):
    good = {"model": three_states(), "unsafe": [2], "horizon": 3}
    with pytest.raises(ModelError, match=message):
        ChanceProblem(**{**good, **change})


@pytest.mark.parametrize(
    ("charge", "level", "message"),
    [
        (0, -1, "level is -1; a risk is never negative"),
        (0, 1, r"level is 1; a joint chance lies in \[0, 1\], so the level must lie in \[0, 1\)"),
        (0, "3/2", "level is 3/2"),
        (0, "a lot", "level is 'a lot', not a rational"),
        (1, "-1/9", "level is -1/9"),
    ],
)
def test_levels_that_bound_nothing_are_refused(three_states, charge, level, message):
    with pytest.raises(ModelError, match=message):
        solve(ChanceProblem(three_states(), [2], 3, charge=charge), level)


def test_sums_of_charges_may_have_levels_above_one(three_states):
    """Three steps spend up to three visits; with so much to spend the constraint is idle."""
    problem = ChanceProblem(three_states(), [2], 3, charge=1)
    idle = solve(problem, 3)
    assert (idle.multiplier, idle.flip_probability) == (0, 0)
    assert idle.value == solve(ChanceProblem(three_states(), [], 3), 0).value


def test_infeasible_levels_say_what_the_least_risk_is(three_states):
    """From state 2 the start counts: risk 1 in a third of the starts, and none is needed later."""
    model = three_states(initial=[Fraction(1, 3)] * 3)
    solution = solve(ChanceProblem(model, [2], 2, counts_start=True), "1/5")
    assert solution.value is None
    assert solution.minimum_risk == Fraction(1, 3)
    assert solution.explanation() == (
        "start state 2 is unsafe, and an unsafe start alone risks 1/3; no policy has a risk below "
        "1/3, and the level is 1/5: raise it at least to 1/3"
    )
    certain = solve(ChanceProblem(three_states(initial=[0, 0, 1]), [2], 2, counts_start=True), 0)
    assert certain.explanation().endswith("and the level is 0: no level would help")
