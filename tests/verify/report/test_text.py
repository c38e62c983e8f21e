"""The console, JUnit and JSON."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import junitparser
import pytest
from rich.console import Console, RenderableType

from holdfast import theory
from holdfast.verify.binding.claims import pillar, shipped
from holdfast.verify.campaign.summary import RunSummary
from holdfast.verify.kernel import Verdict
from holdfast.verify.report import console, json_report, junit, wording
from holdfast.verify.report.page import pretty, theorem_page

from .conftest import HOSTILE, SURVIVED, UNDECIDED, VIOLATED, WORLDS, finding, stub_claim

EVERYTHING = frozenset(["*"])
HOMES = {one.theorem.label: one.file for one in shipped()}


def test_the_text_reports_load_no_heavy_library() -> None:
    code = (
        "import sys, holdfast.verify.report.console, holdfast.verify.report.junit, "
        "holdfast.verify.report.json_report; "
        "print({'matplotlib', 'networkx', 'jinja2', 'latex2mathml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def printed(thing: RenderableType, width: int = 160) -> str:
    screen = Console(width=width, record=True, file=io.StringIO())
    screen.print(thing)
    return screen.export_text()


def row(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [label])


def test_the_table_has_a_row_for_each_claim(bad_run: RunSummary) -> None:
    text = printed(console.results_table(bad_run, EVERYTHING))
    for title in ("label", "standing", "verdict", "models", "tightest", "killed", "grade", "time"):
        assert title in text
    for theorem in theory.catalogue():
        assert theorem.label in text
    assert row(text, VIOLATED).split()[1:4] == ["stands", "✗", "VIOLATED"]
    assert "✓ HOLDS" in row(text, "cmdp/occupancy")
    assert "exact, ball" in row(text, "cmdp/occupancy")
    assert "? UNDECIDED" in row(text, UNDECIDED)
    assert "✗ TIGHT" in row(text, SURVIVED)
    assert row(text, "cmdp/splitting").split()[1:4] == ["refuted", "✓", "VIOLATED"]
    assert '<script>alert("x")</script>[bold]&amp;' in text
    assert "not refuted on the models tried" in text


def test_the_table_of_worlds(good_run: RunSummary) -> None:
    text = printed(console.results_table(good_run, EVERYTHING))
    lake = row(text, "frozen-lake-4x4")
    assert "16 x 4" in lake
    assert "0.125000" in lake
    assert "cmdp-optimum" in lake
    assert "2/3, 0" in lake
    assert "12345678…23456789/98765432…87654321" in lake
    assert "0.6172835 to 0.617284" in row(text, "icu-sepsis")
    assert "Statements on frozen-lake-4x4" in text
    bounds = text[text.index("Statements on icu-sepsis") :]
    assert "0.666667 <= 0.714286" in row(bounds, "cmdp/multiplier-bound")
    outside = [one.label for one in theory.catalogue() if not one.label.startswith("cmdp/")]
    assert f"out of scope on icu-sepsis: {len(outside)} statements" in text
    assert text.rstrip().endswith("exit code 0.")


def test_problems_show_what_to_look_at(bad_run: RunSummary) -> None:
    text = printed(console.problems(bad_run, EVERYTHING))
    for words in (
        f"✗ {VIOLATED}: Constrained policy optimisation",
        "case:     drawn:17, shrunk (digest 00c0ffee00c0ffee)",
        "40/3 <= 1/81   i.e. 13.3333 <= 0.0123457: false",
        "gamma = 9/10",
        "shrunk counterexample:",
        "holdfast check corpus/policy-bound.json",
        "survived: ",
        "the enclosures of the two sides overlap",
        "the claim is faulty: raised",
    ):
        assert words in text
    assert "cmdp/splitting" not in text, "a refuted statement that is false again is no problem"


def test_a_good_run_has_no_problems(good_run: RunSummary) -> None:
    assert printed(console.problems(good_run)).strip() == ""


def test_a_large_run_is_a_row_for_each_pillar(bad_run: RunSummary) -> None:
    claims = tuple(
        replace(one, claim=replace(one.claim, file=HOMES[one.claim.theorem.label]))
        if one.claim.theorem.label in HOMES
        else replace(one, claim=replace(one.claim, file="mine.py"))
        for one in bad_run.claims
    )
    text = printed(console.results_table(replace(bad_run, claims=claims)))
    assert VIOLATED not in text
    cmdp = [one for one in claims if not one.world and pillar(one.claim) == "cmdp"]
    # a violation, a survivor and an undecided claim are in this pillar
    first = row(text, "cmdp")
    assert first.split()[1:3] == [str(len(cmdp)), f"{len(cmdp) - 3}/{len(cmdp)}"]
    assert "2 VIOLATED" in first and "1 UNDECIDED" in first
    assert row(text, "mine.py").split()[1:3] == ["1", "0/1"]
    outside = sum(
        one.world == "icu-sepsis" and one.verdict is Verdict.OUT_OF_SCOPE for one in claims
    )
    assert str(outside) in row(text, "icu-sepsis").split()
    assert "Statements on icu-sepsis" not in text
    assert "--details" in text


def test_few_statements_are_shown_in_detail_however_many_are_out_of_scope(
    good_run: RunSummary,
) -> None:
    one_world = [one for one in good_run.claims if one.world == "icu-sepsis"]
    outside = [one for one in one_world if one.verdict is Verdict.OUT_OF_SCOPE]
    within = [one for one in one_world if one not in outside]
    claims = (*within[: console.FEW], *outside)
    text = printed(console.results_table(replace(good_run, claims=claims)))
    assert all(one.claim.name in text for one in within[: console.FEW])
    few = replace(good_run, claims=(*within[:1], *outside[:2]))
    named = f"out of scope on icu-sepsis: {outside[0].claim.name}, {outside[1].claim.name}"
    assert named in printed(console.results_table(few))


def test_the_rows_of_a_pillar_are_shown_on_request(bad_run: RunSummary) -> None:
    text = printed(console.results_table(bad_run, frozenset(["trust-region/*"])))
    assert row(text, VIOLATED).split()[1:4] == ["stands", "✗", "VIOLATED"]
    assert SURVIVED not in text


def test_of_a_large_run_violations_are_shown_and_survivors_counted(bad_run: RunSummary) -> None:
    names = tuple(f"x <= {k}" for k in range(5))
    claims = tuple(
        replace(one, survived=names) if one.claim.name == SURVIVED and not one.world else one
        for one in bad_run.claims
    )
    text = printed(console.problems(replace(bad_run, claims=claims)))
    assert "shrunk counterexample:" in text
    assert "survived: x <= 0; x <= 1 and 3 more" in text
    assert text.index(VIOLATED) < text.index(SURVIVED) < text.index(UNDECIDED)


def test_of_a_large_run_what_tested_nothing_says_so(bad_run: RunSummary) -> None:
    claims = tuple(
        replace(one, verdict=Verdict.VACUOUS) if one.claim.name == SURVIVED else one
        for one in bad_run.claims
    )
    text = printed(console.problems(replace(bad_run, claims=claims)))
    assert "so without power" in text[text.index(SURVIVED) :]


def test_what_is_noteworthy_ends_after_half_a_screen(bad_run: RunSummary) -> None:
    weak = [replace(one, verdict=Verdict.UNDECIDED) for one in bad_run.claims if not one.world]
    text = printed(console.problems(replace(bad_run, claims=tuple(weak))))
    assert f"and {len(weak) - 10} statements more" in text


@pytest.mark.parametrize("theorem", theory.catalogue(), ids=lambda theorem: theorem.label)
def test_show_prints_every_theorem(theorem: theory.Theorem) -> None:
    claim = stub_claim(theorem)
    text = printed(theorem_page(theorem, [claim], [finding(theorem.label)] * 12), 200)
    assert theorem.label in text
    assert theorem.statement_latex()[:40] in text
    for quantity in theorem.quantities:
        assert quantity.meaning in text
    for mutant in claim.mutants:
        assert mutant.name[:40] in text
    assert theorem.source.provenance.value in text
    assert "Last 10 of 12 findings" in text


def test_show_without_findings_says_how_to_get_them() -> None:
    theorem = theory.catalogue()[0]
    assert f"holdfast verify {theorem.label}" in printed(theorem_page(theorem, [], []))


def test_statements_are_printed_as_they_stand() -> None:
    x = theory.Quantity("x", "a number")
    y = theory.Quantity("y", "another")
    assert pretty(theory.Le(x - x * 2 + y, y)) == "y - x ≤ y"
    assert pretty(theory.Le(x, x)) == "x ≤ x"
    assert pretty(theory.Eq(x, 1 / y)).splitlines()[1] == "x = ─"


def test_junit_counts(bad_run: RunSummary, good_run: RunSummary, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "junit.xml"
    junit.write(bad_run, path)
    document = junitparser.JUnitXml.fromfile(str(path))
    out_of_scope = sum(wording.tone(one) is wording.Tone.QUIET for one in bad_run.claims)
    assert document.tests == len(bad_run.claims) + len(WORLDS)
    assert document.failures == 3, "a violation, a survivor and an undecided claim"
    assert document.errors == 1
    assert document.skipped == out_of_scope > 0
    results = {
        case.name: case.result[0]
        for suite in document
        for case in suite
        if case.result and not case.is_skipped
    }
    assert results[VIOLATED].type == "violated"
    assert results[SURVIVED].type == "survived"
    assert results[UNDECIDED].type == "undecided"
    junit.write(good_run, path)
    assert junitparser.JUnitXml.fromfile(str(path)).failures == 0


def test_json_round_trip(bad_run: RunSummary, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.json"
    json_report.write(bad_run, path)
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert document == json_report.document(bad_run)
    assert list(document)[:3] == ["schema", "exit_code", "outcome"]
    assert document["schema"] == "holdfast-run/1"
    assert document["exit_code"] == bad_run.exit_code.value
    assert len(document["claims"]) == len(bad_run.claims)
    bad = next(c for c in document["claims"] if c["name"] == VIOLATED)
    assert bad["violations"][0]["left"] == "40/3"
    assert bad["verdict"] == "violated"
    assert not bad["as_expected"]
    assert {mutant["fate"] for mutant in bad["mutants"]} == {"killed", "implied"}
    assert document["worlds"][0]["value"] == WORLDS[0].value
    assert document["models"]["counterexamples"][VIOLATED]["case"][0]["discount"] == "9/10"
    assert document["claims"][-1]["title"] == HOSTILE
    json_report.write(bad_run, path)
    assert path.read_text(encoding="utf-8") == text
