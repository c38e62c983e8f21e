"""The ladder of two stages: exact laws, the algorithm, and its second stage done wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from holdfast.solvers.errors import ModelError

from ..report.ladder import Cell, Ladder, Remark, Request, Row, Rung, Table, over_seeds
from ..report.numbers import count
from ..report.wording import Tone
from ..terminal.options import refuse_idle

_NAME, _TASK = "alignment/sacpo", "bandit"
_WAYS = {
    "right": "r + lambda g",
    "temperature": "r + g",
    "reference": "lambda g",
}
"""How stage 2 is trained -> what the exact law that it leads to tilts the reference by."""


def stages_ladder(request: Request) -> Ladder:
    """Total variation of each trained policy from each exact law.

    Raises ModelError for another task, and as training does.
    """
    idle = ["levels", "limits", "episodes", "algorithms"]
    refuse_idle(idle, f"has no effect on the ladder of {request.label}")
    if request.task not in (None, _TASK):
        raise ModelError(f"the task is {request.task!r}; this ladder is of the task {_TASK!r}")
    runs = {way: _runs(request, way) for way in _WAYS}
    missing = sum(len(request.seeds) - len(group) for group in runs.values())
    rungs = tuple(
        Rung(f"to {tilt}", "neural, judged exactly", "Total variation from that exact law.")
        for tilt in _WAYS.values()
    )
    found = {way: [run.result() for run in group] for way, group in runs.items() if group}
    rows = tuple(Row(f"{way}: {_WAYS[way]}", _cells(group)) for way, group in found.items())
    title = f"distance to exact laws, mean and range over {count(len(request.seeds), 'seed')}"
    return Ladder(
        label=request.label,
        title="What two stages of preference learning end with",
        bound="Stage 2 at beta/lambda, relative to the policy of stage 1, leads to the tilt by "
        "r + lambda g; at beta, or relative to the start, it leads elsewhere.",
        tables=(Table(title, "stage 2", rungs, rows),) if rows else (),
        panels=(),
        remarks=tuple(_remark(way, group) for way, group in found.items()),
        notes=(f"{count(missing, 'run')} not trained yet",) if missing else (),
        runs=tuple(str(run.folder) for group in runs.values() for run in group),
    )


def _runs(request: Request, way: str) -> list[Any]:
    changes = {**request.changes, "second": way}
    wanted = (request.obtain(_NAME, _TASK, seed, changes) for seed in request.seeds)
    return [run for run in wanted if run is not None]


def _distances(found: Any) -> list[float]:
    """To the laws of `_WAYS`, in their order."""
    from holdfast.solvers.neural.alignment.bandits import variation
    from holdfast.solvers.neural.alignment.sacpo import exact_laws

    laws = exact_laws(found.options, found.reference, found.rewards, found.safety)
    return [variation(found.policy, getattr(laws, way)) for way in _WAYS]


def _cells(group: Sequence[Any]) -> tuple[Cell, ...]:
    columns = zip(*(_distances(found) for found in group), strict=True)
    return tuple(Cell((over_seeds(list(column)),)) for column in columns)


def _remark(way: str, group: Sequence[Any]) -> Remark:
    """Whether each policy is nearest to the law that its stages lead to."""
    own = list(_WAYS).index(way)
    nearest = all((far := _distances(found))[own] == min(far) for found in group)
    words = "nearest to" if nearest else "not nearest to"
    return Remark(
        Tone.GOOD if nearest else Tone.BAD, f"{way}: the policy is {words} the tilt by {_WAYS[way]}"
    )


LADDERS: dict[str, Callable[[Request], Ladder]] = {"trained-tilts/stepwise": stages_ladder}
"""Label -> what draws its ladder."""
