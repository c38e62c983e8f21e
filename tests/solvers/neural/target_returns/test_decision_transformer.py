"""The transformer is causal, learns what targets tell, and its runs are kept, resumed, refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts import algorithms
from holdfast.solvers.neural.parts.evaluation import evaluate
from holdfast.solvers.neural.parts.on_policy import one_thread
from holdfast.solvers.neural.parts.runs import Workplace, obtain
from holdfast.solvers.neural.parts.training import Training, TrainingError
from holdfast.solvers.neural.target_returns import (
    DecisionTransformerOptions,
    decision_transformer,
    load_policy,
)
from holdfast.solvers.neural.target_returns.learning import Learner
from holdfast.solvers.neural.target_returns.policy import TrainedTransformer, network_of
from holdfast.solvers.neural.target_returns.transformer import Windows, windows
from holdfast.solvers.offline.data_sets import DataSet
from holdfast.solvers.sequences import Array

from . import made

DATA = made.told_by_the_return(40)
SIZES = {"context": 3, "steps": made.LENGTH, "width": 16, "layers": 1, "heads": 2, "dropout": 0.0,
         "observations": 7, "actions": 2, "low": [-1.0, -1.0], "high": [1.0, 1.0]}  # fmt: skip


def transformer(seed: int = 0) -> TrainedTransformer:
    network = network_of(SIZES, seed)
    network.scale_to(DATA)
    network.eval()
    return TrainedTransformer(network, DATA.returns, SIZES)


def test_a_window_has_the_returns_to_go_and_begins_with_its_episode() -> None:
    seen = windows(DATA, np.array([7]), 3)  # the second step of the second episode, of return 0
    assert seen.there.tolist() == [[False, True, True]]
    assert seen.times[0, 1:].tolist() == [0, 1]
    assert seen.to_go[0, 1:, 0].tolist() == [0, 0]
    assert seen.to_go[0, 1, 1] == DATA.costs[6:12].sum()
    assert (seen.observations[0, 1:].numpy() == DATA.observations[6:8]).all()


def test_the_law_of_an_action_knows_neither_it_nor_what_follows() -> None:
    network, at = transformer().network, np.array([4, 10])
    seen = windows(DATA, at, 3)

    def laws(**changes: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return network(replace(seen, **changes)).mean

    now = laws()
    other = seen.actions.clone()
    other[:, -1] += 1
    assert torch.equal(laws(actions=other), now)
    other[:, -2] += 1
    assert torch.equal(laws(actions=other)[:, :-1], now[:, :-1])
    assert not torch.equal(laws(actions=other)[:, -1], now[:, -1])
    to_go = seen.to_go.clone()
    to_go[:, -1, 1] += 1  # the cost that is asked for now
    assert torch.equal(laws(to_go=to_go)[:, :-1], now[:, :-1])
    assert not torch.equal(laws(to_go=to_go)[:, -1], now[:, -1])


def test_what_lies_before_an_episode_is_not_seen() -> None:
    network, seen = transformer().network, windows(DATA, np.array([6]), 3)
    noise = torch.where(seen.there[..., None], seen.observations, seen.observations + 9)
    with torch.no_grad():
        laws = [network(replace(seen, observations=x)).mean for x in (seen.observations, noise)]
    assert torch.equal(laws[0][:, -1], laws[1][:, -1])


def test_acting_sees_the_windows_of_training() -> None:
    """Replaying recorded episodes, asked for their own returns: every window is that of the data.

    One copy begins its second episode while the other is in its first.
    """
    trained, length = transformer(), made.LENGTH
    policy = trained.at(DATA.returns[:2])
    recorded: list[Windows] = []

    class Recorder(torch.nn.Module):
        def forward(self, seen: Windows) -> torch.distributions.Independent:
            recorded.append(replace(seen, actions=seen.actions.clone()))
            return trained.network(seen)

    watched = replace(policy, transformer=replace(trained, network=Recorder()))  # type: ignore[arg-type]
    state = None
    for step in range(length):
        at = np.array([step, length + step])
        actions, state = watched.predict(DATA.observations[at], state, np.zeros(2, bool), True)
        assert actions.shape == (2, 2)
        state.act(torch.from_numpy(DATA.actions[at]))
        state.tell(DATA.rewards[at], DATA.costs[at])
        expected, found = windows(DATA, at, 3), recorded[-1]
        assert torch.equal(found.there, expected.there)
        for name in ("to_go", "observations", "times"):
            ours, theirs = (getattr(one, name)[expected.there] for one in (found, expected))
            assert torch.equal(ours, theirs), name
        past = expected.there[:, :-1]
        assert torch.equal(found.actions[:, :-1][past], expected.actions[:, :-1][past])
    watched.predict(DATA.observations[:2], state, np.array([True, False]), True)
    assert recorded[-1].there.tolist() == [[False, False, True], [True, True, True]]
    assert recorded[-1].to_go[0, -1].tolist() == DATA.returns[0].tolist()
    assert recorded[-1].times[0, -1] == 0


def test_it_learns_what_the_target_tells() -> None:
    """Actions are +0.5 where 6 is asked for and -0.5 where 0 is; the state says nothing."""
    trained = transformer()
    options = DecisionTransformerOptions(**made.TINY, steps=150, learning_rate=5e-3, warm_up=10)
    learner = Learner(trained.network, options, seed=1)
    with one_thread():
        for number in range(1, options.updates + 1):
            learner.update(DATA, number)
    trained.network.eval()
    seen = np.random.default_rng(5).normal(size=(2, 7)).astype(np.float32)
    actions, _ = trained.at(np.array([[6.0, 2], [0, 2]])).predict(seen, deterministic=True)
    assert actions[0] == pytest.approx([0.5, 0.5], abs=0.1)
    assert actions[1] == pytest.approx([-0.5, -0.5], abs=0.1)


def test_a_context_must_be_told_and_targets_must_be_some() -> None:
    policy, seen = transformer().at((6.0, 0.0)), np.zeros((2, 7), np.float32)
    _, state = policy.predict(seen)
    with pytest.raises(ModelError, match="was not told what the last step earned"):
        policy.predict(seen, state, np.zeros(2, bool))
    for target in ((1.0,), (np.nan, 0.0), np.zeros((2, 2, 2))):
        with pytest.raises(ModelError, match="give a return and a cost"):
            transformer().at(target)
    with pytest.raises(ModelError, match="asks for a negative cost"):
        transformer().at((3.0, -1.0))
    with pytest.raises(ModelError, match="there are 3 targets for 2 observations"):
        transformer().at(np.ones((3, 2))).predict(seen)


@pytest.mark.slow
def test_a_run_is_kept_resumed_and_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its second update, of which the first was kept: the numbers are the same."""
    monkeypatch.setattr(decision_transformer, "_MEASURED", 4)
    wanted = made.training(steps=10, checkpoint_every=1)
    taken, step = list[int](), Learner._step

    def counted(self: Learner, data: DataSet, at: Array) -> float:
        taken.append(len(at))
        return step(self, data, at)

    with monkeypatch.context() as patched:
        patched.setattr(Learner, "_step", counted)
        straight = obtain(wanted, folder=tmp_path / "straight")
    assert taken == [32] * 10
    record = Workplace.record

    def killed(self: Workplace, update: int, *rest: object) -> None:
        record(self, update, *rest)  # type: ignore[arg-type]
        if update == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Workplace, "record", killed)
    with pytest.raises(KeyboardInterrupt):
        obtain(wanted, folder=tmp_path / "killed")
    monkeypatch.setattr(Workplace, "record", record)
    resumed = obtain(wanted, folder=tmp_path / "killed")
    assert resumed.metrics() == straight.metrics()
    assert len(straight.metrics()) == 3  # 10 gradient steps are 4, 4 and 2
    for name, tensor in straight.outcome().tensors.items():
        assert torch.equal(tensor, resumed.outcome().tensors[name]), name
    trained = straight.result()
    assert trained.returns.shape == (3, 2)
    first, again = (trained.rollouts(wanted.task, np.full((2, 2), 9.0), ("t",)) for _ in range(2))
    assert (first == again).all()
    found = evaluate(trained.at((9.0, 9.0)), wanted.task, episodes=2, seed_words=("t",),
                     first_violation=False)  # fmt: skip
    assert float(found.value) == pytest.approx(first[:, 0].mean(), rel=1e-6)
    trained.save(tmp_path / "policy")
    loaded = load_policy(tmp_path / "policy")
    assert (loaded.rollouts(wanted.task, np.full((2, 2), 9.0), ("t",)) == first).all()


@pytest.mark.parametrize("name", [made.NAME, "target_returns/safe-tuning"])
def test_a_run_goes_on_with_the_data_that_it_began_with(name: str, tmp_path: Path) -> None:
    path, other = tmp_path / "data.hdf5", made.told_by_the_return(4)
    DATA.write(path)
    given = {**made.TINY, "data": str(path), "steps": 3, "checkpoint_every": 1}
    wanted = Training(name, "SafetyBallRun-v0", 0, algorithms.find(name).options(**given))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(wanted, folder=tmp_path, progress=killed)
    other.write(path)
    with pytest.raises(ModelError, match=r"data.hdf5 has changed since .* bring the old file back"):
        obtain(wanted, folder=tmp_path)


def test_data_that_change_during_the_training_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "data.hdf5"
    DATA.write(path)
    options = DecisionTransformerOptions(**made.TINY, data=str(path), steps=1)
    wanted = Training(made.NAME, "SafetyBallRun-v0", 0, options)
    with pytest.raises(ModelError, match="has changed since"):
        obtain(wanted, folder=tmp_path, progress=lambda *_: made.told_by_the_return(4).write(path))
    DATA.write(path)
    assert (obtain(wanted, folder=tmp_path).result().returns == DATA.returns).all()


def test_data_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "data.hdf5"
    DATA.write(path)
    options = DecisionTransformerOptions(**made.TINY, data=str(path), steps=1)
    wanted = Training(made.NAME, "SafetyBallRun-v0", 0, options)
    run = obtain(wanted, folder=tmp_path)
    assert (run.result().returns == DATA.returns).all()
    made.told_by_the_return(4).write(path)
    with pytest.raises(ModelError, match="has changed since"):
        run.result()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 10, "heads": 4}, "width = 10 is no multiple of heads = 4"),
        ({"dropout": 1.0}, "dropout = 1.0 must be in"),
        ({"steps": 0}, "steps = 0 must be positive"),
        ({"data": "x.hdf5", "episodes": 7}, "episodes = 7 has no effect with data = 'x.hdf5'"),
    ],
)
def test_options_that_cannot_be_meant(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        DecisionTransformerOptions(**changes)  # type: ignore[arg-type]


def test_tasks_and_data_that_do_not_go_together(tmp_path: Path) -> None:
    check = algorithms.find(made.NAME).check
    with pytest.raises(ModelError, match="no controllers are written for 'holdfast/HopperVelocity"):
        check(made.training(task="holdfast/HopperVelocity-v0"))
    DATA.write(tmp_path / "data.hdf5")
    options = DecisionTransformerOptions(data=str(tmp_path / "data.hdf5"))
    with pytest.raises(ModelError, match="take the data of this task"):
        check(Training(made.NAME, "SafetyBallCircle-v0", 0, options))


def test_a_loss_that_is_not_finite_stops_the_training() -> None:
    options = DecisionTransformerOptions(**made.TINY, steps=200, learning_rate=1e30, warm_up=1)
    learner = Learner(network_of(SIZES), options, 0)
    with pytest.raises(TrainingError, match=r"the loss is .*; take a smaller learning_rate"):
        for number in range(1, 5):
            learner.update(DATA, number)


def test_metrics_are_json(tmp_path: Path) -> None:
    run = obtain(made.training(steps=1), folder=tmp_path)
    line = json.loads((run.folder / "metrics.jsonl").read_text())
    assert line == {"update": 1, "loss": pytest.approx(line["loss"])}
