"""Verdicts as they fell, what a run could have noticed, and what is said where that is little."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import flint
import pytest
import sympy

from holdfast.theory import Domain, Eq, Le, Provenance, Quantity, Relation, Source, Theorem
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.family import Family, OutOfScope
from holdfast.verify.binding.values import Ball, Value, Values
from holdfast.verify.campaign import run as campaign_run
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.power import FINEST, LEAST_SHARE, noticed, powers, tally
from holdfast.verify.campaign.schedule import DRAWN_SIZE, Budget, Plan
from holdfast.verify.campaign.summary import ClaimSummary, summarise
from holdfast.verify.engine.examiner import Kind, Shard, ShardResult, run_shard
from holdfast.verify.engine.finding import Finding
from holdfast.verify.kernel import Verdict
from holdfast.verify.report import wording

x = Quantity("x", "a number")
y = Quantity("y", "another")
n = Quantity("n", "a count", Domain.COUNT)
rest = Quantity("rest", "a remainder", Domain.NONNEGATIVE)
F = Fraction
MUTANT = {"x == 9*y/10": "drawn:0"}


def bound(relation: Relation, evaluate=None, **options) -> Claim:
    theorem = Theorem("demo/power", "Power", relation, Source("", "", Provenance.DERIVED))
    family = Family("integers", base=lambda draw: draw.integer(0, 9))
    return Claim(theorem, family, evaluate or (lambda case: iter(())), theorem.label, **options)


def finding(case: int, verdict: Verdict, part: int = 0, **fields) -> Finding:
    return Finding("demo/power", f"drawn:{case}", part, 0, verdict, **fields)


def summary(claim: Claim, *findings: Finding, kills: dict[str, str] | None = None) -> ClaimSummary:
    killed = {mutant.name: "drawn:0" for mutant in claim.mutants} if kills is None else kills
    shard = Shard(claim.name, Kind.DRAWN, 0, 50, 0)
    return summarise(claim, [ShardResult(shard, findings, killed)])


# -- counting
def test_a_model_counts_once_by_its_gravest_verdict() -> None:
    found = [
        finding(0, Verdict.HOLDS), finding(0, Verdict.UNDECIDED), finding(0, Verdict.VACUOUS),
        finding(1, Verdict.VACUOUS), finding(1, Verdict.HOLDS), finding(1, Verdict.TIGHT),
        finding(2, Verdict.VACUOUS), finding(3, Verdict.HOLDS), finding(4, Verdict.HOLDS),
    ]  # fmt: skip
    assert tally(found) == {
        Verdict.UNDECIDED: 1, Verdict.TIGHT: 1, Verdict.HOLDS: 2, Verdict.VACUOUS: 1,
    }  # fmt: skip


def test_undecided_on_three_of_two_hundred() -> None:
    verdicts = [Verdict.UNDECIDED] * 3 + [Verdict.TIGHT] * 7 + [Verdict.HOLDS] * 190
    one = summary(bound(Le(x, y)), *(finding(k, v) for k, v in enumerate(verdicts)))
    assert (one.verdict, one.exit_code) == (Verdict.UNDECIDED, ExitCode.UNDECIDED)
    assert wording.tally(one) == "HOLDS on 190, TIGHT on 7, UNDECIDED on 3"
    assert wording.outcome(one) == (
        "undecided on 3 of 200 models, 200 of them telling (HOLDS on 190, TIGHT on 7, UNDECIDED "
        "on 3): the enclosures of the two sides overlap there"
    )


def test_power_is_counted_part_by_part() -> None:
    """Two models; the second part says something on none of them."""
    both = bound(Le(x, y)).theorem.relation
    claim = bound(both)
    found = [finding(0, Verdict.TIGHT), finding(1, Verdict.VACUOUS), finding(1, Verdict.HOLDS)]
    (power,) = powers(claim, found)
    assert (power.telling, power.models, power.share) == (2, 2, 1)
    (empty,) = powers(claim, [finding(0, Verdict.VACUOUS), finding(1, Verdict.OUT_OF_SCOPE)])
    assert (empty.telling, empty.models, empty.best) == (0, 2, None)


# -- the smallest change that is noticed
@pytest.mark.parametrize(("relation", "values", "exponent"), [
    # equality: any change, up to the finest that is tried
    (Eq(x, y), {x: F(3), y: F(3)}, FINEST),
    (Eq(rest, 0), {rest: F(0)}, FINEST),
    # 100 <= 101 fails from a change of 1 % of either on: 2^-6 = 1.6 % does, 2^-7 = 0.8 % does not
    (Le(x, y), {x: F(100), y: F(101)}, 6),
    # the square of x changes twice as fast: x by 2^-7 is x^2 by 1.6 %
    (Le(x**2, y), {x: F(10), y: F(101)}, 7),
    # 1 <= 2 fails where y is less than halved or x more than doubled: 2^0 drops y to zero
    (Le(x, y), {x: F(1), y: F(2)}, 0),
    # -1 <= 2: neither dropping nor doubling one of them makes it false
    (Le(x, y), {x: F(-1), y: F(2)}, None),
    # counts change by whole numbers: 2 to 3 is 2^-1
    (Le(n, 2), {n: F(2)}, 1),
])  # fmt: skip
def test_the_smallest_change_noticed(relation, values: dict, exponent: int | None) -> None:
    text = {quantity.name: str(value) for quantity, value in values.items()}
    row = finding(0, Verdict.HOLDS, values=text)
    assert noticed(bound(relation), row) == exponent


def test_values_that_were_not_kept_notice_nothing() -> None:
    for text in ("about nan", "0..nonsense", "about [+/- inf]"):
        row = finding(0, Verdict.HOLDS, values={"x": text, "y": "1"})
        assert noticed(bound(Le(x, y)), row) is None
    assert noticed(bound(Le(x, y)), finding(0, Verdict.HOLDS, values={"x": "1"})) is None


def test_intervals_and_balls_are_read_as_they_are_kept() -> None:
    """1 <= [2, 3]: y must lose more than two thirds; about 1.5 <= 1.6 breaks from 6.25 % on."""
    wide = finding(0, Verdict.HOLDS, values={"x": "1", "y": "2..3"})
    assert noticed(bound(Le(x, y)), wide) == 0
    ball = finding(0, Verdict.HOLDS, values={"x": "about 1.50000000000", "y": "8/5"})
    assert noticed(bound(Le(x, y)), ball) == 3  # 12.5 % does, 6.25 % of 8/5 leaves 3/2 exactly


def test_changes_in_words() -> None:
    assert [wording.change(k) for k in (None, FINEST, 0, 3, 6, 10)] == [
        "none", "any", "100 %", "12 %", "2 %", "0.1 %",
    ]  # fmt: skip


# -- without power
def yields(*values: Values):
    """A claim on integers 0..9: each case takes its turn among these values."""

    def evaluate(case: int) -> Iterator[Values]:
        yield values[case % len(values)]

    return evaluate


def run(claim: Claim, size: int = 60) -> ClaimSummary:
    return summarise(claim, [run_shard(claim, Shard(claim.name, Kind.DRAWN, 0, size, 0))])


SELDOM = ({x: 2, y: 2}, *[{x: 0, y: 0}] * 4)
"""An equality of two numbers in one case of five, of two zeros in the others."""


def test_zeros_are_no_evidence_of_tightness() -> None:
    claim = bound(Le(x, y), yields({x: 0, y: 0}))
    one = run(claim)
    assert (one.verdict, one.telling, one.tightest.ratio) == (Verdict.VACUOUS, 0, None)
    assert one.without_power and one.exit_code is not ExitCode.AS_EXPECTED


def test_a_claim_without_power_is_never_tight() -> None:
    one = run(bound(Le(x, y), yields(*SELDOM)))
    assert 0 < one.share < LEAST_SHARE
    assert one.tally.keys() == {Verdict.TIGHT, Verdict.VACUOUS}
    assert (one.verdict, wording.heading(one)) == (Verdict.HOLDS, "WITHOUT POWER")
    assert "without power" in wording.outcome(one)
    assert one.exit_code is not ExitCode.AS_EXPECTED


def test_a_reason_for_little_power_is_taken() -> None:
    one = run(bound(Le(x, y), yields(*SELDOM), little_power="zero is the usual case"))
    assert (one.verdict, wording.heading(one)) == (Verdict.TIGHT, "TIGHT")
    assert not one.without_power


def test_a_claim_that_is_mostly_out_of_scope_is_without_power() -> None:
    def evaluate(case: int) -> Iterator[Values]:
        if case > 1:
            raise OutOfScope("too large")
        yield {x: 1, y: 2}

    one = run(bound(Le(x, y), evaluate))
    assert one.without_power and one.models == 60 and 0 < one.telling < 20


def test_a_violation_needs_no_power() -> None:
    one = run(bound(Le(x, y), yields({x: 2, y: 1}, *SELDOM[1:])))
    assert one.verdict is Verdict.VIOLATED and not one.without_power


def test_runs_whose_findings_meant_something_else_are_not_resumed(monkeypatch) -> None:
    plan = Plan((bound(Le(x, y)),), Budget(models=5), 0)
    now = campaign_run.fingerprint(plan)
    assert campaign_run.fingerprint(plan) == now
    monkeypatch.setattr(campaign_run, "MEANING", 1)
    assert campaign_run.fingerprint(plan) != now


# -- agreement
ROOT = Ball(lambda: flint.arb(2).sqrt())


def agreeing(right: Value = ROOT) -> Claim:
    return bound(Eq(sympy.sqrt(2) * x, sympy.sqrt(2) * y), yields({x: ROOT, y: right}))


def test_an_identity_of_balls_is_as_expected_where_a_mutant_died() -> None:
    one = run(agreeing())
    assert (one.verdict, one.exit_code) == (Verdict.AGREES, ExitCode.AS_EXPECTED)
    assert one.agreement is not None and one.agreement > 4000
    assert f"agree to {one.agreement} bits" in wording.outcome(one)


def test_an_agreement_that_every_false_variant_shares_is_undecided() -> None:
    row = finding(0, Verdict.AGREES, left="1..5/4", right="1")
    with_kill = summary(bound(Eq(x, y)), row, kills=MUTANT)
    without = summary(bound(Eq(x, y)), row, kills={})
    assert (with_kill.verdict, without.verdict) == (Verdict.AGREES, Verdict.UNDECIDED)
    assert without.agreement == 2  # [1, 5/4] and 1 differ by at most 1/4 of 5/4
    assert "so do those of every false variant" in wording.outcome(without)


def untrained(claims: Iterable[Claim]) -> list[Claim]:
    """Those whose cases are drawn at full speed."""
    return [claim for claim in claims if not claim.trained]


@pytest.mark.slow
@pytest.mark.parametrize("claim", untrained(shipped()), ids=lambda claim: claim.name)
def test_the_shipped_claims_have_power_or_a_reason(claim: Claim) -> None:
    shards = [Shard(claim.name, Kind.LANDMARKS, 0, len(claim.family.landmarks), 0)]
    shards += [Shard(claim.name, Kind.DRAWN, DRAWN_SIZE * k, DRAWN_SIZE, 0) for k in range(4)]
    one = summarise(claim, [run_shard(claim, shard) for shard in shards])
    assert not one.error
    assert not one.without_power, f"{wording.power(one)}: {[p.telling for p in one.powers]}"
