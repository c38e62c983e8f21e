"""The findings of a run as one table for other programs: Parquet, or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.solvers.errors import ModelError
from holdfast.solvers.whole_files import whole

from .store import Run, row_of

SUFFIXES = (".parquet", ".csv")
_BATCH = 2**16
"""Rows in a group of the file.  More take more memory at a time, fewer compress less well."""

_SHARD = ("claim", "kind", "name")
_TEXTS = ("left", "right", "alpha", "digest", "values", "note")
_REPEATED = ("verdict", "grade")


def export(run: Run, path: str | Path) -> int:
    """Write all findings of the run, also of one that goes on, and return their number.

    The rows are in the order of claims, kinds of shards and cases, whatever order they were found
    in.  Both sides are exact and therefore text; values are a JSON object of texts.  The metadata
    of Parquet name seed, budget, versions and fingerprint of the run.

    Raises
    ------
    ModelError: if the file is there, has another suffix, or pyarrow is not installed.
    StoreError: if the store cannot be read; OSError: if the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ModelError(f"{path} ends in neither {' nor '.join(SUFFIXES)}; name it so")
    if path.exists():
        raise ModelError(f"{path} is there already; name another file, or move it away")
    try:
        import pyarrow
        from pyarrow import csv, parquet
    except ImportError as error:
        what = "an export needs pyarrow, which is not installed"
        raise ModelError(f"{what}; pip install 'holdfast[parquet]'") from error
    text, number = pyarrow.string(), pyarrow.float64()
    repeated = pyarrow.dictionary(pyarrow.int32(), text) if path.suffix == ".parquet" else text
    schema = pyarrow.schema(
        [(name, repeated) for name in _SHARD]
        + [("case", text), ("part", pyarrow.int32()), ("repeat", pyarrow.int32())]
        + [(name, repeated) for name in _REPEATED]
        + [("slack", number), ("ratio", number)]
        + [(name, text) for name in _TEXTS],
        {name: str(value) for name, value in _about(run).items()},
    )
    written = 0
    writer = parquet.ParquetWriter if path.suffix == ".parquet" else csv.CSVWriter
    with whole(path) as unfinished, writer(unfinished, schema) as file:
        found = _rows(run, schema.names[len(_SHARD) :])
        while rows := list(islice(found, _BATCH)):
            columns = zip(*rows, strict=True)
            arrays = []
            for field, column in zip(schema, columns, strict=True):
                with row_of(run.store.path, "findings", {"column": field.name}):
                    arrays.append(pyarrow.array(column, field.type))
            file.write_batch(pyarrow.record_batch(arrays, schema=schema))
            written += len(rows)
    return written


def _rows(run: Run, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    database = run.store.database
    shards = database.rows(
        "SELECT id, claim, kind, name FROM shards WHERE run = ?"
        " ORDER BY claim, kind, name, first, size",
        (run.id,),
    )
    wanted = ", ".join(f'"{name}"' for name in columns)
    for number, *about in shards:
        query = f"SELECT {wanted} FROM findings WHERE shard = ? ORDER BY id"
        for row in database.stream(query, (number,)):
            yield (*about, *row)


def _about(run: Run) -> dict[str, Any]:
    return {
        "holdfast.seed": run.seed,
        "holdfast.budget": run.budget,
        "holdfast.started": run.started,
        "holdfast.finished": run.finished,
        "holdfast.fingerprint": run.fingerprint,
        "holdfast.versions": json.dumps(run.versions, sort_keys=True),
    }
