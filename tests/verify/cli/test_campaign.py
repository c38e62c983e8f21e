"""Campaigns on the command line: begun, looked at, gone on with, exported, compared."""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import get_type_hints

import pytest
from pyarrow import csv, parquet

from holdfast.verify.campaign import run as campaign_run
from holdfast.verify.cli.campaign import touched
from holdfast.verify.cli.verifying import Options
from holdfast.verify.store.store import Run, Store

from ..conftest import Done, Invoke

CLAIM = """
from fractions import Fraction
from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import Family, claim

x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
y = Quantity("y", "the larger", Domain.NONNEGATIVE)
numbers = Family("numbers", base=lambda draw: Fraction(draw.integer(1, 9), draw.integer(1, 9)))
theorem = Theorem("LABEL", "Halves", Le(2 * x, y), Source("me", "", Provenance.READ))


@claim(theorem, over=numbers)
def _(number):
    yield {x: number, y: 2 * number}
"""
FILE = "mine.py"
OPTIONS = (FILE, "--budget", 120, "--jobs", 1, "--seed", 5)
SHARDS = 1 + 3  # landmarks, and 120 models in shards of 50


@pytest.fixture(autouse=True)
def mine(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(CLAIM.replace("LABEL", f"mine/{tmp_path.name}"))


@pytest.fixture
def stopped(holdfast: Invoke, monkeypatch: pytest.MonkeyPatch) -> Done:
    """The campaign `night`, interrupted after its second shard."""
    record = Run.record

    def interrupted(run: Run, result: object) -> None:
        record(run, result)
        if run.n_done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "record", interrupted)
        done = holdfast("campaign", "run", "night", *OPTIONS)
    assert done.code == 130, done.output
    return done


def test_an_interrupted_campaign_goes_on_without_its_options(
    holdfast: Invoke, stopped: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stopped.says("2 finished shards are kept in .holdfast/night.sqlite")
    half = holdfast("campaign", "status", "night", "--json", "half.json")
    assert half.code == 0 and half.says("not finished", f"shards 2 of {SHARDS}")
    assert half.says("begun with 1", "spent of 1e-06", "about")
    assert json.loads(Path("half.json").read_text())["planned"] == SHARDS
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = holdfast("campaign", "resume", "../.holdfast/night.sqlite", "--trust")
    assert done.code in (0, 3), done.output
    assert done.says(f"run 1: {FILE}, budget 120, seed 5, 2 shards done, begun in {tmp_path}")
    assert not (tmp_path / "elsewhere" / ".holdfast").exists()
    monkeypatch.chdir(tmp_path)
    assert holdfast("campaign", "status", "night").says("finished after", f"{SHARDS} of {SHARDS}")
    holdfast("verify", *OPTIONS, "--store", "whole.sqlite")
    same = holdfast("diff", "night", "whole.sqlite", "--json", "diff.json")
    document = json.loads(Path("diff.json").read_text())
    assert (document["exit_code"], document["changes"], len(document["seconds"])) == (0, [], 1)
    assert same.code == 0 and same.says("0 changed for the worse, 0 otherwise, 1 the same, row by")
    again = holdfast("campaign", "resume", "night", "--trust")
    assert again.code == 64 and again.says("night is finished; see holdfast campaign status night")


def test_what_a_store_names_is_run_only_where_it_is_trusted(
    holdfast: Invoke, stopped: Done
) -> None:
    del stopped
    done = holdfast("campaign", "resume", "night")
    assert done.code == 64 and done.says(f"night names {FILE}: if you began this run yourself")
    assert holdfast("campaign", "status", "night").says("shards 2")
    plain = dict.fromkeys(get_type_hints(Options)) | {
        "patterns": ("cmdp/*",), "models": ("taxi",), "costs": ("states:1,2", "step"),
    }  # fmt: skip
    assert touched(Options(**plain)) == []
    reaching = {"models": ("gym:mine:Own-v0",), "html_path": "page", "cluster": "a:1"}
    for option, value in reaching.items():
        assert len(touched(Options(**{**plain, option: value}))) == 1


def test_a_name_is_that_of_one_run(holdfast: Invoke, stopped: Done) -> None:
    del stopped
    other = holdfast("campaign", "run", "night", FILE, "--budget", 121, "--jobs", 1)
    assert other.code == 64
    assert other.says(
        "is another one (seed 5 then, 0 now; budget 120 then, 121 now); choose another"
    )
    assert holdfast("campaign", "run", "night", *OPTIONS).code in (0, 3)
    again = holdfast("campaign", "run", "night", *OPTIONS)
    assert again.code == 64 and again.says("is finished; read it, or choose another name")
    assert holdfast("campaign", "run", "night", *OPTIONS, "--fresh").code in (0, 3)
    with Store.read(".holdfast/night.sqlite") as store:
        assert [run.finished for run in store.runs()] == [True, True]
    assert holdfast("diff", "night:1", "night:2").says("1 the same, row by row")


def test_another_version_does_not_go_on(
    holdfast: Invoke, stopped: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    del stopped
    monkeypatch.setattr(campaign_run, "versions", lambda: {"holdfast": "9.9"})
    done = holdfast("campaign", "resume", "night", "--trust")
    assert done.code == 64 and done.says("holdfast 0.1.0 then, 9.9 now", "--fresh")


def test_what_a_store_does_not_tell(holdfast: Invoke, stopped: Done) -> None:
    """A store of an earlier version, and one whose options a stranger has written."""
    del stopped
    with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw:
        (plan,) = raw.execute("SELECT document FROM plans").fetchone()
    without_folder = json.loads(plan)["options"]
    del without_folder["folder"]
    for document, said in (
        ('{"options": {"patterns": 3}, "claims": {}}', "does not hold the options of a command"),
        ("{}", "does not hold the options of a command"),
        ("[", "holds what holdfast never wrote"),
        ("[" * 10**5, "holds what holdfast never wrote"),
        (None, "does not hold the options of a command"),
        (json.dumps({"options": without_folder, "claims": {}}), "does not hold the options"),
    ):
        with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw, raw:
            raw.execute("DROP TABLE IF EXISTS plans")
            if document is not None:
                raw.execute("CREATE TABLE plans (id INTEGER, run INTEGER, document TEXT)")
                raw.execute("INSERT INTO plans VALUES (1, 1, ?)", (document,))
        done = holdfast("campaign", "resume", "night", "--trust")
        assert done.code == 64 and done.says(said), done.output
    assert holdfast("campaign", "status", "night").says("shards 2")


def test_exports_are_the_findings(holdfast: Invoke, stopped: Done) -> None:
    del stopped
    part = holdfast("campaign", "export", "night", "--to", "part.parquet")
    assert part.code == 0 and part.says("from 2 shards of a run that goes on")
    assert holdfast("campaign", "resume", "night", "--trust").code in (0, 3)
    for name in ("whole.parquet", "whole.csv"):
        assert holdfast("campaign", "export", "night", "--to", name).code == 0
    table = parquet.read_table("whole.parquet")
    with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw:
        names = ", ".join(f'findings."{name}"' for name in table.column_names[3:])
        rows = raw.execute(
            f"SELECT shards.claim, kind, name, {names} FROM findings JOIN shards"
            " ON shard = shards.id ORDER BY kind, first, findings.id"
        ).fetchall()
    assert [tuple(row.values()) for row in table.to_pylist()] == rows and len(rows) == 120
    assert table.schema.metadata[b"holdfast.seed"] == b"5"
    assert csv.read_csv("whole.csv").num_rows == len(rows)
    assert parquet.read_table("part.parquet").num_rows < len(rows)


def test_a_forecast(holdfast: Invoke, stopped: Done, tmp_path: Path) -> None:
    del stopped
    done = holdfast("campaign", "plan", "night", "--times", 1000, "--csv", "costs.csv")
    assert done.code == 0, done.output
    assert done.says("from run 1 of .holdfast/night.sqlite: 1 claim, budget 120", "1,001 shards of")
    assert done.says("1,000", "efficiency", "the longest shard takes")
    head, row = Path("costs.csv").read_text().splitlines()
    assert head == "claim,once (s),each drawn model (s)"
    assert row.startswith(f"mine/{tmp_path.name},") and float(row.rpartition(",")[2]) > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("campaign", "export", "night", "--to", "there.csv"),
            "there.csv is there already; name an",
        ),
        (("campaign", "export", "night", "--to", "x.txt"), "ends in neither .parquet nor .csv"),
        (("campaign", "export", "night", "--to", "no/x.csv"), "there is no folder"),
        (
            ("campaign", "status", "day"),
            "there is no campaign day (.holdfast/day.sqlite is not the",
        ),
        (("campaign", "status", "day"), "in this folder there are: night"),
        (("campaign", "status", "folder"), "folder is a folder, and no file; name a campaign"),
        (("campaign", "status", "pipe"), "pipe is a pipe or a device, and no file"),
        (("campaign", "status", "night:7"), "has no run 7; its runs are 1"),
        (("campaign", "status", "a b"), "'a b' is not a name of letters"),
        (("campaign", "run", "--budget", "3"), "Missing argument 'NAME'"),
        (("campaign", "run", "night", FILE, "--store", "x"), "No such option"),
        (
            ("campaign", "resume", "night", "--trust", "--jobs", 2, "--cluster", "local:2"),
            "--jobs has no eff",
        ),
        (("diff", "night", "there.csv"), "is neither a store nor JSON"),
        (("diff", "night", "nowhere.json"), "there is no file nowhere.json; name a store"),
    ],
)
def test_bad_input(
    holdfast: Invoke, stopped: Done, arguments: tuple[object, ...], said: str
) -> None:
    del stopped
    Path("there.csv").write_text("old")
    Path("folder").mkdir(exist_ok=True)
    os.mkfifo("pipe")
    Path("night").mkdir(exist_ok=True)  # a campaign of the name is meant all the same
    done = holdfast(*arguments)
    assert done.code == 64 and done.says(said), done.output
    assert Path("there.csv").read_text() == "old"


def test_a_lost_shard_is_missing(holdfast: Invoke) -> None:
    assert holdfast("campaign", "run", "night", *OPTIONS).code in (0, 3)
    with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw, raw:
        raw.execute("DROP TRIGGER shards_no_DELETE")
        raw.execute("DELETE FROM shards WHERE first = 50")
    done = holdfast("campaign", "status", "night")
    assert done.code == 2 and done.says("finished, but 1 shard missing")


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_keeps_what_was_found(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    command = [sys.executable, "-P", "-m", "holdfast", "campaign", "run", "night", FILE]
    options = ["--budget", "20000", "--jobs", "1"]

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    done = subprocess.run(
        [*command, *options], cwd=tmp_path, preexec_fn=small, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 74, done.stderr
    assert "night.sqlite" in done.stderr and "is full" in done.stderr
    with Store.read(tmp_path / ".holdfast" / "night.sqlite") as store:
        assert store.run().n_done >= 1


@pytest.mark.parametrize("alpha", ["1/0", "1e999999999", "-1/2", "2", "x"])
def test_alpha_that_is_none_is_named(holdfast: Invoke, stopped: Done, alpha: str) -> None:
    del stopped
    with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw, raw:
        raw.execute("DROP TRIGGER findings_no_UPDATE")
        raw.execute("UPDATE findings SET alpha = ?", (alpha,))
    done = holdfast("campaign", "status", "night")
    assert done.code == 64 and done.says("never wrote: verdict = ", f"alpha = '{alpha}'")


def test_a_plan_has_no_negative_shards(holdfast: Invoke, stopped: Done) -> None:
    del stopped
    with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw, raw:
        raw.execute("DROP TRIGGER plans_no_UPDATE")
        plan = '{"options": {}, "claims": {"a/b": {"shards": -1}}}'
        raw.execute("UPDATE plans SET document = ?", (plan,))
    done = holdfast("campaign", "status", "night")
    assert done.code == 64 and done.says("plans, run 1: holds what holdfast never wrote: claims")


def test_a_ratio_that_is_text_is_not_exported(holdfast: Invoke, stopped: Done) -> None:
    del stopped
    with closing(sqlite3.connect(".holdfast/night.sqlite")) as raw, raw:
        raw.execute("DROP TRIGGER findings_no_UPDATE")
        raw.execute("UPDATE findings SET ratio = 'foo'")
    done = holdfast("campaign", "export", "night", "--to", "night.csv")
    assert done.code == 64 and done.says("holds what holdfast never wrote: column = 'ratio'")


def test_a_store_that_was_never_begun_is_told(holdfast: Invoke) -> None:
    """The disk was full when the file was made."""
    Path("empty.sqlite").touch()
    for command in ("status", "resume", "plan"):
        done = holdfast("campaign", command, "./empty.sqlite")
        assert done.code == 64 and done.says("empty.sqlite: holds no run yet; begin one")


def test_diff_of_json_with_an_endless_seed(holdfast: Invoke) -> None:
    document = '{"schema": "holdfast-run/1", "claims": [], "seed": 1e999}'
    Path("run.json").write_text(document, encoding="utf-8")
    done = holdfast("diff", "run.json", "run.json")
    assert done.code == 64 and done.says("run.json: lacks what a run has, or has it otherwise")
