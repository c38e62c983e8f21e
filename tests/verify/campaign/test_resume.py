"""Killed with SIGKILL in mid-run, started again: the same rows as a run that nobody touched."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.campaign.run import Progress, run_campaign
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.store.store import Store

MATERIAL = Path(__file__).with_name("campaign_material.py")
BUDGET = "320"
SHARDS = 4 + 1 + 4 * 7
"""Landmarks, a control, and ceil(320 / 50) shards of drawn models for each of four claims."""
PROGRAM = """
import sys
from pathlib import Path
from holdfast.verify.campaign.run import Interrupted, run_campaign
from holdfast.verify.binding.claims import load
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.store.store import Store

if __name__ == "__main__":
    claims, budget = load(Path(sys.argv[1])), Budget.parse(sys.argv[2])
    with Store.open(sys.argv[3]) as store:
        try:
            run_campaign(claims, budget=budget, seed=11, store=store, jobs=2)
        except Interrupted as reason:
            sys.exit(f"stopped, {reason}")
"""
ROWS = {
    "findings": """
        SELECT shards."key", findings.claim, "case", part, repeat, verdict, "left", "right", slack,
            ratio, grade, alpha, digest, "values", note
        FROM findings JOIN shards ON shards.id = findings.shard
        ORDER BY shards."key", findings.id""",
    "kills": """
        SELECT shards."key", kills.claim, mutant, "case"
        FROM kills JOIN shards ON shards.id = kills.shard ORDER BY shards."key", kills.id""",
    "shards": """
        SELECT run, "key", claim, kind, first, size, name, models, error
        FROM shards ORDER BY "key\"""",
    "runs": "SELECT id, fingerprint, seed, budget, versions, finished IS NOT NULL FROM runs",
}
"""Every column of every table, except row numbers of shards and times."""


@pytest.fixture(scope="module")
def claims() -> tuple[Claim, ...]:
    return load(MATERIAL)


@pytest.fixture(scope="module")
def untouched(claims: tuple[Claim, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("untouched") / "store.sqlite"
    with Store.open(path) as store:
        run_campaign(claims, budget=Budget.parse(BUDGET), seed=11, store=store)
    return path


def table(path: Path, name: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(ROWS[name]).fetchall()


def stored(path: Path) -> int:
    """Shards that another process has stored so far."""
    if not path.exists():
        return 0
    try:
        return len(table(path, "shards"))
    except sqlite3.OperationalError:  # the schema is being written
        return 0


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def started(path: Path, program: Path) -> subprocess.Popen[str]:
    """A slow campaign in a process group of its own, once it has stored a few shards."""
    program.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(program), str(MATERIAL), BUDGET, str(path)],
        env={**os.environ, "CAMPAIGN_PAUSE": "0.002"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: stored(path) >= 8 or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process


def test_the_columns_are_all_compared(untouched: Path) -> None:
    left_out = {"id", "shard", "seconds", "elapsed", "started"}
    with closing(sqlite3.connect(untouched)) as raw:
        for name, query in ROWS.items():
            columns = {row[1] for row in raw.execute(f"PRAGMA table_info({name})")}
            for column in columns - left_out:
                assert column in query, f"{name}.{column}"


def test_kill_9_and_resume(claims: tuple[Claim, ...], untouched: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    process = started(path, tmp_path / "program.py")
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = stored(path)
    assert 8 <= kept < SHARDS, "killed in mid-run"

    told: list[Progress] = []
    with Store.open(path) as store:
        run = run_campaign(
            claims, budget=Budget.parse(BUDGET), seed=11, store=store, jobs=2, progress=told.append
        )
        assert run.finished and len(store.runs()) == 1
    assert [one.stored for one in told] == [True] * kept + [False] * (SHARDS - kept)
    assert len(table(path, "findings")) > 320 * len(claims)
    for name in ROWS:
        assert table(path, name) == table(untouched, name), name


def test_the_rows_of_another_seed_differ(
    claims: tuple[Claim, ...], untouched: Path, tmp_path: Path
) -> None:
    """The comparison above can fail."""
    path = tmp_path / "store.sqlite"
    with Store.open(path) as store:
        run_campaign(claims, budget=Budget.parse(BUDGET), seed=12, store=store)
    assert table(path, "findings") != table(untouched, "findings")
    assert table(path, "shards") == table(untouched, "shards")


def test_workers_do_not_outlive_a_killed_campaign(tmp_path: Path) -> None:
    process = started(tmp_path / "store.sqlite", tmp_path / "program.py")
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_ends_with_one_line(tmp_path: Path, whole_group: bool) -> None:
    path = tmp_path / "store.sqlite"
    process = started(path, tmp_path / "program.py")
    workers = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    _, message = process.communicate(timeout=20)
    assert process.returncode == 1
    assert message == (
        f"stopped, interrupted: {stored(path)} finished shards are kept in {path}; "
        "the same command again goes on from there\n"
    )
    assert psutil.wait_procs(workers, timeout=10)[1] == []
