"""Rollout logs as files: .csv, .jsonl or .parquet, with the columns that trainers give them.

TRL's GRPO trainer writes step, prompt, completion, a column for each reward function, whatever
these log beside, and advantage, as Parquet; verl writes input, output, gts, score, step and what
its reward function returns beside, such as acc, as lines of JSON.  Neither counts tokens of itself.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import (
    LARGEST_LINE,
    MOST_ROWS,
    lines_of,
    listed,
    most_unpacked,
    shown,
    strict_json,
    text_of,
)
from holdfast.solvers.whole_files import regular

from .cells import converted, flag_in, number_in, prompt_names

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
KNOWN: Mapping[str, tuple[str, ...]] = {
    "length": (
        "tokens", "length", "lengths", "n_tokens", "num_tokens", "token_count",
        "completion_tokens", "completion_length", "response_tokens", "response_length",
        "output_tokens", "output_length", "generated_tokens",
    ),
    "solved": (
        "solved", "correct", "is_correct", "acc", "accuracy", "success", "passed",
        "accuracy_reward", "reasoning_accuracy_reward", "score", "reward",
    ),
    "prompt": (
        "prompt_id", "prompt", "problem_id", "question_id", "task_id", "uid", "problem", "question",
        "input",
    ),
    "advances": ("advances",),
    "text": ("completion", "output", "response", "generation"),
}  # fmt: skip
"""What a column holds -> names that are tried, in this order, where none is given."""
_OPTIONS = {
    "length": "--lengths", "text": "--lengths", "solved": "--solved", "prompt": "--prompts",
    "advances": "--advances",
}  # fmt: skip
_COUNTING = (
    "count these with --tokenizer tokenizer.json, or log the counts: in TRL a reward function can "
    "call log_extra('completion_tokens', [len(ids) for ids in completion_ids]), in verl return "
    "'response_length' beside its score"
)
_BATCH = 2**16
"""Rows of Parquet at a time, of numbers and of texts that are kept as a dictionary."""
_LINES = 2**8
"""Lines of text at a time: enough that little time is spent between them, of few texts."""
_SMALL_BATCH = 16
"""The same of nested values: of packed rows each may be as large as the file."""


@dataclass(frozen=True, slots=True)
class Log:
    """Columns of a log: lengths or, where they are counted from texts, texts; solved; prompts and
    advances where it has them.  names: what a column holds -> its name; unread: the other names."""

    columns: Mapping[str, Sequence[Any]]
    names: Mapping[str, str]
    unread: tuple[str, ...]


def read_log(
    path: str, given: Mapping[str, str | None], solved_from: float | None, wanted: Sequence[str]
) -> Log:
    """The columns that are `wanted`, by the names `given` or those that are `KNOWN`.

    solved_from: the least value that counts as solved, needed unless values are true and false.
    Raises ModelError with the row from 1 and the remedy.
    """
    place = Path(path)
    regular(place, f"give one of {', '.join(SUFFIXES)}")
    if not place.name.lower().endswith(SUFFIXES):
        raise ModelError(f"{place.name}: the suffix must be one of {', '.join(SUFFIXES)}")
    if place.suffix.lower() == ".parquet":
        return _from_parquet(place, given, solved_from, wanted)
    cells = place.name.lower().endswith((".csv", ".csv.gz"))
    rows: Iterator[Any] = _csv_rows(place) if cells else _json_rows(place)
    first = next(rows, None)
    if not first:
        raise ModelError(f"{place.name} holds no rows; give a log of rollouts")
    head: list[str] = list(first)
    names = _names(head, given, wanted, place.name)
    keys = {what: head.index(name) if cells else name for what, name in names.items()}
    columns: dict[str, list[Any]] = {what: [] for what in names}
    every = rows if cells else chain([first], rows)
    further = _take(every, columns, keys, None if cells else set(head), place.name)
    free = [what for what in ("length", "solved", "prompt") if what in wanted and not given[what]]
    _check_further(further, {what: names.get(what) for what in free}, place.name)
    return _log(columns, names, [*head, *further], solved_from, place.name)


def _take(
    rows: Iterator[Any], columns: Mapping[str, list[Any]], keys: Mapping[str, Any],
    head: set[str] | None, place: str,
) -> list[str]:  # fmt: skip
    """Append the cells of rows to columns; the keys beyond a head, if there is one, in order."""
    further: set[str] = set()
    taken = 0
    while batch := list(islice(rows, _LINES)):
        if head is not None:
            further |= set().union(*batch) - head
        for what, key in keys.items():
            try:
                columns[what].extend(map(itemgetter(key), batch))
            except KeyError as error:
                number = taken + next(k for k, row in enumerate(batch, start=1) if key not in row)
                raise ModelError(
                    f"{place}, row {number} has no {error}, which the first row has"
                ) from error
        taken += len(batch)
    return sorted(further)


def _check_further(further: Collection[str], names: Mapping[str, str | None], place: str) -> None:
    """Columns that the first row of JSON lacks, of which one would have been read instead."""
    for what, name in names.items():
        tried = KNOWN[what]
        before = tried if name is None else tried[: tried.index(name)]
        late = next((name for name in before if name in further), None)
        if late is not None:
            raise ModelError(
                f"{place} has a column {shown(late)} which the first row lacks; write it in every "
                f"row, or say which column is meant with {_OPTIONS[what]}"
            )


def _names(
    head: Sequence[str], given: Mapping[str, str | None], wanted: Sequence[str], place: str
) -> dict[str, str]:
    if len(set(head)) < len(head):
        twice = next(name for name in head if list(head).count(name) > 1)
        raise ModelError(f"{place} has two columns named {shown(twice)}; rename one")
    found: dict[str, str] = {}
    for what in wanted:
        name = given.get(what)
        if name is not None and name not in head:
            raise ModelError(f"{place} has no column {shown(name)}; it has {listed(head)}")
        tried = (name,) if name is not None else KNOWN[what]
        there = next((name for name in tried if name in head), None)
        if there is not None:
            found[what] = there
        elif what in ("length", "solved", "text"):
            raise ModelError(_missing(what, head, place))
    roles = {name: what for what, name in found.items()}
    for what, name in found.items():
        if roles[name] != what:
            raise ModelError(
                f"{place}: the column {shown(name)} cannot be both that of {_OPTIONS[what]} and "
                f"that of {_OPTIONS[roles[name]]}; name another for one of them"
            )
    return found


def _missing(what: str, head: Sequence[str], place: str) -> str:
    holds = {"length": "token counts", "solved": "whether a rollout is solved", "text": "texts"}
    words = (
        f"{place} has the columns {listed(head)}, of which none is known to hold {holds[what]}; "
        f"tried {', '.join(KNOWN[what])}"
    )
    texts = [name for name in KNOWN["text"] if name in head]
    if what == "length" and texts:
        return f"{words}. It has texts in {shown(texts[0])}: {_COUNTING}"
    return f"{words}; name it with {_OPTIONS[what]} COLUMN"


def _csv_rows(path: Path) -> Iterator[list[str]]:
    """The head, then the cells of each row."""
    name = path.name
    lines = (text_of(line, name, n == 1) for n, line in lines_of(path))
    csv.field_size_limit(LARGEST_LINE)  # of the process; the default is shorter than a long text
    reader = csv.reader(lines, strict=True)
    try:
        head = [cell.strip() for cell in next(filter(None, reader), [])]
        yield head
        for number, cells in enumerate(filter(None, reader), start=1):
            if len(cells) != len(head):
                raise ModelError(
                    f"{name}, row {number} has {len(cells)} cells, and the first line names "
                    f"{len(head)} columns; write it again"
                )
            yield cells
    except csv.Error as error:
        raise ModelError(
            f"{name}, line {reader.line_num} cannot be read as CSV: {error}; write it again"
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError
    return row


def _double(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_double)
"""Refuses what `strict_json` does, which says why, and is faster."""


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    name = path.name
    for number, line in lines_of(path):
        text = text_of(line, name, number == 1).strip()
        if not text:
            continue
        try:
            row = _DECODER.decode(text)
        except (ValueError, RecursionError):
            row = strict_json(text, f"{name}, line {number}")
        if not isinstance(row, dict):
            raise ModelError(
                f"{name}, line {number} is {shown(row)}; each line holds one object, such as "
                '{"prompt": "a", "tokens": 120, "solved": true}'
            )
        yield row


def _from_parquet(
    path: Path, given: Mapping[str, str | None], solved_from: float | None, wanted: Sequence[str]
) -> Log:
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ModelError(
            f"{path.name}: reading Parquet needs pyarrow; pip install 'holdfast[text]'"
        ) from error
    try:
        with ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            names = _names(schema.names, given, wanted, path.name)
            _check_size(metadata, names.values(), path)
        flat = not any(pa.types.is_nested(schema.field(name).type) for name in names.values())
        flat = flat and "text" not in names
        texts = [name for what, name in names.items() if what == "prompt" and flat]
        columns: dict[str, list[Any]] = {what: [] for what in names}
        with ParquetFile(path, read_dictionary=texts) as file:
            size = _BATCH if flat else _SMALL_BATCH
            for batch in file.iter_batches(batch_size=size, columns=list(names.values())):
                for what, name in names.items():
                    columns[what] += _values(batch.column(name), what)
    except (pa.ArrowException, OSError) as error:
        raise ModelError(
            f"{path.name} cannot be read as Parquet: {shown(str(error), 200)}; write it again"
        ) from error
    return _log(columns, names, schema.names, solved_from, path.name)


def _check_size(metadata: Any, names: Collection[str], path: Path) -> None:
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    chunks = (group.column(k) for group in groups for k in range(group.num_columns))
    wanted = (chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] in names)
    size, most = sum(chunk.total_uncompressed_size for chunk in wanted), most_unpacked(path)
    if metadata.num_rows > MOST_ROWS or size > most:
        raise ModelError(
            f"{path.name} claims {metadata.num_rows:,} rows, of {size:,} bytes in the columns that "
            f"are read; at most {MOST_ROWS:,} rows of {most:,} bytes are: give a part of it"
        )


def _values(column: Any, what: str) -> list[Any]:
    if what == "prompt" and hasattr(column, "dictionary"):
        known = column.dictionary.to_pylist()
        return [None if k is None else known[k] for k in column.indices.to_pylist()]
    return [_plain(value) if type(value) is Decimal else value for value in column.to_pylist()]


def _plain(value: Decimal) -> float:
    return int(value) if value == value.to_integral_value() else float(value)


def _log(
    columns: Mapping[str, list[Any]], names: Mapping[str, str], head: Iterable[str],
    solved_from: float | None, place: str,
) -> Log:  # fmt: skip
    found: dict[str, Any] = dict(columns)
    for what, values in columns.items():
        name = names[what]
        if what in ("length", "advances"):
            found[what] = converted(values, lambda x, at: number_in(x, at), name, place)
        elif what == "solved":
            found[what] = converted(values, lambda x, at: flag_in(x, solved_from, at), name, place)
        elif what == "prompt":
            found[what] = prompt_names(values, name, place)
    unread = tuple(name for name in head if name not in names.values())
    return Log(found, names, unread)
