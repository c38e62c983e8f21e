"""Fourteen lemmas of a draft: a false one is refuted or said to be untested, never TIGHT."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from holdfast.verify.binding.claims import load
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.cli import main
from holdfast.verify.report.console import results_table
from holdfast.verify.report.json_report import document
from holdfast.verify.store.store import Store

LEMMAS = Path(__file__).with_name("fourteen_lemmas.py")
REFUTED = {"constant", "undiscounted", "near-optimal", "additive", "within-budget"}
UNTESTED = {
    "zero-times": "vacuous", "zero-below": "vacuous", "same-beside": "vacuous",
    "never-met": "out_of_scope", "seldom-met": "holds",
}  # fmt: skip
TRUE = {"geometric": "tight", "raised": "holds", "optimum": "tight", "gibbs": "agrees"}


@pytest.fixture(scope="module")
def short() -> tuple[dict[str, dict], str]:
    """Sixty models for each lemma: the claims by the last part of their names, and the table.

    As ``holdfast verify`` does it, but for the shrinking of counterexamples, which takes long.
    """
    claims = load(LEMMAS)
    with Store.open(":memory:") as store:
        run = run_campaign(claims, budget=Budget(models=60), seed=0, store=store)
        found = summary(run, claims)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(results_table(found))
    return by_name(document(found)), console.export_text()


def by_name(report: dict) -> dict[str, dict]:
    return {one["name"].removeprefix("lemmas/"): one for one in report["claims"]}


def check(claims: dict[str, dict]) -> None:
    assert len(claims) == 14
    for name, verdict in TRUE.items():
        one = claims[f"true-{name}"]
        assert (one["verdict"], one["as_expected"]) == (verdict, True), name
        assert not one["power"]["without_power"]
    for name in REFUTED:
        assert claims[f"false-{name}"]["verdict"] == "violated", name
    for name, verdict in UNTESTED.items():
        one = claims[f"false-{name}"]
        assert one["power"]["without_power"] and not one["as_expected"], name
        assert one["verdict"] == verdict, name
        assert "without power" in one["outcome"] or verdict == "out_of_scope", name


def test_ten_false_and_four_true_lemmas(short) -> None:
    claims, output = short
    check(claims)
    # what is printed names every untested one as such, with no model that counts as evidence
    rows = {line.split()[0]: line for line in output.splitlines() if line.startswith(" lemmas/")}
    assert "WITHOUT POWER" in rows["lemmas/false-seldom-met"]
    assert "TIGHT" not in "".join(rows[f"lemmas/false-{name}"] for name in UNTESTED)
    for name in ("zero-times", "zero-below", "same-beside"):
        assert " 0/60 " in rows[f"lemmas/false-{name}"]
        assert claims[f"false-{name}"]["tally"] == {"vacuous": 60}
    assert claims["false-never-met"]["tally"] == {"out_of_scope": 60}
    # one decision in four is one of the four discounts, 0
    assert 60 * 0.1 < claims["false-seldom-met"]["telling"] < 60 / 3


def test_an_identity_of_balls_agrees_to_nearly_all_bits(short) -> None:
    claims, output = short
    gibbs = claims["true-gibbs"]
    assert 4000 < gibbs["agreement_bits"] <= 4096
    assert (
        f"the sides agree to {gibbs['agreement_bits']} bits, false variants do not"
        in (gibbs["outcome"])
    )
    assert all(row["fate"] != "survived" for row in gibbs["mutants"])
    assert "✓ AGREES" in output


@pytest.mark.slow
def test_the_default_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["verify", str(LEMMAS), "--json", "report.json"])
    assert end.value.code == ExitCode.VIOLATION
    check(by_name(json.loads(Path("report.json").read_text())))
