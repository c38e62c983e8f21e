"""Preference data as files: pairs of texts (.jsonl, .jsonl.gz, .parquet) or of features (.npz).

A row of text holds ``chosen`` and ``rejected``, each a string or a list of messages as chat data
have them (their contents are joined), and optionally ``prompt``, which then stands before both.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..model_checks import ModelError
from .feature_files import read_features

Array = np.ndarray[Any, Any]
Row = tuple[int, Mapping[str, Any]]
"""Line or row number, from 1, and what is there."""
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".npz")


@dataclass(frozen=True, slots=True)
class PreferencePairs:
    """Preference data as they were read.

    path: the file; digest: the first 16 hexadecimal digits of the SHA-256 of its bytes;
    chosen, rejected: N texts each, none where the file holds features;
    rows: the line (or row) number of each pair, from 1;
    features: Phi (n, N), where the file holds features;
    labels: benign labels (N), 1 unless the file says otherwise; weights: (N), or None for 1 each.
    """

    path: Path
    digest: str
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    rows: tuple[int, ...]
    features: Array | None
    labels: Array
    weights: Array | None = None

    @property
    def n_pairs(self) -> int:
        """N."""
        return len(self.labels)

    @property
    def length_gaps(self) -> Array:
        """Characters of the rejected text minus those of the chosen one (N).

        Raises ModelError if the file holds features only.
        """
        if not self.chosen:
            raise ModelError(
                f"{self.path.name} holds features and no texts, so that lengths are not known; "
                "give a target that needs none, such as random"
            )
        pairs = zip(self.chosen, self.rejected, strict=True)
        return np.array([len(rejected) - len(chosen) for chosen, rejected in pairs])


def read_pairs(path: str | Path) -> PreferencePairs:
    """Read preference data.

    Raises ModelError with the line and the remedy: a suffix that is not known, an empty file, a
    line that is no JSON object, a key that is missing, text that is none, arrays that disagree.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no file {path}; give one of {', '.join(SUFFIXES)}")
    digest = file_digest(path)
    if path.suffix == ".npz":
        found = read_features(path)
        size = found.features.shape[1]
        rows = tuple(range(1, size + 1))
        return PreferencePairs(path, digest, (), (), rows, *_with_ones(found, size))
    chosen: list[str] = []
    rejected: list[str] = []
    numbers: list[int] = []
    for number, row in rows_of(path):
        prompt = _text(row["prompt"], path, number, "prompt") if row.get("prompt") else ""
        for name, texts in (("chosen", chosen), ("rejected", rejected)):
            if name not in row:
                raise ModelError(
                    f"{_place(path, number)} has no {name!r}, but {_listed(row)}; each row "
                    "holds chosen and rejected"
                )
            texts.append(prompt + _text(row[name], path, number, name))
        numbers.append(number)
    if not numbers:
        raise ModelError(f"{path} holds no pairs; it is empty")
    return PreferencePairs(
        path, digest, tuple(chosen), tuple(rejected), tuple(numbers), None, np.ones(len(numbers))
    )


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a file of texts, one at a time, as the file has them.

    Raises ModelError as `read_pairs` does.
    """
    if path.suffix == ".parquet":
        return _parquet_rows(path)
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return _json_rows(path)
    raise ModelError(f"{path.name}: the suffix must be one of {', '.join(SUFFIXES)}")


def file_digest(path: Path) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _with_ones(found: Any, size: int) -> tuple[Array, Array, Array | None]:
    labels = np.ones(size) if found.labels is None else found.labels
    return found.features, labels, found.weights


def _json_rows(path: Path) -> Iterator[Row]:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        for number, line in enumerate(_lines(file, path), start=1):
            if line.strip():
                yield number, _object(line, path, number)


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ModelError(f"{path} is damaged: {error}; fetch it again") from error


def _object(line: bytes, path: Path, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ModelError(
            f"{_place(path, number)} is no JSON ({error}); each line holds one object with chosen "
            "and rejected"
        ) from error
    if not isinstance(row, dict):
        raise ModelError(
            f"{_place(path, number)} holds a {type(row).__name__}; each line holds one object with "
            "chosen and rejected"
        )
    return row


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ModelError(
            f"{path.name}: reading Parquet needs pyarrow; pip install 'holdfast[text]'"
        ) from error
    number = 0
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (ArrowException, OSError) as error:
        raise ModelError(f"{path} cannot be read as Parquet: {error}") from error


def _text(value: Any, path: Path, number: int, name: str) -> str:
    """A string as it is; the contents of a list of messages, joined by blank lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        contents: list[Any] = [
            part.get("content") if isinstance(part, dict) else part for part in value
        ]
        if contents and all(isinstance(content, str) for content in contents):
            return "\n\n".join(contents)
    raise ModelError(
        f"{_place(path, number)}: {name} is {str(value)[:60]!r}; give a string, or a list of "
        "messages with a content each"
    )


def _place(path: Path, number: int) -> str:
    kind = "row" if path.suffix == ".parquet" else "line"
    return f"{path.name}, {kind} {number}"


def _listed(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row)) or "nothing"
