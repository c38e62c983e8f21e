"""Data sets of three layouts say the same; what is no whole, plain, finite data set is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.offline.data_sets import DataSet, joined, read_data_set

MINARI = {"actions": "actions", "rewards": "rewards", "terminations": "terminals",
          "truncations": "timeouts"}  # fmt: skip
STEPS = 5
"""Two episodes: steps 0 to 2, which ends by itself, and 3 to 4, which is cut."""


def arrays() -> dict[str, Any]:
    seen = np.arange(3 * (STEPS + 1), dtype=np.float32).reshape(STEPS + 1, 3)
    return {
        "observations": seen[:-1],
        "next_observations": seen[1:],
        "actions": np.full((STEPS, 2), 0.5, np.float32),
        "rewards": np.array([1.0, 2.0, 4.0, 8.0, 16.0]),
        "costs": np.array([0.0, 1.0, 0.0, 1.0, 1.0]),
        "terminals": np.array([0, 0, 1, 0, 0], bool),
        "timeouts": np.array([0, 0, 0, 0, 1], bool),
    }


def stored(path: Path, **changes: Any) -> Path:
    """A file of the flat layout; None leaves a key out."""
    with h5py.File(path, "w") as file:
        for name, values in {**arrays(), **changes}.items():
            if values is not None:
                file[name] = values
    return path


def test_returns_and_returns_to_go(tmp_path: Path) -> None:
    data = read_data_set(stored(tmp_path / "a.hdf5"))
    # 1 + 2 + 4, one cost; 8 + 16, two costs
    assert data.returns.tolist() == [[7, 1], [24, 2]]
    assert data.to_go.tolist() == [[7, 1], [6, 1], [4, 0], [24, 2], [16, 1]]
    assert data.ends.tolist() == [3, 5]
    assert data.starts.tolist() == [0, 0, 0, 3, 3]


def test_returns_to_go_round_nothing_of_other_episodes(tmp_path: Path) -> None:
    """1e17 in the first episode: a running sum over the file would lose what follows it."""
    rewards = np.array([1e17, 0.1, 0.2, 0.3, 0.4])
    data = read_data_set(stored(tmp_path / "a.hdf5", rewards=rewards))
    assert data.to_go[3:, 0].tolist() == [0.3 + 0.4, 0.4]
    assert data.returns[1, 0] == 0.3 + 0.4


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    data = DataSet("made", **arrays())
    data.write(tmp_path / "out.hdf5")
    again = read_data_set(tmp_path / "out.hdf5")
    assert again.digest == data.digest
    other = DataSet("made", **{**arrays(), "rewards": arrays()["rewards"] + 1})
    assert other.digest != data.digest


def test_d4rl_with_columns_and_costs_in_infos(tmp_path: Path) -> None:
    given = {"costs": None, "rewards": arrays()["rewards"][:, None]}
    path = stored(tmp_path / "a.hdf5", **given, **{"infos/cost": arrays()["costs"]})
    assert read_data_set(path).digest == DataSet("", **arrays()).digest


@pytest.mark.parametrize("of_the_reset", [True, False])
def test_minari_says_the_same(tmp_path: Path, of_the_reset: bool) -> None:
    flat, folder = arrays(), tmp_path / "task" / "data"
    folder.mkdir(parents=True)
    with h5py.File(folder / "main_data.hdf5", "w") as file:
        for name, (first, end) in (("episode_1", (3, 5)), ("episode_0", (0, 3))):
            group = file.create_group(name)
            seen = [*flat["observations"][first:end], flat["next_observations"][end - 1]]
            group["observations"] = np.array(seen)
            for theirs, ours in MINARI.items():
                group[theirs] = flat[ours][first:end]
            costs = flat["costs"][first:end]
            group["infos/cost"] = np.concatenate([[0.0], costs]) if of_the_reset else costs
    assert read_data_set(tmp_path / "task").digest == DataSet("", **flat).digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"costs": None}, "has no costs, and without costs no target of a cost can be met"),
        ({"actions": None}, "has no actions; it holds costs, next_observations"),
        ({"rewards": np.ones(4)}, r"observations is of shape \(5, 3\) for 4 rewards"),
        ({"costs": np.array([0, 1, np.nan, 0, 0])}, r"costs\[2\] is nan; it must be finite"),
        ({"costs": np.array([0, -1.0, 0, 0, 0])}, r"costs\[1\] is -1.0; costs are at least 0"),
        ({"costs": np.array([0, 1e308, 1e308, 0, 0])}, "costs from step 0 to .* sum"),
        ({"rewards": np.full(5, 2e38)}, "the rewards from step 0 .* sum to more than single"),
        ({"observations": np.full((5, 3), 1e300)}, r"observations\[0, 0\] is 1e\+300; .* float32"),
        ({"actions": np.full((5, 2), 1e39)}, r"actions\[0, 0\] is 1e\+39; it must be finite in fl"),
        ({"rewards": np.full(5, np.longdouble("1e400"))}, r"rewards\[0\] is 1e\+400; .* float64"),
        ({"terminals": np.array([0, 0, 0.5, 0, 0])}, r"terminals\[2\] is 0.5; it must be 0 or 1"),
        ({"timeouts": np.array([0, 0, 0, 0, -1])}, r"timeouts\[4\] is -1; it must be 0 or 1"),
        ({"timeouts": np.array([0, 0, 0, 0, np.nan])}, r"timeouts\[4\] is nan; it must be 0 or 1"),
        ({"timeouts": np.zeros(5, bool)}, "the last episode, from step 3, has no end"),
        (
            {"terminals": np.array([0, 0, 1, 0, 1])},
            r"terminals\[4\] and timeouts\[4\] are both",
        ),
        ({"actions": np.ones(5)}, r"actions is of shape \(5,\) for 5 rewards; give one vector"),
        ({"next_observations": np.ones((5, 2))}, "they must be equal"),
        ({"rewards": 3.0}, "store an array of plain numbers"),
        ({"rewards": [b"cos\nsystem"] * 5}, "store an array of plain numbers"),
        ({"costs": h5py.SoftLink("/rewards")}, "costs is a link to elsewhere"),
        ({"costs": h5py.ExternalLink("/etc/passwd", "/x")}, "costs is a link to elsewhere"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_data_set(stored(tmp_path / "a.hdf5", **changes))


def test_objects_and_claimed_sizes_are_refused(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.hdf5", costs=None)
    with h5py.File(path, "a") as file:
        file.create_dataset("costs", (5,), dtype=h5py.vlen_dtype(np.float64))
    with pytest.raises(ModelError, match="costs holds object"):
        read_data_set(path)
    with h5py.File(path, "a") as file:
        del file["costs"]
        file.create_dataset("costs", (2**40,), "f4", chunks=(1024,))
    with pytest.raises(ModelError, match="costs takes 8796093022208 bytes"):
        read_data_set(path)
    with h5py.File(path, "a") as file:
        del file["costs"]
        file.create_dataset("costs", (5,), "f8", chunks=(2**28,), maxshape=(None,))
    with pytest.raises(ModelError, match=r"costs takes 2147483648 bytes, .* the file can hold"):
        read_data_set(path)


def test_links_to_one_large_episode_are_counted_each_time(tmp_path: Path) -> None:
    """Half a megabyte of zeros fits into some kilobytes; a hundred times as much does not."""
    path, steps = tmp_path / "a.hdf5", 2**13
    with h5py.File(path, "w") as file:
        first, end = file.create_group("episode_0"), np.arange(steps) == steps - 1
        zeros = np.zeros((steps + 1, 1))
        for name, values in {
            "observations": zeros, "actions": zeros[1:], "rewards": zeros[1:, 0],
            "infos/cost": zeros[1:, 0], "terminations": end, "truncations": end,
        }.items():  # fmt: skip
            first.create_dataset(name, data=values, chunks=(2**13, *values.shape[1:]),
                                 compression="gzip")  # fmt: skip
    assert len(read_data_set(path).rewards) == steps
    with h5py.File(path, "a") as file:
        for k in range(1, 100):
            file[f"episode_{k}"] = file["episode_0"]
    with pytest.raises(ModelError, match=r"episode_\d+: .* more than the file can hold"):
        read_data_set(path)


def test_damaged_bytes_never_end_in_another_error(tmp_path: Path) -> None:
    """Each of 60 files has four bytes that are wrong; h5py has many words for that."""
    path, stream = stored(tmp_path / "a.hdf5"), np.random.default_rng(0)
    whole, refused = np.frombuffer(path.read_bytes(), np.uint8), 0
    for _ in range(60):
        damaged = whole.copy()
        damaged[stream.integers(0, len(whole), 4)] = stream.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        try:
            read_data_set(path)
        except ModelError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 3


def minari(path: Path, **changes: Any) -> Path:
    """One episode of codes, as Minari writes Discrete spaces; None leaves a key out."""
    given = {"observations": np.array([0, 1, 2]), "actions": np.array([1, 0]),
             "rewards": np.ones(2), "terminations": [0, 1], "truncations": [0, 1],
             "infos/cost": np.zeros(2)}  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, values in {**given, **changes}.items():
            if values is not None:
                file[f"episode_0/{name}"] = values
    return path


def test_codes_of_minari_and_a_step_that_is_both(tmp_path: Path) -> None:
    data = read_data_set(minari(tmp_path / "a.hdf5"))
    assert data.observations.tolist() == [[0], [1]]
    assert data.next_observations.tolist() == [[1], [2]]
    assert data.actions.tolist() == [[1], [0]]
    assert (data.terminals.tolist(), data.timeouts.any()) == ([False, True], False)
    assert data.notes == (
        "1 step is both termination and truncation; they are read as ends, as gymnasium means them",
    )
    assert read_data_set(minari(tmp_path / "a.hdf5", truncations=[0, 0])).notes == ()


def test_what_minari_lacks_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf5"
    for changes, message in (
        (
            {"observations": np.ones(3)},
            r"observations is of shape \(3,\) for 2 rewards; give",
        ),
        (
            {"infos/cost": None, "costs": np.ones(2)},
            "target.*; episode_0 holds actions, costs",
        ),
        ({"infos/cost": None, "infos/c": np.ones(2)}, "target.*; episode_0/infos holds c$"),
    ):
        with pytest.raises(ModelError, match=message):
            read_data_set(minari(path, **changes))
    with h5py.File(path, "w"), pytest.raises(ModelError, match="no observations; it holds nothing"):
        read_data_set(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.hdf5")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be read as HDF5"):
        read_data_set(path)
    with pytest.raises(ModelError, match="is no file; give an HDF5 file"):
        read_data_set(tmp_path / "gone.hdf5")


def test_joined_is_one_after_the_other() -> None:
    one = DataSet("one", **arrays())
    assert joined("two", [one, one]).returns.tolist() == [[7, 1], [24, 2]] * 2
