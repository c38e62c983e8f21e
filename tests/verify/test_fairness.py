"""Every statement that is called false lists what is printed, and its counterexample meets it."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from holdfast import theory
from holdfast.theory import Eq, Printed, Provenance, Refutation, Source, Standing, Theorem
from holdfast.verify.binding import Claim, shipped
from holdfast.verify.fairness import why_fair
from holdfast.verify.values import ClaimError

FALSE = {claim.name: claim for claim in shipped() if claim.theorem.standing.is_false}
CASE = FALSE["flipping/two-actions"]


@pytest.mark.parametrize("claim", FALSE.values(), ids=FALSE)
def test_the_counterexample_meets_what_is_printed(claim: Claim) -> None:
    met = why_fair(claim)
    refutation = claim.theorem.refutation
    assert refutation is not None
    assert len(met) == len(refutation.printed) >= 2
    assert any(one.shown for one in met), "some number of the counterexample shows something"
    for text in (refutation.fidelity, refutation.severity, *(one.text for one in met)):
        assert text.endswith(".")
    assert all(one.met.endswith(".") for one in met)
    assert "2026-11-29" in refutation.fidelity


def test_a_statement_that_stands_has_no_list() -> None:
    (stands,) = [claim for claim in shipped() if claim.name == "flipping/one-step"]
    assert why_fair(stands) == ()


def test_a_witness_that_violates_nothing_is_a_fault() -> None:
    with pytest.raises(ClaimError, match="does not violate"):
        why_fair(replace(CASE, shows=lambda _: {theory.flipping.V_flip: Fraction(10, 9)}))


def test_an_assumption_that_is_not_met_is_a_fault() -> None:
    """The windows of CE-1 have two steps; a source that prints one step is not refuted by it."""
    one_step = Printed("Windows have one step.", "T = 2.", Eq(theory.flipping.T_window, 1))
    refutation = replace(CASE.theorem.refutation, printed=(one_step,))
    with pytest.raises(ClaimError, match="is not met by the witness"):
        why_fair(replace(CASE, theorem=replace(CASE.theorem, refutation=refutation)))


def test_a_number_that_the_witness_lacks_is_named() -> None:
    with pytest.raises(ClaimError, match="no value of T"):
        why_fair(replace(CASE, shows=None))


def test_what_was_not_read_is_not_called_refuted() -> None:
    with pytest.raises(ValueError, match="its source was not read"):
        Theorem(
            "mine/recalled",
            "A title",
            CASE.theorem.relation,
            Source("a paper", "Lemma 1", Provenance.RECALLED),
            standing=Standing.REFUTED,
        )


def test_the_catalogue_refuses_a_false_statement_without_its_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = replace(theory.flipping.bellman, refutation=None)
    monkeypatch.setattr(theory.flipping, "bellman", bare)
    with pytest.raises(ValueError, match="flipping/bellman is refuted"):
        theory.catalogue()
    kept = Refutation("Read.", "None.", ())
    monkeypatch.undo()
    monkeypatch.setattr(
        theory.flipping, "one_step", replace(theory.flipping.one_step, refutation=kept)
    )
    with pytest.raises(ValueError, match="exactly if it is false"):
        theory.catalogue()


def test_the_readme_counts_them_right() -> None:
    words = {11: "Eleven", 12: "Twelve", 13: "Thirteen"}
    refuted = [c for c in FALSE.values() if c.theorem.standing is Standing.REFUTED]
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"{words[len(refuted)]} statements on flipping policies" in text
    assert f"{ {4: 'Four'}[len(FALSE) - len(refuted)] } more statements are false" in text
