"""Sets of known pairs, models of steps, and episodes in them where leaving the data costs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.offline import guarded
from holdfast.solvers.neural.offline.dynamics import Ensemble, ModelVecEnv, pairs_of
from holdfast.solvers.neural.offline.guarded import GuardedOptions
from holdfast.solvers.neural.offline.guardian import (
    BANDWIDTH,
    conformal_rank,
    guardian,
)
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.task_data import behaviour
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.parts.worlds import circle
from holdfast.solvers.offline.guardians import least_ellipsoid, lifted_squares

TINY = GuardedOptions(
    episodes=8, members=2, model_width=8, model_steps=50, steps=400, n_envs=2, rollout=100,
    batch=100, epochs=1, width=8, checkpoint_every=1, cost_batch=200,
)  # fmt: skip


@pytest.mark.parametrize("kind", ["density", "ellipsoid"])
def test_a_further_pair_lies_outside_as_often_as_the_level_says(kind: str) -> None:
    """1 - k/(n + 1) = 1/20 in expectation over the 200 held-out pairs, here 190 of 199."""
    assert conformal_rank(199, 0.05) == 190
    out = []
    for seed in range(12 if kind == "ellipsoid" else 60):
        stream = np.random.default_rng(seed)
        pairs = stream.standard_normal((398, 3)) * [1, 5, 0.1]
        further = stream.standard_normal((500, 3)) * [1, 5, 0.1]
        out.append(guardian(pairs, kind, 0.05, stream).outside(further).mean())
    error = np.std(out) / len(out) ** 0.5
    assert abs(np.mean(out) - 0.05) < 3 * error
    assert not guardian(pairs, "none", 0.05, stream).outside(further + 99).any()
    assert guardian(pairs, kind, 0.05, stream).outside(further + 99).all()


def test_a_density_by_hand() -> None:
    """Two centres at -1 and 1 of the scaled line: the score at 0 is that of both, one off each."""
    found = guardian(np.array([[0.0], [0.0], [4.0], [4.0]]), "density", 0.5, _stays())
    assert found.centres.flatten().tolist() == [-1, -1]
    wanted = 0.5 / BANDWIDTH**2 - np.log(2)
    assert found.scores(np.array([[2.0]]))[0] == pytest.approx(wanted)


def _stays() -> np.random.Generator:
    """A generator whose permutation is none."""

    class Still(np.random.Generator):
        def permutation(self, x, axis=0):
            return np.arange(x)

    return Still(np.random.PCG64(0))


def test_the_least_ellipsoid_of_a_box_of_corners() -> None:
    """Around (+-1, +-2): x^2 + y^2/4 <= 2."""
    corners = np.array([[x, y] for x in (-1.0, 1) for y in (-2.0, 2)])
    metric = least_ellipsoid(np.vstack([corners, np.zeros((5, 2))]))
    assert metric == pytest.approx(np.diag([1, 1 / 4, 1]), abs=1e-3)
    assert lifted_squares(corners, metric) == pytest.approx(np.full(4, 3.0), abs=1e-3)


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ModelError, match="10 held-out pairs are too few"):
        conformal_rank(10, 0.05)
    with pytest.raises(ModelError, match="guardian = 'svm' must be one of density"):
        guardian(np.zeros((9, 2)), "svm", 0.5, _stays())


@cache
def _fitted() -> Ensemble:
    torch.manual_seed(0)
    ensemble = Ensemble(behaviour(circle.TASK, 40, 0), 2, 32)
    ensemble.fit(behaviour(circle.TASK, 40, 0), 300, np.random.default_rng(0))
    return ensemble


def test_an_ensemble_learns_the_step() -> None:
    """On data of other controllers' draws the error is a small part of what a step changes."""
    data = behaviour(circle.TASK, 4, 1)
    after, rewards, _ = _fitted().predict(
        data.observations, data.actions, np.zeros(len(data.rewards), int)
    )
    off = np.abs(after - data.next_observations).mean()
    assert off < 0.15 * np.abs(data.next_observations - data.observations).mean()
    assert np.corrcoef(rewards, data.rewards)[0, 1] > 0.9


def test_a_step_outside_costs_more_and_episodes_end_by_time() -> None:
    data, actions = behaviour(circle.TASK, 40, 0), spaces.Box(-1, 1, (2,), np.float32)
    guard = guardian(pairs_of(data).astype(float), "density", 0.05, np.random.default_rng(0))
    costs = {}
    for weight in (0.0, 3.0):
        env = ModelVecEnv(_fitted(), data, guard, actions, n_envs=4, horizon=5, outside_cost=weight)
        env.seed(7)
        env.reset()
        env.states = np.repeat(env.states[:1], 4, axis=0) + np.array([[0], [0], [9], [9]], "f4")
        _, _, ended, infos = env.step(np.zeros((4, 2), np.float32))
        assert [info["outside"] for info in infos] == [False, False, True, True]
        assert not ended.any()
        costs[weight] = np.array([info["cost"] for info in infos])
    assert (costs[3.0] - costs[0.0]).tolist() == [0, 0, 3, 3]
    for _ in range(4):
        _, _, ended, infos = env.step(np.zeros((4, 2), np.float32))
    assert ended.all()
    assert all(info["TimeLimit.truncated"] for info in infos)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"guardian": "none", "level": 0.1}, "level = 0.1 has no effect with guardian = 'none'"),
        ({"first_violation": True, "limit": 1.0}, "first_violation have no meaning in a model"),
        ({"level": 0.0}, "level = 0.0; give a share between 0 and 1"),
    ],
)
def test_what_means_nothing_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(TINY, **changes)


def test_rollouts_are_whole_episodes() -> None:
    training = Training("offline/guarded", circle.TASK, 0, replace(TINY, rollout=50, steps=200))
    with pytest.raises(ModelError, match="rollout = 50 is no multiple of the 100 steps"):
        guarded.ALGORITHM.check(training)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_by_bit(tmp_path: Path) -> None:
    training = Training("offline/guarded", circle.TASK, 0, TINY)
    whole = obtain(training, folder=tmp_path / "whole")

    def kill(update: int, updates: int, line: dict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=tmp_path / "killed", progress=kill)
    resumed = obtain(training, folder=tmp_path / "killed")
    for name in ("metrics.jsonl", "policy.safetensors"):
        assert (whole.folder / name).read_bytes() == (resumed.folder / name).read_bytes()
