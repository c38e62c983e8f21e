"""Tables over seeds: means with intervals, the control beside each row, and where it wins."""

import json
import math
from pathlib import Path

import pytest
from scipy.stats import t

from holdfast.solvers import ModelError
from holdfast.solvers.neural.poisoning import drift as drifts
from holdfast.solvers.neural.poisoning import stability, tables
from holdfast.solvers.neural.poisoning.drift import DriftPoint, Sweep, crossing, drift_sweep
from holdfast.solvers.neural.poisoning.tables import Mean, reward_table, save_table
from holdfast.solvers.neural.poisoning.victims import LABELS, Outcome, RewardModelOptions, Victim
from holdfast.verify.poisoning.pictures import DriftLoss, draw_drift

LOSSES = {"clean": 1.0, "attack": 0.0, "least-cost": 0.2, "rounded": 0.3, "thinned": 0.5}


def outcome(shift: float = 0.0, cheap: float = 0.2, drift: float = 0.1) -> Outcome:
    losses = {**LOSSES, "least-cost": cheap, "thinned": 0.5 + shift}
    victims = tuple(Victim(name, 3.0, losses[name], 45, 50, drift) for name in LABELS)
    return Outcome(10.0, 3.0, 3.0, 0.1, "digest", victims)


def test_the_interval_is_students() -> None:
    """Of 1, 2, 3: mean 2, standard deviation 1, so the half width is t / sqrt(3)."""
    found = Mean.of([1.0, 2.0, 3.0])
    half = t.ppf(0.975, 2) / math.sqrt(3)
    assert (found.mean, found.seeds) == (2.0, 3)
    assert found.high - 2 == pytest.approx(half)
    assert 2 - found.low == pytest.approx(half)
    assert math.isnan(Mean.of([1.0]).low)


def test_rows_have_their_control_and_pair_it_seed_by_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Thinned losses .5 and .7 beside .2 and .4: the advantage is .3 in both, with no spread."""
    asked = []

    def obtained(task: str, options: RewardModelOptions, seed: int, **rest: object) -> Outcome:
        asked.append((task, options.width, options.trunk, seed))
        return outcome(0.2 * seed, 0.2 + 0.2 * seed)

    monkeypatch.setattr(tables, "obtain_outcome", obtained)
    cells = [RewardModelOptions(width=width) for width in (2, 4)]
    progress: list[tuple[int, int]] = []
    rows = reward_table("data.jsonl", cells, (0, 1), done=lambda *at: progress.append(at))
    assert asked == [
        ("data.jsonl", w, k, s) for w in (2, 4) for k in ("frozen", "trained") for s in (0, 1)
    ]
    assert progress[-1] == (8, 8)
    assert [row.labels for row in rows] == list(LABELS) * 4
    cheap = next(row for row in rows if row.labels == "least-cost")
    assert cheap.loss.mean == pytest.approx(0.3)
    assert cheap.control.mean == pytest.approx(0.6)
    assert cheap.advantage.mean == pytest.approx(0.3)
    assert cheap.advantage.high - cheap.advantage.low < 1e-12 < cheap.loss.high - cheap.loss.low
    assert cheap.agreement.mean == pytest.approx(0.9)
    save_table(rows[:1], tmp_path / "table.json")
    saved = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert saved["rows"][0]["control"]["mean"] == pytest.approx(0.6)


def test_a_single_seed_is_saved_without_an_interval(tmp_path: Path) -> None:
    row = tables.Row.of(RewardModelOptions(), "rounded", [outcome()])
    save_table([row], tmp_path / "one.json")
    saved = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    assert saved["rows"][0]["loss"] == {"mean": 0.3, "low": None, "high": None, "seeds": 1}


def points(*cells: tuple[float, float], seed: int = 0) -> list[DriftPoint]:
    return [DriftPoint(1e-5, seed, drift, cheap, cheap, 0.5) for drift, cheap in cells]


def test_the_advantage_ends_between_the_points_that_enclose_it() -> None:
    """From .4 ahead at a drift of .01 to .4 behind at 1: half way in the logarithm, at .1."""
    assert crossing(points((0.01, 0.1), (1.0, 0.9))) == pytest.approx(0.1)
    assert crossing(points((1.0, 0.9), (0.01, 0.1))) == pytest.approx(0.1), "in any order"
    assert crossing(points((0.01, 0.1), (0.1, 0.5), (1.0, 0.9))) == pytest.approx(0.1)


def test_where_nothing_ends_there_is_no_end() -> None:
    assert crossing(points((0.01, 0.1), (1.0, 0.4))) is None, "still ahead"
    assert crossing(points((0.01, 0.6), (1.0, 0.9))) is None, "never ahead"
    assert crossing([]) is None
    assert Sweep((), (0.1, 0.2), 3).end is None, "one seed of three has no end"
    end = Sweep((), (0.1, 0.2), 2).end
    assert end is not None
    assert end.mean == pytest.approx(0.15)


def test_a_sweep_trains_the_trunk_at_every_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    def obtained(task: str, options: RewardModelOptions, seed: int, **rest: object) -> Outcome:
        assert options.trunk == "trained"
        rate = options.trunk_learning_rate
        return outcome(cheap=0.1 if rate < 1e-4 else 0.9, drift=rate * 1e3)

    monkeypatch.setattr(drifts, "obtain_outcome", obtained)
    found = drift_sweep("synthetic", rates=(1e-5, 1e-3), seeds=(0, 1))
    assert [(point.seed, point.rate) for point in found.points] == [
        (0, 1e-5), (0, 1e-3), (1, 1e-5), (1, 1e-3)
    ]  # fmt: skip
    assert found.crossings == pytest.approx((0.1, 0.1))
    with pytest.raises(ModelError, match="at least one rate and one seed"):
        drift_sweep("synthetic", seeds=())


def test_the_stability_table_tells_equal_moments_from_others(tmp_path: Path) -> None:
    cell = RewardModelOptions(hidden=8, width=4, warm_steps=20, steps=25)
    rows = stability.stability_table("synthetic", [cell], (5.0,), (0, 1), folder=tmp_path)
    near = {row.labels: row for row in rows}
    assert list(near) == list(LABELS)
    for row in rows:
        assert row.farthest <= row.bound
        assert row.tightness <= 1
        assert row.moved <= row.allowed
    assert near["least-cost"].bound < 1e-3 < near["thinned"].nearest
    with pytest.raises(ModelError, match=r"ridge = 0\.0; without a positive one"):
        stability.stability_table("synthetic", [cell], (0.0,))


def test_the_picture_has_both_lines_and_the_end(tmp_path: Path) -> None:
    drawn = [DriftLoss(seed, d, 4 * d, 0.4) for seed in (0, 1) for d in (0.01, 0.1, 0.3)]
    path = draw_drift(drawn, (0.1, 0.08, 0.12), tmp_path / "drift.svg")
    bare = draw_drift(drawn, None, tmp_path / "bare.svg")
    assert path.stat().st_size > bare.stat().st_size > 10_000
    with pytest.raises(ValueError, match="cannot draw"):
        draw_drift(drawn, None, tmp_path / "drift.txt")
