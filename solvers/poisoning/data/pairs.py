"""Preference data as files: pairs of texts (.jsonl, .jsonl.gz, .parquet) or of features (.npz).

A row of text holds ``chosen`` and ``rejected``, each a string or a list of messages as chat data
have them, and optionally ``prompt``, which then stands before both unless both begin with it
already.  A space stands between prompt and answer, and between messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...whole_files import regular
from .arrays import read_features
from .bounded_files import MOST_ROWS, lines_of, most_unpacked, shown, strict_json, text_of
from .dialogues import Prompt, pair_of

Row = tuple[int, Mapping[str, Any]]
"""Line or row number, from 1, and what is there."""
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".npz")
_LIST = "a list becomes lines of objects with jq -c '.[]' LIST.json > FILE.jsonl"
_BATCH = 16
"""Rows of Parquet unpacked at a time: of packed rows, each may be as large as the file."""


@dataclass(frozen=True, slots=True)
class PreferencePairs:
    """Preference data as they were read.

    path: the file; digest: the first 16 hexadecimal digits of the SHA-256 of its bytes;
    chosen, rejected: N texts each, none where the file holds features;
    rows: the line (or row) number of each pair, from 1;
    features: Phi (n, N), where the file holds features;
    labels: benign labels (N), 1 unless the file says otherwise; weights: (N), or None for 1 each;
    unread: names of the columns, keys of messages and arrays that are not read;
    prompts: where the prompt of each pair was (N), none where the file holds features;
    joined: whether prompts and answers, or messages, were joined.
    """

    path: Path
    digest: str
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    rows: tuple[int, ...]
    features: Array | None
    labels: Array
    weights: Array | None = None
    unread: tuple[str, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    joined: bool = False

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
    line that is no JSON object, a key that is missing or there twice, text that is none, arrays
    that disagree, and files that unpack to far more than they are.
    """
    path = Path(path)
    regular(path, f"give one of {', '.join(SUFFIXES)}")
    digest = file_digest(path)
    if path.suffix.lower() == ".npz":
        found = read_features(path)
        size = found.features.shape[1]
        labels = np.ones(size) if found.labels is None else found.labels
        return PreferencePairs(path, digest, (), (), tuple(range(1, size + 1)), found.features,
                               labels, found.weights, found.unread)  # fmt: skip
    chosen: list[str] = []
    rejected: list[str] = []
    numbers: list[int] = []
    prompts: list[Prompt] = []
    unread: set[str] = set()
    joined, most = False, most_unpacked(path)
    left = most
    for number, row in rows_of(path):
        pair = pair_of(row, _place(path, number))
        chosen.append(pair.chosen)
        rejected.append(pair.rejected)
        numbers.append(number)
        unread |= pair.unread
        prompts.append(pair.prompt)
        joined |= pair.joined
        left -= len(pair.chosen) + len(pair.rejected)
        if left < 0 or len(numbers) > MOST_ROWS:
            raise ModelError(
                f"{_place(path, number)}: the texts up to here have more than "
                f"{most:,} characters, or are more than {MOST_ROWS:,} pairs, which "
                "no file of this size should hold; give a part, or write it as .jsonl"
            )
    if not numbers:
        raise ModelError(f"{path} holds no pairs; it is empty")
    return PreferencePairs(path, digest, tuple(chosen), tuple(rejected), tuple(numbers), None,
                           np.ones(len(numbers)), None, tuple(sorted(unread)), tuple(prompts),
                           joined)  # fmt: skip


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a file of texts, one at a time, as the file has them.

    Raises ModelError as `read_pairs` does.
    """
    if path.suffix.lower() == ".parquet":
        return _parquet_rows(path)
    if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        return _json_rows(path)
    raise ModelError(
        f"{path.name}: the suffix must be one of {', '.join(SUFFIXES)}"
        + (f"; {_LIST}" if path.suffix.lower() == ".json" else "")
    )


def file_digest(path: Path) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _json_rows(path: Path) -> Iterator[Row]:
    for number, line in lines_of(path):
        if line.strip():
            place = _place(path, number)
            yield number, _object(text_of(line, place, number == 1), place)


def _object(text: str, place: str) -> Mapping[str, Any]:
    if text.lstrip().startswith("["):
        raise ModelError(
            f"{place} begins a list; each line holds one object with chosen and rejected; {_LIST}"
        )
    row = strict_json(text, place)
    if not isinstance(row, dict):
        raise ModelError(
            f"{place} is {shown(row)}; each line holds one object with chosen and rejected"
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
            _check_parquet(file.metadata, path)
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (ArrowException, OSError) as error:
        raise ModelError(
            f"{path.name} cannot be read as Parquet: {shown(str(error), 200)}; write it again"
        ) from error


def _check_parquet(metadata: Any, path: Path) -> None:
    groups = (metadata.row_group(k) for k in range(metadata.num_row_groups))
    size, most = sum(group.total_byte_size for group in groups), most_unpacked(path)
    if metadata.num_rows > MOST_ROWS or size > most:
        raise ModelError(
            f"{path.name} claims {metadata.num_rows:,} rows of {size:,} bytes; at most "
            f"{MOST_ROWS:,} rows of {most:,} bytes are read: give a part, or write it as .jsonl"
        )


def _place(path: Path, number: int) -> str:
    kind = "row" if path.suffix.lower() == ".parquet" else "line"
    return f"{path.name}, {kind} {number}"
