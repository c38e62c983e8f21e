"""Policies as tables, laws and files: what is written is read back; misfits are refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import (
    CMDP,
    WORLDS,
    ModelError,
    Policy,
    policy_of_table,
    read_policy,
    solve,
    write_policy,
)

THIRD = Fraction(1, 3)


@pytest.fixture(scope="module")
def lake() -> CMDP:
    return WORLDS["frozen-lake-4x4"].build()


@pytest.fixture(scope="module")
def best(lake: CMDP) -> Policy:
    found = solve(lake).policy
    assert found is not None
    return found


def test_a_table_has_the_laws(lake: CMDP, best: Policy) -> None:
    """State 16 is the added one; it has one action, and none of the others."""
    table = best.table()
    assert table.shape == (17, 4)
    assert table.sum(axis=1) == pytest.approx(1, abs=1e-15)
    for state in range(17):
        assert {a: float(p) for a, p in best[state].items()} == {
            a: table[state, a] for a in np.flatnonzero(table[state]).tolist()
        }
    assert len(best[0]) == 2, "the one state that randomises"
    assert best[16] == {0: 1}


def test_words_for_people(lake: CMDP, best: Policy) -> None:
    assert repr(best).startswith("<Policy of 17 states, randomised")
    assert "<td>0: 0.230498, 3: 0.769502</td>" in best._repr_html_()
    assert "deterministic" in repr(Policy((Fraction(1),)))


def test_a_policy_without_a_model_has_no_states() -> None:
    bare = Policy((THIRD, 2 * THIRD))
    for ask in (bare.table, lambda: bare[0]):
        with pytest.raises(ModelError, match="knows no model"):
            ask()


def test_a_state_that_is_not_there(best: Policy) -> None:
    with pytest.raises(IndexError, match="state 17; the model has the states 0 to 16"):
        best[17]


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_fractions_survive(tmp_path: Path, lake: CMDP, best: Policy, suffix: str) -> None:
    write_policy(best, tmp_path / f"p{suffix}")
    assert read_policy(lake, tmp_path / f"p{suffix}") == (best, ())


def test_an_array_has_the_nearest_doubles(tmp_path: Path, lake: CMDP, best: Policy) -> None:
    write_policy(best, tmp_path / "p.npy")
    assert (np.load(tmp_path / "p.npy") == best.table()).all()
    read, _ = read_policy(lake, tmp_path / "p.npy")
    gaps = [abs(p - q) for p, q in zip(read.probabilities, best.probabilities, strict=True)]
    assert max(gaps) < Fraction(1, 2**53)


def test_single_precision_is_normalised_and_said(lake: CMDP, best: Policy) -> None:
    policy, notes = policy_of_table(lake, best.table().astype(np.float32))
    assert sum(policy[0].values()) == 1
    assert notes and "were divided by their sums, which miss 1 by up to" in notes[0]


def test_actions_are_a_policy(lake: CMDP) -> None:
    policy, notes = policy_of_table(lake, np.zeros(17, int))
    assert policy.is_deterministic and not notes
    assert policy[3] == {0: 1}


def _table(changed: tuple[int, int] | None = None, value: float = 0.0) -> np.ndarray:
    table = np.full((17, 4), 0.25)
    table[[5, 7, 11, 12, 15, 16]] = [1, 0, 0, 0]
    if changed:
        table[changed] = value
    return table


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (_table()[:16], "the table has 16 states, and the model 17"),
        (_table((2, 1), np.nan), "has nan at state 2, action 1"),
        (_table((2, 1), -0.25), "negative probability: state 2, action 1"),
        (_table((2, 1), 0.5), "probabilities of state 2 in the table sum to 1.25, not to 1"),
        (_table((16, 3), 0.5), r"takes action 3 in state 16, which has the actions \[0\]"),
        (np.full(17, 4), r"takes action 4 in state 0, which has the actions \[0, 1, 2, 3\]"),
        (np.full(17, 0.5), "give probabilities"),
        (np.zeros((17, 4, 1)), r"is of shape \(17, 4, 1\)"),
        (np.array([["0"]]), "and type <U1"),
    ],
)
def test_tables_that_do_not_fit(lake: CMDP, table: np.ndarray, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        policy_of_table(lake, table)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.txt", "", "kept as one of .npy, .json, .csv"),
        ("p.json", "{}", "is no policy: an object has"),
        ("p.json", "3", "holds int; give a list"),
        ("p.json", "[0, 1]", "has 2 states, and the model 17"),
        ("p.json", '["x"]', "state 0 is 'x'; give an action, a list or an object"),
        ("p.json", '[{"-1": 1}]', "state 0: '-1' is no action"),
        ("p.json", '[{"0": "one"}]', "state 0, action 0"),
        ("p.csv", "state,action\n", "begins with state,action; write state,action,probability"),
        ("p.csv", "state,action,probability\n0,0\n", "line 2 has 2 entries"),
        ("p.csv", "state,action,probability\n17,0,1\n", "line 2: state 17; the model has 0 to 16"),
        ("p.csv", "state,action,probability\n0,0,1\n0,0,1\n", "line 3: action 0 of state 0 stands"),
        ("p.csv", "state,action,probability\n0,0,1\n", "probabilities of state 1 .* sum to 0,"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, lake: CMDP, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=said):
        read_policy(lake, tmp_path / name)
