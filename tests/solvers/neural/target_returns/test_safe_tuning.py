"""The whole run of safe tuning, on a stand-in for a network whose costs are known exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.runs import Run, Workplace, obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.target_returns import SafeTuningOptions, TunedTarget, safe_tuning
from holdfast.solvers.neural.target_returns.fine_tuning import fine_tune, recorded
from holdfast.solvers.neural.target_returns.learning import Learner
from holdfast.solvers.sequences import Array
from holdfast.verify.target_returns.trained import judge

from . import made
from .test_decision_transformer import transformer

LIMIT = 20.0
OPTIONS = SafeTuningOptions(evaluations=25, return_targets=16, cost_targets=4, fresh=4)


def true_cost(targets: Array) -> Array:
    """Nothing up to a return of 250, then more and more; a plain target is beyond the limit."""
    gains, costs = np.asarray(targets, dtype=float).T
    return np.clip((gains - 250) / 5 + costs / 10, 0, 90)


class StandIn:
    """Does what it is asked to, but for the cost; episodes differ a little."""

    def __init__(self) -> None:
        stream = np.random.default_rng(0)
        gains = stream.uniform(100, 600, 200)
        costs = np.clip((gains - 350) / 4 + stream.normal(0, 15, 200), 0, 90)
        self.returns = np.stack([gains, costs], axis=1)
        self.asked: list[int] = []

    def rollouts(
        self, task: str, targets: Array, seed_words: tuple[Any, ...], deterministic: bool
    ) -> Array:
        stream = np.random.default_rng([len(str(word)) for word in seed_words])
        self.asked.append(len(targets))
        noise = stream.normal(0, 1, len(targets))
        costs = np.maximum(true_cost(targets) + noise, 0)
        return np.stack([targets[:, 0] + noise, costs], axis=1)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    network = StandIn()
    monkeypatch.setattr(
        safe_tuning, "obtain", lambda *_, **__: SimpleNamespace(result=lambda: network)
    )
    return network


def training(**changes: Any) -> Training:
    options = SafeTuningOptions(**{**vars(OPTIONS), **changes})
    return Training(safe_tuning.NAME, "SafetyBallRun-v0", 0, options)


def run_of(folder: Path, **changes: Any) -> Run:
    return obtain(training(**changes), folder=folder)


def unsafe(found: TunedTarget) -> int:
    """By the true costs of what was evaluated."""
    return int((true_cost(found.told[:, :2]) > LIMIT).sum())


def test_nothing_unsafe_is_evaluated_and_much_is_gained(stand_in: StandIn, tmp_path: Path) -> None:
    found: TunedTarget = run_of(tmp_path).result()
    assert found.unsafe == unsafe(found) == 0
    tuned, seed = (found.targets[name] for name in ("tuned", "seed"))
    assert true_cost(np.array([tuned]))[0] <= LIMIT
    # costs of (R - 250) / 5 are safe up to 350; the grid has steps of 33, and caution takes one
    assert 350 - 2 * 33 <= tuned[0] <= 350
    assert tuned[0] > seed[0] + 100
    assert true_cost(np.array([found.targets["best safe return"]]))[0] > LIMIT
    rows = {row["policy"]: row for row in judge(run_of(tmp_path), 10)}
    assert {name: row["met"] for name, row in rows.items()} == {
        "greatest return": "no", "best safe return": "no", "seed": "yes", "tuned": "yes"
    }  # fmt: skip
    alike = replace(found, fresh={name: np.full((4, 2), 15.0) for name in found.targets})
    same = SimpleNamespace(result=lambda: alike, training=training())
    # four costs that agree leave a probability of 1 - 0.05^(1/3) = 0.63 for any other up to 100
    assert {(row["cost"], row["met"]) for row in judge(same, 10)} == {
        ("15.0 (5.5 to 68.7)", "not known")
    }
    assert rows["tuned"]["unsafe evaluations"] == f"0 of {len(found.told)}"


def test_the_tuner_that_minds_nothing_evaluates_unsafe_targets(
    stand_in: StandIn, tmp_path: Path
) -> None:
    found = run_of(tmp_path, method="ucb").result()
    assert found.unsafe > len(found.told) / 2


def test_a_prior_that_trusts_the_network_is_refused(stand_in: StandIn, tmp_path: Path) -> None:
    """No cost anywhere, before anything was seen: the grid would be certified at once."""
    with pytest.raises(ModelError, match="before anything is observed"):
        run_of(tmp_path, prior_mean=0.01, prior_deviation=0.1)
    assert not stand_in.asked


def test_a_run_that_is_killed_goes_on_with_the_same_targets(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = run_of(tmp_path / "straight")
    whole, record = len(stand_in.asked), Workplace.checkpoint

    def killed(self: Workplace, update: int, *rest: Any) -> None:
        record(self, update, *rest)
        if update == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Workplace, "checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        run_of(tmp_path / "killed")
    monkeypatch.setattr(Workplace, "checkpoint", record)
    stand_in.asked.clear()
    resumed = run_of(tmp_path / "killed")
    assert resumed.metrics() == straight.metrics()
    assert (resumed.result().told == straight.result().told).all()
    assert len(stand_in.asked) == whole - 5  # nothing is evaluated twice


@pytest.mark.slow
def test_own_episodes_are_what_was_done_and_teach() -> None:
    """Recorded episodes have what the environment gave, and an update changes what is done."""
    trained = transformer()
    policy = trained.at(np.tile((300.0, 0.0), (2, 1)))
    own = recorded(policy, "SafetyBallRun-v0", ("test",))
    assert own.ends.tolist() == [100, 200]
    again = recorded(policy, "SafetyBallRun-v0", ("test",))
    assert own.digest == again.digest
    # the ball's x (a tenth of it is seen) gains 60 for a metre, less up to 0.5 |action| a step
    gained = 600 * (own.observations[99, 0] - own.observations[0, 0])
    assert own.returns[0, 0] == pytest.approx(gained, abs=80)
    means: list[Array] = []
    learner = Learner(trained.network, made.training(steps=2).options, 0)
    told = lambda _, mean: means.append(mean)  # noqa: E731
    fine_tune(learner, policy, "SafetyBallRun-v0", own, 2, ("t",), told)
    assert np.isfinite(means).all() and len(means) == 2


class Uneven(gymnasium.Env[Array, Array]):
    """Episodes of 1 to 6 steps, each of which earns 1; the time is seen."""

    observation_space = gymnasium.spaces.Box(-9, 9, (7,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Array, Any]:
        super().reset(seed=seed)
        self.time, self.end = 0, int(self.np_random.integers(1, 7))
        return np.zeros(7, np.float32), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        self.time += 1
        seen = np.full(7, self.time, np.float32)
        return seen, 1.0, self.time == self.end, False, {"cost": 0.0}


def test_own_episodes_end_where_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies that end early begin anew while others run: what they do then is no part of theirs."""
    monkeypatch.setitem(gymnasium.registry, "Uneven-v0", EnvSpec("Uneven-v0", entry_point=Uneven))
    trained = transformer()
    asked = np.tile((6.0, 3.0), (5, 1))
    own = recorded(trained.at(asked), "Uneven-v0", ("test",))
    lengths = np.diff(own.ends, prepend=0)
    assert len(set(lengths)) > 1
    assert own.observations[:, 0].tolist() == [t for n in lengths for t in range(n)]
    assert (own.next_observations[own.ends - 1] == own.observations[own.ends - 1]).all()
    alone = trained.rollouts("Uneven-v0", asked, ("test",), deterministic=False)
    assert own.returns[:, 0].tolist() == lengths.tolist() == alone[:, 0].tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "bayes"}, "method = 'bayes'; give one of pls"),
        ({"kernel": "cubic"}, "kernel = 'cubic'; give one of rbf"),
        ({"failure": 1.0}, "failure = 1.0 lie strictly between 0 and 1"),
        ({"limit": 0.0}, "limit = 0.0 must be positive"),
        ({"cost_targets": 1}, "cost_targets = 1 makes no grid; give at least 2"),
        ({"return_targets": 1}, "return_targets = 1 makes no grid; give at least 2"),
        ({"method": "fine-tuning", "kernel": "rbf"}, "kernel = rbf has no effect with"),
        (
            {"method": "fine-tuning", "prior_mean": 7.0},
            "prior_mean = 7.0 has no effect",
        ),
        (
            {"method": "fine-tuning", "cost_targets": 3},
            "cost_targets = 3 has no effect",
        ),
    ],
)
def test_options_that_cannot_be_meant(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        SafeTuningOptions(**changes)


def test_data_without_a_safe_episode_give_no_seed(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.returns += np.array([0, 30])
    with pytest.raises(ModelError, match=r"costs at most limit = 20.0, .* the least is 30"):
        run_of(tmp_path)


@pytest.mark.parametrize(
    ("rewards", "costs", "message"),
    [
        (1.0, 0.0, "all episodes of the data return 6"),
        (None, 1.0, "costs at most limit = 4.0"),
    ],
)
def test_data_that_cannot_be_tuned_are_refused_before_the_training(
    rewards: float | None, costs: float, message: str, tmp_path: Path
) -> None:
    data = made.told_by_the_return(4)
    data.costs[:] = costs
    data.rewards[:] = data.rewards if rewards is None else rewards
    data.write(tmp_path / "data.hdf5")
    options = SafeTuningOptions(data=str(tmp_path / "data.hdf5"), limit=4.0)
    with pytest.raises(ModelError, match=message):
        obtain(Training(safe_tuning.NAME, "SafetyBallRun-v0", 0, options), folder=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_circle_tasks_have_no_idle_options_for_fine_tuning() -> None:
    found = safe_tuning.ALGORITHM.options_for("SafetyBallCircle-v0", {"method": "fine-tuning"})
    assert (found.rollouts, found.cost_noise) == (20, 4.0)


@pytest.mark.slow
def test_the_whole_pipeline_on_a_simulator(tmp_path: Path) -> None:
    """A small network: the plain target is unsafe, the tuned one is safe and better than the seed.

    Two minutes of one core.
    """
    small = {"episodes": 200, "context": 5, "width": 32, "layers": 1, "heads": 2, "steps": 1000,
             "learning_rate": 2e-3, "warm_up": 50, "fresh": 12, "cost_targets": 4}  # fmt: skip
    options = SafeTuningOptions(**small)
    wanted = Training(safe_tuning.NAME, "SafetyBallRun-v0", 0, options)
    found = obtain(wanted, folder=tmp_path).result()
    gains, costs = ({name: one[:, k].mean() for name, one in found.fresh.items()} for k in (0, 1))
    assert costs["best safe return"] > LIMIT
    assert costs["tuned"] <= LIMIT
    assert gains["tuned"] >= gains["seed"]
    assert found.unsafe <= 1
