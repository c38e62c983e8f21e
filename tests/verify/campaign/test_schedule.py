"""Budgets, and the order of the shards that follow from one."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from holdfast.theory import Standing
from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.campaign.schedule import Budget, BudgetError, Plan, Schedule
from holdfast.verify.engine.examiner import Kind, Shard, ShardResult
from holdfast.verify.engine.finding import Finding
from holdfast.verify.kernel import Verdict

FEW = Budget(models=120)


@pytest.fixture(scope="module")
def claims() -> tuple[Claim, ...]:
    return load(Path(__file__).with_name("campaign_material.py"))


@pytest.mark.parametrize(
    ("text", "budget", "canonical"),
    [
        ("60s", Budget(seconds=60), "60s"),
        ("2m", Budget(seconds=120), "120s"),
        ("1.5h", Budget(seconds=5400), "5400s"),
        ("0.5s", Budget(seconds=0.5), "0.5s"),
        (" 500 ", Budget(models=500), "500"),
    ],
)
def test_budgets(text: str, budget: Budget, canonical: str) -> None:
    assert Budget.parse(text) == budget
    assert str(budget) == canonical
    assert Budget.parse(canonical) == budget


@pytest.mark.parametrize(
    "text", ["", "fast", "60x", "-5", "1e3", "2.5", "1,000", "60 s", "s", "9" * 5000, "٣"]
)
def test_budgets_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BudgetError, match=r"(?s)cannot read the budget .*60s, 2m .*such as 500"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0", "0s", "0.0m"])
def test_budgets_of_nothing(text: str) -> None:
    with pytest.raises(BudgetError, match="must be positive, got 0"):
        Budget.parse(text)


def test_a_budget_is_one_thing() -> None:
    for both in ({}, {"seconds": 1.0, "models": 1}):
        with pytest.raises(BudgetError, match="one of them"):
            Budget(**both)


def test_the_order_of_the_shards(claims: tuple[Claim, ...]) -> None:
    first, second = claims[:2]
    schedule = Schedule(Plan((first, second), FEW, 7, {"lake": 1, "taxi": 2}, world_cases=3))
    assert [(s.claim, s.kind, s.name, s.index, s.size) for s in schedule.shards(lambda: 0.0)] == [
        (first.name, Kind.LANDMARKS, "", 0, 2),
        (second.name, Kind.LANDMARKS, "", 0, 2),
        (first.name, Kind.CONTROL, "nonnegative", 0, 400),
        (first.name, Kind.WORLD, "lake", 0, 3),
        (second.name, Kind.WORLD, "lake", 0, 3),
        (first.name, Kind.WORLD, "taxi", 0, 3),
        (second.name, Kind.WORLD, "taxi", 0, 3),
        (first.name, Kind.DRAWN, "", 0, 50),
        (second.name, Kind.DRAWN, "", 0, 50),
        (first.name, Kind.DRAWN, "", 50, 50),
        (second.name, Kind.DRAWN, "", 50, 50),
        (first.name, Kind.DRAWN, "", 100, 20),
        (second.name, Kind.DRAWN, "", 100, 20),
    ]
    assert schedule.total == 13
    keys = [shard.key for shard in schedule.shards(lambda: 0.0)]
    assert len(set(keys)) == 13


def test_worlds_only(claims: tuple[Claim, ...]) -> None:
    schedule = Schedule(Plan(claims[:2], Budget(seconds=9), 7, {"lake": 1}, worlds_only=True))
    assert [shard.kind for shard in schedule.shards(lambda: 0.0)] == [Kind.WORLD, Kind.WORLD]
    assert schedule.total == 2


def test_a_budget_of_seconds_ends_in_time(claims: tuple[Claim, ...]) -> None:
    """The first round is drawn whatever the time; the clock is asked from the second round on."""
    clock = iter(range(100))
    schedule = Schedule(Plan(claims[:2], Budget(seconds=5), 7))
    drawn = [s for s in schedule.shards(lambda: next(clock)) if s.kind is Kind.DRAWN]
    a, b = (claim.name for claim in claims[:2])
    assert [(s.claim, s.index) for s in drawn] == [
        *((a, 0), (b, 0)),
        *((a, 50), (b, 50), (a, 100), (b, 100), (a, 150)),
    ]
    assert schedule.total is None


def _noted(schedule: Schedule, claim: Claim, **found: Any) -> None:
    shard = Shard(claim.name, Kind.LANDMARKS, 0, 1, 7)
    schedule.note(ShardResult(shard, found.pop("findings", ()), **found))


def test_violated_and_faulty_claims_get_no_more(claims: tuple[Claim, ...]) -> None:
    by_name = {claim.name: claim for claim in claims}
    sound, refuted = by_name["campaign/exact"], by_name["campaign/refuted"]
    assert refuted.theorem.standing is Standing.REFUTED
    violated = [
        (claim, (Finding(claim.name, "drawn:0", 0, 0, Verdict.VIOLATED),))
        for claim in (sound, refuted)
    ]
    timed = Schedule(Plan((sound, refuted), Budget(seconds=9), 7))
    for claim, findings in violated:
        _noted(timed, claim, findings=findings)
    shards = [s for s in islice(timed.shards(lambda: 0.0), 20) if s.kind is Kind.DRAWN]
    assert {shard.claim for shard in shards} == {refuted.name}
    _noted(timed, refuted, error="raised")
    assert [s for s in timed.shards(lambda: 0.0) if s.kind is Kind.DRAWN] == []

    counted = Schedule(Plan((sound, refuted), FEW, 7))
    _noted(counted, sound, findings=violated[0][1])
    _noted(counted, refuted, error="raised")
    names = [shard.claim for shard in counted.shards(lambda: 0.0) if shard.kind is Kind.DRAWN]
    assert names == [sound.name] * 3, "with a budget of models, a violation cuts nothing"
