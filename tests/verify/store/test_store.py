"""The store: what goes in comes out, nothing is taken out, and a bad file is told apart."""

import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.verify.engine.examiner import Kind, Shard, ShardResult
from holdfast.verify.engine.finding import Finding
from holdfast.verify.kernel import Verdict
from holdfast.verify.store.database import SCHEMA_VERSION, StoreError
from holdfast.verify.store.store import Run, Store

SHARD = Shard("area/name#tag", Kind.DRAWN, 50, 20, seed=2**70)
HUGE = str(3**2000)
FINDINGS = (
    Finding(
        "area/name#tag", "drawn:50", 1, 2, Verdict.TIGHT, "1/3", "1/3", 0.0, 1.0, "exact", "0",
        "feed", {"x": HUGE, "a": "1/3"},
    ),
    Finding("area/name#tag", "world:taxi", 0, 0, Verdict.OUT_OF_SCOPE, note="no “costs”"),
    Finding(
        "area/name#tag", "drawn:51", 0, 0, Verdict.HOLDS, "0..1/7", HUGE, 0.1 + 0.2, None,
        "statistical", "1/12000000",
    ),
)  # fmt: skip
RESULT = ShardResult(SHARD, FINDINGS, {"x <= 9*y/5": "drawn:50"}, 20, 0.25)
VERSIONS = {"holdfast": "0.1.0", "numpy": "2.0.0"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "store.sqlite"


def begin(store: Store, fingerprint: str = "f", fresh: bool = False) -> Run:
    return store.begin(fingerprint, SHARD.seed, "500", VERSIONS, fresh)


def test_what_goes_in_comes_out(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        assert not run.done(SHARD.key)
        run.record(RESULT)
    with Store.open(path) as store:
        again = begin(store)
        assert again.id == run.id
        assert again.done(SHARD.key) and again.n_done == 1
        assert (again.seed, again.budget, again.versions) == (2**70, "500", VERSIONS)
        (result,) = again.results()
        assert result == RESULT
        assert list(result.findings[0].values) == ["x", "a"]


def test_the_errors_of_claims_are_kept(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        run.record(ShardResult(SHARD, (), error="raised \udc80 in a file name"))
        (result,) = run.results()
    assert result.error == r"raised \udc80 in a file name"


def test_a_shard_that_is_there_is_left_alone(path: Path) -> None:
    """Two processes on one run: the second to end a shard adds nothing."""
    with Store.open(path) as store, Store.open(path) as other:
        begin(store).record(RESULT)
        late = begin(other)
        late.record(ShardResult(SHARD, (), models=999))
        assert list(late.results()) == [RESULT]


def test_results_come_in_the_order_of_the_schedule() -> None:
    shards = [
        Shard("b/b", Kind.LANDMARKS, 0, 2, 1),
        Shard("a/a", Kind.DRAWN, 0, 50, 1),
        Shard("b/b", Kind.DRAWN, 0, 50, 1),
        Shard("a/a", Kind.DRAWN, 50, 50, 1),
        Shard("a/a", Kind.DRAWN, 100, 7, 1),
        Shard("a/a", Kind.WORLD, 0, 1, 1, "lake"),
    ]
    with Store.open(":memory:") as store:
        run = store.begin("f", 1, "107", {})
        for shard in reversed(shards):
            run.record(ShardResult(shard, ()))
        assert [result.shard for result in run.results()] == shards


def test_which_run_is_resumed() -> None:
    with Store.open(":memory:") as store:
        first = begin(store)
        assert begin(store).id == first.id
        assert begin(store, "other").id != first.id
        second = begin(store, fresh=True)
        assert second.id != first.id
        assert begin(store).id == second.id
        second.finish()
        second.finish()
        third = begin(store)
        assert third.id not in (first.id, second.id), "an older unfinished run is not dug out"
        assert [run.finished for run in store.runs()] == [False, True, False, False]


def test_the_clock_of_a_run_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("holdfast.verify.store.store.time.monotonic", lambda: now[0])
    with Store.open(":memory:") as store:
        run = begin(store)
        now[0] += 40
        run.record(RESULT)
        now[0] += 1000
        again = begin(store)
        assert again.elapsed == 40
        now[0] += 2
        assert again.elapsed == 42
        again.finish()
        now[0] += 5
        assert again.elapsed == 42


def test_findings_of_a_label() -> None:
    with Store.open(":memory:") as store:
        begin(store).record(RESULT)
        assert store.findings("area/name") == FINDINGS[::-1], "the newest first, under all tags"
        assert store.findings("area/name#tag", limit=1) == FINDINGS[-1:]
        assert store.findings("area/nam") == ()
        assert store.findings("area/%") == ()


def test_the_corpus() -> None:
    with Store.open(":memory:") as store:
        assert store.keep("a/a", [3, 2**80], 0.5, {"rows": ["1/2"]}, "first")
        assert store.keep("a/a", [4], 0.75, ["1/3"])
        assert not store.keep("a/a", [4], 0.75, ["1/3"], "the same trace")
        best, other = store.corpus("a/a")
        assert (best.ratio, best.trace, best.case, best.note) == (0.75, (4,), ["1/3"], "")
        assert (other.trace, other.case) == ((3, 2**80), {"rows": ["1/2"]})
        assert store.corpus("b/b") == ()


@pytest.mark.parametrize("table", ["shards", "findings", "kills", "corpus", "runs"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = id + 1"])
def test_nothing_is_changed_or_deleted(path: Path, table: str, statement: str) -> None:
    with Store.open(path) as store:
        begin(store).record(RESULT)
        store.keep("a/a", [1], 0.5, [])
    with closing(sqlite3.connect(path)) as raw:
        before = raw.execute(f"SELECT * FROM {table}").fetchall()
        assert before
        with pytest.raises(sqlite3.IntegrityError, match=r"append-only|only be finished"):
            raw.execute(statement.format(table))
        assert raw.execute(f"SELECT * FROM {table}").fetchall() == before


def test_a_finished_run_stays_finished(path: Path) -> None:
    with Store.open(path) as store:
        begin(store).finish()
    with closing(sqlite3.connect(path)) as raw:
        for change in ("finished = NULL", "finished = 'later'", "seed = 1"):
            with pytest.raises(sqlite3.IntegrityError, match="only be finished, once"):
                raw.execute(f"UPDATE runs SET {change}")


def test_the_view_joins_each_finding_with_its_run(path: Path) -> None:
    with Store.open(path) as store:
        begin(store).record(RESULT)
        rows = store.database.rows("SELECT digest, grade, seed, versions FROM evidence")
    assert len(rows) == len(FINDINGS)
    assert rows[0] == ("feed", "exact", str(2**70), '{"holdfast": "0.1.0", "numpy": "2.0.0"}')


def test_the_store_writes_ahead(path: Path) -> None:
    with Store.open(path) as store:
        assert store.database.rows("PRAGMA journal_mode") == [("wal",)]


def test_half_a_shard_is_no_shard(path: Path) -> None:
    bad = Finding("area/name#tag", "drawn:52", 0, 0, Verdict.HOLDS, left=None)  # type: ignore[arg-type]
    with Store.open(path) as store:
        run = begin(store)
        with pytest.raises(StoreError, match=r"store\.sqlite: refused the change: NOT NULL"):
            run.record(ShardResult(SHARD, (*FINDINGS, bad), {"m": "c"}, 20))
        assert not run.done(SHARD.key)
        assert list(run.results()) == [] and store.findings("area/name") == ()
        run.record(RESULT)
        assert list(run.results()) == [RESULT]


def _filled(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        for first in range(0, 4000, 20):
            run.record(ShardResult(Shard("a/a", Kind.DRAWN, first, 20, 1), FINDINGS))


def _text(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("label,verdict\ncmdp/duality,HOLDS\n" * 100)


def _overwritten(path: Path) -> None:
    _filled(path)
    with path.open("r+b") as file:
        for page in range(2, 40):
            file.seek(4096 * page)
            file.write(b"\xff" * 512)


def _truncated(path: Path) -> None:
    _filled(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _foreign(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE accounts (id INTEGER)")


def _newer(path: Path) -> None:
    _filled(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def _folder(path: Path) -> None:
    path.mkdir(parents=True)


def _file_for_a_folder(path: Path) -> None:
    path.parent.write_text("not a folder")


@pytest.mark.parametrize(
    ("spoil", "what", "remedy"),
    [
        (_text, "not a sound SQLite database: file is not a database", "restore it from a copy"),
        (_overwritten, "damaged|not a sound SQLite database", "restore it from a copy"),
        (_truncated, "damaged|not a sound SQLite database", "move it away and run again"),
        (_foreign, "database of another program", "name another file"),
        (_newer, f"has schema {SCHEMA_VERSION + 1}", "upgrade holdfast"),
        (_folder, "unable to open database file", "can be written"),
        (_file_for_a_folder, "cannot be opened", "name another file"),
    ],
)
def test_a_file_that_is_no_store(path: Path, spoil, what: str, remedy: str) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=what) as caught:
        Store.open(path)
    assert remedy in caught.value.remedy
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert before is None or path.read_bytes() == before, "the file is left as it was"


@pytest.mark.parametrize("recursive", ["OFF", "ON"])
@pytest.mark.parametrize("table", ["shards", "findings", "kills", "corpus", "runs"])
def test_nothing_is_replaced(path: Path, table: str, recursive: str) -> None:
    """REPLACE deletes the row in its way without the trigger on DELETE: same number, same key."""
    with Store.open(path) as store:
        begin(store).record(RESULT)
        store.keep("a/a", [1], 0.5, [])
    keys = {"shards": 'id + 100, run, "key"', "corpus": "id + 100, claim, trace"}
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA recursive_triggers = {recursive}")
        before = raw.execute(f"SELECT * FROM {table}").fetchall()
        columns = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
        rest = ", ".join(f'"{name}"' for name in columns)
        other = rest.replace('"id"', "id + 100")
        for chosen in [rest, *([other] if table in keys else [])]:
            for verb in ("INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    raw.execute(f"{verb} INTO {table} ({rest}) SELECT {chosen} FROM {table}")
        assert raw.execute(f"SELECT * FROM {table}").fetchall() == before


def test_a_store_of_an_earlier_version_gets_the_triggers(path: Path) -> None:
    with Store.open(path) as store:
        begin(store).record(RESULT)
    with closing(sqlite3.connect(path)) as raw:
        for table in ("runs", "shards", "findings", "kills", "corpus"):
            raw.execute(f"DROP TRIGGER {table}_no_INSERT")
    Store.open(path).close()
    with (
        closing(sqlite3.connect(path)) as raw,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        raw.execute("REPLACE INTO findings SELECT * FROM findings")


READER = """
import os
import sys
from pathlib import Path
from holdfast.verify.store.store import Store

if os.getuid() == 0:  # who may write everywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    Path(sys.argv[1]).with_name("probe").touch()
    sys.exit("the folder can be written")
except PermissionError:
    pass
with Store.read(sys.argv[1]) as store:
    print(len(store.findings("area/name")))
"""


def test_a_store_in_a_folder_that_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.sqlite"
        with Store.open(path) as store:
            begin(store).record(RESULT)
        path.parent.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", READER, path], capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        path.parent.chmod(0o755)
        assert (done.stdout, done.stderr) == ("3\n", "")
        assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        Store.read(tmp_path / "none.sqlite")
    assert not list(tmp_path.iterdir())


def test_a_locked_store_is_said_at_once(path: Path) -> None:
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("BEGIN EXCLUSIVE")
        since = time.monotonic()
        with pytest.raises(StoreError, match="is locked by another program") as caught:
            Store.open(path)
        assert time.monotonic() - since < 3
        assert "--store" in caught.value.remedy
        with Store.read(path) as store:
            assert store.findings("a/a") == (), "what is written ahead does not stop readers"


@pytest.mark.parametrize(("column", "value", "place"), [
    ("verdict", "NOPE", "findings, row 1.*verdict = 'NOPE'"),
    ("values", "{", "findings, row 1.*values = '{'"),
    ("values", "[]", "findings, row 1.*values"),
    ("values", '{"a": 1}', "findings, row 1.*values"),
    ("left", b"\xff", "findings, row 1.*left"),
    ("ratio", "much", "findings, row 1.*ratio = 'much'"),
    ("part", "one", "findings, row 1.*part = 'one'"),
])  # fmt: skip
def test_a_row_that_no_version_wrote(path: Path, column: str, value: object, place: str) -> None:
    with Store.open(path) as store:
        begin(store).record(RESULT)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER findings_no_UPDATE")
        raw.execute(f'UPDATE findings SET "{column}" = ? WHERE id = 1', (value,))
        raw.commit()
    with Store.open(path) as store:
        for read in (lambda: store.findings("area/name"), lambda: list(begin(store).results())):
            with pytest.raises(StoreError, match=place) as caught:
                read()
            assert "--store" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE shards SET models = 'x'",
            "row 1: holds what holdfast never wrote: models",
        ),
        (
            "UPDATE shards SET seconds = -5",
            "never wrote: seconds",
        ),
        ("UPDATE shards SET elapsed = 9e999", "never wrote: elapsed = 'inf'"),
        (
            "ALTER TABLE findings RENAME TO kept; CREATE VIEW findings AS WITH RECURSIVE"
            " t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n AS id, kept.* FROM kept, t",
            "findings is no table",
        ),
        ("CREATE TRIGGER late AFTER INSERT ON shards BEGIN SELECT 1; END", "the trigger late"),
    ],
)
def test_what_a_stranger_put_into_a_store_is_named(path: Path, change: str, said: str) -> None:
    """Nothing of it runs: such a view or trigger would never end."""
    with Store.open(path) as store:
        begin(store).record(RESULT)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DROP TRIGGER shards_no_UPDATE")
        raw.executescript(change)
    for door in (Store.read, Store.open):
        with pytest.raises(StoreError, match=said):
            door(path)
