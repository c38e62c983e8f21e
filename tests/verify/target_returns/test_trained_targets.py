"""Claims on trained targets with networks whose costs are known, and with what minds nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.sequences import Array
from holdfast.solvers.target_returns import Tuner
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.summary import ClaimSummary
from holdfast.verify.report.ladder import Request
from holdfast.verify.store.store import Store
from holdfast.verify.target_returns import ladders
from holdfast.verify.target_returns.claims import trained_targets as claims
from holdfast.verify.target_returns.families.trained import Recorded, trained_targets

CLAIMS = {c.name: c for c in shipped() if c.family is trained_targets}
EVALUATED, RECOMMENDED, ASKED = (
    f"trained-targets/{name}#neural" for name in ("evaluated", "recommended", "asked-for")
)


def world(of: Training, cliff: float = 0.0) -> Recorded:
    """Costs rise evenly with the return that is asked for, and by `cliff` at once at 300."""
    from holdfast.solvers.neural.target_returns.safe_tuning import grid_of_targets

    stream, options = np.random.default_rng(0), of.options
    gains = stream.uniform(100, 600, 200)
    trained: Any = SimpleNamespace(returns=np.stack([gains, np.clip(gains / 4 - 80, 0, 90)], 1))

    def cost(gain: Array) -> Array:
        return np.clip((gain - 250) / 5, 0, None) + cliff * (gain >= 300)

    asked = np.repeat(grid_of_targets(trained, options)[:, 0], 16).reshape(-1, 16)
    noisy = np.maximum(cost(asked) + stream.normal(0, 2, asked.shape), 0)
    plain = np.full(16, float(cost(np.array(400.0))))
    return Recorded(trained, options, np.stack([asked, noisy], axis=-1), plain)


def examined(name: str, folder: Path) -> ClaimSummary:
    asked_for = [CLAIMS[name]]
    with Store.open(folder / "found.db") as opened:
        run = run_campaign(asked_for, budget=Budget(models=1), seed=0, store=opened)
        (found,) = summary(run, asked_for).claims
    return found


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Networks are such worlds."""

    def put(**changes: float) -> None:
        monkeypatch.setattr(claims, "recorded", lambda of: world(of, **changes))

    put()
    return put


def test_the_claims_are_shipped_and_named_by_integers() -> None:
    assert set(CLAIMS) == {EVALUATED, RECOMMENDED, ASKED}
    first, again = (trained_targets.draw(PhiloxDraw("test", k)) for k in (1, 1))
    assert first == again != trained_targets.draw(PhiloxDraw("test", 2))
    assert 15 <= first[0].options.limit <= 25


@pytest.mark.slow
@pytest.mark.parametrize("name", [EVALUATED, RECOMMENDED, ASKED])
def test_they_fare_as_expected_where_costs_are_smooth(
    name: str, known: object, tmp_path: Path
) -> None:
    found = examined(name, tmp_path)
    assert found.exit_code is ExitCode.AS_EXPECTED
    assert set(found.grades) == {"neural"}


def test_a_cliff_is_noticed(
    known: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bound of a smooth process holds there: the belief is false, and so is what it promises."""
    monkeypatch.setattr(claims, "_RUNS", 30)
    known(cliff=60.0)
    assert examined(EVALUATED, tmp_path).exit_code is ExitCode.VIOLATION


def test_a_tuner_that_is_not_safe_is_noticed(
    known: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Recorded.tuned

    def ucb(self: Recorded, method: str, stream: np.random.Generator) -> Tuner:
        return right(self, "ucb", stream)

    monkeypatch.setattr(claims, "_RUNS", 30)
    monkeypatch.setattr(Recorded, "tuned", ucb)
    assert examined(EVALUATED, tmp_path).exit_code is ExitCode.VIOLATION


def test_recommending_what_is_not_safe_is_noticed(
    known: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the largest upper bound of the reward, whatever is certified."""
    monkeypatch.setattr(claims, "_RUNS", 30)
    monkeypatch.setattr(Tuner, "recommend", lambda self: int(self.bounds[3].argmax()))
    assert examined(RECOMMENDED, tmp_path).exit_code is ExitCode.VIOLATION


def outcome(method: str, costs: float) -> SimpleNamespace:
    names = ("fine-tuned",) if method == "fine-tuning" else ("best safe return", "seed", "tuned")
    fresh = {name: np.array([[300.0, costs], [310.0, costs + 1]]) for name in names}
    told = np.array([[300.0, 10, 301, costs], [320.0, 10, 315, costs]])
    return SimpleNamespace(limit=20.0, method=method, told=told, fresh=fresh,
                           unsafe=int((told[:, 3] > 20).sum()))  # fmt: skip


def asked(obtain: Callable[..., Any], **changes: Any) -> Request:
    given: dict[str, Any] = {
        "label": EVALUATED.removesuffix("#neural"), "seeds": (0, 1), "levels": (), "limits": (),
        "algorithms": (), "task": None, "changes": {}, "episodes": 0, "folder": None,
        "obtain": obtain, **changes,
    }  # fmt: skip
    return Request(**given)


def test_the_ladder_counts_what_was_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladders, "refuse_idle", lambda *_: None)
    wanted: list[tuple[str, int]] = []

    def obtain(name: str, task: str, seed: int, changes: dict[str, Any]) -> Any:
        method = changes["method"]
        wanted.append((method, seed))
        if (method, seed) == ("ucb", 1):
            return None
        found = outcome(method, {"pls": 10.0, "ucb": 50.0, "fine-tuning": 19.9}[method])
        return SimpleNamespace(result=lambda: found, folder="here")

    ladder = ladders.safe_tuning_ladder(asked(obtain))
    assert sorted(wanted) == sorted((m, s) for m in ("pls", "ucb", "fine-tuning") for s in (0, 1))
    (row,) = ladder.tables[0].rows
    cells = dict(zip((rung.name for rung in ladder.tables[0].rungs), row.cells, strict=True))
    assert cells["tuned"].figures[1].value == Fraction(21, 2) and not cells["tuned"].over
    assert cells["greatest return"].figures == ()
    assert cells["fine-tuned"].figures[1].value == pytest.approx(20.4)
    said = [remark.text for remark in ladder.remarks]
    assert said[0].startswith("pls at the limit 20: 0 of 4 evaluations above it, in 0 of 2")
    assert said[1].startswith("ucb at the limit 20: 2 of 2 evaluations above it, in 1 of 1")
    assert ladder.notes == ("1 run not trained yet",)
    assert ladder.panels[0].levels == (20.0,)
