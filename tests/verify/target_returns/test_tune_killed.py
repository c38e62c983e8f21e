"""``tune``, killed with -9 while it observes a slow, noisy program that sometimes fails, goes on
where a run goes that nobody disturbed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers.target_returns import Surface, Tuner, Tuning
from holdfast.solvers.target_returns.gaussian.kernels import Kernel

from .test_tune_command import EVALUATIONS, LIMIT, RUN, SIMULATOR, ended, journal

pytestmark = pytest.mark.slow


def begun(folder: Path, evaluation: int) -> bool:
    """Whether this evaluation is under way, or was."""
    path = folder / "journal.jsonl"
    return path.exists() and f'"begin": {evaluation},' in path.read_text()


def started(folder: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    (folder / "simulate.py").write_text(SIMULATOR)
    command = [sys.executable, "-m", "holdfast", *map(str, RUN)]
    with (folder / "output.txt").open("a") as file:
        return subprocess.Popen(command, cwd=folder, stdout=file, stderr=file,
                                env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip


def the_tuning() -> Tuning:
    """What the options above say, written once more."""
    kernel = Kernel("rbf", 1.0, (0.5,))
    return Tuning(
        points=np.linspace(0, 1, 21)[:, None], seeds=(0, 1), limit=LIMIT, tolerance=0.2,
        cost=Surface(kernel, 0.1, 1.0), reward=Surface(kernel, 0.1, 0.0), evaluations=EVALUATIONS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of an uninterrupted run, and of one that was killed twice, in the middle of
    evaluations."""
    straight = tmp_path_factory.mktemp("straight")
    other = started(straight)
    folder = tmp_path_factory.mktemp("killed")
    for wanted in (4, 9):
        process = started(folder)
        until = time.monotonic() + 60
        while not begun(folder, wanted) and time.monotonic() < until:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, (folder / "output.txt").read_text()
    assert started(folder).wait(timeout=60) == 0, (folder / "output.txt").read_text()
    assert other.wait(timeout=60) == 0, (straight / "output.txt").read_text()
    return straight, folder


def test_a_killed_run_goes_on_to_the_trajectory_of_an_uninterrupted_one(
    killed: tuple[Path, Path],
) -> None:
    straight, folder = killed
    assert len(ended(straight)) == EVALUATIONS
    assert ended(folder) == ended(straight)  # to the last bit of each number


def test_a_killed_evaluation_is_repeated_and_never_counted_twice(
    killed: tuple[Path, Path],
) -> None:
    _, folder = killed
    begins = [line["begin"] for line in journal(folder) if "begin" in line]
    assert [line["end"] for line in ended(folder)] == list(range(1, EVALUATIONS + 1))
    assert len(begins) == EVALUATIONS + 2, "both kills fell into an evaluation"


def test_every_target_tried_was_certified_when_it_was_tried(killed: tuple[Path, Path]) -> None:
    """By another tuner that is told the same; the costs x^2 are known, too."""
    _, folder = killed
    tuner = Tuner(the_tuning())
    for line in ended(folder):
        assert tuner.safe[line["target"]]
        tuner.tell(line["target"], line["reward"], line["cost"])
    tried = {int(line.split()[2]) for line in (folder / "calls.txt").read_text().splitlines()}
    assert tried == {line["target"] for line in ended(folder)}
    assert max(tried) > 3, "it never left the seeds"
    assert all((index / 20) ** 2 <= LIMIT for index in tried)


def test_failures_are_told_and_not_counted(killed: tuple[Path, Path]) -> None:
    straight, _ = killed
    reasons = {line["failed"]: line["reason"] for line in journal(straight) if "failed" in line}
    assert set(reasons) == {3, 5, 7}
    assert "exit code 1; its last words: 'the simulator crashed'" in reasons[3]
    assert "holds NaN" in reasons[5]
    assert "ran for 2 s, its --timeout" in reasons[7]
    said = " ".join((straight / "output.txt").read_text().split())
    assert f"{EVALUATIONS} evaluations, 0 of which observed a cost above the limit" in said
    assert "3 failed attempts" in said


def test_the_program_gets_the_target_as_arguments_too(killed: tuple[Path, Path]) -> None:
    first = (killed[0] / "calls.txt").read_text().splitlines()[0]
    assert first in ("1 1 0 ['0.0']", "1 1 1 ['0.05']")
