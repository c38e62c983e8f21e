"""The exact model record: validation, copies, JSON, sizes of integers."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import (
    CMDP,
    ModelError,
    Policy,
    enclose,
    evaluate,
    occupancy_of,
    policy_iteration,
    solve,
)
from holdfast.solvers.models.formats.document import model_from_document

VALID = {
    "n_states": 2,
    "choice_start": [0, 2, 3],
    "actions": [0, 1, 0],
    "indptr": [0, 2, 3, 4],
    "successors": [0, 1, 0, 1],
    "weights": [1, 2, 1, 1],
    "reward": [1, 2, 3],
    "reward_denominator": 1,
    "costs": [[1, 0, 0]],
    "cost_denominators": (1,),
    "budgets": (1,),
    "discount": Fraction(1, 2),
    "initial": [1, 1],
}


def test_a_valid_record_has_the_stated_sizes_and_denominators():
    model = CMDP(**VALID)
    assert (model.n_choices, model.n_constraints) == (3, 1)
    assert model.denominators.tolist() == [3, 1, 1]
    assert model.initial_denominator == 2
    assert model.action_counts.tolist() == [2, 1]
    assert model.transition_row(0) == [(0, Fraction(1, 3)), (1, Fraction(2, 3))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": [1, -2, 1, 1]}, r"\(state 0, action 0\) has weight -2 on successor 1"),
        ({"weights": [1, 0, 1, 1]}, r"\(state 0, action 0\) has weight 0"),
        ({"weights": [1, 2, 1]}, "3 entries for 4 successors"),
        ({"weights": [0.5, 0.5, 1.0, 1.0]}, "weights has dtype float64.*from_arrays"),
        ({"reward": [1.0, float("nan"), 3.0]}, "reward has dtype float64"),
        ({"reward": [Fraction(1, 2), 1, 2]}, r"reward\[0\] is Fraction\(1, 2\)"),
        ({"reward": [1, 2]}, r"reward has shape \(2,\); it needs \(3,\)"),
        ({"costs": [[1, 0]]}, r"costs has shape \(1, 2\)"),
        ({"budgets": (1, 2)}, r"2 budget\(s\)"),
        ({"budgets": (float("nan"),)}, r"budgets\[0\] is nan"),
        ({"budgets": (float("inf"),)}, r"budgets\[0\] is inf"),
        ({"discount": Fraction(11, 10)}, r"discount is 11/10; it must lie in \[0, 1\)"),
        ({"discount": Fraction(-1, 9)}, "discount is -1/9"),
        ({"discount": float("nan")}, "discount is nan"),
        ({"discount": "one half"}, "discount is 'one half'"),
        ({"successors": [0, 2, 0, 1]}, r"\(state 0, action 0\) has successor 2; states are 0 .. 1"),
        ({"successors": [1, 1, 0, 1]}, r"\(state 0, action 0\) lists successor 1 twice"),
        ({"actions": [0, 0, 0]}, "action 0 appears twice in state 0"),
        ({"choice_start": [0, 3, 3]}, "state 1 has 0 choices"),
        ({"choice_start": [0, 2]}, "choice_start has shape"),
        ({"indptr": [0, 2, 2, 4]}, r"\(state 0, action 1\) has no successor"),
        ({"indptr": [0, 2, 3]}, "indptr has shape"),
        ({"initial": [0, 0]}, "initial sums to 0"),
        ({"initial": [1, -1]}, r"initial\[1\] is -1"),
        ({"initial": [1]}, r"initial has shape \(1,\)"),
        ({"reward_denominator": 0}, "reward_denominator is 0"),
        ({"cost_denominators": ()}, "cost_denominators has 0 entries"),
        ({"n_states": 0, "choice_start": [0]}, "n_states is 0"),
    ],
)
def test_bad_fields_are_named(change, message):
    with pytest.raises(ModelError, match=message):
        CMDP(**(VALID | change))


def test_digest_ignores_notes_and_scale_but_nothing_else():
    model = CMDP(**VALID)
    assert model.with_notes("from a test") == model
    doubled = CMDP(**(VALID | {"reward": [2, 4, 6], "reward_denominator": 2}))
    assert doubled.digest == model.digest
    assert model.with_budgets("3/2") != model
    assert model.with_discount("1/3") != model
    assert model.with_initial([1, 0]) != model
    assert model.with_reward([1, 2, "7/2"]) != model
    assert hash(model) == hash(doubled)


def test_json_form_and_pickle_return_the_same_model():
    model = CMDP(**VALID).with_notes("kept").with_costs([["1/3", -1, 0], [0, 0, 1]], ["1/7", 2])
    again = model_from_document(model.to_dict())
    assert again == model
    assert again.notes == ("kept",)
    assert again.costs.tolist() == [[1, -3, 0], [0, 0, 1]]
    assert pickle.loads(pickle.dumps(model)) == model


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("transitions", [[[0, 1]]], "transitions has 1 rows for 3 choices"),
        (
            "transitions",
            [[[0, "1/2"], [1, 1]], [[0, 1]], [[1, 1]]],
            r"transitions\[0\] sums to 3/2, not exactly to 1",
        ),
        ("reward", ["1", 0.5, "2"], r"reward\[1\] is the float 0.5"),
        ("reward", ["1", "1/0", "2"], r"reward\[1\] is '1/0'"),
        ("choices", [[1, 0], [0, 0], [1, 1]], r"choices\[1\] has state 0 after state 1"),
        ("choices", [[0, 0], [0, 1], [5, 0]], r"choices\[2\] has state 5"),
        ("n_states", "2", "n_states is '2'"),
        ("kind", "tree", "kind is 'tree'"),
        ("costs", [["1"]], r"costs\[0\] has 1 entries for 3 choices"),
        ("initial", None, "must be a list"),
    ],
)
def test_bad_documents_are_named(key, value, message):
    with pytest.raises(ModelError, match=message):
        model_from_document(CMDP(**VALID).to_dict() | {key: value})


def test_a_document_without_a_key_says_which():
    document = CMDP(**VALID).to_dict()
    del document["discount"]
    with pytest.raises(ModelError, match="lacks discount"):
        model_from_document(document)


def test_integers_beyond_int64_stay_exact():
    big = 10**30
    model = CMDP(
        **(
            VALID
            | {
                "weights": [big, 2 * big, 1, 1],
                "reward": [big, 2 * big, 3 * big],
                "reward_denominator": big,
            }
        )
    )
    assert model.weights.dtype == object
    assert model.denominators.tolist() == [3 * big, 1, 1]
    assert solve(model).value == solve(CMDP(**VALID)).value
    assert model_from_document(model.to_dict()) == model


def test_sums_of_int64_weights_do_not_overflow():
    half = 2**62
    model = CMDP(**(VALID | {"weights": [half, half, 1, 1]}))
    assert model.weights.dtype == np.int64
    assert model.denominators.tolist() == [2**63, 1, 1]


def test_arrays_are_copies_and_read_only():
    reward = np.array([1, 2, 3])
    model = CMDP(**(VALID | {"reward": reward}))
    reward[0] = 100
    assert model.reward.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="read-only"):
        model.reward[0] = 5


def test_costs_with_the_wrong_length_or_index_are_named():
    model = CMDP(**VALID)
    with pytest.raises(ModelError, match=r"costs\[0\] has 2 entries for 3 choices"):
        model.with_costs([[1, 2]], [0])
    with pytest.raises(IndexError, match="cost 4 asked for"):
        model.cost_vector(4)


def test_labels_and_coordinates_name_states_and_are_no_part_of_the_digest(two_states):
    model = two_states([[0, 1, 0, 2]], [1])
    named = model.with_labels(unsafe=[1]).with_coordinates([(0, 0), (1, "1/2")])
    assert named.label("unsafe") == (1,)
    assert named.coordinates[1] == (Fraction(1), Fraction(1, 2))
    assert named.digest == model.digest
    with pytest.raises(ModelError, match=r"no label 'safe'; it has unsafe"):
        named.label("safe")
    with pytest.raises(ModelError, match=r"label 'unsafe' holds 2; states are 0 .. 1"):
        model.with_labels(unsafe=[2])
    with pytest.raises(ModelError, match="coordinates has 1 points for 2 states"):
        model.with_coordinates([(0, 0)])


def test_discount_one_is_a_model_that_infinite_horizon_solvers_refuse(two_states):
    model = two_states([[0, 1, 0, 2]], [1]).with_discount(1)
    policy = Policy.uniform(model)
    refusals = (
        lambda: solve(model),
        lambda: policy_iteration(model),
        lambda: evaluate(model, policy),
        lambda: occupancy_of(model, policy),
        lambda: enclose(model),
    )
    for refused in refusals:
        with pytest.raises(ModelError, match="the discount is 1, so sums over an infinite"):
            refused()
