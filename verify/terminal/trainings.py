"""Runs of training for commands: looked up, resumed or trained, with a display while they last."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from holdfast.solvers.errors import ModelError
from holdfast.solvers.exact import to_fraction

if TYPE_CHECKING:
    from holdfast.solvers.neural.parts.runs import Run
    from holdfast.solvers.neural.parts.tensorboard import Events

_NEEDED = ("torch", "stable_baselines3", "sb3_contrib", "safetensors")
_PIP = "pip install 'holdfast[neural]'"
_MOST_SEEDS = 1000
"""Of a range: more is a slip of the finger, each is a training."""
_SHOWN = {"return": "return", "cost": "risk", "multiplier": "multiplier", "loss": "loss"}
"""Metric -> what it is called beside the bar; those that an algorithm has."""


def require_torch() -> None:
    """Raises ModelError, with the line that installs it, where what training needs is missing."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"training needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} "
            f"not installed; {_PIP}"
        )


def read_seeds(text: str) -> tuple[int, ...]:
    """``0,1,2`` or ``0-4`` or both; raises click.BadParameter, also for a seed given twice."""
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18}))?\s*", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last < first + _MOST_SEEDS:
            raise click.BadParameter(
                f"--seeds {text!r}: {part!r} is no seed and no range of at most {_MOST_SEEDS}; "
                "write such as 0,1,2 or 0-4"
            )
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        raise click.BadParameter(f"--seeds {text!r} has a seed twice; give each seed once")
    return tuple(seeds)


class Word(str):
    """A value as the command line gives it; its type is that of the option that it is of."""


def read_changes(texts: Sequence[str], short: Mapping[str, Any]) -> dict[str, Word]:
    """``KEY=VALUE`` of each ``--set``, and the options that have a name of their own where given.

    Raises click.BadParameter for a text of another form and for an option that is given twice.
    """
    pairs = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"--set {text!r} is not KEY=VALUE, such as n_envs=64")
        pairs.append((key.strip(), value.strip()))
    pairs += [(key, str(value)) for key, value in short.items() if value is not None]
    found: dict[str, Word] = {}
    for key, value in pairs:
        if key in found:
            raise click.BadParameter(f"{key} is given twice, as {found[key]} and {value}; give one")
        found[key] = Word(value)
    return found


def _typed(record: type, key: str, value: Any) -> Any:
    """A word of the command line as the option's type has it.  What cannot be read so stays text,
    and other values stay as they are: the record itself says what is wrong."""
    if not isinstance(value, Word):
        return value
    known, text = {one.name for one in fields(record)}, str(value)
    kind = get_type_hints(record)[key] if key in known else str
    if kind is bool:
        return {"true": True, "false": False}.get(text, text)
    try:
        if kind is float and "/" in text:
            return float(to_fraction(text, key))
        return kind(text) if kind in (int, float) else text
    except (ValueError, OverflowError):
        return text


def all_typed(record: type, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, words of the command line as the types of their options have them."""
    return {key: _typed(record, key, value) for key, value in changes.items()}


@dataclass(frozen=True, slots=True)
class Trainer:
    """What obtains runs.

    folder: where they are kept, None for the usual place; train: whether one may be trained that is
    not there; tensorboard: whether metrics are also written for that.
    """

    console: Console
    device: str = "cpu"
    folder: Path | None = None
    train: bool = True
    tensorboard: bool = False

    def suited(self, algorithm: str, task: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Options that suit the task and are taken beside these changes."""
        from holdfast.solvers.neural.parts import algorithms

        found = algorithms.find(algorithm)
        return found.preset(task, all_typed(found.options, changes))

    def options(self, algorithm: str, task: str, changes: Mapping[str, Any]) -> Any:
        """The algorithm's record of options with these changes, and what suits the task beside.

        Raises ModelError for changes that are none, or that have no meaning together.
        """
        from holdfast.solvers.neural.parts import algorithms

        found = algorithms.find(algorithm)
        return found.options_for(task, all_typed(found.options, changes))

    def obtain(
        self, algorithm: str, task: str, seed: int, changes: Mapping[str, Any]
    ) -> tuple[Run | None, bool]:
        """The run with these changes and what suits the task beside them, and whether it was there.

        None where it is not there and may not be trained.  Raises KeyboardInterrupt that says what
        is kept, and what training raises.
        """
        from holdfast.solvers.neural.parts import runs, training

        options = self.options(algorithm, task, changes)
        wanted = training.Training(algorithm, task, seed, options, self.device)
        run = runs.Run(wanted, (self.folder or runs.runs_folder()) / wanted.digest[:16])
        there = run.finished()
        events = self._events(run)
        if there and events is not None:
            events.write()
        if there or not self.train:
            return (run if there else None), there
        with _display(self.console, f"{algorithm}, seed {seed}") as report:
            report.events = events
            try:
                return runs.obtain(wanted, folder=self.folder, progress=report), False
            except KeyboardInterrupt:
                raise KeyboardInterrupt(report.kept(run)) from None

    def _events(self, run: Run) -> Events | None:
        if not self.tensorboard:
            return None
        from holdfast.solvers.neural.parts.tensorboard import Events

        return Events(run)


class _Report:
    """Shows each update; knows how far the run has come."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self._began, self._before, self._update = 0.0, 0.0, 0
        self.events: Events | None = None

    def __call__(self, update: int, updates: int, line: Mapping[str, Any]) -> None:
        """An update has been done."""
        steps, now = line.get("steps", 0.0), time.monotonic()
        if not self._update:  # the first of this process: a resumed run does not begin at 0
            self._began, self._before = now, steps
        self._update = update
        shown = [
            f"{name} {line[key]:.4g}" for key, name in _SHOWN.items() if line.get(key) is not None
        ]
        if now > self._began and steps:
            shown.append(f"{(steps - self._before) / (now - self._began):,.0f} steps/s")
        words = f"update {update} of {updates}, {steps:,.0f} steps, {', '.join(shown)}"
        self._progress.update(self._task, total=updates, completed=update, words=words)
        if self.events is not None:
            self.events(line)

    def kept(self, run: Run) -> str:
        """What there is after an interruption."""
        names = sorted(path.stem for path in (run.folder / "checkpoint").glob("[0-9]*.json"))
        if not names:
            return "interrupted before the first checkpoint; nothing of this run is kept"
        return (
            f"interrupted after update {self._update}; the checkpoint of update {int(names[-1])} "
            f"is kept in {run.folder}, and the same command goes on from there"
        )


@contextmanager
def _display(console: Console, name: str) -> Iterator[_Report]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Report(progress, progress.add_task(name, total=None, words="starting"))


def registered_task(name: str) -> str:
    """The id of ``module:ID`` once the module, maybe of this folder, has registered it."""
    module, colon, task = name.rpartition(":")
    if not colon:
        return name
    sys.path.insert(0, "")
    try:
        import_module(module)
    except Exception as error:
        raise click.BadParameter(f"--env {name}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove("")
    return task
