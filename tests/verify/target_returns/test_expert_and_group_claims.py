"""The statements on targets and groups: sharp cases, false variants, broken assumptions."""

from fractions import Fraction

import pytest

from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.engine.fairness import why_fair
from holdfast.verify.kernel import Verdict

AREAS = ("expert-returns/", "group-gradients/")
CLAIMS = {c.name: c for c in shipped() if c.name.startswith(AREAS) and not c.trained}
CONTROLS = [(name, control) for name, claim in CLAIMS.items() for control in claim.family.controls]


def values_on(label: str, landmark: str) -> dict[str, object]:
    claim = CLAIMS[label]
    (values,) = claim.evaluate(*claim.family.landmark(landmark))
    return {quantity.name: value for quantity, value in values.items()}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_few_models_agree(name: str) -> None:
    claim = CLAIMS[name]
    found = run_shard(claim, Shard(name, Kind.DRAWN, 0, 25, 3))
    verdicts = {finding.verdict for finding in found.findings}
    assert not found.error
    assert (Verdict.VIOLATED in verdicts) == claim.theorem.standing.is_false
    assert Verdict.UNDECIDED not in verdicts


@pytest.mark.parametrize(("name", "control"), CONTROLS)
def test_without_an_assumption_it_fails(name: str, control: str) -> None:
    found = run_shard(CLAIMS[name], Shard(name, Kind.CONTROL, 0, 200, 0, control))
    assert found.kills, f"{name} was not seen to fail without {control}"


def test_every_assumption_of_theirs_has_a_control() -> None:
    given = {(c.name, one.name) for c in CLAIMS.values() for one in c.theorem.given}
    assert given == set(CONTROLS)


def landmarks(claim: Claim) -> dict[str, str]:
    found = run_shard(claim, Shard(claim.name, Kind.LANDMARKS, 0, 9, 0))
    assert not found.error
    return found.kills


@pytest.mark.parametrize(
    ("name", "mutant"),
    [("expert-returns/stability", "MT-3"), ("group-gradients/normalised", "GR-2")],
)
def test_named_mutants_fall_on_landmarks(name: str, mutant: str) -> None:
    assert mutant in landmarks(CLAIMS[name])


def test_half_of_what_may_fail_is_used_up_by_two_tosses() -> None:
    """p = 1/2, two tosses: both tails are 1/4, so the interval misses p with probability 1/2."""
    seen = values_on("expert-returns/coverage", "fair")
    assert seen["covered"] == Fraction(1, 2)
    assert seen["delta"] == Fraction(1, 2) + Fraction(1, 2**18)


def test_the_false_statement_says_why_it_may_be_called_so() -> None:
    stored, weighted = why_fair(CLAIMS["group-gradients/relabelled"])
    assert not stored.shown
    assert weighted.shown
    seen = values_on("group-gradients/relabelled", "listening")
    assert (seen["with_baseline"], seen["gradient"]) == (Fraction(1, 4), Fraction(1, 2))
