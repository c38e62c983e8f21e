"""Scripted drivers: seeded, apart in return and cost, and refused where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.task_data import behaviour


def test_the_seed_says_everything() -> None:
    first, again = (behaviour("SafetyBallRun-v0", 3, 5) for _ in range(2))
    assert first.digest == again.digest
    assert behaviour("SafetyBallRun-v0", 3, 6).digest != first.digest
    assert behaviour("SafetyBallRun-v0", 2, 5).digest != first.digest
    assert (behaviour("SafetyBallRun-v0", 2, 5).returns == first.returns[:2]).all()


def test_drivers_are_timid_and_bold() -> None:
    """Those within the limit of 20 leave return on the table that the bold ones take."""
    returns = behaviour("SafetyBallRun-v0", 30, 0).returns
    safe = returns[:, 1] <= 20
    assert 6 <= safe.sum() <= 24
    assert returns[:, 0].max() > 1.2 * returns[safe, 0].max()
    assert np.corrcoef(returns.T)[0, 1] > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("task", ["SafetyBallCircle-v0", "SafetyCarRun-v0", "SafetyCarCircle-v0"])
def test_the_other_bodies_and_tasks(task: str) -> None:
    """A body that stood still or strayed would earn about nothing."""
    returns = behaviour(task, 12, 0).returns
    safe = returns[:, 1] <= 20
    assert 2 <= safe.sum() <= 10
    assert returns[safe, 0].max() > 100
    assert returns[:, 0].max() > returns[safe, 0].max()


def test_the_actions_are_what_was_done() -> None:
    data = behaviour("SafetyBallRun-v0", 1, 0)
    assert np.abs(data.actions).max() <= 1
    assert (data.next_observations[:-1] == data.observations[1:]).all()


@pytest.mark.parametrize("task", ["SafetyDroneRun-v0", "SafetyBallPush-v0", "holdfast/TwoDiscs-v0"])
def test_no_driver_no_data(task: str) -> None:
    with pytest.raises(ModelError, match=f"no controllers are written for '{task}'; there are "):
        behaviour(task, 1, 0)
