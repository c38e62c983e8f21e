"""Joint chance constraints in the kernel, which makes the plain model of them itself.

One decision at x: stay, or try for 1 and fall into the unsafe state U with probability 1/2. With
risk 1/4 allowed, trying half the time is optimal and earns 1/2; a unit of risk is worth 2.
"""

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest

from holdfast.verify.kernel import Enclosure, check

Document = dict[str, Any]

MODEL: Document = {
    "kind": "cmdp",
    "n_states": 2,
    "choices": [[0, 0], [0, 1], [1, 0]],
    "transitions": [[[0, 1]], [[0, 1], [1, 1]], [[1, 1]]],
    "discount": "1",
    "reward": ["0", "1", "0"],
    "costs": [],
    "budgets": [],
    "initial": ["1", "0"],
}
WINDOW: Document = {
    "kind": "joint-chance",
    "model": MODEL,
    "unsafe": [1],
    "horizon": 1,
    "level": "1/4",
    "charge": "0",
    "counts_start": False,
    "reward_after_violation": True,
    "terminal": ["0", "0"],
}
# states: x and U unviolated, x and U violated, the end; mass 1/(1 - 1/2) = 2, of which 1 at the end
OPTIMUM: Document = {
    "format": "holdfast-certificate/1",
    "kind": "cmdp-optimum",
    "model": WINDOW,
    "occupancy": ["1/2", "1/2", "0", "0", "0", "0", "1"],
    "values": ["0", "0", "1", "0", "0"],
    "multipliers": ["2"],
    "value": "1/2",
}


def changed(**fields: Any) -> Document:
    document = deepcopy(OPTIMUM)
    document["model"].update(fields)
    return document


def test_the_optimum_of_a_window_is_proved() -> None:
    report = check(OPTIMUM)
    assert report.accepted, report.steps[-1]
    assert report.enclosure == Enclosure.exact(Fraction(1, 2))


def test_a_risk_below_the_least_one_is_proved_infeasible() -> None:
    """Starting in U with the start counted, the risk is 1 before anything is decided."""
    window = {**WINDOW, "model": {**MODEL, "initial": ["0", "1"]}, "counts_start": True}
    values = ["0"] * 5
    report = check(
        {
            "format": "holdfast-certificate/1",
            "kind": "cmdp-infeasible",
            "model": window,
            "values": values,
            "multipliers": ["1"],
        }
    )
    assert report.accepted, report.steps[-1]
    assert "-3/4" in report.conclusion


def test_two_decisions_count_the_first_violation_once() -> None:
    """Trying twice: 1/2 falls at once, 1/4 at the second try; the return is 1 + 1/2 = 3/2.

    Values times 2^t: 1 at the second decision is 2, and x unviolated has 1 + (1/2)(1/2)(2) = 3/2.
    """
    window = {**WINDOW, "horizon": 2, "level": "3/4"}
    again = ["0", "1", "1"] * 2
    document = {
        "format": "holdfast-certificate/1",
        "kind": "mixture",
        "model": window,
        "components": [
            {
                "weight": "1",
                "policy": [*again, *again, "1"],
                "reward_values": ["3/2", "0", "3/2", "0", "2", "0", "2", "0", "0"],
                # U unviolated cannot be reached; from it the next visit counts, at 2^t
                "cost_values": [["3/4", "1", "0", "0", "1", "2", "0", "0", "0"]],
            }
        ],
        "value": "3/2",
    }
    report = check(document)
    assert report.accepted, report.steps[-1]
    document["model"] = {**window, "level": "74/100"}
    assert "3/4" in str(check(document).steps[-1])


def test_charges_between_0_and_1_have_a_level_for_each_count() -> None:
    """Boole's sum (charge 1) needs no memory: states x, U and the end."""
    window = {**WINDOW, "charge": "1"}
    document = {
        **OPTIMUM,
        "model": window,
        "occupancy": ["1/2", "1/2", "0", "1"],
        "values": ["0", "0", "0"],
        "multipliers": ["2"],
    }
    # from U the next visit is charged too, so its value is 0 - 2 * 1 = -2
    document["values"] = ["0", "-2", "0"]
    report = check(document)
    assert report.accepted, report.steps[-1]
    half = {**OPTIMUM, "model": {**WINDOW, "charge": "1/2"}}
    # after one visit the next costs 1/2: at x trying is worth 1 - 2 (1/2)(1/2), at U it is -2/2
    half["values"] = ["0", "-2", "1/2", "-1", "0"]
    report = check(half)
    assert report.accepted, report.steps[-1]


def test_rewards_after_a_violation_can_be_left_out() -> None:
    """The violated copy of x then earns nothing, and the terminal value only counts if safe."""
    document = changed(reward_after_violation=False, terminal=["4", "8"])
    # staying ends at x and earns 4; trying earns 1 + 4/2 and half a unit of risk: worse
    document |= {"occupancy": ["1", "0", "0", "0", "0", "0", "1"], "multipliers": ["0"]}
    document |= {"values": ["4", "0", "0", "0", "0"], "value": "4"}
    report = check(document)
    assert report.accepted, report.steps[-1]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"horizon": 0}, ".horizon is outside 1.."),
        ({"horizon": -1}, ".horizon is outside 1.."),
        ({"horizon": 10**6}, "more pairs"),  # refused before it is unrolled
        ({"charge": "2"}, ".charge is outside [0, 1]"),
        ({"charge": "-1/2"}, "-1/2"),
        ({"unsafe": [1, 1]}, ".unsafe must be different states of 0..1"),
        ({"unsafe": [2]}, ".unsafe must be different states of 0..1"),
        ({"unsafe": [-1]}, ".unsafe must be different states of 0..1"),
        ({"terminal": ["0"]}, ".terminal must have 2 entries"),
        ({"counts_start": "no"}, ".counts_start is none of True, False"),
        ({"level": 0.25}, ".level"),
        ({"level": "24/100"}, "row 5"),
        ({"level": "26/100"}, "dual objective"),
        ({"horizon": 2}, "values must have 9 entries"),
        ({"notes_": []}, "notes_"),
        ({"terminal": ["1", "0"]}, "negative slack"),
        ({"model": {**MODEL, "discount": "2"}}, ".discount is outside"),
        ({"model": {**MODEL, "transitions": [[[0, 1]], [[0, 1], [1, 2]], [[1, 1]]]}}, "row 5"),
    ],
)
def test_a_changed_window_is_rejected(fields: Document, shown: str) -> None:
    report = check(changed(**fields))
    assert not report.accepted
    assert shown in str(report.steps[-1])


def test_discount_one_needs_a_window() -> None:
    report = check({**OPTIMUM, "model": MODEL, "multipliers": []})
    assert ".discount is outside [0, 1)" in str(report.steps[-1])


@pytest.mark.parametrize("states", [[0, 2, 3], [-3, 0, 2], [0, 0, 2], [1, 2, 3]])
def test_states_are_numbered_from_0_without_gaps(states: list[int]) -> None:
    """A state that is not one would name a row of something else: here reward 7 for nothing."""
    three = {
        **MODEL,
        "n_states": 3,
        "choices": [[s, i] for i, s in enumerate(states)],
        "transitions": [[[0, 1]]] * 3,
        "reward": ["0", "0", "7"],
        "initial": ["1", "0", "0"],
    }
    for model in ({**WINDOW, "model": three, "terminal": ["0"] * 3}, {**three, "discount": "1/2"}):
        report = check({**OPTIMUM, "model": model})
        assert "not sorted by state over 0..2" in str(report.steps[-1])
