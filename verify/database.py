"""The file under the store: opening it, its schema, transactions, and errors that people can read.

Rows of shards, findings, kills and corpus can be neither changed nor deleted: triggers refuse.
The view ``evidence`` joins each finding with its run, for whoever opens the file with sqlite3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
"""Kept in ``PRAGMA user_version``; a higher one in a file was written by a later holdfast."""

_APPLICATION = 0x686F6C64  # "hold", in PRAGMA application_id
_APPEND_ONLY = ("shards", "findings", "kills", "corpus")
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
_REFUSE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
    BEGIN SELECT RAISE(ABORT, 'the store is append-only: {table}'); END;
"""


class StoreError(Exception):
    """A store that cannot be used: which file, what is wrong with it, what to do."""

    def __init__(self, path: Path | str, what: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}; {remedy}")
        self.path, self.what, self.remedy = str(path), what, remedy

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str, str]]:
        return type(self), (self.path, self.what, self.remedy)


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
            connection = sqlite3.connect(path, timeout=30, isolation_level=None)
            database = cls(str(path), connection)
            try:
                database._check()
                database._prepare()
            except BaseException:
                connection.close()
                raise
        return database

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._connection.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query."""
        with _explained(self.path):
            return self._connection.execute(query, values).fetchall()

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


_REPLACE = "restore it from a copy, or move it away and run again"


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
        remedy = "check that the folder and the file can be written and that the disk is not full"
        raise StoreError(path, f"cannot be used: {error}", remedy) from error
    except sqlite3.DatabaseError as error:
        raise StoreError(path, f"is no sound SQLite database: {error}", _REPLACE) from error
    except OSError as error:
        raise StoreError(path, f"cannot be opened: {error}", "name another file") from error


def _statements() -> Iterator[str]:
    """The statements of the schema one by one, since executescript would end the transaction."""
    refusals = (
        _REFUSE.format(table=table, verb=verb)
        for table in _APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    )
    pending = ""
    for line in (_TABLES + "".join(refusals)).splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending) and pending.strip():
            yield pending
            pending = ""
