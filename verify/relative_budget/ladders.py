"""The ladder of the best budget: the exact chain, trained networks, controls, and a controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.solvers.errors import ModelError
from holdfast.solvers.relative_budget.group_toy import Lock, expected_gain

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
)  # fmt: skip
from ..report.numbers import count, decimal
from ..report.wording import Tone
from ..terminal.options import refuse_idle

if TYPE_CHECKING:
    from holdfast.solvers.neural.relative_budget import LockRun, Point

_Key = TypeVar("_Key")
_NAME, _TASK = "relative_budget/lock", "lock"
_BUDGETS = tuple(map(Fraction, ("1/4", "1/2", "1", "3/2", "2", "3", "5", "10")))
_CONTROLS = {
    "shuffled": "rewards shuffled within each group: updates must gain nothing",
    "early": "a verifier that asks for one step too few: it must be noticed",
}
_WINDOW = (1.25, 2.25)
"""Where the largest gain of the simulated chain was found."""
_CONTROLLED, _TARGET = ("0.5,1,3,6", "0.125,0.25"), 1.75
"""Locks of the comparisons with a fixed horizon, mixed and all deficient, and the budget that the
controller sets."""

EXACT = Rung(
    "one logit", "exact",
    "Expected gain where one logit rules all tokens, scaled to have the network's maximum.",
)  # fmt: skip
CURRENT = Rung(
    "at last", "neural, judged exactly", "xi of the policy after the last update, mean over seeds."
)
EXPECTED = Rung(
    "expected", "neural, judged exactly",
    "Gain of J by the expected update of the network, in percent of H, mean over updates.",
)  # fmt: skip
GAINED = Rung(
    "gained", "neural",
    "Gain of J by the update that was made; below, the 95% interval around what was expected.",
)  # fmt: skip
EQUAL = Rung("equal groups", "neural", "Share of groups whose rewards agree, seen / expected.")
BUDGET = Rung(
    "xi estimated", "neural",
    "By tokens over steps opened / by the mean length of solved rollouts, which cannot be below 1.",
)  # fmt: skip
RUNGS = (EXACT, CURRENT, EXPECTED, GAINED, EQUAL, BUDGET)


def budget_ladder(request: Request) -> Ladder:
    """Gains of an update against the budget, with controls, and what a controller buys.

    Raises ModelError for another task, and as training does.
    """
    refuse_idle(
        ["limits", "episodes", "algorithms"], f"has no effect on the ladder of {request.label}"
    )
    if request.task not in (None, _TASK):
        raise ModelError(f"the task is {request.task!r}; this ladder is of the task {_TASK!r}")
    levels = request.levels or _BUDGETS
    middle = min(levels, key=lambda level: abs(level - Fraction(3, 2)))
    runs = {level: _runs(request, budgets=_plain(level)) for level in levels}
    wrong = {name: _runs(request, budgets=_plain(middle), rewards=name) for name in _CONTROLS}
    pairs = {budgets: _pair(request, budgets) for budgets in _CONTROLLED}
    every = [*runs.values(), *wrong.values(), *chain.from_iterable(pairs.values())]
    missing = sum(len(request.seeds) - len(group) for group in every)
    points, controls = _points(runs), _points(wrong)
    bought = chain.from_iterable(_bought(budgets, *pair) for budgets, pair in pairs.items())
    return Ladder(
        label=request.label,
        title="What an update of group-normalised policy gradients gains on a lock of tokens",
        bound="At every update the law of T of the network is known, and with it what the update "
        "is expected to gain. At which budget that is most depends on the criterion.",
        tables=tuple(_tables(runs, points, controls, len(request.seeds))),
        panels=_panels(points, controls) if points else (),
        remarks=(*_remarks(points, controls), *bought),
        notes=(f"{count(missing, 'run')} not trained yet",) if missing else (),
        runs=tuple(str(run.folder) for run in chain.from_iterable(every)),
    )


def _pair(request: Request, budgets: str) -> tuple[list[Any], list[Any]]:
    """Runs with controlled horizons, and with the fixed one."""
    controlled, fixed = (_runs(request, budgets=budgets, target=t) for t in (_TARGET, 0.0))
    return controlled, fixed


def _plain(level: Fraction) -> str:
    return f"{float(level):g}"


def _runs(request: Request, **changes: Any) -> list[Any]:
    wanted = (
        request.obtain(_NAME, _TASK, seed, {**request.changes, **changes}) for seed in request.seeds
    )
    return [run for run in wanted if run is not None]


def _results(group: Sequence[Any]) -> list[LockRun]:
    return [run.result() for run in group]


def _points(runs: Mapping[_Key, Sequence[Any]]) -> dict[_Key, Point]:
    """Of all that are trained."""
    from holdfast.solvers.neural.relative_budget import efficiency

    return {key: efficiency(_results(group)) for key, group in runs.items() if group}


def _tables(
    runs: Mapping[Fraction, Sequence[Any]],
    points: Mapping[Fraction, Point],
    controls: Mapping[str, Point],
    seeds: int,
) -> Iterator[Table]:
    if not points:
        return
    toy = {level: _toy(level, runs[level][0].training.options) for level in points}
    scale = max(one.expected for one in points.values()) / max(toy.values())
    rows = tuple(
        Row(decimal(level, 4), tuple(_cells(one, scale * toy[level])))
        for level, one in points.items()
    )
    yield Table(f"gain of J an update, percent of H, {count(seeds, 'seed')}", "xi", RUNGS, rows)
    if controls:
        rows = tuple(Row(name, tuple(_cells(one, None))[1:]) for name, one in controls.items())
        yield Table("controls", "rewards", RUNGS[1:], rows)


def _toy(level: Fraction, options: Any) -> float:
    return expected_gain(Lock(options.steps, options.horizon, float(level)), group=options.group)


def _cells(one: Point, toy: float | None) -> Iterator[Cell]:
    yield Cell() if toy is None else Cell((Figure(toy),))
    yield Cell((Figure(one.last),))
    yield Cell((Figure(one.expected),))
    over = "the gain of an update" in one.contradicted
    yield Cell((Figure(one.gain.mean, one.gain.low, one.gain.high),), over=over)
    yield Cell((Figure(one.equal), Figure(one.expected_equal)))
    figures = [Figure(one.estimate)] + ([] if one.naive is None else [Figure(one.naive)])
    yield Cell(tuple(figures))


def _panels(points: Mapping[Fraction, Point], controls: Mapping[str, Point]) -> tuple[Panel, ...]:
    found = sorted(points.values(), key=lambda one: one.budget)
    gains = [
        Series("expected", tuple((one.budget, one.expected) for one in found)),
        _dots("gained", found, Mark.DOTS, 0),
        *(_dots(name, [one], Mark.CROSSES, k) for k, (name, one) in enumerate(controls.items(), 1)),
    ]
    equal = (
        Series("expected", tuple((one.budget, one.expected_equal) for one in found)),
        Series("seen", tuple((one.budget, one.equal) for one in found), mark=Mark.DOTS),
    )
    seen = (
        Series("tokens a step", tuple((one.budget, one.estimate) for one in found), mark=Mark.DOTS),
        Series("solved rollouts", tuple((one.budget, one.naive) for one in found
                                        if one.naive is not None), mark=Mark.CROSSES, colour=1),
        Series("true", tuple((one.budget, one.budget) for one in found), mark=Mark.DASHES),
    )  # fmt: skip
    return (
        Panel(
            "Gain of J an update", "relative budget", "percent of H", tuple(gains), _WINDOW, True
        ),
        Panel("Groups that teach nothing", "relative budget", "share", equal, logarithmic=True),
        Panel("Estimated budget", "relative budget", "estimate", seen, logarithmic=True),
    )


def _dots(name: str, found: Sequence[Point], mark: Mark, colour: int) -> Series:
    points = tuple((one.budget, one.gain.mean) for one in found)
    spread = tuple((one.budget, one.budget, one.gain.low, one.gain.high) for one in found)
    return Series(name, points, mark, colour, spread)


def _remarks(points: Mapping[Fraction, Point], controls: Mapping[str, Point]) -> Iterator[Remark]:
    """Expectations hold for every update, so a measurement that contradicts one is a defect; that a
    control is not noticed is one, too."""
    for level, one in points.items():
        for what in one.contradicted:
            yield Remark(Tone.BAD, f"xi = {decimal(level, 4)}: {what} is not as expected")
    if points and not any(one.contradicted for one in points.values()):
        yield Remark(Tone.GOOD, f"{count(len(points), 'budget')}: all measured as expected")
    if len(points) > 2:
        best = max(points.values(), key=lambda one: one.expected).budget
        inside = _WINDOW[0] <= best <= _WINDOW[1]
        where = "inside" if inside else "outside"
        yield Remark(
            Tone.GOOD if inside else Tone.QUIET,
            f"most is expected at xi = {best:.3f}, {where} of {_WINDOW[0]} to {_WINDOW[1]}",
        )
    yield from _noticed(controls)


def _noticed(controls: Mapping[str, Point]) -> Iterator[Remark]:
    if (shuffled := controls.get("shuffled")) is not None:
        low, high = shuffled.slope.low, shuffled.slope.high
        gains = not low <= 0 <= high
        yield Remark(
            Tone.QUIET if gains else Tone.GOOD,
            f"{_CONTROLS['shuffled']}; {shuffled.slope.mean:.4f} ({low:.4f} to {high:.4f}) along "
            "the gradient of J",
        )
    if (early := controls.get("early")) is not None:
        noticed = bool(early.contradicted)
        yield Remark(
            Tone.GOOD if noticed else Tone.BAD,
            f"{_CONTROLS['early']}; " + (f"by {', '.join(early.contradicted)}" if noticed else
                                         "it was not"),
        )  # fmt: skip


def _bought(budgets: str, controlled: Sequence[Any], fixed: Sequence[Any]) -> Iterator[Remark]:
    """At equal tokens; with seeds enough an interval of the difference."""
    from holdfast.solvers.neural.relative_budget.efficiency import Gap, bought

    pairs = [bought(*pair) for pair in zip(_results(controlled), _results(fixed), strict=False)]
    if not pairs:
        return
    tokens = sum(one.tokens for one in pairs) / len(pairs)
    share = 100 / fixed[0].training.options.horizon
    first, second = (
        over_seeds([share * getattr(one, name) for one in pairs]).text
        for name in ("controlled", "fixed")
    )
    text = (
        f"locks at xi = {budgets}: with horizons set to xi = {_TARGET} J gained {first} % of "
        f"H, with the fixed one {second} %, at {tokens:,.0f} tokens each"
    )
    if len(pairs) > 1:
        import numpy as np

        gap = Gap.of(share * np.array([one.controlled - one.fixed for one in pairs]))
        text += f"; difference {gap.mean:.3f} ({gap.low:.3f} to {gap.high:.3f})"
    yield Remark(Tone.QUIET, text)


LADDERS: dict[str, Callable[[Request], Ladder]] = dict.fromkeys(
    ("optimum/inside", "optimum/outside", "optimum/kappa-moves"), budget_ladder
)
"""Label -> what draws its ladder."""
