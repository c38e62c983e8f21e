"""Data of other spaces than those of the task are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.task_data import check_data
from holdfast.solvers.offline.data_sets import DataSet

BALL = DataSet(
    "made", observations=np.zeros((4, 7)), next_observations=np.zeros((4, 7)),
    actions=np.full((4, 2), 0.5), rewards=np.ones(4), costs=np.zeros(4),
    terminals=np.zeros(4, bool), timeouts=np.arange(4) == 3,
)  # fmt: skip


def test_data_of_the_task() -> None:
    check_data(BALL, "SafetyBallRun-v0")


def test_data_of_another_task() -> None:
    other = replace(BALL, observations=np.zeros((4, 3)), next_observations=np.zeros((4, 3)))
    with pytest.raises(ModelError, match=r"\(3,\), and those of SafetyBallRun-v0 are of .*\(7,\)"):
        check_data(other, "SafetyBallRun-v0")


def test_actions_out_of_bounds() -> None:
    actions = BALL.actions.copy()
    actions[2, 1] = -1.5
    with pytest.raises(ModelError, match=r"actions\[2, 1\] is -1.5, outside of \[-1.0, 1.0\]"):
        check_data(replace(BALL, actions=actions), "SafetyBallRun-v0")
