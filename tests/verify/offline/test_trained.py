"""What claims and the command line say of trained offline policies."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.neural.offline import WsacOptions
from holdfast.solvers.neural.offline.sepsis import SepsisOptions, SepsisPolicy, ward
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.offline import trained
from holdfast.verify.offline.claims import neural_trained_policies as claims
from holdfast.verify.offline.families import trained as families


def test_each_family_names_all_options_and_five_seeds() -> None:
    drawn = {family.draw(PhiloxDraw("seed", k))[0] for family in (families.WSAC, families.PID)
             for k in range(20)}  # fmt: skip
    assert {one.seed for one in drawn} == set(range(5))
    assert {one.options.controller for one in drawn if "marvel" in one.algorithm} == {"pid"}


def test_the_cloned_policy_is_that_of_the_table() -> None:
    (training,) = families.WSAC.draw(PhiloxDraw("seed", 0))
    assert asdict(families.cloned(training).options) == asdict(WsacOptions(steps=0))


def test_the_speed_limit_speaks_of_every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 50 with costs of 0, a limit of 8 and steps of 1/64 it is 50 - k/8, on the lower line."""
    (training,) = families.ASCENT.draw(PhiloxDraw("seed", 0))
    lines = [{"loss": 1.0}, *({"multiplier": 50 - k / 8} for k in (1, 2, 3))]
    monkeypatch.setattr(claims, "result", lambda of: SimpleNamespace(lines=lines))
    found = list(claims.speed_limit.evaluate(training))
    theory = claims.theory
    assert [one[theory.updates] for one in found] == [1, 2, 3]
    for one in found:
        line = one[theory.lam_start] - one[theory.updates] * one[theory.eta] * one[theory.limit]
        assert one[theory.lam] == line


def test_means_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "EPISODES", 200)
    (training,) = families.WSAC.draw(PhiloxDraw("seed", 1))
    families.recorded.cache_clear()
    returns, costs = families.recorded(training)
    families.recorded.cache_clear()
    assert costs.total.denominator == 1
    assert 5 < costs.total / costs.samples < 20
    assert (costs.lo, costs.hi, returns.lo) == (0, 100, -returns.hi)
    assert isinstance(returns.total, Fraction)


def test_patients_are_judged_by_bounds() -> None:
    found = SepsisPolicy(ward().clinicians, [], 1.0)
    run: Any = SimpleNamespace(
        result=lambda: found,
        training=Training("offline/sepsis", "ICU-Sepsis", 0, SepsisOptions()),
    )
    first, second = trained.judge(run, 2)
    assert first["survival"] == second["survival"] == "0.7222"
    assert second["policy"] == "clinicians"


@pytest.mark.slow
def test_a_tiny_run_is_judged_on_fresh_episodes(tmp_path: Path) -> None:
    options = WsacOptions(episodes=8, width=8, warm_steps=100, steps=0)
    run = obtain(Training("offline/wsac", families.TASK, 0, options), folder=tmp_path)
    rows = trained.judge(run, 20)
    assert [row["of actions"] for row in rows] == ["likeliest", "drawn"]
    assert all(np.isfinite(float(row["return"].split()[0])) for row in rows)
