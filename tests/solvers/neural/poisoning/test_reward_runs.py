"""Runs of the experiment: kept, looked up, resumed after a kill, and refused when data changed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.neural.parts import algorithms, runs
from holdfast.solvers.neural.parts.training import Training, TrainingError
from holdfast.solvers.neural.poisoning import reward_runs
from holdfast.solvers.neural.poisoning.answers import synthetic_answers
from holdfast.solvers.neural.poisoning.reward_model import pairs_of
from holdfast.solvers.neural.poisoning.victims import LABELS, RewardModelOptions, experiment

OPTIONS = RewardModelOptions(hidden=4, width=2, warm_steps=6, steps=5, trunk="trained")
UPDATES = 6 + 5 * 5


def training(task: str = "synthetic", seed: int = 3, **changes: object) -> Training:
    return Training(reward_runs.NAME, task, seed, replace(OPTIONS, **changes))


@pytest.fixture
def npz(tmp_path: Path) -> Iterator[Path]:
    data = synthetic_answers(40, 5)
    path = tmp_path / "pairs.npz"
    np.savez(path, chosen=data.chosen, rejected=data.rejected)
    yield path


def test_it_is_found_by_its_name() -> None:
    assert "poisoning/reward-model" in algorithms.known()
    assert algorithms.find("poisoning/reward-model") is reward_runs.ALGORITHM


def test_a_run_has_the_outcome_of_the_experiment_and_is_not_trained_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reward_runs.obtain_outcome("synthetic", OPTIONS, 3, folder=tmp_path)
    assert found == experiment(synthetic_answers(), OPTIONS, 3)
    monkeypatch.setattr(reward_runs, "prepare", None)
    assert reward_runs.obtain_outcome("synthetic", OPTIONS, 3, folder=tmp_path) == found


def test_metrics_are_a_line_an_update_and_models_are_kept(tmp_path: Path) -> None:
    run = runs.obtain(training(), folder=tmp_path)
    lines = run.metrics()
    assert [line["update"] for line in lines] == list(range(1, UPDATES + 1))
    assert [line["victim"] for line in lines] == [0] * 6 + [
        v for v in range(1, 6) for _ in range(5)
    ]
    models = run.result().models
    assert set(models) == {"start", *LABELS}
    data = synthetic_answers()
    scores = {
        name: models[name].reward @ models[name].features(pairs_of(data.chosen, data.rejected))
        for name in ("clean", "attack")
    }
    assert not np.allclose(scores["clean"], scores["attack"])


class Killed(BaseException):
    """As a signal would."""


@pytest.mark.parametrize("at", [3, 8, 17, UPDATES])
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, at: int) -> None:
    def kill(update: int, updates: int, line: object) -> None:
        assert updates == UPDATES
        if update == at:
            raise Killed

    whole = runs.obtain(training(), folder=tmp_path / "whole")
    with pytest.raises(Killed):
        runs.obtain(training(), folder=tmp_path / "killed", progress=kill)
    resumed = runs.obtain(training(), folder=tmp_path / "killed")
    names = ("metrics.jsonl", "policy.safetensors", "policy.json")
    for name in names:
        assert (resumed.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_a_resumed_run_does_not_train_finished_victims_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(update: int, updates: int, line: object) -> None:
        if update == 18:  # within the third victim
            raise Killed

    with pytest.raises(Killed):
        runs.obtain(training(), folder=tmp_path, progress=kill)
    trained = []
    victim = reward_runs.Cell.victim

    def noted(cell, name, watch=None):
        trained.append(name)
        return victim(cell, name, watch)

    monkeypatch.setattr(reward_runs.Cell, "victim", noted)
    runs.obtain(training(), folder=tmp_path)
    assert trained == ["least-cost", "rounded", "thinned"]


def test_data_that_have_changed_are_noticed(tmp_path: Path, npz: Path) -> None:
    kept, begun = tmp_path / "runs", tmp_path / "begun"

    def kill(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        runs.obtain(training(str(npz)), folder=begun, progress=kill)
    found = reward_runs.obtain_outcome(str(npz), OPTIONS, 0, folder=kept)
    assert reward_runs.obtain_outcome(str(npz), OPTIONS, 0, folder=kept) == found
    data = synthetic_answers(40, 6)
    np.savez(npz, chosen=data.chosen, rejected=data.rejected)
    with pytest.raises(ModelError, match=r"has changed since .* was trained on it; bring the old"):
        reward_runs.obtain_outcome(str(npz), OPTIONS, 0, folder=kept)
    with pytest.raises(ModelError, match=r"has changed since"):
        runs.obtain(training(str(npz)), folder=begun)


def test_a_loss_that_is_not_finite_names_the_victim(tmp_path: Path) -> None:
    options = replace(OPTIONS, trunk="frozen", learning_rate=1e20, ridge=1e300)
    # A rate that the warm-up survives on any machine: it divides by the size of the gradient.
    with pytest.raises(
        TrainingError, match=r"victim of the labels clean: update 1 of 5: the loss is inf"
    ):
        reward_runs.obtain_outcome("synthetic", options, 0, folder=tmp_path)
