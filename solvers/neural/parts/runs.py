"""Runs are kept: what was trained once is looked up, what was interrupted goes on where it stopped.

A run lies in ``<runs>/<first 16 digits of its digest>/``: ``run.json`` (the training with versions,
and whether it is finished), ``metrics.jsonl``, ``checkpoint/`` while it trains, and the outcome,
``policy.safetensors`` with ``policy.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ...strict import strict_json
from ...whole_files import write_text
from . import checkpoints, metrics
from .algorithms import Algorithm, find
from .checkpoints import Saved
from .devices import require_device
from .training import Training

if TYPE_CHECKING:
    from torch import Tensor

Progress = Callable[[int, int, Mapping[str, Any]], None]
"""Called after each update with its number, how many there will be, and its line of metrics."""


def runs_folder() -> Path:
    """``$HOLDFAST_RUNS``, else ``.holdfast/runs`` in the current folder."""
    return Path(os.environ.get("HOLDFAST_RUNS") or Path(".holdfast", "runs"))


@dataclass(frozen=True)
class Run:
    """A training and the folder in which it is kept."""

    training: Training
    folder: Path

    def metrics(self) -> list[dict[str, Any]]:
        """One mapping an update, "update" first."""
        return metrics.read(self.folder / "metrics.jsonl")

    def outcome(self) -> Saved:
        """The tensors and numbers that the training ended with.

        Raises ModelError if they are missing, truncated, or of another training.
        """
        return checkpoints.load(self.folder / "policy", _identity(self.training))

    def result(self) -> Any:
        """What the algorithm makes of the outcome, such as a policy.

        Raises ModelError as `outcome`, and if the file that it was trained on has changed since.
        """
        self._record()
        return find(self.training.algorithm).load(self)

    def finished(self) -> bool:
        """Whether it has been trained to the end.

        Raises ModelError if the folder is that of another training, if its record is damaged or was
        edited, if the file that it learns from has changed since it began, and if the metrics or
        the outcome of a finished run are not those that were written.
        """
        record = self._record()
        if record is None or not record["finished"]:
            return False
        found = self._digests()
        written = record.get("sha256", found)  # earlier versions have none
        for name in found:
            if not isinstance(written, dict) or written.get(name) != found[name]:
                raise ModelError(
                    f"{self.folder / name} is not what was written when the run ended, so it was "
                    f"edited, cut or removed; {self._remedy}"
                )
        return True

    def refuse_outcome(self) -> None:
        """ModelError if the record of a finished run is lost or was edited, and its outcome is not.

        One that was killed between its outcome and its record says that it is not finished, and has
        no digests yet: the same training writes the same outcome again.
        """
        outcome, record = self.folder / "policy.json", self._record()
        if outcome.exists() and (record is None or "sha256" in record):
            raise ModelError(
                f"{outcome} is there, but run.json beside it does not say that the run is "
                f"finished; bring run.json back, or delete {self.folder} and train again"
            )

    def _digests(self) -> dict[str, str]:
        """SHA-256 of metrics and outcome, the latter of which has that of the tensors; of nothing
        where there is none."""
        paths = (self.folder / name for name in ("metrics.jsonl", "policy.json"))
        return {
            path.name: hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
            for path in paths
        }

    @property
    def _remedy(self) -> str:
        return f"bring it back, or delete {self.folder} and train again"

    def _record(self) -> dict[str, Any] | None:
        """``run.json``, which must be that of this training word for word; None without one."""
        path = self.folder / "run.json"
        if self.folder.exists() and not self.folder.is_dir():
            raise ModelError(f"{self.folder} is a file, and a run is a folder; move it away")
        if path.is_symlink() or path.is_dir():
            raise ModelError(
                f"{path} is a link or a folder, and the record of a run is a file; {self._remedy}"
            )
        if not path.exists():
            return None
        try:
            record = strict_json(path.read_text(encoding="utf-8"), str(path), float)
        except (ModelError, UnicodeDecodeError) as error:
            raise ModelError(f"{path} is damaged ({error}); {self._remedy}") from error
        if not isinstance(record, dict) or type(record.get("finished")) is not bool:
            raise ModelError(f"{path} is not the record of a run; {self._remedy}")
        if record.get("digest") != self.training.digest:
            raise ModelError(
                f"{path} is the record of another training, {record.get('digest')}, not of "
                f"{self.training.digest}; move the folder away"
            )
        self._refuse_edited(path, record)
        self._refuse_other_data(record)
        return record

    def _refuse_other_data(self, record: Mapping[str, Any]) -> None:
        written, found = record.get("data_sha256"), self._data()
        if written and found and written != found:  # a file that is gone hides nothing
            raise ModelError(
                f"{self._source} has changed since {self.folder} was trained on it; bring the old "
                f"file back, or delete {self.folder} and train again"
            )

    @property
    def _source(self) -> Path | None:
        return find(self.training.algorithm).source(self.training)

    def _data(self) -> str | None:
        """SHA-256 of the file that is learnt from, if there is one."""
        path = self._source
        return checkpoints.file_digest(path) if path is not None and path.is_file() else None

    def _refuse_edited(self, path: Path, record: Mapping[str, Any]) -> None:
        plain = json.loads(json.dumps(self.training.plain))
        own = {"digest", "finished", "sha256", "data_sha256"}
        for key in sorted((plain.keys() | record.keys()) - own):
            if (found := record.get(key)) != plain.get(key):
                raise ModelError(
                    f"{path} was edited: {key} is {found!r}, and its digest is that of a run with "
                    f"{plain.get(key)!r}; {self._remedy}"
                )

    def note(self, finished: bool) -> None:
        """Write ``run.json``; of a finished run with digests of what it wrote.

        Raises ModelError if the file that it learns from has changed while it did.
        """
        begun = self._record() if finished else None
        record = {
            **self.training.plain,
            "digest": self.training.digest,
            "finished": finished,
            "data_sha256": begun["data_sha256"] if begun else self._data(),
        }
        if finished:
            record["sha256"] = self._digests()
        write_text(self.folder / "run.json", json.dumps(record, indent=1) + "\n")


def _identity(training: Training) -> dict[str, str]:
    plain = training.plain
    return {"algorithm": training.algorithm, **plain["versions"], "training": training.digest}


@dataclass(frozen=True)
class Workplace:
    """What an algorithm is given to train in.

    It calls `resume` once, then after each update `record` and, when it likes, `checkpoint`, and at
    the end `keep`.
    """

    run: Run
    progress: Progress | None = None
    board: Callable[[Mapping[str, Any]], None] | None = None

    @property
    def training(self) -> Training:
        """What is trained, and how."""
        return self.run.training

    @property
    def _checkpoints(self) -> Path:
        return self.run.folder / "checkpoint"

    @property
    def _metrics(self) -> Path:
        return self.run.folder / "metrics.jsonl"

    def resume(self) -> tuple[int, Saved | None]:
        """Updates done at the last checkpoint, and what it holds; (0, None) without one.

        The metrics are cut back to that update.  Raises ModelError as `checkpoints.load`.
        """
        names = sorted(path.stem for path in self._checkpoints.glob("[0-9]*.json"))
        saved, done = None, 0
        if names:
            done = int(names[-1])
            saved = checkpoints.load(self._checkpoints / names[-1], _identity(self.training))
        metrics.cut(self._metrics, done)
        return done, saved

    def record(self, update: int, updates: int, numbers: Mapping[str, float]) -> None:
        """Write the line of an update, counted from 1, and show it; no times among the numbers."""
        line = metrics.append(self._metrics, update, numbers)
        if self.board is not None:
            self.board(line)
        if self.progress is not None:
            self.progress(update, updates, line)

    def checkpoint(
        self, update: int, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]
    ) -> None:
        """Keep what the training needs to go on after that update, in place of older ones."""
        self._checkpoints.mkdir(exist_ok=True)
        name = f"{update:08d}"
        checkpoints.save(self._checkpoints / name, tensors, numbers, _identity(self.training))
        for path in self._checkpoints.iterdir():
            if path.stem < name:
                path.unlink()

    def keep(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Keep the outcome."""
        checkpoints.save(self.run.folder / "policy", tensors, numbers, _identity(self.training))


def obtain(
    training: Training,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    tensorboard: bool = False,
) -> Run:
    """The finished run: looked up, or resumed from its last checkpoint if it has one, or trained.

    Whoever wants a run that another process trains waits for it.

    Args:
        folder: of all runs, by default `runs_folder()`.
        progress: called after each update.
        tensorboard: also write what is trained now for TensorBoard, into the run's ``tensorboard``.

    Raises
    ------
    ModelError: for options of another algorithm, a device that is not there, a damaged run, and
        for what the algorithm refuses.
    TrainingError: if the training stops at a number that is not finite.
    """
    from filelock import FileLock

    algorithm = find(training.algorithm)
    if type(training.options) is not algorithm.options:
        raise ModelError(
            f"options is a {type(training.options).__name__}, and {training.algorithm} takes a "
            f"{algorithm.options.__name__}; make one with options_from"
        )
    run = Run(training, Path(folder or runs_folder()) / training.digest[:16])
    if run.finished():
        return run
    require_device(training.device)
    algorithm.check(training)
    run.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(run.folder / "lock"):
        if not run.finished():
            run.refuse_outcome()
            _train(run, algorithm, progress, tensorboard)
    return run


def _train(run: Run, algorithm: Algorithm, progress: Progress | None, tensorboard: bool) -> None:
    run.note(finished=False)
    wanted = metrics.board(run.folder / "tensorboard") if tensorboard else nullcontext()
    with wanted as board:
        algorithm.train(Workplace(run, progress, board))
    run.note(finished=True)
    shutil.rmtree(run.folder / "checkpoint", ignore_errors=True)
