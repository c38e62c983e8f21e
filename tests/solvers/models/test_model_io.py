"""Models from arrays and files: exactness, notes, and every kind of broken input."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, from_arrays, load, save, solve
from holdfast.solvers.models.formats.document import model_from_document

HALF = [[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.5, 0.5]]]
REWARD = [[0, 2], [1, 3]]
COST = [[0, 1], [0, 2]]


def golden(**changes):
    arguments = {
        "transitions": HALF,
        "reward": REWARD,
        "costs": [COST],
        "budgets": ["3/2"],
        "discount": "1/2",
    } | changes
    return from_arrays(
        arguments.pop("transitions"),
        arguments.pop("reward"),
        arguments.pop("costs"),
        arguments.pop("budgets"),
        **arguments,
    )


def test_arrays_give_the_golden_instance():
    # G1 with d = 3/2; derivation in test_occupancy.py.
    assert solve(golden()).value == Fraction(7, 2)


def test_sparse_and_dense_forms_agree():
    scipy = pytest.importorskip("scipy.sparse")
    matrices = [scipy.csr_matrix(np.array(HALF)[:, a]) for a in range(2)]
    assert golden(transitions=matrices) == golden()


def test_fractions_and_strings_are_exact():
    third = [[["1/3", "2/3"], [1, 0]], [[0, 1], [Fraction(1, 2), "0.5"]]]
    model = golden(transitions=third)
    assert model.transition_row(0) == [(0, Fraction(1, 3)), (1, Fraction(2, 3))]
    assert not any("floats" in note for note in model.notes)


def test_as_many_actions_as_states_are_not_read_in_silence():
    by_state = np.array(HALF)
    (said, _) = golden(transitions=by_state).notes
    assert said.startswith(
        "transitions of shape (2, 2, 2) were read as [state, action, next state]"
    )
    by_action = golden(transitions=list(by_state.swapaxes(0, 1)))
    assert by_action == golden()
    alike = np.array([[[0.5, 0.5], [1, 0]], [[1, 0], [0.5, 0.5]]])  # either reading is the same
    for silent in (by_action, golden(transitions=alike)):
        assert not any("read as" in note for note in silent.notes)


def test_floats_are_dyadic_and_renormalised_exactly():
    tenth = np.array([[[0.1, 0.9]], [[0.0, 1.0]]])
    model = from_arrays(tenth, [[0.1], [0]], discount="1/2")
    low, high = Fraction(0.1), Fraction(0.9)
    assert low + high != 1
    assert model.transition_row(0) == [(0, low / (low + high)), (1, high / (low + high))]
    assert model.reward_vector()[0] == Fraction(0.1) != Fraction(1, 10)
    assert "floats were taken as the exact dyadic rationals they are" in model.notes
    assert "1 probability row(s) re-normalised exactly (farthest from 1: 2.8e-17)" in model.notes


def test_limited_denominators_are_recorded():
    model = from_arrays(
        np.array([[[0.1, 0.9]], [[0.0, 1.0]]]), [[0.1], [0]], discount="1/2", limit_denominator=100
    )
    assert model.transition_row(0) == [(0, Fraction(1, 10)), (1, Fraction(9, 10))]
    assert any("denominator at most 100" in note for note in model.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"transitions": [[[0.5, 0.4], [1.0, 0.0]], [[0.0, 1.0], [0.5, 0.5]]]},
            r"\(state 0, action 0\) sums to 0.9",
        ),
        (
            {"transitions": [[["1/3", "1/3"], [1, 0]], [[0, 1], [0, 1]]]},
            r"\(state 0, action 0\) sums to 2/3, not exactly to 1",
        ),
        (
            {"transitions": [[[1.5, -0.5], [1.0, 0.0]], [[0.0, 1.0], [0.5, 0.5]]]},
            r"\(state 0, action 0\) has probability -1/2 at position 1",
        ),
        (
            {"transitions": [[[float("nan"), 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.5, 0.5]]]},
            r"\(state 0, action 0\) is nan",
        ),
        (
            {"transitions": [[[float("inf"), 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.5, 0.5]]]},
            r"\(state 0, action 0\) is inf",
        ),
        ({"transitions": [[0.5, 0.5], [1.0, 0.0]]}, r"transitions has shape \(2, 2\)"),
        ({"transitions": [[[1, 0], [1]], [[1, 0], [0, 1]]]}, "transitions is ragged"),
        ({"reward": [[0, 2, 1], [1, 3, 1]]}, r"reward has shape \(2, 3\)"),
        ({"reward": [[0, float("nan")], [1, 3]]}, r"reward\[0, 1\] is nan"),
        ({"reward": [[0, "two"], [1, 3]]}, r"reward\[0, 1\] is 'two'"),
        ({"costs": [[[0, float("-inf")], [1, 3]]]}, r"costs\[0\]\[0, 1\] is -inf"),
        ({"costs": []}, r"1 budget\(s\)"),
        ({"discount": 2}, "discount is 2"),
        ({"discount": -0.5}, "discount is -1/2"),
        ({"initial": [0.5, 0.25]}, "initial sums to 0.75"),
        ({"initial": [1, 0, 0]}, r"initial has shape \(3,\)"),
        ({"available": [[True, True]]}, r"available has shape \(1, 2\)"),
        ({"available": [[True, True], [False, False]]}, "state 1 has 0 choices"),
        ({"limit_denominator": 0}, "limit_denominator is 0"),
        ({"limit_denominator": 1.5}, "limit_denominator is 1.5; it must be an integer"),
        ({"limit_denominator": "10"}, "limit_denominator is .10.; it must be an integer"),
    ],
)
def test_bad_arrays_are_named(changes, message):
    with pytest.raises(ModelError, match=message):
        golden(**changes)


def test_a_row_off_by_less_than_rounding_is_renormalised_and_more_is_an_error():
    golden(transitions=[[[0.5, 0.5 + 5e-10], [1.0, 0.0]], HALF[1]])
    with pytest.raises(ModelError, match="farther than 1e-09"):
        golden(transitions=[[[0.5, 0.5 + 2e-9], [1.0, 0.0]], HALF[1]])


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_files_return_the_model_and_its_notes(tmp_path, suffix):
    model = golden(budgets=["12345678901234567890123/7"], reward=[[0, 0.1], [10**25, 3]])
    noted = model.with_notes("é, a note").with_labels(unsafe=[1]).with_coordinates([("1/2",), (2,)])
    path = save(noted, tmp_path / f"model{suffix}")
    again = load(path)
    assert again == model
    assert again.notes[-1] == "é, a note"
    assert (again.labels, again.coordinates) == (noted.labels, noted.coordinates)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_models_without_constraints_survive_files(tmp_path, suffix):
    model = golden(costs=[], budgets=[])
    assert load(save(model, tmp_path / f"model{suffix}")) == model


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.7, 0.99])
@pytest.mark.parametrize(
    ("suffix", "message"),
    [(".json", "not complete JSON"), (".npz", "corrupted or no file of numpy arrays")],
)
def test_truncated_files_are_model_errors(tmp_path, suffix, keep, message):
    path = save(golden(), tmp_path / f"model{suffix}")
    data = path.read_bytes().rstrip()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ModelError, match=message):
        load(path)


def test_flipped_bytes_in_an_archive_never_give_another_model(tmp_path):
    path = save(golden(), tmp_path / "model.npz")
    data, expected = path.read_bytes(), load(path)
    for position in range(30, len(data), 97):
        broken = bytearray(data)
        broken[position] ^= 0xFF
        path.write_bytes(bytes(broken))
        try:
            assert load(path) == expected
        except ModelError as problem:
            assert "model.npz" in str(problem)


def test_other_suffixes_formats_and_missing_files_are_clear(tmp_path):
    with pytest.raises(ModelError, match=r"suffix must be \.json, \.npz or \.tra"):
        save(golden(), tmp_path / "model.pkl")
    with pytest.raises(ModelError, match=r"suffix must be \.json, \.npz or \.tra"):
        load(tmp_path / "model.txt")
    for suffix in (".json", ".npz"):
        with pytest.raises(FileNotFoundError):
            load(tmp_path / f"absent{suffix}")
    np.savez(tmp_path / "other.npz", format=np.array("something/1"))
    with pytest.raises(ModelError, match="has format 'something/1'"):
        load(tmp_path / "other.npz")
    (tmp_path / "list.json").write_text(json.dumps([1, 2]))
    with pytest.raises(ModelError, match="a JSON object, not list"):
        load(tmp_path / "list.json")
    (tmp_path / "latin.json").write_bytes(b'{"kind": "\xe9"}')
    with pytest.raises(ModelError, match="not UTF-8"):
        load(tmp_path / "latin.json")


def test_a_list_of_sparse_matrices_of_different_shapes_is_named():
    scipy = pytest.importorskip("scipy.sparse")
    with pytest.raises(ModelError, match="one S x S matrix for each action"):
        golden(transitions=[scipy.identity(2), scipy.identity(3)])


def test_long_integers_are_written_in_hexadecimal(tmp_path):
    model = golden(reward=[[0, Fraction(1, 3**3000)], [1, 3]])
    document = model.to_dict()
    assert document["reward"][1].startswith("1/0x")
    assert model_from_document(document) == load(save(model, tmp_path / "m.json")) == model


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"unsafe": [1.9]}, "label 'unsafe' holds 1.9"),
        ({"unsafe": ["1"]}, "label 'unsafe' holds '1'"),
        ({"unsafe": [True]}, "label 'unsafe' holds True"),
        ({"unsafe": 1}, "label 'unsafe' holds 1; a label is a list of states"),
        ([1], r"labels is \[1\]; it must be an object"),
        ({"unsafe": [7]}, "label 'unsafe' holds 7; states are 0 .. 1"),
    ],
)
def test_bad_labels_are_named(labels, said):
    with pytest.raises(ModelError, match=said):
        model_from_document({**golden().to_dict(), "labels": labels})
