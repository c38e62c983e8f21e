"""The store: an SQLite file that findings are added to and never taken from.

One transaction holds all that a shard found, so a run that is killed loses at most the shards in
flight, and one that is started again with the same fingerprint goes on where the last one stopped.
"""

from __future__ import annotations

import json
import operator
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from ..engine.examiner import Kind, Shard, ShardResult
from ..engine.finding import Finding
from ..kernel import Verdict
from .database import Database, StoreError

__all__ = ["Extremal", "Run", "Store", "StoreError"]

_FINDING_FIELDS = tuple(part.name for part in fields(Finding))
_FEW = 10  # runs of a store that an error lists
_FINDING = ", ".join(f'"{name}"' for name in _FINDING_FIELDS)


@dataclass(frozen=True, slots=True)
class Extremal:
    """A model that `hunt` kept: the trace that draws it again, its ratio, and the case as JSON."""

    claim: str
    trace: tuple[int, ...]
    ratio: float | None
    case: Any
    note: str


class Store:
    """An open store; a context manager.  Open it with `Store.open`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.path = database.path

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """Open or create the file (``:memory:`` for one that is forgotten), folders included.

        Raises
        ------
        StoreError: if the file cannot be opened, is damaged, belongs to another program, or was
            written by a later version.
        """
        return cls(Database.open(path))

    @classmethod
    def read(cls, path: Path | str) -> Store:
        """Open a file that exists, for reading only, also in a folder that cannot be written.

        Raises
        ------
        StoreError: as `open`.
        """
        return cls(Database.read(path))

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def begin(
        self,
        fingerprint: str,
        seed: int,
        budget: str,
        versions: Mapping[str, str],
        fresh: bool = False,
        plan: Mapping[str, Any] = MappingProxyType({}),
    ) -> Run:
        """The newest run of this fingerprint if unfinished (and not `fresh`), else a new one.

        plan: plain data on what is to be done, kept with a new run.
        """
        with self.database.transaction() as connection:
            newest = connection.execute(
                "SELECT id, finished FROM runs WHERE fingerprint = ? ORDER BY id DESC LIMIT 1",
                (fingerprint,),
            ).fetchone()
            if newest is None or newest[1] is not None or fresh:
                connection.execute(
                    "INSERT INTO runs (fingerprint, seed, budget, versions, started)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (fingerprint, str(seed), budget, json.dumps(dict(versions)), _now()),
                )
                newest = connection.execute("SELECT last_insert_rowid()").fetchone()
                connection.execute(
                    "INSERT INTO plans (run, document) VALUES (?, ?)",
                    (newest[0], json.dumps(dict(plan))),
                )
        return Run(self, newest[0])

    def runs(self) -> tuple[Run, ...]:
        """All runs, the newest first."""
        rows = self.database.rows("SELECT id FROM runs ORDER BY id DESC")
        return tuple(Run(self, number) for (number,) in rows)

    def run(self, number: int | None = None) -> Run:
        """The run of this number, by default the newest.  Raises StoreError if there is none."""
        known = [one for (one,) in self.database.rows("SELECT id FROM runs ORDER BY id DESC")]
        if not known:
            raise StoreError(self.path, "holds no run yet", "begin one, or name another store")
        if number is not None and number not in known:
            shown = ", ".join(map(str, known[:_FEW])) + (", ..." if known[_FEW:] else "")
            raise StoreError(self.path, f"has no run {number}", f"its runs are {shown}")
        return Run(self, known[0] if number is None else number)

    def findings(self, label: str, limit: int = 20) -> tuple[Finding, ...]:
        """The last findings of a theorem, under all its tags, or of one claim, newest first."""
        rows = self.database.rows(
            f"SELECT id, {_FINDING} FROM findings"
            " WHERE claim = ?1 OR substr(claim, 1, ?2) = ?1 || '#' ORDER BY id DESC LIMIT ?3",
            (label, len(label) + 1, limit),
        )
        return tuple(_finding(self.path, *row) for row in rows)

    def keep(
        self, claim: str, trace: Sequence[int], ratio: float | None, case: Any, note: str = ""
    ) -> bool:
        """Add an extremal model to the corpus; False if its trace is there already.

        case: plain data, as `description.describe` gives it.
        """
        key = (claim, json.dumps(list(trace)))
        with self.database.transaction() as connection:
            if _there(connection, "corpus WHERE claim = ? AND trace = ?", key):
                return False
            connection.execute(
                'INSERT INTO corpus (claim, trace, ratio, "case", note, kept)'
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*key, ratio, json.dumps(case), note, _now()),
            )
        return True

    def corpus(self, claim: str) -> tuple[Extremal, ...]:
        """The extremal models of a claim, largest ratio first."""
        rows = self.database.rows(
            'SELECT id, claim, trace, ratio, "case", note FROM corpus WHERE claim = ?'
            " ORDER BY ratio DESC, id",
            (claim,),
        )
        return tuple(_extremal(self.path, *row) for row in rows)


class Run:
    """One run in the store, begun now or earlier."""

    def __init__(self, store: Store, number: int) -> None:
        self.store, self.id = store, number
        rows = store.database.rows(
            "SELECT fingerprint, seed, budget, versions, started, finished FROM runs WHERE id = ?",
            (number,),
        )
        ((self.fingerprint, seed, self.budget, versions, self.started, finished),) = rows
        with row_of(store.path, f"runs, row {number}", {"seed": seed, "versions": versions}):
            self.seed = int(seed)
            self.versions: dict[str, str] = json.loads(versions)
        self.finished = finished is not None
        rows = store.database.rows('SELECT "key", elapsed FROM shards WHERE run = ?', (number,))
        self._done = {key for key, _ in rows}
        self._earlier = max((elapsed for _, elapsed in rows), default=0.0)
        self._clock = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Wall seconds spent on the run: up to the last shard of earlier parts, plus this part."""
        return self._earlier + (0.0 if self.finished else time.monotonic() - self._clock)

    def done(self, key: str) -> bool:
        """Whether the shard of this key is in the store."""
        return key in self._done

    @property
    def plan(self) -> Mapping[str, Any]:
        """What `Store.begin` was told of the plan; empty for a run of an earlier version."""
        rows = self.store.database.rows
        if not rows("SELECT 1 FROM sqlite_master WHERE name = 'plans'"):
            return {}
        found = rows("SELECT document FROM plans WHERE run = ?", (self.id,))
        with row_of(self.store.path, f"plans, run {self.id}", {"document": found}):
            plan = json.loads(found[0][0]) if found and found[0][0] != "{}" else {}
            return {name: dict(plan[name]) for name in ("options", "claims") if plan}

    @property
    def planned(self) -> dict[str, int] | None:
        """Shards of each claim; None with a budget of seconds, or where nothing is known."""
        claims = self.plan.get("claims", {})
        with row_of(self.store.path, f"plans, run {self.id}", {"claims": claims}):
            shards = {name: one["shards"] for name, one in claims.items()}
            if not shards or None in shards.values():
                return None
            return {name: _count(number) for name, number in shards.items()}

    @property
    def n_done(self) -> int:
        """Shards in the store."""
        return len(self._done)

    def record(self, result: ShardResult) -> None:
        """Store what a shard found, in one transaction; a shard that is there already is left.

        Two processes may work on the same run: a shard gives the same rows in both.
        """
        shard = result.shard
        error = result.error.encode("utf-8", "backslashreplace").decode()
        place = (self.id, shard.key, shard.claim, shard.kind.name, shard.index, shard.size)
        row = (*place, shard.name, result.models, result.seconds, self.elapsed, error)
        with self.store.database.transaction() as connection:
            if not _there(connection, 'shards WHERE run = ? AND "key" = ?', (self.id, shard.key)):
                cursor = connection.execute(
                    'INSERT INTO shards (run, "key", claim, kind, first, size, name, models,'
                    f" seconds, elapsed, error) VALUES ({_marks(row)})",
                    row,
                )
                _insert(connection, cursor.lastrowid, result)
        self._done.add(shard.key)

    def results(
        self, whose: str | None = None, only: Verdict | None = None
    ) -> Iterator[ShardResult]:
        """What all shards found, in the order of the schedule, whatever order they ended in.

        whose: the claim whose shards alone are wanted; only: leaves out findings of other verdicts,
        which saves most of the work.
        """
        rank = {kind.name: number for number, kind in enumerate(Kind)}
        path = self.store.path
        rows = self.store.database.rows(
            "SELECT id, claim, kind, first, size, name, models, seconds, error FROM shards"
            " WHERE run = ?1 AND claim = coalesce(?2, claim)",
            (self.id, whose),
        )
        for number, _, kind, *_ in rows:
            with row_of(path, f"shards, row {number}", {"kind": kind}):
                Kind[kind]
        rows.sort(key=lambda row: (rank[row[2]], row[3], row[1], row[5]))
        for number, claim, kind, first, size, name, models, seconds, error in rows:
            shard = Shard(claim, Kind[kind], first, size, self.seed, name)
            which, values = ("", ()) if only is None else (" AND verdict = ?", (only.name,))
            found = self.store.database.rows(
                f"SELECT id, {_FINDING} FROM findings WHERE shard = ?{which} ORDER BY id",
                (number, *values),
            )
            kills = self.store.database.rows(
                'SELECT mutant, "case" FROM kills WHERE shard = ? ORDER BY id', (number,)
            )
            findings = tuple(_finding(path, *row) for row in found)
            yield ShardResult(shard, findings, dict(kills), models, seconds, error)

    def finish(self) -> None:
        """Mark the run as complete, so that it is not resumed."""
        if not self.finished:
            spent = self.elapsed
            with self.store.database.transaction() as connection:
                connection.execute(
                    "UPDATE runs SET finished = ? WHERE id = ? AND finished IS NULL",
                    (_now(), self.id),
                )
            self._earlier, self.finished = spent, True


def _insert(connection: sqlite3.Connection, number: int | None, result: ShardResult) -> None:
    rows = [(number, *map(partial(_column, one), _FINDING_FIELDS)) for one in result.findings]
    connection.executemany(
        f"INSERT INTO findings (shard, {_FINDING}) VALUES ({_marks(_FINDING_FIELDS)}, ?)", rows
    )
    connection.executemany(
        'INSERT INTO kills (shard, claim, mutant, "case") VALUES (?, ?, ?, ?)',
        [(number, result.shard.claim, mutant, case) for mutant, case in result.kills.items()],
    )


def _column(finding: Finding, name: str) -> Any:
    value = getattr(finding, name)
    if isinstance(value, Verdict):
        return value.name
    return json.dumps(dict(value)) if isinstance(value, Mapping) else value


def _there(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> bool:
    return connection.execute(f"SELECT 1 FROM {where}", values).fetchone() is not None


_SHARDS = 10**12  # of a claim, of which no run has so many
_WRONG = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@contextmanager
def row_of(path: str, place: str, values: Mapping[str, Any]) -> Iterator[None]:
    """Turns what a row that no version wrote makes of us into a StoreError."""
    try:
        yield
    except _WRONG as error:
        shown = ", ".join(f"{name} = {str(value)[:60]!r}" for name, value in values.items())
        what = f"{place}: holds what holdfast never wrote: {shown}"
        raise StoreError(path, what, "move the file away, or name another with --store") from error


def _finding(path: str, number: int, *row: Any) -> Finding:
    try:
        return Finding(*map(_read, _FINDING_FIELDS, row))
    except _WRONG:  # looked into only now: there may be a million findings
        for name, value in zip(_FINDING_FIELDS, row, strict=True):
            with row_of(path, f"findings, row {number}", {name: value}):
                _read(name, value)
        raise


def _read(name: str, value: Any) -> Any:
    """A column of a finding as `_column` wrote it; raises as `row_of` expects."""
    if name == "verdict":
        return Verdict[value]
    if name == "values":
        return {str(key): _text(text) for key, text in json.loads(value).items()}
    if name in ("slack", "ratio"):
        return None if value is None else float(value)
    if name in ("part", "repeat"):
        return operator.index(value)
    return _text(value)


def _count(value: Any) -> int:
    if not 0 <= operator.index(value) <= _SHARDS:
        raise ValueError
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _extremal(
    path: str, number: int, claim: str, trace: str, ratio: Any, case: str, note: str
) -> Extremal:
    with row_of(path, f"corpus, row {number}", {"trace": trace}):
        integers = tuple(json.loads(trace))
        if not all(type(one) is int for one in integers):
            raise TypeError
    with row_of(path, f"corpus, row {number}", {"ratio": ratio, "case": case}):
        return Extremal(
            claim, integers, None if ratio is None else float(ratio), json.loads(case), note
        )


def _marks(row: Sequence[Any]) -> str:
    return ", ".join("?" * len(row))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
