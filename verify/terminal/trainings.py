"""Runs of training for commands: looked up, resumed or trained, with a display while they last."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from holdfast.solvers.errors import ModelError

if TYPE_CHECKING:
    from holdfast.solvers.neural.parts.runs import Run

_NEEDED = ("torch", "stable_baselines3", "sb3_contrib", "safetensors")
_PIP = "pip install 'holdfast[neural]'"
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
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdigit() and (not dash or last.isascii() and last.isdigit())):
            raise click.BadParameter(
                f"--seeds {text!r}: {part!r} is not a seed; write such as 0,1,2 or 0-4"
            )
        seeds += range(int(first), int(last if dash else first) + 1)
        if dash and int(last) < int(first):
            raise click.BadParameter(f"--seeds {text!r}: {part!r} is empty; write the smaller first")
    if len(set(seeds)) < len(seeds):
        raise click.BadParameter(f"--seeds {text!r} has a seed twice; give each seed once")
    return tuple(seeds)


def typed(record: type, key: str, text: str) -> Any:
    """The text of ``--set KEY=TEXT`` as the option's type has it; text where it cannot be, so that
    the record itself says what is wrong."""
    known = {one.name for one in fields(record)}
    kind = get_type_hints(record)[key] if key in known else str
    if kind is bool:
        return {"true": True, "false": False}.get(text, text)
    try:
        return kind(text) if kind in (int, float) else text
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Trainer:
    """What obtains runs.

    folder: where they are kept, None for the usual place; train: whether one may be trained that is
    not there; changes as in `obtain`.
    """

    console: Console
    device: str = "cpu"
    folder: Path | None = None
    train: bool = True

    def obtain(
        self, algorithm: str, task: str, seed: int, changes: Mapping[str, Any]
    ) -> tuple[Run | None, bool]:
        """The run of the algorithm's options with these changes, and whether it was there already.

        None where it is not there and may not be trained.  Raises KeyboardInterrupt that says what
        is kept, and what training raises.
        """
        require_torch()
        from holdfast.solvers.neural.parts import algorithms, runs, training

        options = training.options_from(algorithms.find(algorithm).options, dict(changes))
        wanted = training.Training(algorithm, task, seed, options, self.device)
        found = runs.look_up(wanted, folder=self.folder)
        if found is not None or not self.train:
            return found, True
        return self._train(wanted), False

    def _train(self, wanted: Any) -> Run:
        from holdfast.solvers.neural.parts import runs

        with _display(self.console, f"{wanted.algorithm} seed {wanted.seed}", wanted) as report:
            try:
                return runs.obtain(wanted, folder=self.folder, progress=report)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(report.kept()) from None


class _Report:
    """Shows each update; knows how far the run has come."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.progress, self.task = progress, task
        self.began, self.before, self.last = time.monotonic(), None, {}

    def __call__(self, line: Mapping[str, Any]) -> None:
        """A line of the metrics."""
        steps = line.get("steps", 0)
        if self.before is None:  # a resumed run does not begin at 0
            self.began, self.before = time.monotonic(), steps
        self.last = dict(line)
        seconds = time.monotonic() - self.began
        rate = f"{(steps - self.before) / seconds:,.0f} steps/s" if seconds > 0 else ""
        shown = (f"{name} {line[key]:.4g}" for key, name in _SHOWN.items() if key in line)
        self.progress.update(
            self.task, completed=steps,
            words=", ".join([f"update {line.get('update', '?')}", *shown, rate]),
        )  # fmt: skip


@contextmanager
def _display(console: Console, name: str, wanted: Any) -> Iterator[_Report]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} steps {task.fields[words]}", markup=False),
        TimeElapsedColumn(),
    )
    total = getattr(wanted.options, "steps", None)
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Report(progress, progress.add_task(name, total=total, words="starting"))
