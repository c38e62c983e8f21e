"""Fourteen lemmas of a draft: a false one is refuted or said to be untested, never TIGHT."""

import json
from pathlib import Path

import pytest

from holdfast.verify.cli import main

LEMMAS = Path(__file__).with_name("fourteen_lemmas.py")
REFUTED = {"constant", "undiscounted", "near-optimal", "additive", "within-budget"}
UNTESTED = {
    "zero-times": "vacuous", "zero-below": "vacuous", "same-beside": "vacuous",
    "never-met": "out_of_scope", "seldom-met": "holds",
}  # fmt: skip
TRUE = {"geometric": "tight", "raised": "holds", "optimum": "tight", "gibbs": "agrees"}


@pytest.fixture
def verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Verifies the file: the claims of the report by the last part of their names, and the text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*options: str) -> tuple[dict[str, dict], str]:
        with pytest.raises(SystemExit) as end:
            main(["verify", str(LEMMAS), "--json", "report.json", *options])
        output = capsys.readouterr().out
        assert end.value.code == 1, output
        claims = json.loads(Path("report.json").read_text())["claims"]
        return {one["name"].removeprefix("lemmas/"): one for one in claims}, output

    return run


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


def test_ten_false_and_four_true_lemmas(verified) -> None:
    claims, output = verified("--budget", "60", "--jobs", "1")
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


def test_an_identity_of_balls_agrees_to_nearly_all_bits(verified) -> None:
    claims, output = verified("--budget", "10", "--jobs", "1")
    gibbs = claims["true-gibbs"]
    assert 4000 < gibbs["agreement_bits"] <= 4096
    assert (
        f"the sides agree to {gibbs['agreement_bits']} bits, false variants do not"
        in (gibbs["outcome"])
    )
    assert all(row["fate"] != "survived" for row in gibbs["mutants"])
    assert "✓ AGREES" in output


@pytest.mark.slow
def test_the_default_budget(verified) -> None:
    claims, _ = verified()
    check(claims)
