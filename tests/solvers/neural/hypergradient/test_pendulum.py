"""A leader who pays a follower that learns by SAC."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.hypergradient.ascent import AscentRun
from holdfast.solvers.neural.hypergradient.pendulum import PendulumOptions
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training

QUICK = PendulumOptions(updates=3, warm=150, steps=10, episodes=4, checkpoint_every=1)


def _training(options: PendulumOptions, seed: int = 0) -> Training:
    return Training("hypergradient/pendulum", "Pendulum-v1", seed, options)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_by_bit(tmp_path: Path) -> None:
    training = _training(QUICK)
    whole = obtain(training, folder=tmp_path / "whole")

    def kill(update: int, updates: int, line) -> None:
        if update == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=tmp_path / "killed", progress=kill)
    resumed = obtain(training, folder=tmp_path / "killed")
    files = [run.folder / "metrics.jsonl" for run in (whole, resumed)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert np.array_equal(whole.result().theta, resumed.result().theta)


@pytest.mark.slow
def test_the_direct_term_alone_never_pays(tmp_path: Path) -> None:
    """Where nothing is paid the price has no slope, so that the naive leader is the untrained."""
    naive, untrained = (
        obtain(_training(replace(QUICK, method=method)), folder=tmp_path).result()
        for method in ("naive", "untrained")
    )
    assert np.array_equal(naive.theta, untrained.theta)
    assert not naive.column("paid").any()
    assert naive.objective == untrained.objective


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "sac"}, "method = 'sac' must be one of bc-hg"),
        ({"episodes": 0}, "episodes"),
        ({"checkpoint_every": -1}, "checkpoint_every = -1 not negative"),
    ],
)
def test_what_means_nothing_is_refused(changes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        PendulumOptions(**changes)


def test_another_task_is_refused(tmp_path: Path) -> None:
    training = Training("hypergradient/pendulum", "CartPole-v1", 0, QUICK)
    with pytest.raises(ModelError, match="the task is 'Pendulum-v1', on the cpu"):
        obtain(training, folder=tmp_path)


@pytest.mark.slow
def test_a_leader_that_follows_the_hypergradient_earns_more(tmp_path: Path) -> None:
    """An untrained leader's mean is 0 by symmetry, within 0.5 on 256 episodes."""
    found: dict[str, AscentRun] = {
        method: obtain(
            _training(PendulumOptions(method=method, updates=40)), folder=tmp_path
        ).result()
        for method in ("bc-hg", "naive", "flipped")
    }
    assert abs(found["naive"].objective) < 0.5
    assert found["bc-hg"].objective > found["naive"].objective + 1
    assert found["flipped"].objective < found["naive"].objective - 0.5
