"""The ladder of safe tuning: what a trained policy does at plain targets, and at the tuned one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from holdfast.solvers.errors import ModelError

from ..report.ladder import (
    Cell,
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
)  # fmt: skip
from ..report.numbers import count, decimal
from ..report.wording import Tone
from ..terminal.options import refuse_idle
from .trained import ends_of_cost

if TYPE_CHECKING:
    from holdfast.solvers.neural.target_returns import TunedTarget

_NAME, _TASK = "target_returns/safe-tuning", "SafetyBallRun-v0"
_METHODS = ("pls", "ucb", "fine-tuning")
_LIMITS = (Fraction(20),)
_POLICIES = {
    "greatest return": "Asked for the greatest return of the data and the limit.",
    "best safe return": "Asked for the best return of an episode of the data within the limit.",
    "fine-tuned": "The same target, the network fine-tuned online with as many episodes.",
    "seed": "Asked for what a timid episode earned and cost: where tuning begins.",
    "tuned": "Asked for what PLS recommends.",
}


def safe_tuning_ladder(request: Request) -> Ladder:
    """Tuned and plain targets at each limit.

    Raises ModelError for a method that is not compared, and as training does.
    """
    refuse_idle(["limits", "episodes"], f"has no effect on the ladder of {request.label}")
    methods, task = _methods(request), request.task or _TASK
    limits = request.levels or _LIMITS
    keys = [(limit, method) for limit in limits for method in methods]
    runs = {key: _runs(request, task, *key) for key in keys}
    found = {key: [run.result() for run in group] for key, group in runs.items()}
    missing = sum(len(request.seeds) - len(group) for group in runs.values())
    return Ladder(
        label=request.label,
        title=f"Targets of a decision transformer on {task}",
        bound="A safe tuner evaluates an unsafe target with probability Delta at most, where its "
        "bounds hold for the network.",
        tables=(_table(limits, found, len(request.seeds), task),),
        panels=tuple(_panel(limit, found, methods) for limit in limits),
        remarks=tuple(_remarks(found)),
        notes=(f"{count(missing, 'run')} not trained yet",) if missing else (),
        runs=tuple(str(run.folder) for group in runs.values() for run in group),
    )


def _methods(request: Request) -> Sequence[str]:
    methods = [name.removeprefix("target_returns/") for name in request.algorithms or _METHODS]
    if wrong := [name for name in methods if name not in _METHODS]:
        raise ModelError(f"{wrong[0]!r} is not of this ladder; it compares {', '.join(_METHODS)}")
    return methods


def _table(limits: Sequence[Fraction], found: Found, seeds: int, task: str) -> Table:
    said = "Mean return / mean cost of fresh episodes."
    rungs = tuple(Rung(name, "neural", f"{said} {line}") for name, line in _POLICIES.items())
    rows = tuple(
        Row(decimal(limit, 4), tuple(_cell(limit, name, found, task) for name in _POLICIES))
        for limit in limits
    )
    title = f"mean of {count(seeds, 'seed')} (least to greatest)"
    return Table(title, "limit", rungs, rows)


def _runs(request: Request, task: str, limit: Fraction, method: str) -> list[Any]:
    from holdfast.solvers.neural.target_returns.safe_tuning import IDLE

    others = set(_methods(request)) - {"fine-tuning"}  # which the options are then meant for
    idle = IDLE.split() if others and method == "fine-tuning" else ()
    given = {name: value for name, value in request.changes.items() if name not in idle}
    changes = {**given, "limit": float(limit), "method": method}
    wanted = (request.obtain(_NAME, task, seed, changes) for seed in request.seeds)
    return [run for run in wanted if run is not None]


Found = dict[tuple[Fraction, str], list["TunedTarget"]]


def _cell(limit: Fraction, name: str, found: Found, task: str) -> Cell:
    """Of the policy of this name, over the seeds; marked where every cost is above the limit."""
    own = "fine-tuning" if name == "fine-tuned" else "pls"
    fresh = [one.fresh[name] for one in found.get((limit, own), ()) if name in one.fresh]
    if not fresh:
        return Cell()
    gains, costs = ([float(each[:, k].mean()) for each in fresh] for k in (0, 1))
    over = all(ends_of_cost(each[:, 1], task)[0] > limit for each in fresh)
    return Cell((over_seeds(list(gains)), over_seeds(list(costs))), over=over)


def _panel(limit: Fraction, found: Found, methods: Sequence[str]) -> Panel:
    """Mean cost and return of every evaluation, by method."""
    series = tuple(
        Series(
            f"evaluations of {method}", mark=Mark.CROSSES if method != "pls" else Mark.DOTS,
            points=tuple((float(c), float(r)) for one in found[limit, method]
                         for r, c in one.told[:, 2:]), colour=k,
        )
        for k, method in enumerate(methods) if found[limit, method]
    )  # fmt: skip
    title = f"Evaluations, limit {decimal(limit, 4)}"
    return Panel(title, "mean cost", "mean return", series, levels=(float(limit),))


def _remarks(found: Found) -> Iterator[Remark]:
    """How many evaluations were unsafe.  Beliefs about a network are none that must hold."""
    for (limit, method), runs in found.items():
        if not runs:
            continue
        unsafe, total = sum(one.unsafe for one in runs), sum(len(one.told) for one in runs)
        tone = Tone.GOOD if not unsafe else Tone.QUIET
        yield Remark(
            tone,
            f"{method} at the limit {decimal(limit, 4)}: {unsafe} of {count(total, 'evaluation')} "
            f"above it, in {sum(one.unsafe > 0 for one in runs)} of {count(len(runs), 'tuning')}",
        )


LADDERS: dict[str, Callable[[Request], Ladder]] = dict.fromkeys(
    ("trained-targets/evaluated", "trained-targets/recommended", "safe-tuning/safety"),
    safe_tuning_ladder,
)
"""Label -> what draws its ladder."""
