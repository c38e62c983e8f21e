"""Logs with a known truth."""

from collections.abc import Callable

import numpy as np
import pytest

from holdfast.solvers.relative_budget import Rollouts, read_rollouts

Log = Callable[..., tuple[Rollouts, np.ndarray]]


@pytest.fixture
def log() -> Log:
    """``log(prompts, each, ...)``: Gamma rollouts, rounded up, and the true means of prompts."""

    def made(prompts, each, mean=100.0, spread=0.0, shape=2.0, cap=100, seed=0):
        rng = np.random.default_rng(seed)
        means = mean * np.exp(spread * rng.standard_normal(prompts))
        times = np.ceil(rng.gamma(shape, 1, (prompts, each)) * means[:, None] / shape).ravel()
        names = [f"p{k}" for k in range(prompts) for _ in range(each)]
        return read_rollouts(np.minimum(times, cap), times <= cap, names, cap), means

    return made
