"""Logs of trainings as tables of printed numbers: nothing is rounded on the way.

JSON lines, CSV, the ``trainer_state.json`` of transformers and TRL, and event files of TensorBoard,
whose numbers are float32.  Nested objects of JSON become columns such as ``train/lambda``.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from holdfast.solvers.alignment.audits.printed import DOUBLE, SINGLE, Lost
from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import (
    LARGEST_LINE,
    lines_of,
    listed,
    shown,
    text_of,
)
from holdfast.solvers.whole_files import regular

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", "trainer_state.json", "tfevents")
_LARGEST_STATE = 2**28
"""Bytes of a trainer_state.json, which is read as a whole: of a million logged steps."""
_REMEDY = f"give a log, one of {', '.join(SUFFIXES)}, or the folder of one"


class _Number(str):
    """A number of JSON, as it is printed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A log.  rows: column -> what is printed, where it is there; places: of each row in the file;
    unit, lost: as `printed` takes them."""

    name: str
    kind: str
    rows: Sequence[Mapping[str, str]]
    places: Sequence[int]
    unit: Fraction = DOUBLE
    lost: Lost = "printing"

    @property
    def columns(self) -> list[str]:
        """Every column that any row has, in the order of appearance."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def whole(self, names: Iterable[str]) -> Table:
        """The rows that have all of these columns."""
        wanted = list(names)
        kept = [k for k, row in enumerate(self.rows) if all(row.get(n, "") != "" for n in wanted)]
        rows = [self.rows[k] for k in kept]
        return Table(
            self.name, self.kind, rows, [self.places[k] for k in kept], self.unit, self.lost
        )


def read_table(path: str) -> Table:
    """The log of a file, or of the folder that holds one.

    Raises ModelError for what is no such file, with the line of what cannot be read.
    """
    place = _found(Path(path))
    name = place.name.lower()
    if "tfevents" in name:
        return _events(place)
    if name.endswith(".json"):
        return _state(place)
    if name.endswith((".jsonl", ".jsonl.gz")):
        rows = list(_json_lines(place))
        return _table(place, "JSON lines", rows)
    if name.endswith((".csv", ".csv.gz")):
        return _table(place, "CSV", list(_cells(place)))
    raise ModelError(f"{place.name}: this kind of file is not known; {_REMEDY}")


def _found(path: Path) -> Path:
    if not path.is_dir():
        return regular(path, _REMEDY)
    for pattern in ("*tfevents*", "trainer_state.json", "progress.csv"):
        there = sorted(path.glob(pattern))
        if len(there) > 1:
            raise ModelError(
                f"{path} holds {len(there)} logs, {listed(x.name for x in there)}; name one"
            )
        if there:
            return there[0]
    raise ModelError(f"{path} is a folder that holds no log that is known; {_REMEDY}")


def _table(path: Path, kind: str, rows: list[tuple[int, dict[str, str]]]) -> Table:
    if not rows:
        raise ModelError(f"{path.name} holds no rows; give the log of a training")
    return Table(path.name, kind, [row for _, row in rows], [place for place, _ in rows])


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(found)
    if len(row) < len(found):
        names = [name for name, _ in found]
        raise ValueError(f"the key {shown(next(n for n in names if names.count(n) > 1))} twice")
    return row


def _load(text: str, place: str) -> Any:
    try:
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number,
                          object_pairs_hook=_pairs)  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{place} is no JSON that can be read: {error}; write it again") from error


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}/")
        elif isinstance(value, str):
            yield before + name, str(value)


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in lines_of(path):
        place = f"{path.name}, line {number}"
        text = text_of(line, place, number == 1).strip()
        if text:
            yield number, _object(_load(text, place), place)


def _object(value: Any, place: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ModelError(
            f"{place} is {_kind(value)}; each row is one object, such as "
            '{"step": 1, "multiplier": 0.5, "cost": 24.1}'
        )
    return dict(_flat(value))


def _kind(value: Any) -> str:
    """What a value of JSON that is no object is, in words."""
    if isinstance(value, list):
        return "a list"
    return f"the number {shown(value)[1:-1]}" if isinstance(value, _Number) else shown(value)


def _state(path: Path) -> Table:
    if path.stat().st_size > _LARGEST_STATE:
        raise ModelError(f"{path.name} has more than {_LARGEST_STATE:,} bytes; give a part of it")
    document = _load(text_of(path.read_bytes(), path.name, True), path.name)
    rows = document.get("log_history") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ModelError(
            f"{path.name} has no log_history, which the trainer_state.json of transformers has; "
            "give that, or a log of JSON lines as .jsonl"
        )
    places = [f"{path.name}, entry {k} of log_history" for k in range(1, len(rows) + 1)]
    found = [_object(row, place) for row, place in zip(rows, places, strict=True)]
    return _table(path, "trainer_state.json", list(enumerate(found, start=1)))


def _cells(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    lines = (text_of(line, f"{path.name}, line {n}", n == 1) for n, line in lines_of(path))
    csv.field_size_limit(LARGEST_LINE)  # of the process; the default is shorter than a long text
    reader = csv.reader(lines, strict=True)
    try:
        head = [cell.strip() for cell in next(filter(None, reader), [])]
        if len(set(head)) < len(head):
            twice = next(name for name in head if head.count(name) > 1)
            raise ModelError(f"{path.name} has two columns named {shown(twice)}; rename one")
        for number, cells in enumerate(filter(None, reader), start=1):
            if len(cells) != len(head):
                raise ModelError(
                    f"{path.name}, row {number} has {len(cells)} cells, and the first line names "
                    f"{len(head)} columns; write it again"
                )
            yield number, dict(zip(head, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise ModelError(f"{path.name} cannot be read as CSV: {error}; write it again") from error


def _events(path: Path) -> Table:
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise ModelError(
            f"{path.name}: reading event files needs tensorboard; pip install tensorboard"
        ) from error
    try:
        found = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
        found.Reload()
        read = [
            (tag, e.step, e.value) for tag in found.Tags()["scalars"] for e in found.Scalars(tag)
        ]
        for tag in found.Tags()["tensors"]:
            for one in found.Tensors(tag):
                array = make_ndarray(one.tensor_proto)
                read += [(tag, one.step, float(array))] if array.size == 1 else []
    except Exception as error:  # the library raises nothing narrower
        words = f"{path.name} cannot be read as an event file: {shown(str(error), 100)}"
        raise ModelError(f"{words}; give one that a SummaryWriter has closed") from error
    rows: dict[tuple[int, int], dict[str, str]] = {}
    times: dict[tuple[str, int], int] = {}
    for tag, step, value in read:
        again = times[tag, step] = times.get((tag, step), -1) + 1
        row = rows.setdefault((step, again), {"step": str(step)})
        row[tag] = str(Decimal(value)) if math.isfinite(value) else "nan"
    order = sorted(rows)
    if not order:
        raise ModelError(f"{path.name} holds no scalars; give the event file of a training")
    table = [rows[key] for key in order]
    return Table(path.name, "TensorBoard", table, list(range(1, len(table) + 1)), SINGLE, "type")
