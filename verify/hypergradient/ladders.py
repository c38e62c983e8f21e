"""Ladders of hypergradients: the exact ascent, sampled ones of networks, and controls that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import mean
from typing import Any

from holdfast.solvers.errors import ModelError

from ..report.ladder import (
    Cell,
    Figure,
    Ladder,
    Mark,
    Panel,
    Remark,
    Request,
    Row,
    Rung,
    Series,
    Table,
    over_seeds,
)
from ..report.numbers import count
from ..report.wording import Tone
from ..terminal.options import refuse_idle

_EXACT, _OURS = "exact", "bc-hg"
_CONTROLS = ("naive", "flipped", "uncentred", "untrained")
_METHODS: Mapping[str, tuple[str, ...]] = {
    "toy4-1": (_EXACT, _OURS, "naive", "flipped"),
    "toy4-2": (_EXACT, _OURS, "naive", "flipped"),
    "grid": (_EXACT, _OURS, "hpgd-mc", "hpgd-sa", "naive", "flipped"),
    "lqr": (_EXACT, _OURS, "naive", "flipped", "uncentred"),
    "tiny": (_EXACT, _OURS, "naive", "flipped", "uncentred"),
    "smollm2": (_EXACT, _OURS, "naive", "flipped", "uncentred"),
    "Pendulum-v1": (_OURS, "naive", "flipped", "untrained"),
}
"""Task -> the rows of its table.  Where the follower's reaction is small beside the direct term, as
in the LQR, controls are shown and not judged."""
_TASKS = {
    "hypergradients/boltzmann": ("toy4-1", "toy4-2", "grid", "lqr"),
    "hypergradients/unbiased": ("Pendulum-v1",),
    "covariance/trick": ("tiny",),
}
_CRITICS = {"hpgd-mc": {"critic": "monte-carlo"}}
"""What a method is published with, where that is no network."""

FIRST = Rung("at first", "exact", "The leader's return before the first update, UN-normalised.")
LAST = Rung("reached", "neural, judged exactly",
            "The same after the last update, mean over seeds (least to greatest); of the pendulum "
            "on fresh episodes.")  # fmt: skip
COSINE = Rung("cosine", "neural, judged exactly",
              "Of the estimates to the exact hypergradient, mean over updates.")  # fmt: skip
PROJECTION = Rung("projection", "neural, judged exactly",
                  "Of the estimates on it, in units of it: an unbiased one has 1, and learned "
                  "critics bias it.")  # fmt: skip
RUNGS = (FIRST, LAST, COSINE, PROJECTION)


def hypergradient_ladder(request: Request) -> Ladder:
    """Leaders that climb by each method.  Raises ModelError for a task that the label has not."""
    idle = ["levels", "limits", "episodes", "algorithms"]
    refuse_idle(idle, f"has no effect on the ladder of {request.label}")
    known = (*_TASKS[request.label], *(["smollm2"] if request.label == "covariance/trick" else []))
    if request.task is not None and request.task not in known:
        raise ModelError(f"the task is {request.task!r}; this ladder has {', '.join(known)}")
    tasks = _TASKS[request.label] if request.task is None else (request.task,)
    runs = {task: {method: _runs(request, task, method) for method in _METHODS[task]}
            for task in tasks}  # fmt: skip
    every = [run for group in runs.values() for run in chain.from_iterable(group.values())]
    wanted = len(request.seeds) * sum(map(len, runs.values()))
    missing = wanted - len(every)
    return Ladder(
        label=request.label,
        title="Where leaders come by exact and sampled hypergradients",
        bound="The hypergradient is a direct term and a covariance over the temperature. Without "
        "the covariance, or with its sign flipped, a leader climbs another hill.",
        tables=tuple(_table(task, group) for task, group in runs.items() if any(group.values())),
        panels=tuple(_panel(task, group) for task, group in runs.items() if any(group.values())),
        remarks=tuple(chain.from_iterable(_remarks(*item) for item in runs.items())),
        notes=(f"{count(missing, 'run')} not trained yet",) if missing else (),
        runs=tuple(str(run.folder) for run in every),
    )


def _runs(request: Request, task: str, method: str) -> list[Any]:
    name = f"hypergradient/{'pendulum' if task == 'Pendulum-v1' else 'ascent'}"
    changes = {**request.changes, "method": method, **_CRITICS.get(method, {})}
    found = (request.obtain(name, task, seed, changes) for seed in request.seeds)
    return [run for run in found if run is not None]


def _table(task: str, runs: Mapping[str, Sequence[Any]]) -> Table:
    rows = tuple(Row(method, tuple(_cells(group))) for method, group in runs.items() if group)
    return Table(task, "by", RUNGS, rows)


def _cells(group: Sequence[Any]) -> Iterator[Cell]:
    found = [run.result() for run in group]
    yield Cell((over_seeds([one.lines[0]["objective"] for one in found]),))
    yield Cell((over_seeds([one.objective for one in found]),))
    known = [one for one in found if "cosine" in one.lines[0]]
    yield _cell([float(one.column("cosine").mean()) for one in known])
    yield _cell([one.projection() for one in known])


def _cell(numbers: Sequence[float]) -> Cell:
    return Cell((over_seeds(list(numbers)),)) if numbers else Cell()


def _panel(task: str, runs: Mapping[str, Sequence[Any]]) -> Panel:
    series = []
    for colour, (method, group) in enumerate((m, g) for m, g in runs.items() if g):
        curves = [run.result().column("objective") for run in group]
        points = [(float(k), float(mean(at))) for k, at in enumerate(zip(*curves, strict=True))]
        mark = Mark.DASHES if method == _EXACT else Mark.LINE
        series.append(Series(method, tuple(points), mark, colour))
    return Panel(task, "update", "the leader's return", tuple(series))


def _remarks(task: str, runs: Mapping[str, Sequence[Any]]) -> Iterator[Remark]:
    """A control that comes as far as the estimate is a defect of either."""
    reached = {method: _reached(group) for method, group in runs.items() if group}
    ours = reached.get(_OURS)
    if ours is None or task == "lqr":
        return
    for method in _CONTROLS:
        if (other := reached.get(method)) is not None:
            fails = other.value < ours.value
            yield Remark(
                Tone.GOOD if fails else Tone.BAD,
                f"{task}: {method} reaches {other.text}, {_OURS} {ours.text}"
                + ("" if fails else "; the control should have failed"),
            )


def _reached(group: Sequence[Any]) -> Figure:
    return over_seeds([run.result().objective for run in group])


LADDERS: dict[str, Callable[[Request], Ladder]] = dict.fromkeys(_TASKS, hypergradient_ladder)
"""Label -> what draws its ladder."""
