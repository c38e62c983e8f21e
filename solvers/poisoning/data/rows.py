"""Rows of files of texts, one at a time, as the file has them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import ModelError
from .bounded_files import (
    LARGEST_LINE,
    MOST_ROWS,
    begins_list,
    entries_of,
    lines_of,
    listed,
    most_unpacked,
    shown,
    strict_json,
    text_of,
)

Row = tuple[int, Mapping[str, Any]]
"""Number of the line, row or entry, from 1, and what is there."""
SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
"""All but the last may be packed, as .jsonl.gz."""
_BATCH = 16
"""Rows of Parquet unpacked at a time: of packed rows, each may be as large as the file."""
_LIST = re.compile(r"\s*\[\s*[{\"'].*[}\"']\s*\]\s*", re.DOTALL)
"""How a list looks that somebody wrote into a cell of text."""


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a file of texts.

    JSON is an object a line, or one list of objects.  The first line of a table names its columns.

    Raises ModelError as `read_pairs` does.
    """
    match noun_of(path):
        case "row":
            return _parquet_rows(path)
        case "entry":
            return _listed_rows(path)
    return _json_rows(path) if "json" in _kind(path) else _table_rows(path)


def noun_of(path: Path) -> str:
    """What the numbers of the rows count: "line", "row" (of Parquet) or "entry" (of a list)."""
    kind = _kind(path)
    if kind not in SUFFIXES:
        raise ModelError(f"{path.name}: the suffix must be one of {', '.join(SUFFIXES)} and .npz")
    if kind == ".parquet":
        return "row"
    return "entry" if "json" in kind and begins_list(path) else "line"


def _kind(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _json_rows(path: Path) -> Iterator[Row]:
    for number, line in lines_of(path):
        if line.strip():
            place = f"{path.name}, line {number}"
            yield number, _object(strict_json(text_of(line, place, number == 1), place), place)


def _listed_rows(path: Path) -> Iterator[Row]:
    for number, entry in enumerate(entries_of(path), start=1):
        yield number, _object(entry, f"{path.name}, entry {number}")


def _object(row: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise ModelError(
            f"{place} is {shown(row)}; give an object with chosen and rejected, or with the "
            "columns that you name"
        )
    return row


def _table_rows(path: Path) -> Iterator[Row]:
    """The rows of a table, each with the number of the line in which it begins."""
    csv.field_size_limit(LARGEST_LINE)
    lines = (text_of(line, f"{path.name}, line {k}", k == 1) for k, line in lines_of(path))
    reader = csv.reader(lines, delimiter="\t" if _kind(path) == ".tsv" else ",", strict=True)
    names: list[str] = []
    number = 1
    try:
        for cells in reader:
            place = f"{path.name}, line {number}"
            if not names:
                names = _header(cells, place)
            elif cells:
                yield number, _record(names, cells, place)
            number = reader.line_num + 1
    except csv.Error as error:
        raise ModelError(
            f"{path.name}, line {number} cannot be read as {_kind(path)[1:].upper()}: {error}; put "
            "quotation marks around each text, and double those within"
        ) from error


def _header(names: list[str], place: str) -> list[str]:
    if len(set(names)) < len(names):
        raise ModelError(f"{place} names one column twice: {listed(names)}; rename one of them")
    return names


def _record(names: list[str], cells: list[str], place: str) -> Mapping[str, Any]:
    if len(cells) != len(names):
        raise ModelError(
            f"{place} has {len(cells)} cells, but line 1 names {len(names)} columns: "
            f"{listed(names)}; put quotation marks around each text"
        )
    for name, cell in zip(names, cells, strict=True):
        if name in ("chosen", "rejected") and _LIST.fullmatch(cell):
            raise ModelError(
                f"{place}: {name} is a list written as text, {shown(cell)}; save the data as "
                ".jsonl or .parquet, which hold lists of messages"
            )
    return dict(zip(names, cells, strict=True))


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
