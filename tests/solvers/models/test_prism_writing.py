"""PRISM's explicit-state files: what is written, and that it reads back as the same model."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import (
    CMDP,
    WORLDS,
    ModelError,
    from_arrays,
    load,
    read_prism,
    save,
    write_prism,
)


def in_lowest_terms(model: CMDP) -> CMDP:
    """The weights of each row divided by their common factor, as the reader gives them."""
    weights, starts = model.weights.tolist(), model.indptr.tolist()
    for begin, end in itertools.pairwise(starts):
        factor = math.gcd(*weights[begin:end])
        weights[begin:end] = [weight // factor for weight in weights[begin:end]]
    return replace(model, weights=np.array(weights, dtype=object))


def test_the_files_of_a_small_model(tmp_path: Path) -> None:
    """One decision (stay for 1, or leave for 3/8 and cost 2), discount 3/4."""
    model = from_arrays(
        [[["1/2", "1/2"], [0, 1]], [[0, 1], [0, 1]]],
        [[1, "3/8"], [0, 0]],
        [[[0, 2], [0, 0]]],
        [1],
        discount="3/4",
        initial=[1, 0],
        available=[[True, True], [True, False]],
    )
    model = replace(model, labels=(("left", (1,)), ("never", ())))
    paths = write_prism(model, tmp_path / "m.tra", discount="sink", decimals=True)
    texts = {path.name: path.read_text().splitlines() for path in paths}
    assert texts == {
        "m.tra": [
            "# Transitions (MDP)",
            "3 4 8",
            "0 0 0 0.375 a0",
            "0 0 1 0.375 a0",
            "0 0 2 0.25 a0",
            "0 1 1 0.75 a1",
            "0 1 2 0.25 a1",
            "1 0 1 0.75 a0",
            "1 0 2 0.25 a0",
            "2 0 2 1 a0",
        ],
        "m.lab": [
            "# Labels",
            '0="init" 1="deadlock" 2="left" 3="never" 4="sink"',
            "0: 0",
            "1: 2",
            "2: 4",
        ],
        "m.srew": ['# Reward structure "reward"', "# State rewards", "3 0"],
        "m.trew": [
            '# Reward structure "reward"',
            "# Transition rewards",
            "3 4 5",
            *["0 0 0 1", "0 0 1 1", "0 0 2 1", "0 1 1 0.375", "0 1 2 0.375"],
        ],
        "m.cost1.srew": ['# Reward structure "cost1"', "# State rewards", "3 0"],
        "m.cost1.trew": [
            '# Reward structure "cost1"',
            "# Transition rewards",
            "3 4 2",
            *["0 1 1 2", "0 1 2 2"],
        ],
    }
    again = read_prism(tmp_path / "m.tra", budgets=[1])
    assert again == model and again.labels == model.labels


def test_rewards_of_states_go_to_the_state_file(tmp_path: Path) -> None:
    model = from_arrays([[[0, 1]], [[1, 0]]], [["-1/3"], [0]], discount=0)
    write_prism(model, tmp_path / "m.tra")
    assert (tmp_path / "m.srew").read_text().splitlines()[-2:] == ["2 1", "0 -1/3"]
    assert (tmp_path / "m.trew").read_text().splitlines()[-1] == "2 2 0"


@pytest.mark.parametrize("decimals", [False, True])
@pytest.mark.parametrize("discount", ["omit", "sink"])
@pytest.mark.parametrize("kind", ["generic", "ties", "unreachable"])
@pytest.mark.parametrize("seed", range(4))
def test_a_written_model_reads_back(tmp_path, random_model, seed, kind, discount, decimals) -> None:
    model = in_lowest_terms(random_model(seed, constraints=seed % 3, kind=kind))
    model = model.with_discount("5/6").with_initial([1, 0, 3, "1/7"])
    path = write_prism(model, tmp_path / "m.tra", discount=discount, decimals=decimals)[0]
    again = read_prism(
        path, budgets=model.budgets, discount=model.discount if discount == "omit" else None
    )
    assert again.digest == model.digest
    assert again.labels == model.labels


@pytest.mark.parametrize("name", ["frozen-lake-4x4", "cliff-walking", "taxi"])
def test_worlds_read_back(tmp_path: Path, name: str) -> None:
    model = WORLDS[name].build()
    write_prism(model, tmp_path / "m.tra", discount="sink")
    again = read_prism(tmp_path / "m.tra", budgets=model.budgets)
    assert again == in_lowest_terms(model)


def test_by_suffix(tmp_path: Path, two_states) -> None:
    model = two_states([], [])
    path = save(model, tmp_path / "m.tra")
    with pytest.raises(ModelError, match="holds no discount"):
        load(path)
    write_prism(model, path, discount="sink")
    assert load(path) == model


def test_what_cannot_be_written_is_named(tmp_path: Path, two_states) -> None:
    model = two_states([], [])
    with pytest.raises(ModelError, match=r"cannot write m\.txt: the suffix must be \.tra"):
        write_prism(model, tmp_path / "m.txt")
    with pytest.raises(ModelError, match="the discount is 1, so there is nothing to turn"):
        write_prism(model.with_discount(1), tmp_path / "m.tra", discount="sink")
    with pytest.raises(ModelError, match="has a label 'sink' of its own"):
        write_prism(replace(model, labels=(("sink", ()),)), tmp_path / "m.tra", discount="sink")
    with pytest.raises(ModelError, match="label 'a\"b' cannot be written"):
        write_prism(replace(model, labels=(('a"b', ()),)), tmp_path / "m.tra")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0 0 2 1/2 a0", "0 0 2 1/3 a0", "holds no discount"),
        ("2 0 2 1 a0", "2 0 0 1 a0", "holds no discount"),
        ("3 0 0 1/3 a0", "3 0 3 1/3 a0", "initial_law must label the last state only"),
    ],
    ids=["one choice leaks less", "a way out of the sink", "a way back to the start"],
)
def test_edited_additions_are_noticed(tmp_path: Path, two_states, old, new, message) -> None:
    model = two_states([], []).with_initial([1, 2])
    path = write_prism(model, tmp_path / "m.tra", discount="sink")[0]
    text = path.read_text()
    assert old in text
    if "1/3 a0" in new and old.startswith("0"):  # the rest of the row keeps its sum
        text = text.replace("0 0 0 1/4 a0", "0 0 0 5/12 a0")
    path.write_text(text.replace(old, new))
    with pytest.raises(ModelError, match=message):
        read_prism(path)


def test_a_sink_that_takes_everything_cannot_be_undone(tmp_path: Path, two_states) -> None:
    path = write_prism(two_states([], []).with_discount(0), tmp_path / "m.tra", discount="sink")[0]
    with pytest.raises(ModelError, match="stands for a discount of 0"):
        read_prism(path)
    assert read_prism(path, discount=1).n_states == 3


def test_an_added_state_that_earns_is_refused(tmp_path: Path, two_states) -> None:
    path = write_prism(two_states([], []), tmp_path / "m.tra", discount="sink")[0]
    (tmp_path / "m.srew").write_text("4 1\n2 1\n")
    with pytest.raises(ModelError, match="labelled sink must earn and cost nothing"):
        read_prism(path)
