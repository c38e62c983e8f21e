"""The simulation of workers beside cases that can be computed by hand."""

from pathlib import Path

import pytest

from holdfast.verify.binding.claims import load
from holdfast.verify.campaign.forecast import (
    Cost,
    costs,
    durations,
    forecast,
    larger,
    write_seconds,
)
from holdfast.verify.campaign.run import run_campaign
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.store.store import Store

MATERIAL = Path(__file__).with_name("campaign_material.py")


@pytest.mark.parametrize(
    ("shards", "write", "workers", "seconds"),
    [
        ([3.0, 1.0, 2.0], 0.0, 1, 6.0),
        ([3.0, 1.0, 2.0], 0.0, 2, 3.0),  # 3 beside 1 + 2
        ([1.0] * 12, 0.0, 4, 3.0),
        ([1.0] * 12, 0.0, 24, 1.0),
        ([4.0, 1.0, 1.0], 0.0, 3, 4.0),  # the longest shard
        ([1.0] * 3, 0.5, 3, 2.5),  # all land at 1, and are stored one after the other
        ([0.0] * 10, 1.0, 5, 10.0),  # nothing but the store
        ([1.0, 1.0, 1.0, 1.0], 10.0, 1, 41.0),  # the store takes the first at 1, then goes on
    ],
)
def test_by_hand(shards: list[float], write: float, workers: int, seconds: float) -> None:
    found = forecast(shards, write, workers)
    assert found.seconds == seconds
    assert found.efficiency * workers * seconds == pytest.approx(sum(shards))
    assert found.store * seconds == pytest.approx(write * len(shards))


def test_the_store_is_the_limit_in_the_end() -> None:
    """Shards of 1 s, 10 ms each to store: no more than 100 of them can be kept busy."""
    shards = [1.0] * 20_000
    found = {workers: forecast(shards, 0.01, workers) for workers in (1, 10, 1000)}
    assert found[10].efficiency > 0.99
    assert found[1000].efficiency == pytest.approx(0.1, abs=0.002)  # 1 s of 1000 * 0.01 s
    assert found[1000].store > 0.99 and found[10].store < 0.2
    assert found[1000].seconds >= 0.01 * len(shards)


@pytest.mark.parametrize("workers", [1, 30, 1000])
@pytest.mark.parametrize("write", [0.0, 0.01])
def test_a_larger_run_goes_on_at_its_pace(
    workers: int, write: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is not simulated, the rest follows at the pace: within a hundredth of all of it."""
    once, drawn, times = [2.0, 0.5], [0.2, 1.0, 0.3] * 300, 60
    whole = forecast(once + drawn * times, write, workers)
    assert larger(once, drawn, times, write, workers) == whole
    monkeypatch.setattr("holdfast.verify.campaign.forecast._SIMULATED", len(drawn) * 12)
    found = larger(once, drawn, times, write, workers)
    for name in ("seconds", "efficiency", "store"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=0.01, abs=1e-9)
    hidden = larger([9.0], drawn, times, write, workers)
    assert hidden.seconds >= times * sum(drawn) / workers and hidden.efficiency <= 1


def test_a_run_is_measured() -> None:
    with Store.open(":memory:") as store:
        run = run_campaign(load(MATERIAL), budget=Budget(models=60), seed=1, store=store)
        found = costs(run)
        assert {one.models for one in found} == {60}
        for one in found:
            assert isinstance(one, Cost) and one.model is not None
            assert one.fixed > 0 and one.model > 0
        results = list(run.results())
        once, drawn = durations(run)
        assert sum(once + drawn) == pytest.approx(sum(one.seconds for one in results))
        assert len(drawn) == sum(one.shard.kind.name == "DRAWN" for one in results)
        assert len(once + drawn) == len(results)
        assert write_seconds(run) > 0
