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
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import (
    MOST_ROWS,
    lines_of,
    listed,
    most_unpacked,
    number_of,
    shown,
    text_of,
)
from holdfast.solvers.sequences import Array

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
_OPTIONS = {"length": "--lengths", "solved": "--solved", "prompt": "--prompts"}
_COUNTING = (
    "count these with --tokenizer tokenizer.json, or log the counts: in TRL a reward function can "
    "call log_extra('completion_tokens', [len(ids) for ids in completion_ids]), in verl return "
    "'response_length' beside its score"
)
_FLAGS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
_BATCH = 2**16
"""Rows of Parquet at a time, of numbers and of texts that are kept as a dictionary."""
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
    if not place.is_file():
        raise ModelError(f"there is no file {path}; give one of {', '.join(SUFFIXES)}")
    if not place.name.endswith(SUFFIXES):
        raise ModelError(f"{place.name}: the suffix must be one of {', '.join(SUFFIXES)}")
    if place.suffix == ".parquet":
        return _from_parquet(place, given, solved_from, wanted)
    csv_file = ".csv" in place.suffixes[-2:]
    rows = _csv_rows(place) if csv_file else _json_rows(place)
    _, first = next(rows, (0, None))
    if first is None:
        raise ModelError(f"{place.name} holds no rows; give a log of rollouts")
    head = tuple(first) if not csv_file else tuple(first.values())
    names = _names(head, given, wanted, place.name)
    columns: dict[str, list[Any]] = {what: [] for what in names}
    if not csv_file:
        _take(first, names, columns, place.name, 1)
    for number, row in rows:
        _take(row, names, columns, place.name, number)
    return _log(columns, names, head, solved_from, place.name)


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
    return words + (f"; name it with {_OPTIONS[what]} COLUMN" if what in _OPTIONS else "")


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The head as row 0, then rows by column."""
    lines = (text_of(line, f"{path.name}, line {n}", n == 1) for n, line in lines_of(path))
    reader = csv.reader(lines, strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        if head:
            yield 0, dict(enumerate(head))  # type: ignore[arg-type]
        for number, cells in enumerate((row for row in reader if row), start=1):
            if len(cells) != len(head):
                raise ModelError(
                    f"{path.name}, row {number} has {len(cells)} cells, and the first line names "
                    f"{len(head)} columns; write it again"
                )
            yield number, dict(zip(head, cells, strict=True))
    except csv.Error as error:
        raise ModelError(
            f"{path.name}, line {reader.line_num} cannot be read as CSV: {error}; write it again"
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key is there twice")
    return row


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 0
    for line_number, line in lines_of(path):
        text = text_of(line, f"{path.name}, line {line_number}", line_number == 1).strip()
        if not text:
            continue
        number += 1
        try:
            row = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"{path.name}, line {line_number} is no complete JSON: {shown(str(error), 80)}; "
                "write it again"
            ) from error
        if not isinstance(row, dict):
            raise ModelError(
                f"{path.name}, line {line_number} is {shown(row)}; each line holds one object, "
                'such as {"prompt": "a", "tokens": 120, "solved": true}'
            )
        yield number, row


def _take(
    row: Mapping[str, Any], names: Mapping[str, str], columns: Mapping[str, list[Any]],
    place: str, number: int,
) -> None:  # fmt: skip
    for what, name in names.items():
        if name not in row:
            raise ModelError(f"{place}, row {number} has no {shown(name)}, which others have")
        value = row[name]
        if what == "prompt" and not isinstance(value, str):
            value = json.dumps(value, sort_keys=True, default=str)
        columns[what].append(value)


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
    if what != "prompt":
        return column.to_pylist()  # type: ignore[no-any-return]
    if hasattr(column, "dictionary"):
        known = [str(name) for name in column.dictionary.to_pylist()]
        return [known[k] if k is not None else "null" for k in column.indices.to_pylist()]
    return [
        value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        for value in column.to_pylist()
    ]


def _log(
    columns: Mapping[str, list[Any]], names: Mapping[str, str], head: Iterable[str],
    solved_from: float | None, place: str,
) -> Log:  # fmt: skip
    found: dict[str, Sequence[Any]] = dict(columns)
    for what in ("length", "advances"):
        if what in columns:
            found[what] = _numbers(columns[what], names[what], place)  # type: ignore[assignment]
    found["solved"] = _flags(columns["solved"], names["solved"], solved_from, place)  # type: ignore[assignment]
    unread = tuple(name for name in head if name not in names.values())
    return Log(found, names, unread)


def _numbers(values: list[Any], name: str, place: str) -> Array:
    found = np.empty(len(values))
    for row, value in enumerate(values):
        if isinstance(value, str):
            found[row] = number_of(value, f"{place}, row {row + 1}, {name}")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelError(
                f"{place}, row {row + 1} has {shown(value)} as {name}; give a whole number"
            )
        else:
            found[row] = min(value, 1e300)  # longer integers are no floats
    return found


def _flags(values: list[Any], name: str, solved_from: float | None, place: str) -> Array:
    """Whether each row is solved: true and false, or numbers from some on."""
    kinds: dict[Any, bool] = {}
    found = np.empty(len(values), bool)
    for row, value in enumerate(values):
        if type(value) not in (bool, int, float, str):
            raise _no_flag(value, row, name, place)
        flag = kinds.get(value)
        if flag is None:
            flag = _flag(value, row, name, solved_from, place)
            kinds[value] = flag
        found[row] = flag
    return found


def _flag(value: Any, row: int, name: str, solved_from: float | None, place: str) -> bool:
    if isinstance(value, str):
        word = _FLAGS.get(value.strip().lower())
        number = number_of(value, f"{place}, row {row + 1}, {name}") if word is None else word
    else:
        number = float(value)
    if math.isnan(number):
        raise _no_flag(value, row, name, place)
    if solved_from is not None:
        return number >= solved_from
    if number not in (0.0, 1.0):
        raise _no_flag(value, row, name, place)
    return number == 1.0


def _no_flag(value: Any, row: int, name: str, place: str) -> ModelError:
    return ModelError(
        f"{place}, row {row + 1} has {shown(value)} as {name}, which is neither true nor false; if "
        "it is a score, say from which on a rollout is solved with --solved-from, such as "
        "--solved-from 0.5; or name another column with --solved"
    )
