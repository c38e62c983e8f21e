"""Preference data that a stranger might send: refused in little time and memory, run nothing."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROW = '{"chosen": "a b", "rejected": "c"}\n'
SECONDS, MEGABYTES = 4.0, 200.0
"""Of processor time, half of which is loading, measured 1.3 s on one core; and of memory."""


class _Runs:
    """Prints when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("UNPICKLED",)


def _header(shape: str) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def _member(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("features.npy", data)

    return write


def _zeros(path: Path) -> None:
    data = io.BytesIO()
    np.save(data, np.zeros((4, 2_000_000)))
    _member(data.getvalue())(path)


def _text(data: str | bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data.encode() if isinstance(data, str) else data)


def _packed(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(gzip.compress(data))


def _x(value: str) -> Callable[[Path], object]:
    """A good row with one more key."""
    return _text(f'{{"chosen": "a", "rejected": "b", "x": {value}}}\n')


def _parquet(texts: int, rows: int) -> Callable[[Path], None]:
    """Rows that all point at one text."""

    def write(path: Path) -> None:
        import pyarrow as arrow
        from pyarrow import parquet

        column = arrow.DictionaryArray.from_arrays(
            arrow.array(np.zeros(rows, dtype=np.int32)), ["a" * texts]
        )
        parquet.write_table(arrow.table({"chosen": column, "rejected": column}), path)

    return write


KEYS = "".join(f', "k{k}": 0' for k in range(200_000))
ATTACKS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "no UTF-8": ("a.jsonl", _text(b'{"chosen":"\xff","rejected":"b"}'), "no UTF-8: byte 12 is"),
    "5,000 digits": ("a.jsonl", _x("9" * 5000), "line 1 holds a number of 5,000 digits, 9999"),
    "exponent": ("a.jsonl", _x("1e999999999"), "'1e999999999', which is beyond doubles"),
    "repeated key": ("a.jsonl", _text('{"chosen": "a", "chosen": "b", "rejected": "c"}'),
                     "line 1 has the key 'chosen' twice"),
    "repeated key of many": ("a.jsonl", _text(f'{{"chosen": "a"{KEYS}, "k199999": 1}}'),
                             "line 1 has the key 'k199999' twice"),
    "nested lists": ("a.jsonl", _x("[" * 10**6 + "]" * 10**6), "nested too deeply"),
    "nested objects": ("a.jsonl", _x('{"a":' * 10**5 + "1" + "}" * 10**5), "nested too deeply"),
    "long line": ("a.jsonl", _x('"' + "a" * 2**22 + '"'), "line 1 is longer than 4,194,304 bytes"),
    "packed blanks": ("a.jsonl.gz", _packed(b"\n" * 10**8), "unpacks to more than 16,777,216"),
    "packed rows": ("a.jsonl.gz", _packed(ROW.encode() * 10**6), "unpacks to more than 16,777,2"),
    "a shape of terabytes": ("a.npz", _member(_header("(1000000, 1000000)")),
                             "features claims the shape (1000000, 1000000), 8e+12 bytes"),
    "a shape beyond integers": ("a.npz", _member(_header(f"(10, {10**30})")), "8e+31 bytes"),
    "a negative shape": ("a.npz", _member(_header("(-1, 3)")), "claims the shape (-1, 3)"),
    "less than the shape": ("a.npz", _member(_header("(3, 3)")), "72 bytes, and holds 0"),
    "an array of zeros": ("a.npz", _zeros, "6.4e+07 bytes, of which the file can hold 16,777,216"),
    "a header of gigabytes": (
        "a.npz", _member(b"\x93NUMPY\x02\x00" + struct.pack("<I", 10**8) + b" " * 10**8),
        "features is no plain array of numbers"),
    "objects": ("a.npz", lambda path: np.savez(path, features=np.array([[_Runs()]], dtype=object)),
                "its dtype is 'object'; give integers or floats"),
    "rows of Parquet": ("a.parquet", _parquet(1, 20_000_000), "claims 20,000,000 rows"),
    "texts of Parquet": ("a.parquet", _parquet(1_000_000, 1000),
                         "row 9: the texts up to here have more than 16,777,216 characters"),
}  # fmt: skip


@pytest.fixture
def refused(holdfast: Callable[..., Any]) -> Callable[..., None]:
    """Asserts that `holdfast poison` says this of the data, soon and in little memory."""

    def check(said: str, *arguments: str) -> None:
        done = holdfast("poison", *arguments)
        text = " ".join((done.out + done.err).split())
        assert done.code == 64, text
        assert said in text
        assert "Traceback" not in text
        assert "UNPICKLED" not in text
        assert done.seconds < SECONDS
        assert done.megabytes < MEGABYTES

    return check


@pytest.mark.parametrize("attack", ATTACKS)
def test_data(tmp_path: Path, refused: Callable[..., None], attack: str) -> None:
    name, write, said = ATTACKS[attack]
    write(tmp_path / name)
    refused(said, name, "--features", "ngrams", "--dimensions", "1")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("labels.txt", (b"\xff\xfe\x00", 1), "line 1 is no UTF-8: byte 1 is 0xff"),
        ("labels.txt", (b"1", 10**7), "line 1 is longer than 4,194,304 bytes"),
        ("labels.txt", (b"1e-999999999\n0\n", 2), "labels has shape (4,) for 3 pairs"),
        ("labels.json", (b"[", 10**7), "labels.json is no JSON list of numbers, but begins '[[["),
        ("labels.json", (b"[[],0]", 5 * 10**6), "entry 1 of the list is '[]'"),
        ("labels.json", (b"[0]", 2 * 10**7), "more than 33,554,432 bytes; give so many numbers"),
        ("labels.txt", (gzip.compress(b"1\n" * 10, mtime=0), 1), "labels.txt, line 1 is no UTF-8"),
    ],
)
def test_labels(
    tmp_path: Path, refused: Callable[..., None], name: str, data: tuple[bytes, int], said: str
) -> None:
    (tmp_path / name).write_bytes(data[0] * data[1])
    (tmp_path / "a.jsonl").write_text(ROW * 3)
    refused(said, "a.jsonl", "--features", "ngrams", "--labels", name)


def test_text_of_data_does_not_steer_the_terminal(
    tmp_path: Path, holdfast: Callable[..., Any]
) -> None:
    row = {"chosen": "a", "rejected": "b", "\x1b[31m[bold]red[/bold]": 1}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    done = holdfast("poison", "a.jsonl", "--features", "ngrams", "--dimensions", "1")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert r"not read: \x1b[31m[bold]red[/bold]" in " ".join(done.out.split())


@pytest.mark.slow
def test_a_million_pairs_are_read(tmp_path: Path) -> None:
    """What bounds must let through: a million pairs of some hundred characters, packed or not."""
    from holdfast.solvers.poisoning.data.arrays import read_numbers
    from holdfast.solvers.poisoning.data.pairs import read_pairs

    rows = "".join(
        json.dumps({"prompt": f"Question {k}?", "chosen": f"yes {k * 7919} " * 4,
                    "rejected": f"no {k * 104729} " * 4}) + "\n"
        for k in range(10**6)
    )  # fmt: skip
    for path in (tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"):
        data = rows.encode()
        path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
        assert read_pairs(path).n_pairs == 10**6
    (tmp_path / "labels.txt").write_text("1\n0\n" * (5 * 10**5))
    assert read_numbers(tmp_path / "labels.txt", "labels").sum() == 5 * 10**5
