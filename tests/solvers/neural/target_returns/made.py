"""A tiny data set whose actions are told by the return that is asked for, and tiny trainings."""

from __future__ import annotations

from typing import Any

import numpy as np

from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.target_returns.decision_transformer import DecisionTransformerOptions
from holdfast.solvers.offline.data_sets import DataSet

LENGTH = 6
NAME = "target_returns/decision-transformer"
TINY = {"context": 3, "width": 16, "layers": 1, "heads": 2, "dropout": 0.0, "batch": 32}


def told_by_the_return(episodes: int, *, seed: int = 0) -> DataSet:
    """States say nothing; an episode of return 6 acts +0.5, one of return 0 acts -0.5."""
    stream = np.random.default_rng(seed)
    good = np.repeat(np.arange(episodes) % 2 == 0, LENGTH)
    steps, last = len(good), np.arange(len(good)) % LENGTH == LENGTH - 1
    return DataSet(
        "told by the return",
        observations=stream.normal(size=(steps, 7)),
        next_observations=stream.normal(size=(steps, 7)),
        actions=np.where(good, 0.5, -0.5)[:, None].repeat(2, axis=1),
        rewards=good.astype(float),
        costs=(stream.random(steps) < 0.3).astype(float),
        terminals=np.zeros(steps, bool),
        timeouts=last,
    )


def training(seed: int = 0, task: str = "SafetyBallRun-v0", **changes: Any) -> Training:
    options = DecisionTransformerOptions(**{**TINY, "episodes": 3, "steps": 120, **changes})
    return Training(NAME, task, seed, options)
