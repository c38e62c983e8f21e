"""The file under the store: opening it, its schema, transactions, and errors that people can read.

Rows of all tables but runs can be neither changed nor deleted: triggers refuse, and also refuse the
row that INSERT OR REPLACE would put in the place of another.
The view ``evidence`` joins each finding with its run, for whoever opens the file with sqlite3.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

SCHEMA_VERSION = 1
"""Kept in ``PRAGMA user_version``; a higher one in a file was written by a later holdfast."""

_APPLICATION = 0x686F6C64  # "hold", in PRAGMA application_id
_APPEND_ONLY = ("shards", "findings", "kills", "corpus", "plans")
_TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, seed TEXT NOT NULL, budget TEXT NOT NULL,
    versions TEXT NOT NULL, started TEXT NOT NULL, finished TEXT
);
CREATE TABLE shards (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, "key" TEXT NOT NULL,
    claim TEXT NOT NULL, kind TEXT NOT NULL, first INTEGER NOT NULL, size INTEGER NOT NULL,
    name TEXT NOT NULL, models INTEGER NOT NULL, seconds REAL NOT NULL, elapsed REAL NOT NULL,
    error TEXT NOT NULL, UNIQUE (run, "key")
);
CREATE TABLE findings (
    id INTEGER PRIMARY KEY, shard INTEGER NOT NULL REFERENCES shards, claim TEXT NOT NULL,
    "case" TEXT NOT NULL, part INTEGER NOT NULL, repeat INTEGER NOT NULL, verdict TEXT NOT NULL,
    "left" TEXT NOT NULL, "right" TEXT NOT NULL, slack REAL, ratio REAL, grade TEXT NOT NULL,
    alpha TEXT NOT NULL, digest TEXT NOT NULL, "values" TEXT NOT NULL, note TEXT NOT NULL
);
CREATE TABLE kills (
    id INTEGER PRIMARY KEY, shard INTEGER NOT NULL REFERENCES shards, claim TEXT NOT NULL,
    mutant TEXT NOT NULL, "case" TEXT NOT NULL
);
CREATE TABLE corpus (
    id INTEGER PRIMARY KEY, claim TEXT NOT NULL, trace TEXT NOT NULL, ratio REAL,
    "case" TEXT NOT NULL, note TEXT NOT NULL, kept TEXT NOT NULL, UNIQUE (claim, trace)
);
CREATE INDEX findings_of_shard ON findings (shard);
CREATE INDEX findings_of_claim ON findings (claim);
CREATE INDEX kills_of_shard ON kills (shard);
CREATE VIEW evidence AS
    SELECT findings.*, shards.run, runs.seed, runs.versions, runs.started
    FROM findings JOIN shards ON shards.id = findings.shard JOIN runs ON runs.id = shards.run;
CREATE TRIGGER runs_are_only_finished BEFORE UPDATE ON runs
    WHEN OLD.finished IS NOT NULL OR NEW.finished IS NULL
        OR (OLD.id, OLD.fingerprint, OLD.seed, OLD.budget, OLD.versions, OLD.started)
        IS NOT (NEW.id, NEW.fingerprint, NEW.seed, NEW.budget, NEW.versions, NEW.started)
    BEGIN SELECT RAISE(ABORT, 'a run can only be finished, once'); END;
CREATE TRIGGER runs_are_kept BEFORE DELETE ON runs
    BEGIN SELECT RAISE(ABORT, 'the store is append-only: runs'); END;
"""
_LATER = """
CREATE TABLE IF NOT EXISTS plans (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL UNIQUE REFERENCES runs, document TEXT NOT NULL
);
"""
"""What stores of earlier versions lack; they get it when they are opened for writing."""
_REFUSE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table} {when}
    BEGIN SELECT RAISE(ABORT, 'the store is append-only: {table}'); END;
"""
_UNIQUE = {"runs": (), "shards": ("run", "key"), "findings": (), "kills": (),
           "corpus": ("claim", "trace"), "plans": ("run",)}  # fmt: skip
"""What no two rows of a table have in common, beside their number.  REPLACE deletes such a row
without the trigger on DELETE (unless the connection asks for recursive triggers), so the trigger on
INSERT has to refuse; our own statements look first whether the row is there."""


_OPENING = 1.0
"""Seconds to wait for a lock when a file is opened: another run writes for milliseconds, so a file
that stays locked longer is held by something else, which a person wants to hear of at once."""

_WRITING = 30.0
"""Seconds to wait for a lock in mid-run, where giving up would lose the work in flight; a lock that
lasts longer is not another run's, which writes for milliseconds."""


class StoreError(Exception):
    """A store that cannot be used: which file, what is wrong with it, what to do."""

    def __init__(self, path: Path | str, what: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}; {remedy}")
        self.path, self.what, self.remedy = str(path), what, remedy

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str, str]]:
        return type(self), (self.path, self.what, self.remedy)


class StoreFull(StoreError):
    """A store on a disk that is full or fails."""


class Database:
    """An open store file.  Open it with `Database.open`."""

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path | str) -> Database:
        """Open or create the file, folders included; raises StoreError if it cannot be used."""
        with _explained(path):
            if str(path) != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_OPENING, isolation_level=None)
            return cls(str(path), connection)._ready(writable=True)

    @classmethod
    def read(cls, path: Path | str) -> Database:
        """Open a file that exists, for reading only, also where nothing can be written.

        Raises
        ------
        StoreError: if it cannot be read; also where findings of a run that was killed still lie
            beside the file and cannot be joined with it without writing.
        """
        with _explained(path):
            where = Path(path).resolve().as_uri()
            alone = not _beside(path, "-wal") and not os.access(Path(path).parent, os.W_OK)
            mode = "immutable=1" if alone else "mode=ro"
            connection = sqlite3.connect(
                f"{where}?{mode}", uri=True, timeout=_OPENING, isolation_level=None
            )
            return cls(str(path), connection)._ready(writable=False)

    def _ready(self, writable: bool) -> Database:
        """Checked, and prepared for writing; closed if it cannot be used."""
        try:
            self._check()
            if writable:
                self._prepare()
            elif not self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):  # the disk was full, perhaps
                raise StoreError(self.path, "holds no run yet", "begin one, or name another store")
        except BaseException:
            self._connection.close()
            raise
        return self

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._connection.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query."""
        with _explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def stream(self, query: str, values: Sequence[Any] = ()) -> Generator[Any, None, None]:
        """The rows of a query one by one, as they all were when the first was read."""
        with _explained(self.path):
            yield from self._connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written inside."""
        with _explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _check(self) -> None:
        ((answer,),) = self.rows("PRAGMA quick_check(1)")
        if answer != "ok":
            what = " ".join(answer.replace("*", "").split())
            raise StoreError(self.path, f"is damaged: {what}", _REPLACE)
        ((application,),) = self.rows("PRAGMA application_id")
        ((version,),) = self.rows("PRAGMA user_version")
        if application != _APPLICATION and self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
            raise StoreError(self.path, "is a database of another program", "name another file")
        if version > SCHEMA_VERSION:
            what = f"has schema {version}, this holdfast reads up to {SCHEMA_VERSION}"
            raise StoreError(self.path, what, "upgrade holdfast or name another file")
        if application == _APPLICATION:
            self._check_tables()

    def _check_tables(self) -> None:
        """Each table of the schema with the columns of the schema, and nothing else that acts.

        A view in the place of a table, or a trigger, could keep us busy for ever.
        """
        with closing(sqlite3.connect(":memory:")) as ideal:
            ideal.executescript(";".join((_TABLES, _LATER, *_triggers())))
            ours = set(map(_squeezed, ideal.execute("SELECT sql FROM sqlite_master")))
            for table in ("runs", *_APPEND_ONLY):
                wanted = ideal.execute(f"PRAGMA table_info({table})").fetchall()
                self._check_table(table, [(column[1], column[2]) for column in wanted])
        for name, sql in self.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"):
            if _squeezed((sql,)) not in ours:
                self._refuse(f"the trigger {name[:_SHOWN]} is not one of its own")

    def _check_table(self, table: str, wanted: Sequence[tuple[str, str]]) -> None:
        query = "SELECT type, rootpage FROM sqlite_master WHERE name = ?"
        found = self.rows(query, (table,))
        if not found and table in _LATER:
            return
        if found and (found[0][0] != "table" or not found[0][1]):
            self._refuse(f"{table} is no table")
        columns = {column[1] for column in self.rows(f"PRAGMA table_info({table})")}
        missing = [column for column, _ in wanted if column not in columns]
        if missing:
            self._refuse(f"{table} lacks {', '.join(missing)}")
        if table in _CHECKED:
            self._check_values(table, wanted)

    def _check_values(self, table: str, wanted: Sequence[tuple[str, str]]) -> None:
        for column, declared in wanted:
            sound = f"typeof(\"{column}\") IN ('{declared.lower()}', 'null')"
            if column in _COUNTS:
                sound += f' AND "{column}" BETWEEN 0 AND {_LARGEST}'
            query = f'SELECT id, "{column}" FROM {table} WHERE NOT ({sound}) LIMIT 1'
            for number, value in self.rows(query):
                shown = f"{table}, row {number}: holds what holdfast never wrote: {column} = "
                raise StoreError(self.path, f"{shown}{str(value)[:_SHOWN]!r}", _AWAY)

    def _refuse(self, what: str) -> NoReturn:
        raise StoreError(self.path, f"is not a store that holdfast wrote: {what}", _REPLACE)

    def _prepare(self) -> None:
        self.rows("PRAGMA journal_mode = WAL")
        self.rows("PRAGMA synchronous = NORMAL")  # in WAL, safe against kill -9
        self.rows("PRAGMA foreign_keys = ON")
        with self.transaction() as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                for statement in _statements():
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute(_LATER)
            for trigger in _triggers():  # stores of earlier versions lack some
                connection.execute(trigger)
        self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * _WRITING)}")


_REPLACE = "restore it from a copy, or move it away and run again"
_AWAY = "move the file away, or name another with --store"
_CHECKED = ("runs", "shards", "plans")  # few rows; findings are looked at when they are read
_COUNTS = ("models", "seconds", "elapsed")
_LARGEST = 10**12  # seconds or models, of which no run has so many
_SHOWN = 60  # letters of a stranger's SQL that a message shows: enough to find it by


def _squeezed(row: Sequence[Any]) -> str:
    """The SQL that made something, however it was broken into lines."""
    return " ".join(str(row[0]).split())


@contextmanager
def _explained(path: Path | str) -> Iterator[None]:
    """Turns what sqlite3 and the file system raise into a StoreError."""
    try:
        yield
    except sqlite3.ProgrammingError:  # ours to mend: a closed store, a wrong thread
        raise
    except sqlite3.IntegrityError as error:
        raise StoreError(path, f"refused the change: {error}", "add whole rows instead") from error
    except sqlite3.OperationalError as error:
        code = error.sqlite_errorcode & 0xFF  # the primary code, without the details
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            what = "is locked by another program, perhaps another run"
            remedy = "wait until that has ended, or name another file with --store"
            raise StoreError(path, what, remedy) from error
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull(path, "cannot grow, the disk is full", "free some space") from error
        if code == sqlite3.SQLITE_IOERR:
            remedy = "see whether the disk or a quota is full, then run again"
            raise StoreFull(path, f"cannot be read or written ({error})", remedy) from error
        remedy = "check that the folder and the file can be written and that the disk is not full"
        raise StoreError(path, f"cannot be used: {error}", remedy) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(path, f"is not a sound SQLite database: {error}", _REPLACE) from error
    except OSError as error:
        raise StoreError(path, f"cannot be opened: {error}", "name another file") from error


def _beside(path: Path | str, suffix: str) -> bool:
    """Whether SQLite keeps something beside the file that has not gone into it yet."""
    beside = Path(f"{path}{suffix}")
    return beside.exists() and beside.stat().st_size > 0


def _statements() -> Iterator[str]:
    """The statements of the schema one by one, since executescript would end the transaction."""
    pending = ""
    for line in _TABLES.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending) and pending.strip():
            yield pending
            pending = ""


def _triggers() -> Iterator[str]:
    """The triggers that make the store append-only."""
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield _REFUSE.format(table=table, verb=verb, when="")
    for table, unique in _UNIQUE.items():
        same = " AND ".join(f'"{column}" = NEW."{column}"' for column in unique)
        taken = f"id = NEW.id OR ({same})" if same else "id = NEW.id"
        when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken})"
        yield _REFUSE.format(table=table, verb="INSERT", when=when)
