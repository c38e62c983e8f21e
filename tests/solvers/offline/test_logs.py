"""Logs: what is counted, from which files, and what is refused."""

from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np
import pytest

from holdfast.solvers import ModelError, Policy, from_arrays
from holdfast.solvers.offline import read_log, simulate
from holdfast.solvers.offline.log_files import Columns
from holdfast.solvers.offline.logs import Log

HALF = Fraction(1, 2)
HEAD = "state,action,reward,cost,next_state,done\n"
ROWS = "0,0,1,0,2,0\n2,1,3,1,0,1\n0,0,2,0,0,0\n2,0,0,0,2,0\n"
"""An episode that ends, one of a step that is cut as the next row is elsewhere, and one more."""


_AS_KNOWN = Columns()


def read(tmp_path: Path, text: str, columns: Columns = _AS_KNOWN) -> Log:
    path = tmp_path / "log.csv"
    path.write_text(text)
    return read_log(path, HALF, columns)


def test_a_log_is_counted_by_pair(tmp_path: Path) -> None:
    log = read(tmp_path, HEAD + ROWS)
    assert log.states.tolist() == [0, 2]
    assert log.visits.tolist() == [[2, 0], [1, 1]]
    # rows (state, action, next state, times); 2 is the end
    assert log.moves.tolist() == [[0, 0, 0, 1], [0, 0, 1, 1], [1, 0, 1, 1], [1, 1, 2, 1]]
    assert log.returns.tolist() == [[1 + 3 / 2, 1 / 2], [2, 0], [0, 0]]
    assert (log.steps, log.cuts, log.starts.tolist()) == (4, 2, [2, 1])
    assert log.rest.tolist() == [0, 1 / 2, 1 / 2]
    assert log.sums[0].tolist() == [[3, 0], [0, 3]]
    assert log.range(0) == (0, 3)


def test_archives_and_other_names_hold_the_same(tmp_path: Path) -> None:
    table = np.array([[float(x) for x in row.split(",")] for row in ROWS.split()])
    names = ("states", "actions", "rewards", "costs", "next_states", "terminals")
    np.savez(tmp_path / "log.npz", **dict(zip(names, table.T, strict=True)))
    first, second = read(tmp_path, HEAD + ROWS), read_log(tmp_path / "log.npz", HALF)
    assert first.moves.tolist() == second.moves.tolist()
    other = "s,action,reward,toll,fee,next_state,done,remark\n0,0,1,2,3,0,true,fine\n"
    log = read(tmp_path, other, Columns({"state": "s"}, ("toll", "fee")))
    assert log.sums[:, 0, 0].tolist() == [1, 2, 3]


def test_episodes_have_numbers(tmp_path: Path) -> None:
    text = "episode," + HEAD + "5,0,0,0,0,1,0\n5,1,0,0,0,0,0\n7,0,0,0,0,1,1\n"
    log = read(tmp_path, text)
    assert (len(log.returns), log.cuts) == (2, 1)


STOPS = "episode,state,action,reward,cost,next_state,"
STEP = "0,0,0,1,0,0,"


@pytest.mark.parametrize(
    ("columns", "flags", "ended"),
    [
        ("terminated,truncated", "1,1", True),
        ("done,terminated,truncated", "1,0,1", False),
        ("done,terminated", "1,0", False),
        ("done,terminated,truncated", "1,1,0", True),
        ("terminated,truncated", "0,1", False),
    ],
)
def test_what_stopped_may_only_have_been_cut(
    tmp_path: Path, columns: str, flags: str, ended: bool
) -> None:
    zeros = ",".join("0" * len(flags.split(",")))
    log = read(tmp_path, STOPS + f"{columns}\n{STEP}{zeros}\n{STEP}{flags}\n")
    assert log.cuts == int(not ended)
    assert log.moves[-1].tolist() == ([0, 0, 1, 1] if ended else [0, 0, 0, 2])
    assert bool(log.notes) == (flags in ("1,1", "1,0,1", "1,0"))
    if flags == "1,1":
        assert log.notes[0].startswith("1 step is both terminated and cut; they are read as ends")
    if flags.startswith("1,0"):
        assert "terminated and done differ in 1 rows, first in row 2; terminated" in log.notes[0]


def hdf5(path: Path, width: int, *, costs: bool = True) -> Path:
    with h5py.File(path, "w") as file:
        points = np.linspace(0, 1, 4)[:, None].repeat(width, axis=1)
        file["observations"], file["next_observations"] = points, np.roll(points, -1, axis=0)
        file["actions"], file["rewards"] = np.array([[0.0], [1], [0], [1]]), np.arange(4.0)
        file["terminals"], file["timeouts"] = np.zeros(4), np.array([0, 0, 0, 1])
        if costs:
            file["costs"] = np.zeros(4)
    return path


def test_codes_that_single_precision_confuses_are_refused(tmp_path: Path) -> None:
    with h5py.File(hdf5(tmp_path / "a.hdf5", 1), "a") as file:
        for name in ("observations", "next_observations"):
            del file[name]
            file[name] = 2**24 + np.zeros(4, int)
    with pytest.raises(ModelError, match="a code among observations is 16777216; data sets are"):
        read_log(tmp_path / "a.hdf5", HALF)


def test_numbers_that_are_no_codes_are_named(tmp_path: Path) -> None:
    with h5py.File(hdf5(tmp_path / "a.hdf5", 1), "a") as file:
        for name in ("observations", "next_observations"):
            del file[name]
            file[name] = np.array([0, -1, 0, 0])
    with pytest.raises(ModelError, match=r"-1.0 is among observations, and no code"):
        read_log(tmp_path / "a.hdf5", HALF)


def test_data_sets_are_cut_into_bins(tmp_path: Path) -> None:
    log = read_log(hdf5(tmp_path / "a.hdf5", 2), HALF, Columns(bins=2))
    assert log.visits.tolist() == [[1, 1], [1, 1]]  # 0 and 1/3 are below a half
    with pytest.raises(ModelError, match="say into how many bins"):
        read_log(tmp_path / "a.hdf5", HALF)
    with pytest.raises(ModelError, match=r"no costs.*it holds actions"):
        read_log(hdf5(tmp_path / "b.hdf5", 1, costs=False), HALF, Columns(bins=2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "none is known to hold the state"),
        (HEAD, "no steps"),
        (HEAD.replace("cost,", "") + "0,0,1,0,1\n", "hold the cost.*name it; without costs"),
        (HEAD + "0,0,1,0,0\n", "row 1 has 5 cells, .* 6 columns; the file was cut"),
        (HEAD + "x,0,1,0,0,0\n", "row 1, state: 'x' is no number"),
        (HEAD + "-1,0,1,0,0,0\n", "row 1: the state is -1.0; it must be a code"),
        (HEAD + "0,0.5,1,0,0,0\n", "row 1: the action is 0.5"),
        (HEAD + "0,0,nan,0,0,0\n", "step 1: the reward is nan"),
        (HEAD + "0,0,1,inf,0,0\n", "step 1: cost 1 is inf"),
        (HEAD + "0,0,1,0,0,2\n", "row 1: done is 2.0; it must be 0 or 1"),
        (HEAD.replace("done", "reward") + "0,0,1,0,0,0\n", "names a column twice"),
        ("episode," + HEAD + "1,0,0,0,0,0,1\n1,0,0,0,0,0,0\n", "row 2 goes on with episode 1"),
        (STOPS + "done\n", "holds no steps"),
        (STOPS + f"terminal,timeout\n{STEP}1,1\n", "row 1: 'terminal' and the column of cuts are"),
        (STOPS + f"terminals,truncated\n{STEP}1,1\n", "row 1: 'terminals' and the column of cuts"),
        (STOPS + f"done,cut\n{STEP}0,0\n{STEP}1,1\n", "row 2: 'done' and the column of cuts are"),
        ("episode," + HEAD + "1,0,0,0,0,1,0\n1,2,0,0,0,0,0\n", "step 1 leads to state 1"),
        (
            "episode," + HEAD + "1,0,0,0,0,0,0\n2,0,0,0,0,0,0\n1,0,0,0,0,0,0\n",
            "episode 1 is interrupted",
        ),
    ],
)
def test_a_log_that_cannot_be_right_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read(tmp_path, text)


def test_files_of_strangers(tmp_path: Path) -> None:
    path = tmp_path / "log.npz"
    arrays = dict.fromkeys(("state", "action", "reward", "cost", "next_state", "done"), np.zeros(2))
    np.savez(path, **arrays | {"state": np.array([None, None])}, allow_pickle=True)
    with pytest.raises(ModelError, match="its dtype is"):
        read_log(path, HALF)
    np.savez(path, **arrays | {"reward": np.zeros((2, 2))})
    with pytest.raises(ModelError, match="reward is of shape"):
        read_log(path, HALF)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match="cannot be read"):
        read_log(path, HALF)
    for name, words in (("log.txt", "suffix"), ("none.csv", "no file")):
        (tmp_path / "log.txt").write_text("")
        with pytest.raises(ModelError, match=words):
            read_log(tmp_path / name, HALF)
    with pytest.raises(ModelError, match="not cut into bins"):
        read(tmp_path, HEAD + ROWS, Columns(bins=3))
    with pytest.raises(ModelError, match="no column 'toll'"):
        read(tmp_path, HEAD + ROWS, Columns({}, ("toll",)))
    with pytest.raises(ModelError, match="discount is 1"):
        (tmp_path / "log.csv").write_text(HEAD + ROWS)
        read_log(tmp_path / "log.csv", Fraction(1))


def test_a_simulated_log_is_that_of_the_model() -> None:
    """State 0 goes to 1 or to the end (2) with probabilities 1/4 and 3/4; in 1 one of two actions
    goes to the end, the other back."""
    rows = [
        [[0, Fraction(1, 4), Fraction(3, 4)]] * 2,
        [[0, 0, 1], [1, 0, 0]],
        [[0, 0, 1]] * 2,
    ]
    model = from_arrays(rows, [[1, 1], [2, 4], [0, 0]], [[[0, 1], [0, 0], [0, 0]]], [1],
                        discount=HALF, initial=[1, 0, 0])  # fmt: skip
    policy = Policy.uniform(model)
    log = simulate(model, policy, 40_000, length=50, seed=3)
    assert log.moves[:, :3].tolist() == [
        [0, 0, 1], [0, 0, 2], [0, 1, 1], [0, 1, 2], [1, 0, 2], [1, 1, 0],
    ]  # fmt: skip
    shares = log.moves[:, 3] / log.visits[log.moves[:, 0], log.moves[:, 1]]
    assert np.abs(shares - [0.25, 0.75, 0.25, 0.75, 1, 1]).max() < 0.02  # 5 deviations
    assert log.steps == 40_000
    assert log.cuts <= 1
    # V_0 = 1 + V_1/8 and V_1 = 3 + V_0/4, so V_0 = 44/31
    assert abs(log.returns[:, 0].mean() - 44 / 31) < 0.03
    again = simulate(model, policy, 40_000, length=50, seed=3)
    assert np.array_equal(log.moves, again.moves)
    with pytest.raises(ModelError, match="steps is 0"):
        simulate(model, policy, 0, length=5, seed=0)
    with pytest.raises(ModelError, match="begins where nothing happens"):
        simulate(model.with_initial([0, 0, 1]), policy, 5, length=5, seed=0)
