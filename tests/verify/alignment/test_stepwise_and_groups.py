"""Statements on SACPO and HIPO: drawn models, instances of the sources, false variants."""

from fractions import Fraction
from typing import Any

import flint
import pytest
from tests.zoo.shards import shards

from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.values import Ball, Count, Mean
from holdfast.verify.engine.examiner import Kind
from holdfast.verify.engine.fairness import why_fair
from holdfast.verify.kernel import Verdict, check
from holdfast.verify.search.counterexample import Refuter, certify

AREAS = ("stepwise", "estimated", "designs", "group-primal-dual")
CLAIMS = {c.name: c for c in shipped() if c.theorem.label.partition("/")[0] in AREAS}
CHEAP = [name for name in CLAIMS if name != "group-primal-dual/sampled"]
MUTANTS = [(name, one.name) for name in CHEAP for one in CLAIMS[name].named_mutants]
FALSE = {name: c for name, c in CLAIMS.items() if c.theorem.standing.is_false}


shard = shards(CLAIMS, 3)


def values_on(label: str, landmark: str) -> dict[str, Any]:
    claim = CLAIMS[label]
    (values,) = claim.evaluate(*claim.family.landmark(landmark))
    return {quantity.name: value for quantity, value in values.items()}


def middle(value: Any) -> float:
    with flint.ctx.workprec(128):
        return float(value.compute().mid()) if isinstance(value, Ball) else float(value)


def test_the_statements_are_there() -> None:
    count = {area: sum(name.startswith(area + "/") for name in CLAIMS) for area in AREAS}
    assert count == {"stepwise": 9, "estimated": 12, "designs": 7, "group-primal-dual": 14}
    assert set(FALSE) == {
        "designs/violation", "designs/any-ridge", "designs/at-once", "estimated/level-printed",
        "group-primal-dual/tied",
    }  # fmt: skip


@pytest.mark.parametrize("name", CHEAP)
def test_a_few_models_agree(name: str) -> None:
    verdicts = {one.verdict for one in shard(name, Kind.DRAWN, 2).findings}
    landmarks = {one.verdict for one in shard(name, Kind.LANDMARKS, 12).findings}
    assert (Verdict.VIOLATED in verdicts | landmarks) is CLAIMS[name].theorem.standing.is_false
    assert not verdicts & {Verdict.UNDECIDED, Verdict.OUT_OF_SCOPE}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_named_mutant_falls(name: str, mutant: str) -> None:
    kills = shard(name, Kind.DRAWN, 2).kills
    assert mutant in kills or mutant in shard(name, Kind.LANDMARKS, 12).kills


@pytest.mark.parametrize(("name", "control"), [
    ("estimated/level", "active"),
    ("group-primal-dual/nearer", "short"),
    ("group-primal-dual/kl-gradient", "on-policy"),
])  # fmt: skip
def test_without_an_assumption_a_statement_fails(name: str, control: str) -> None:
    assert shard(name, Kind.CONTROL, 20, control).kills


@pytest.mark.parametrize(("landmark", "missed", "allowed"), [
    ("printed", 0.7, 0.29953), ("least_weights", 0.7, 0.29953), ("unit_ridge", 0.7, 0.42207),
    ("active", 0.63448, 0.30902), ("active_least", 0.63448, 0.30902),
])  # fmt: skip
def test_theorem_3_and_its_certificates(landmark: str, missed: float, allowed: float) -> None:
    """alpha is 1 + sqrt(log(20)/2) = 2.22387, kappa 4 or 1."""
    values = values_on("designs/violation", landmark)
    alpha = 2.2238734
    assert middle(values["violation"]) == pytest.approx(missed, abs=1e-5)
    assert alpha * middle(values["weighted"]) == pytest.approx(allowed, abs=1e-5)
    claim: Claim = CLAIMS["designs/violation"]
    case = claim.family.landmark(landmark)
    assert claim.shows is not None
    met = {quantity.name: middle(value) for quantity, value in claim.shows(*case).items()}
    assert met["event"] < 0
    assert met["norm"] <= 1
    assert 0 <= met["lam_hat"] <= met["Lambda"]
    assert met["slater"] > 0
    assert met["believed"] > met["b"]
    seen = Refuter(claim).refute(case)
    assert seen is not None
    certified = certify(seen.claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted
    assert check(certified.document).accepted


def test_the_active_multiplier_is_within_its_bound() -> None:
    """Lambda is 0.19073 in the first instance, 0.43050 in the second."""
    claim = CLAIMS["designs/violation"]
    for landmark, bound in (("printed", 0.19073), ("active", 0.43050)):
        assert claim.shows is not None
        met = claim.shows(*claim.family.landmark(landmark))
        found = {quantity.name: middle(value) for quantity, value in met.items()}
        assert found["Lambda"] == pytest.approx(bound, abs=1e-5)


def test_lemma_9() -> None:
    """The error is 1, the width alpha/sqrt(5) = 0.99455; and 2^100 responses fail together."""
    values = values_on("designs/any-ridge", "unseen")
    assert (values["error"], values["form"]) == (1, Fraction(1, 5))
    assert values_on("designs/at-once", "many")["failing"] > Fraction(968, 1000)


def test_lemma_11() -> None:
    """c/2 against c/4 at c = 1/2."""
    values = values_on("estimated/level-printed", "slack")
    assert middle(values["moved"]) == 0.25
    assert middle(values["b"]) * 0.5 == 0.125


def test_widths_that_are_not_ordered() -> None:
    """10^6 labels each, kappa 4, lam 2: the product is -1.23."""
    claim = CLAIMS["designs/orders"]
    (values,) = claim.evaluate((Fraction(2), 10**6, Fraction(4)))
    found = {quantity.name: middle(value) for quantity, value in values.items()}
    assert found["ordered"] == pytest.approx(-1.23, abs=0.005)


@pytest.mark.parametrize("label", FALSE)
def test_what_is_printed_is_met(label: str) -> None:
    assert why_fair(FALSE[label])


def test_lock_step_and_the_optimum() -> None:
    values = values_on("group-primal-dual/exchange", "at_three_quarters")
    assert (values["J_best"], values["J_lock"]) == (Fraction(39, 40), Fraction(23, 44))
    values = values_on("group-primal-dual/exchange", "at_printed_level")
    assert (values["J_best"], values["J_lock"]) == (Fraction(391, 400), Fraction(251, 440))


def test_two_tied_tokens() -> None:
    values = values_on("group-primal-dual/tied", "quarter")
    assert values == {"primal": Fraction(1, 4), "dual_tied": Fraction(3, 4)}


def test_runs_are_judged_by_intervals() -> None:
    claim = CLAIMS["group-primal-dual/sampled"]
    (values,) = claim.evaluate(0)
    found = {quantity.name: value for quantity, value in values.items()}
    assert isinstance(found["J_run"], Mean | Count)
    assert found["J_run"].total / 512 < found["middle"] < found["J_plain"].total / 512
