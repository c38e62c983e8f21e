"""Runs are trained once, go on where they were killed, and are refused when they are damaged."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from holdfast.solvers.chance import ChanceProblem
from holdfast.solvers.errors import ModelError
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.neural.chance.cpo import CpoOptions
from holdfast.solvers.neural.chance.ppo_lagrangian import PpoLagrangianOptions
from holdfast.solvers.neural.parts import limit as limits
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.constrained import check_constrained
from holdfast.solvers.neural.parts.on_policy import WithCosts
from holdfast.solvers.neural.parts.runs import Progress, Run, Workplace, obtain, runs_folder
from holdfast.solvers.neural.parts.training import Training, TrainingError

TASK, BALL = "holdfast/TwoDiscs8-v0", "SafetyBallRun-v0"
SMALL: dict[str, Any] = {
    "steps": 6 * 8 * 15, "n_envs": 8, "rollout": 15, "width": 8, "batch": 60, "cost_batch": 60,
    "limit": 0.2, "checkpoint_every": 2,
}  # fmt: skip
TRAININGS = {
    "ppo-lagrangian": Training(
        "chance/ppo-lagrangian", TASK, 5, PpoLagrangianOptions(**SMALL, epochs=2)
    ),
    "cpo": Training("chance/cpo", TASK, 5, CpoOptions(**SMALL, critic_epochs=2)),
}
PPO = TRAININGS["ppo-lagrangian"]

KILLED = """
    import os, signal, sys
    from pathlib import Path
    from holdfast.solvers.neural.chance.cpo import CpoOptions
    from holdfast.solvers.neural.chance.ppo_lagrangian import PpoLagrangianOptions
    from holdfast.solvers.neural.chance.trainers import CPO, PPOLagrangian
    from holdfast.solvers.neural.parts.runs import obtain
    from holdfast.solvers.neural.parts.training import Training

    def stop(update, updates, line):
        if update == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    for training in sys.argv[2:]:
        if os.fork() == 0:
            obtain(eval(training), folder=Path(sys.argv[1]), progress=stop)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of processes that were killed without warning in the fifth update, after four saved.

    Each is a fork of one that has loaded all it needs, since loading takes most of the time.
    """
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder)]
    ended = subprocess.run(
        [*command, *map(repr, TRAININGS.values())],
        check=False,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert ended.stdout.split() == [str(-signal.SIGKILL)] * 2, ended.stderr
    return folder


def files(run: Run) -> dict[str, bytes]:
    names = ("metrics.jsonl", "policy.json", "policy.safetensors", "run.json")
    return {name: (run.folder / name).read_bytes() for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("training", TRAININGS.values(), ids=TRAININGS)
def test_a_killed_run_ends_as_an_undisturbed_one(
    training: Training, killed: Path, tmp_path: Path
) -> None:
    undisturbed = obtain(training, folder=tmp_path)
    left = killed / training.digest[:16]
    assert sorted(path.name for path in (left / "checkpoint").iterdir()) == [
        "00000004.json", "00000004.safetensors",
    ]  # fmt: skip
    assert len((left / "metrics.jsonl").read_text().splitlines()) == 5
    seen: list[int] = []
    resumed = obtain(training, folder=killed, progress=lambda update, of, line: seen.append(update))
    assert seen == [5, 6], "it went on, and did not begin anew"
    assert files(resumed) == files(undisturbed)
    assert [line["update"] for line in resumed.metrics()] == [1, 2, 3, 4, 5, 6]
    ours, theirs = resumed.result().state_dict(), undisturbed.result().state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("part", ["optimizer", "cost_critic", "cost_optimizer", "controller"])
def test_what_a_checkpoint_leaves_out_is_seen(part: str, tmp_path: Path, monkeypatch: Any) -> None:
    """The control of the test above: each part of the state matters to what follows."""
    from holdfast.solvers.neural.chance.trainers import PPOLagrangian

    undisturbed = obtain(PPO, folder=tmp_path / "undisturbed")
    interrupted(PPO, tmp_path / "resumed")
    restore = PPOLagrangian.restore

    def forgetting(self: Any, saved: Any) -> None:
        fresh = {"numbers": self.numbers(), "tensors": self.tensors()}
        for name, tensor in fresh["tensors"].items():
            if name.startswith(f"{part}/"):
                saved.tensors[name] = tensor
        for name in [n for n in saved.tensors if n.startswith(f"{part}/")]:
            if name not in fresh["tensors"]:
                del saved.tensors[name]
        saved.numbers[part] = fresh["numbers"].get(part)
        restore(self, saved)

    monkeypatch.setattr(PPOLagrangian, "restore", forgetting)
    resumed = obtain(PPO, folder=tmp_path / "resumed")
    assert files(resumed)["metrics.jsonl"] != files(undisturbed)["metrics.jsonl"]


def stopping(error: type[BaseException]) -> Progress:
    """Raises the error in the fifth update."""

    def stop(update: int, updates: int, line: Any) -> None:
        if update == 5:
            raise error

    return stop


def interrupted(training: Training, folder: Path) -> Path:
    """A run that stopped in its fifth update; returns its folder."""
    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=folder, progress=stopping(KeyboardInterrupt))
    return folder / training.digest[:16]


def test_a_number_that_is_not_finite_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """A parameter becomes NaN in update 5; without that the run goes on from update 4."""
    improve = WithCosts._improve

    def spoilt(self: Any) -> None:
        improve(self)
        if self.update == 5:
            next(self.policy.parameters()).data[0] = float("nan")

    with monkeypatch.context() as patched:
        patched.setattr(WithCosts, "_improve", spoilt)
        with pytest.raises(TrainingError, match=r"update 5: parameter mlp_extractor.* is nan; the"):
            obtain(PPO, folder=tmp_path / "spoilt")
    folder = tmp_path / "spoilt" / PPO.digest[:16]
    assert (folder / "checkpoint" / "00000004.json").is_file()
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 4
    assert not (folder / "policy.json").exists()
    again = obtain(PPO, folder=tmp_path / "spoilt")
    assert files(again) == files(obtain(PPO, folder=tmp_path / "undisturbed"))


def test_what_was_trained_is_looked_up(tmp_path: Path) -> None:
    def never(update: int, updates: int, line: Any) -> None:
        raise AssertionError("it was trained twice")

    first = obtain(PPO, folder=tmp_path)
    again = obtain(replace(PPO), folder=tmp_path, progress=never)
    assert again == first
    assert json.loads((first.folder / "run.json").read_text())["finished"] is True
    assert not (first.folder / "checkpoint").exists()
    with pytest.raises(AssertionError, match="twice"):
        obtain(replace(PPO, seed=6), folder=tmp_path, progress=never)


def test_two_that_want_the_same_run_train_it_once(tmp_path: Path) -> None:
    updates: list[int] = []

    def one() -> Run:
        return obtain(
            PPO, folder=tmp_path, progress=lambda update, of, line: updates.append(update)
        )

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(one), pool.submit(one)
        assert first.result().metrics() == second.result().metrics()
    assert updates == [1, 2, 3, 4, 5, 6]


def test_a_damaged_checkpoint_is_refused_and_can_be_removed(tmp_path: Path) -> None:
    folder = interrupted(PPO, tmp_path)
    (path,) = (folder / "checkpoint").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=f"{path}.*delete {folder}/checkpoint and train again"):
        obtain(PPO, folder=tmp_path)
    shutil.rmtree(folder / "checkpoint")
    assert len(obtain(PPO, folder=tmp_path).metrics()) == 6


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    folder = interrupted(PPO, tmp_path)
    other = replace(PPO, seed=6)
    folder.rename(tmp_path / other.digest[:16])
    with pytest.raises(ModelError, match="is the record of another training"):
        obtain(other, folder=tmp_path)
    (tmp_path / other.digest[:16] / "run.json").unlink()
    with pytest.raises(ModelError, match=f"written with training {PPO.digest}, not {other.digest}"):
        obtain(other, folder=tmp_path)


def test_metrics_that_are_shorter_than_the_checkpoint_are_refused(tmp_path: Path) -> None:
    folder = interrupted(PPO, tmp_path)
    (folder / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(ModelError, match="has 1 complete lines, and the checkpoint is of update 4"):
        obtain(PPO, folder=tmp_path)


def test_an_outcome_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    run = obtain(PPO, folder=tmp_path)
    other = Run(TRAININGS["cpo"], run.folder)
    with pytest.raises(ModelError, match=r"with algorithm chance/ppo-lagrangian, not chance/cpo"):
        other.outcome()


@pytest.mark.parametrize(
    ("training", "named"),
    [
        (replace(PPO, algorithm="chance/ppo-lagrange"), "did you mean chance/ppo-lagrangian?"),
        (replace(PPO, options=TRAININGS["cpo"].options), "options is a CpoOptions, and chance/ppo"),
        (replace(PPO, device="cuda:77"), "device = 'cuda:77' is not there; there are cpu"),
        (replace(PPO, device="warp"), "device = 'warp' is not there; there are cpu"),
        (replace(PPO, task="holdfast/TwoDisc8-v0"), "holdfast/TwoDiscs8-v0"),
        (
            replace(PPO, options=replace(PPO.options, exploring=2), task="SafetyBallRun-v0"),
            "explor",
        ),
    ],
)
def test_runs_that_cannot_be_meant(training: Training, named: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        obtain(training, folder=tmp_path)
    assert named in str(caught.value)
    assert not list(tmp_path.iterdir()), "nothing is left of a run that never began"


def risky() -> ChanceProblem:
    """One decision; whatever is done, 3 in 10 are unsafe."""
    model = assemble(
        counts=[2, 2], rows=[{0: 7, 1: 3}] * 4, reward=[Fraction(1)] * 4, discount=1, initial=[1, 0]
    )
    return ChanceProblem(model, (1,), 1)


@pytest.mark.parametrize(("limit", "refused"), [(0.29, True), (0.3, False)])
def test_a_limit_that_no_policy_keeps(limit: float, refused: bool, monkeypatch: Any) -> None:
    """0.3 is below three tenths as a float, and not as it is written."""
    monkeypatch.setattr(limits, "problem_of", lambda task: risky())
    training = replace(PPO, options=replace(PPO.options, limit=limit))
    expected = pytest.raises(ModelError, match=r"limit is 29/100, but no policy .* below 3/10")
    with expected if refused else nullcontext():
        find(PPO.algorithm).check(training)


def test_the_algorithms_check_the_limit() -> None:
    for name in ("chance/ppo-lagrangian", "chance/cpo", "chance/flipping"):
        assert find(name).check is check_constrained


def test_a_run_is_written_for_tensorboard(tmp_path: Path) -> None:
    """The scalars of TensorBoard are the metrics, each once, also after a resumption."""
    folder = tmp_path / PPO.digest[:16]
    with pytest.raises(KeyboardInterrupt):
        obtain(PPO, folder=tmp_path, tensorboard=True, progress=stopping(KeyboardInterrupt))
    run = obtain(PPO, folder=tmp_path, tensorboard=True)
    written = EventAccumulator(str(folder / "tensorboard")).Reload()
    for name in ("cost", "multiplier", "value_loss"):
        scalars = written.Scalars(name)
        assert [scalar.step for scalar in scalars] == [1, 2, 3, 4, 5, 6]
        values = [line[name] for line in run.metrics()]
        assert [scalar.value for scalar in scalars] == pytest.approx(values, rel=1e-6)


def test_without_tensorboard_a_run_says_how_to_get_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ModelError, match="pip install tensorboard, or ask for none"):
        obtain(PPO, folder=tmp_path, tensorboard=True)


def test_runs_lie_where_the_environment_says(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path))
    assert runs_folder() == tmp_path
    monkeypatch.delenv("HOLDFAST_RUNS")
    assert runs_folder() == Path(".holdfast/runs")
    assert os.sep not in PPO.digest
    assert Workplace(Run(PPO, tmp_path)).training is PPO


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all runs, with one that is finished."""
    folder = tmp_path_factory.mktemp("finished")
    obtain(PPO, folder=folder)
    return folder


def edit(path: Path, change: Any) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record, indent=1) + "\n")


def _drop_hashes(folder: Path) -> None:
    edit(folder / "run.json", lambda record: record.pop("sha256"))


DAMAGES: dict[str, tuple[Any, str]] = {
    "an option": (
        lambda f: edit(f / "run.json", lambda r: r["options"].update(limit=0.9)), "was edited"
    ),
    "the seed": (lambda f: edit(f / "run.json", lambda r: r.update(seed=7)), "edited: seed is 7"),
    "a version": (
        lambda f: edit(f / "run.json", lambda r: r["versions"].update(numpy="0")), "was edited"
    ),
    "a metric": (
        lambda f: (f / "metrics.jsonl").write_text(
            (f / "metrics.jsonl").read_text().replace('"update": 3', '"update": 33')
        ),
        "metrics.jsonl is not what was written",
    ),
    "cut metrics": (
        lambda f: os.truncate(f / "metrics.jsonl", 100), "metrics.jsonl is not what was written"
    ),
    "no metrics": ((lambda f: (f / "metrics.jsonl").unlink()), "metrics.jsonl is not what was"),
    "an outcome": (
        lambda f: edit(f / "policy.json", lambda r: r["numbers"].update(actions=3)),
        "policy.json is not what was written",
    ),
    "not finished": (
        lambda f: edit(f / "run.json", lambda r: r.update(finished=False)), "does not say that"
    ),
    "no record": (lambda f: (f / "run.json").unlink(), "bring run.json back, or delete"),
    "a link": (
        lambda f: ((f / "run.json").rename(f / "other"), (f / "run.json").symlink_to(f / "other")),
        "is a link or a folder",
    ),
    "a cut record": (lambda f: os.truncate(f / "run.json", 100), "delete .* and train again"),
    "no object": (lambda f: (f / "run.json").write_text("[1]"), "is not the record of a run"),
    "nested": (lambda f: (f / "run.json").write_text("[" * 10**5), "nested too deeply; write"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "named"), DAMAGES.values(), ids=DAMAGES)
def test_a_finished_run_that_was_edited_is_refused(
    damage: Any, named: str, finished: Path, tmp_path: Path
) -> None:
    runs = shutil.copytree(finished, tmp_path / "runs")
    damage(runs / PPO.digest[:16])
    with pytest.raises(ModelError, match=named) as caught:
        obtain(PPO, folder=runs)
    assert str(runs / PPO.digest[:16]) in str(caught.value)


@pytest.mark.parametrize("every", [2, 100], ids=["with a checkpoint", "without one"])
def test_a_run_that_is_killed_before_its_last_record_ends_as_an_undisturbed_one(
    every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = replace(PPO, options=replace(PPO.options, checkpoint_every=every))
    note = Run.note

    def killed(self: Run, finished: bool) -> None:
        if finished:
            raise KeyboardInterrupt
        note(self, finished)

    with monkeypatch.context() as patched:
        patched.setattr(Run, "note", killed)
        with pytest.raises(KeyboardInterrupt):
            obtain(training, folder=tmp_path / "killed")
    assert (tmp_path / "killed" / training.digest[:16] / "policy.json").exists()
    again = obtain(training, folder=tmp_path / "killed")
    assert files(again) == files(obtain(training, folder=tmp_path / "undisturbed"))


def test_a_run_of_an_earlier_version_has_no_hashes_and_is_taken(
    finished: Path, tmp_path: Path
) -> None:
    runs = shutil.copytree(finished, tmp_path / "runs")
    _drop_hashes(runs / PPO.digest[:16])
    assert len(obtain(PPO, folder=runs).metrics()) == 6


def test_a_file_in_the_place_of_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / PPO.digest[:16]).write_text("")
    with pytest.raises(ModelError, match="is a file, and a run is a folder; move it away"):
        obtain(PPO, folder=tmp_path)
