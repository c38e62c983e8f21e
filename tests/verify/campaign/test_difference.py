"""What changed between two runs: nothing against itself, and everything that was planted."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.solvers.errors import ModelError
from holdfast.verify.binding.claims import load
from holdfast.verify.campaign.difference import Change, differences, gravest_code
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.results import read_results, split
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.report import json_report
from holdfast.verify.store.database import StoreError
from holdfast.verify.store.store import Store

HEAD = """
from fractions import Fraction
from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Standing, Theorem
from holdfast.verify import Family, claim

x = Quantity("x", "the smaller", Domain.NONNEGATIVE)
y = Quantity("y", "the larger", Domain.NONNEGATIVE)
numbers = Family("numbers", base=lambda draw: Fraction(draw.integer(1, 9), draw.integer(1, 9)))
source = Source("the tests", "", Provenance.READ)


@claim(Theorem("test/halves", "Halves", Le(2 * x, y), source), over=numbers)
def _(number):
    yield {x: number, y: 2 * number}


@claim(
    Theorem("test/false", "False", Le(x, y), source, standing=Standing.REFUTED),
    over=numbers,
)
def _(number):
    yield {x: 2 * number, y: number}
"""
CHANGES = {
    "a statement that is false now": (
        ("Le(2 * x, y)", "Le(3 * x, y)"), "verdict TIGHT VIOLATED", ExitCode.VIOLATION,
    ),
    "a false one that is refuted no more": (
        ("yield {x: 2 * number, y: number}", "yield {x: number, y: number}"),
        "verdict VIOLATED TIGHT", ExitCode.VIOLATION,
    ),
    "mutants that nothing notices": (
        ("yield {x: number, y: 2 * number}", "yield {x: number, y: 9 * number}"),
        "mutants refuted", ExitCode.MUTANT_SURVIVED,
    ),
    "a weaker statement": (
        ("Le(2 * x, y)", "Le(x, y)"), "statement 2*x <= y x <= y", ExitCode.MUTANT_SURVIVED,
    ),
    "a claim that raises": (
        ("yield {x: number, y: 2 * number}", 'raise RuntimeError("no")\n    yield'),
        "error none", ExitCode.UNDECIDED,
    ),
    "a claim that is gone": (
        ("@claim(Theorem(\"test/halves\"", "claim(Theorem(\"test/other\""),
        "claim TIGHT absent", ExitCode.UNDECIDED,
    ),
}  # fmt: skip
"""What is planted: (old and new text, how the gravest change begins, its code)."""


def ran(folder: Path, text: str, models: int = 30, seed: int = 0) -> Path:
    """The store of a run of these claims; its JSON is beside it."""
    folder.mkdir()
    (folder / "claims.py").write_text(text, encoding="utf-8")
    claims = load(folder / "claims.py")
    with Store.open(folder / "store.sqlite") as store:
        run = run_campaign(claims, budget=Budget(models=models), seed=seed, store=store)
        json_report.write(summary(run, claims), folder / "run.json")
    (folder / "claims.py").unlink()  # two files may not claim the same
    return folder


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ran(tmp_path_factory.mktemp("runs") / "before", HEAD)


def compared(before: Path, now: Path, file: str) -> list[Change]:
    return differences(read_results(str(before / file)), read_results(str(now / file)))


@pytest.mark.parametrize("file", ["store.sqlite", "run.json"])
def test_nothing_changed_against_itself_and_against_a_second_run(
    before: Path, tmp_path: Path, file: str
) -> None:
    again = ran(tmp_path / "again", HEAD)
    assert read_results(str(before / file)).outcomes
    assert compared(before, before, file) == compared(before, again, file) == []


@pytest.mark.parametrize("file", ["store.sqlite", "run.json"])
@pytest.mark.parametrize("planted", CHANGES)
def test_what_is_planted_is_noticed(before: Path, tmp_path: Path, planted: str, file: str) -> None:
    (old, new), begins, code = CHANGES[planted]
    changes = compared(before, ran(tmp_path / "now", HEAD.replace(old, new)), file)
    lines = [f"{one.what} {one.before} {one.now}" for one in changes]
    assert any(line.startswith(begins) for line in lines), lines
    assert gravest_code(changes) is code
    back = compared(tmp_path / "now", before, file)
    assert {one.claim for one in back} == {one.claim for one in changes}


CODES = {
    "findings": ExitCode.UNDECIDED,
    "kills": ExitCode.MUTANT_SURVIVED,
    "shards": ExitCode.VIOLATION,  # all drawn models of the statement that they refute
}


@pytest.mark.parametrize("table", CODES)
def test_a_loss_is_noticed(before: Path, tmp_path: Path, table: str) -> None:
    """Whoever takes rows out, past the triggers, is found out."""
    damaged = tmp_path / "damaged.sqlite"
    shutil.copy(before / "store.sqlite", damaged)
    with closing(sqlite3.connect(damaged)) as raw, raw:
        raw.execute(f"DROP TRIGGER {table}_no_DELETE")
        raw.execute(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})")
    old, new = read_results(str(before / "store.sqlite")), read_results(str(damaged))
    changes = differences(old, new)
    assert "findings" in {one.what for one in changes}
    assert gravest_code(changes) is CODES[table]


COLUMNS = {
    "shards": {"key": "'x'", "first": "first + 7", "size": "size + 1", "models": "models - 1",
               "kind": "'CONTROL'", "name": "'x'"},
    "kills": {"claim": "'x/y'", "mutant": "mutant || ' '", "case": "'drawn:1'"},
    "findings": {"claim": "'x/y'", "case": "'drawn:99'", "repeat": "7", "ratio": "ratio / 2",
                 "slack": "slack + 1", "left": "left || '0'", "grade": "'ball'", "note": "'x'",
                 "alpha": "'1/2'", "digest": "'x'", "values": "'{}'", "verdict": "'HOLDS'"},
}  # fmt: skip


@pytest.mark.parametrize("table", COLUMNS)
def test_a_change_of_any_column_is_noticed_with_its_shard(
    before: Path, tmp_path: Path, table: str
) -> None:
    old = read_results(str(before / "store.sqlite"))
    for column, value in COLUMNS[table].items():
        damaged = tmp_path / f"{column}.sqlite"
        shutil.copy(before / "store.sqlite", damaged)
        with closing(sqlite3.connect(damaged)) as raw, raw:
            raw.execute(f"DROP TRIGGER {table}_no_UPDATE")
            raw.execute(f"UPDATE {table} SET \"{column}\" = {value} WHERE id ="
                        f" (SELECT max(id) FROM {table})")  # fmt: skip
        changes = {one.what: one for one in differences(old, read_results(str(damaged)))}
        assert "the first: " in changes["findings"].now, (column, changes)


@pytest.mark.parametrize("file", ["store.sqlite", "run.json"])
def test_less_power_is_said(before: Path, tmp_path: Path, file: str) -> None:
    """A bound that nothing comes near any more, at the same verdicts of the other statement."""
    weaker = HEAD.replace(
        "yield {x: number, y: 2 * number}", "yield {x: number, y: 2 * number + 1}"
    )
    power = [one for one in compared(before, ran(tmp_path / "now", weaker), file)
             if one.what in ("power", "ratio")]  # fmt: skip
    assert {one.claim for one in power} == {"test/halves"}
    silent = HEAD.replace(
        "yield {x: number, y: 2 * number}", "yield from [{x: number, y: 2 * number}] * (number < 3)"
    )
    power = [one for one in compared(before, ran(tmp_path / "silent", silent), file)
             if one.what == "power"]  # fmt: skip
    assert [one.claim for one in power] == ["test/halves"]


def test_another_budget_is_not_compared_row_by_row(before: Path, tmp_path: Path) -> None:
    small = ran(tmp_path / "small", HEAD, models=10)
    assert not {"models", "findings"} & {
        one.what for one in compared(before, small, "store.sqlite")
    }


def test_runs_of_a_store_have_numbers(before: Path) -> None:
    place = before / "store.sqlite"
    assert read_results(f"{place}:1").outcomes == read_results(str(place)).outcomes
    with pytest.raises(StoreError, match="has no run 2; its runs are 1"):
        read_results(f"{place}:2")
    assert split("a:b.sqlite:12") == (Path("a:b.sqlite"), 12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is neither a store nor JSON"),
        ("[" * 10**5, "is neither a store nor JSON"),
        ("[]", "its schema is None"),
        (
            '{"schema": "holdfast-hunt/1"}',
            "its schema is 'holdfast-hunt/1', and is not holdfast-run",
        ),
        ('{"schema": "holdfast-run/1"}', "lacks what a run has.*claims"),
    ],
)
def test_what_is_no_run(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ModelError, match=said):
        read_results(str(tmp_path / "x.json"))


@pytest.mark.parametrize(("name", "value"), [("verdict", "fine"), ("claims", 3), ("mutants", [1]),
                                             ("tightest", 5), ("standing", "odd")])  # fmt: skip
def test_a_document_with_a_wrong_value(
    before: Path, tmp_path: Path, name: str, value: object
) -> None:
    document = json.loads((before / "run.json").read_text())
    (document if name == "claims" else document["claims"][0])[name] = value
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="or has it otherwise"):
        read_results(str(tmp_path / "x.json"))
