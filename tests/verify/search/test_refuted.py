"""A statement that is refuted as printed: the refutation is expected, and is itself checked."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from holdfast.theory import Le, Provenance, Quantity, Source, Standing, Theorem
from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.draws import Draw
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import Values
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.summary import RunSummary
from holdfast.verify.kernel import check, check_file
from holdfast.verify.search.counterexample import Refuter, certify
from holdfast.verify.search.refutations import with_counterexamples
from holdfast.verify.store.store import Store

x = Quantity("x", "a number between 0 and 2")


def _numbers(draw: Draw) -> Fraction:
    return Fraction(draw.integer(0, 20), 10)


def _values(number: Fraction) -> Iterator[Values]:
    yield {x: number}


def _claim(standing: Standing, bound: int) -> Claim:
    theorem = Theorem(
        label="printed/square",
        title="x^2 is at most a bound",
        relation=Le(x**2, bound),
        source=Source("a paper", "Lemma 1", Provenance.READ),
        standing=standing,
    )
    return Claim(theorem, Family("numbers", _numbers), _values, f"printed/square-{bound}")


def _run(claim: Claim) -> RunSummary:
    with Store.open(":memory:") as store:
        run = run_campaign([claim], budget=Budget(models=60), seed=1, store=store)
        return summary(run, [claim])


def test_a_refuted_statement_is_as_expected_when_it_is_violated(tmp_path: Path) -> None:
    claim = _claim(Standing.REFUTED, 1)
    found = _run(claim)
    assert found.claims[0].exit_code in (ExitCode.AS_EXPECTED, ExitCode.MUTANT_SURVIVED)
    assert found.claims[0].violations
    kept = with_counterexamples(found, tmp_path).counterexamples[claim.name]
    assert kept.shrunk
    assert kept.finding.values == {"x": "11/10"}  # the least drawn number of square above one
    assert kept.certificate and check_file(kept.certificate).accepted


def test_a_refuted_statement_that_holds_is_a_violation_of_its_standing() -> None:
    assert _run(_claim(Standing.REFUTED, 4)).claims[0].exit_code is ExitCode.VIOLATION


def test_a_standing_statement_that_is_violated_is_a_violation() -> None:
    assert _run(_claim(Standing.STANDS, 1)).exit_code is ExitCode.VIOLATION


@pytest.mark.parametrize("number", [Fraction(1), Fraction(0)])
def test_no_certificate_refutes_a_statement_that_holds(number: Fraction) -> None:
    claim = _claim(Standing.STANDS, 1)
    assert Refuter(claim).refute((number,)) is None
    certified = certify(claim, (number,), 0, {"x": number})
    assert not certified.report.accepted
    assert not check(certified.document).accepted


def test_a_standing_changes_nothing_but_the_expectation() -> None:
    claim = _claim(Standing.REFUTED, 1)
    stands = replace(claim, theorem=replace(claim.theorem, standing=Standing.STANDS))
    assert _run(claim).claims[0].violations == _run(stands).claims[0].violations
