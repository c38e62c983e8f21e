"""Preference data from files: every accepted form, and the place of whatever is wrong."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning.data.arrays import (
    read_features,
    read_numbers,
)
from holdfast.solvers.poisoning.data.pairs import file_digest, read_pairs, rows_of

ROWS = [
    {"chosen": "yes", "rejected": "certainly not", "topic": 1},
    {"chosen": "a longer answer", "rejected": "short"},
]


def write(path: Path, *lines: Any) -> Path:
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_of_json(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.jsonl", ROWS[0], "\n", ROWS[1])
    pairs = read_pairs(path)
    assert pairs.chosen == ("yes", "a longer answer")
    assert pairs.rejected == ("certainly not", "short")
    assert [number for number, _ in rows_of(path)] == [1, 3], "an empty line counts as a line"
    assert pairs.labels.tolist() == [1, 1]
    assert pairs.weights is None
    assert pairs.length_gaps.tolist() == [13 - 3, 5 - 15]
    assert pairs.digest == file_digest(path)
    assert dict(rows_of(path))[1]["topic"] == 1


def test_compressed_lines(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    assert read_pairs(path).chosen == ("yes", "a longer answer")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match="is damaged"):
        read_pairs(path)


def test_messages_and_a_prompt_are_joined(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "because"}]
    row = {"prompt": "Be brief. ", "chosen": chat, "rejected": "I decline"}
    pairs = read_pairs(write(tmp_path / "chat.jsonl", row))
    assert pairs.chosen == ("Be brief.  why? because",)
    assert pairs.rejected == ("Be brief.  I decline",)


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as arrow
    from pyarrow import parquet

    path = tmp_path / "pairs.parquet"
    parquet.write_table(arrow.Table.from_pylist(ROWS), path)
    assert read_pairs(path).rejected == ("certainly not", "short")
    parquet.write_table(arrow.Table.from_pylist([{"chosen": "a", "other": "b"}]), path)
    with pytest.raises(ModelError, match=r"row 1 has no 'rejected', but chosen, other"):
        read_pairs(path)
    path.write_text("no parquet")
    with pytest.raises(ModelError, match="cannot be read as Parquet"):
        read_pairs(path)


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "pairs.parquet"
    path.touch()
    with pytest.raises(ModelError, match=r"needs pyarrow; pip install 'holdfast\[text\]'"):
        read_pairs(path)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "holds no pairs; it is empty"),
        (("\n", "  \n"), "holds no pairs; it is empty"),
        ((ROWS[0], "{not json\n"), r"pairs\.jsonl, line 2 is no JSON"),
        (
            (ROWS[0], "\n", "[1, 2]\n"),
            r"line 3 is \[1, 2\]; give an object with chosen and rejected",
        ),
        (({"chosen": "a", "reject": "b"},), r"line 1 has no 'rejected', but chosen, reject"),
        ((ROWS[0], {}), r"line 2 has no 'chosen', but nothing"),
        (({"chosen": 7, "rejected": "b"},), r"line 1: chosen is 7; give a string, or a list"),
        (({"chosen": [], "rejected": "b"},), r"line 1: chosen is \[\]"),
        (
            ({"chosen": "a", "rejected": [{"role": "user"}]},),
            r"line 1: message 1 of rejected has the",
        ),
        (({"chosen": "a", "rejected": None},), r"line 1: rejected is None"),
        ((b"\xff\xfe",), r"line 1 is no UTF-8: byte 1 is 0xff; save"),
    ],
)
def test_what_is_wrong_and_in_which_line(tmp_path: Path, lines: tuple[Any, ...], said: str) -> None:
    path = tmp_path / "pairs.jsonl"
    if lines and isinstance(lines[0], bytes):
        path.write_bytes(lines[0])
    else:
        write(path, *lines)
    with pytest.raises(ModelError, match=said):
        read_pairs(path)


def test_unknown_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file .*\.tsv, \.parquet and \.npz"):
        read_pairs(tmp_path / "none.jsonl")
    with pytest.raises(ModelError, match=r"pairs\.xlsx: the suffix must be one of \.jsonl"):
        read_pairs(write(tmp_path / "pairs.xlsx", "chosen,rejected\n"))


def test_arrays_of_features(tmp_path: Path) -> None:
    path = tmp_path / "pairs.npz"
    np.savez(path, features=[[1, 2, 3], [4, 5, 6]], labels=[1, 0, 0.5], weights=[1, 2, 0])
    pairs = read_pairs(path)
    assert pairs.features is not None
    assert pairs.features.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert pairs.labels.tolist() == [1, 0, 0.5]
    assert pairs.weights is not None
    assert pairs.weights.tolist() == [1, 2, 0]
    with pytest.raises(ModelError, match="holds features and no texts"):
        _ = pairs.length_gaps


def test_two_matrices_are_subtracted(tmp_path: Path) -> None:
    path = tmp_path / "pairs.npz"
    np.savez(path, chosen=[[1, 2], [3, 4], [5, 7]], rejected=[[0, 2], [1, 1], [1, 1]])
    assert read_features(path).features.tolist() == [[1, 2, 4], [0, 3, 6]]
    np.save(tmp_path / "alone.npy", [[1.0, 2.0]])
    assert read_features(tmp_path / "alone.npy").features.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"other": [1]}, r"holds other; name one features \(n, N\)"),
        ({"features": [1, 2]}, r"features has shape \(2,\); give a matrix"),
        ({"features": np.ones((2, 0))}, r"shape \(2, 0\); give a matrix that is not empty"),
        ({"features": [[1, np.nan]]}, r"features\[0, 1\] is nan; give finite"),
        ({"features": [["a", "b"]]}, r"features cannot be read as an array of numbers: its dtype"),
        ({"features": [[1, 2]], "labels": [1]}, r"labels has shape \(1,\) for 2 pairs"),
        ({"features": [[1, 2]], "labels": [1, 1.5]}, r"labels\[1\] \(pair 2\) is 1\.5; a label"),
        ({"features": [[1, 2]], "labels": [np.nan, 1]}, r"labels\[0\] \(pair 1\) is nan"),
        ({"features": [[1, 2]], "weights": [1, -1]}, r"weights\[1\] \(pair 2\) is -1"),
        ({"features": [[1, 2]], "weights": [0, 0]}, r"weights are all zero"),
        ({"chosen": np.ones((2, 3)), "rejected": np.ones((2, 2))}, r"shape \(2, 3\) and rejected"),
        ({"features": np.array([[{}]], dtype=object)}, r"cannot be read as an array of numbers"),
    ],
)
def test_wrong_arrays(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    path = tmp_path / "pairs.npz"
    np.savez(path, **arrays)
    with pytest.raises(ModelError, match=said):
        read_pairs(path)


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.npz", "text")
    with pytest.raises(ModelError, match="cannot be read as an array"):
        read_pairs(path)
    with pytest.raises(ModelError, match=r"read from \.npy and \.npz"):
        read_features(write(tmp_path / "features.txt", "1 2"))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("numbers.npy", lambda path: np.save(path, [0, 0.5, 1])),
        ("numbers.npz", lambda path: np.savez(path, any=[0, 0.5, 1])),
        ("numbers.json", lambda path: path.write_text("[0, 0.5, 1]")),
        ("numbers.txt", lambda path: path.write_text("0\n0.5\n\n1\n")),
    ],
)
def test_one_number_a_pair(tmp_path: Path, name: str, make: Callable[[Path], Any]) -> None:
    make(tmp_path / name)
    assert read_numbers(tmp_path / name, "the target").tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("target.txt", "1\n0\nhalf\n", r"target\.txt, line 3 is 'half'; write one number a line"),
        ("target.txt", "", r"shape \(0,\); give a list of numbers"),
        ("target.json", "{}", r"is no JSON list of numbers, but begins"),
        ("target.json", "[1, [0]]", r"entry 2 of the list is '\[0\]'"),
        ("target.json", "[1,", r"is no JSON list of numbers"),
        ("target.json", "3", r"is no JSON list of numbers, but begins '3'"),
    ],
)
def test_wrong_numbers(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=said):
        read_numbers(tmp_path / name, "the target")


def test_numbers_that_are_missing_or_too_many(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file .*; name one that holds the target"):
        read_numbers(tmp_path / "none.npy", "the target")
    np.savez(tmp_path / "two.npz", a=[1], b=[2])
    with pytest.raises(ModelError, match="holds a, b; the target needs a single array"):
        read_numbers(tmp_path / "two.npz", "the target")
