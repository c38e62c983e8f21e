"""Campaigns: the same findings however the work is shared, interrupted and resumed."""

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.campaign.run import Interrupted, Progress, run_campaign, summary, versions
from holdfast.verify.campaign.schedule import Budget, PlanError
from holdfast.verify.engine.examiner import Kind
from holdfast.verify.kernel import Verdict
from holdfast.verify.store.store import Run, Store

FEW = Budget(models=120)


@pytest.fixture(scope="module")
def claims() -> tuple[Claim, ...]:
    return load(Path(__file__).with_name("campaign_material.py"))


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open(":memory:") as opened:
        yield opened


def outcome(run: Run) -> list[tuple[Any, ...]]:
    """All of the results but the time they took."""
    return [(r.shard, r.findings, r.kills, r.models, r.error) for r in run.results()]


def test_plans_that_cannot_be_carried_out(claims: tuple[Claim, ...], store: Store) -> None:
    def attempt(*chosen: Claim, **settings: Any) -> None:
        run_campaign(chosen, budget=FEW, seed=1, store=store, **settings)

    with pytest.raises(PlanError, match="no claim"):
        attempt()
    with pytest.raises(PlanError, match="campaign/exact is given 2 times"):
        attempt(claims[0], claims[0])
    with pytest.raises(PlanError, match="jobs must be at least 1, got 0"):
        attempt(claims[0], jobs=0)
    with pytest.raises(PlanError, match="world_cases must be at least 1, got -1"):
        attempt(claims[0], world_cases=-1)
    with pytest.raises(PlanError, match="worlds_only without worlds"):
        attempt(claims[0], worlds_only=True)
    assert store.runs() == ()


def test_one_process_and_two_find_the_same(claims: tuple[Claim, ...]) -> None:
    worlds = {"third": Fraction(1, 3), "word": "no fraction"}
    outcomes = []
    for jobs in (1, 2):
        with Store.open(":memory:") as store:
            run = run_campaign(claims, budget=FEW, seed=3, store=store, jobs=jobs, worlds=worlds)
            assert run.finished
            outcomes.append(outcome(run))
    assert outcomes[0] == outcomes[1]
    drawn = [found for found in outcomes[0] if found[0].kind is Kind.DRAWN]
    assert sum(found[3] for found in drawn) == 120 * len(claims), "exactly N for each claim"
    cases = {one.case for found in drawn for one in found[1]}
    assert cases == {f"drawn:{index}" for index in range(120)}, "none missed, none twice"
    grades = {one.grade for found in outcomes[0] for one in found[1]}
    assert grades == {"exact", "ball", "statistical", ""}


def test_the_seed_matters(claims: tuple[Claim, ...], store: Store) -> None:
    runs = [run_campaign(claims, budget=FEW, seed=s, store=store) for s in (1, 2, 1)]
    found = [[r.findings for r in run.results() if r.shard.kind is Kind.DRAWN] for run in runs]
    assert found[0] != found[1]
    assert found[0] == found[2] and runs[0].id != runs[2].id


def test_the_summary(claims: tuple[Claim, ...], store: Store) -> None:
    worlds = {"third": Fraction(1, 3)}
    run = run_campaign(claims, budget=FEW, seed=3, store=store, worlds=worlds)
    found = summary(run, claims)
    assert [(one.claim.name, one.world) for one in found.claims] == [
        *((claim.name, "") for claim in claims),
        *((claim.name, "third") for claim in claims),
    ]
    assert (found.seed, found.budget, found.alpha) == (3, "120", "1/1000000")
    assert found.versions == versions() == run.versions
    exact, _, refuted, statistical = found.claims[: len(claims)]
    assert exact.verdict is Verdict.TIGHT and exact.models >= 120 and not exact.survived
    assert "without nonnegative" in exact.killed
    assert refuted.verdict is Verdict.VIOLATED and refuted.as_expected
    assert statistical.grades == {"statistical": 120}
    spent = sum(Fraction(finding.alpha) for finding in run.store.findings("campaign/statistical"))
    assert 0 < spent < Fraction(1, 10**6) / (2 * len(claims)), "worlds count as further claims"
    out_of_scope = found.claims[-1]
    assert out_of_scope.verdict is Verdict.OUT_OF_SCOPE and out_of_scope.as_expected

    only = run_campaign(claims, budget=FEW, seed=3, store=store, worlds=worlds, worlds_only=True)
    assert {one.world for one in summary(only, claims).claims} == {"third"}


def test_versions_are_read_without_importing() -> None:
    found = versions()
    assert list(found)[:2] == ["holdfast", "python"]
    assert {
        "numpy",
        "scipy",
        "sympy",
        "python-flint",
        "highspy",
        "hypothesis",
        "numba",
    } < found.keys()
    assert all(found.values())


def test_a_budget_of_seconds_is_used_up(claims: tuple[Claim, ...], store: Store) -> None:
    start = time.monotonic()
    run = run_campaign(claims[:1], budget=Budget(seconds=0.6), seed=3, store=store)
    assert 0.6 <= time.monotonic() - start < 20
    assert run.finished and run.elapsed >= 0.6
    drawn = [result.shard.index for result in run.results() if result.shard.kind is Kind.DRAWN]
    assert len(drawn) >= 2 and drawn == list(range(0, 50 * len(drawn), 50))


def test_progress_is_told_of_each_shard(claims: tuple[Claim, ...], store: Store) -> None:
    told: list[Progress] = []
    run = run_campaign(claims, budget=FEW, seed=3, store=store, progress=told.append)
    assert [one.done for one in told] == list(range(1, run.n_done + 1))
    assert {one.total for one in told} == {run.n_done}
    assert not any(one.stored for one in told)
    assert {one.result.shard.key for one in told} == {r.shard.key for r in run.results()}


def test_ctrl_c_keeps_what_was_finished(claims: tuple[Claim, ...], tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        if progress.done == 9:
            raise KeyboardInterrupt

    with Store.open(path) as store:
        with pytest.raises(Interrupted, match=r"9 finished shards are kept in .*the same command"):
            run_campaign(claims, budget=FEW, seed=3, store=store, jobs=2, progress=stop)
        run = run_campaign(claims, budget=FEW, seed=3, store=store, progress=told.append)
        assert [one.stored for one in told].count(True) == 9
        assert len(store.runs()) == 1 and run.finished
        found = outcome(run)
    with Store.open(":memory:") as other:
        whole = run_campaign(claims, budget=FEW, seed=3, store=other)
        assert outcome(whole) == found
        with pytest.raises(Interrupted, match="9 shards were finished, but in memory only"):
            run_campaign(claims, budget=FEW, seed=3, store=other, progress=stop)


def test_only_the_same_campaign_is_resumed(claims: tuple[Claim, ...], store: Store) -> None:
    def interrupted(chosen: tuple[Claim, ...], **changes: Any) -> int:
        def stop(_: Progress) -> None:
            raise KeyboardInterrupt

        settings: dict[str, Any] = {"budget": FEW, "seed": 3, **changes}
        with pytest.raises(Interrupted):
            run_campaign(chosen, store=store, progress=stop, **settings)
        return store.runs()[0].id

    first = interrupted(claims)
    assert interrupted(claims) == first
    assert interrupted(claims[::-1], jobs=2) == first, "neither order nor jobs change the findings"
    changed = [
        interrupted(claims[:2]),
        interrupted(claims, seed=4),
        interrupted(claims, budget=Budget(models=121)),
        interrupted(claims, worlds={"a": Fraction(1)}),
        interrupted(claims, worlds={"a": Fraction(2)}),
        interrupted(claims, fresh=True),
    ]
    assert len({first, *changed}) == 7
