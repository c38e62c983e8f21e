"""The ladder of flips where no model is known: networks and coins measured on fresh episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

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
from ..report.numbers import count, decimal
from ..report.wording import Tone
from .measured import (
    CONFIDENCE,
    MARGIN,
    Judge,
    MeasuredFlips,
    MeasuredTrained,
    enclosed_risk,
    networks,
)

MEASURED_LEVELS = (Fraction(1, 5), Fraction(1, 2))
"""Lower ones need more episodes to be proved."""
EPISODES = 300
"""Fresh episodes of each policy on a simulator: a risk of 0.2 is known to 0.05, in half a minute.
Twice as many take as long again and narrow the interval by a third."""
_SHOWN = 0.95  # of each interval that is shown alone

_INTERVALS = f"below, {_SHOWN:.0%} intervals"
_OVER_SEEDS = (
    f"below, from the least to the greatest end of the {_SHOWN:.0%} intervals of the seeds"
)
BEST = Rung(
    "best network", "neural",
    "Value / risk of the single network of largest measured value among those whose upper bound on "
    f"the risk (confidence {float(MARGIN):.0%} together) is within the level, on other "
    f"fresh episodes; {_OVER_SEEDS}.",
)  # fmt: skip
EPISODE = Rung(
    "flip once an episode", "neural",
    "Value / risk of the coin that the linear program finds from measured episodes, with upper "
    f"bounds on the risks (confidence {float(MARGIN):.0%} together), on other fresh episodes; "
    f"{_OVER_SEEDS}.",
)  # fmt: skip
STEP = Rung(
    "flip at every step", "neural",
    "The same networks and coin, tossed at every step, as the printed algorithm runs.",
)  # fmt: skip
_PICKS: tuple[Callable[[MeasuredFlips], Any], ...] = (
    lambda one: one.best,
    lambda one: one.episode,
    lambda one: one.step,
)


def measured_ladder(
    request: Request,
    task: str,
    algorithms: Sequence[str],
    levels: Sequence[Fraction],
    limits: Sequence[Fraction],
) -> Ladder:
    """Networks and their flips by fresh episodes alone, at each level."""
    asked = replace(request, episodes=request.episodes or EPISODES)
    trained = [_trained(asked, name, task, limits, levels) for name in algorithms]
    there = [one for one in trained if one.groups]
    wanted = len(limits) * len(request.seeds)
    return Ladder(
        label=request.label,
        title=f"Flips of trained networks on {task}",
        bound="A coin tossed once an episode mixes value and risk of two policies. One that is "
        "tossed at every step is another policy.",
        tables=tuple(table for one in there for table in _tables(one, limits)),
        panels=tuple(_panels(task, there)),
        remarks=tuple(remark for one in there for remark in _remarks(one)),
        notes=tuple(_notes(asked, task, trained, wanted)),
        runs=tuple(str(n.run.folder) for one in there for group in one.groups for n in group),
    )


def _trained(
    request: Request, name: str, task: str, limits: Sequence[Fraction], levels: Sequence[Fraction]
) -> MeasuredTrained:
    groups = [networks(request, f"chance/{name}", task, seed, limits) for seed in request.seeds]
    full = [group for group in groups if group]
    judges = [Judge(request, group) for group in full]
    return MeasuredTrained(
        name, full, {level: [judge.flips(level) for judge in judges] for level in levels}
    )


# -- tables ---------------------------------------------------------------------------------------
def _tables(trained: MeasuredTrained, limits: Sequence[Fraction]) -> Iterator[Table]:
    rungs = tuple(
        Rung(f"seed {group[0].seed}", "neural", f"Value / risk of the network; {_INTERVALS}.")
        for group in trained.groups
    )
    rows = tuple(Row(decimal(limit, 4), _networks_at(trained, limit)) for limit in limits)
    yield Table(f"{trained.algorithm}: networks", "limit", rungs, rows)
    levels = tuple(
        Row(decimal(level, 4), tuple(_cell([pick(one) for one in found], level) for pick in _PICKS))
        for level, found in trained.flips.items()
    )
    title = f"{trained.algorithm}: flips, mean of {count(len(trained.groups), 'seed')}"
    yield Table(title, "level", (BEST, EPISODE, STEP), levels)


def _networks_at(trained: MeasuredTrained, limit: Fraction) -> tuple[Cell, ...]:
    by_limit = ({one.limit: one.measured for one in group} for group in trained.groups)
    return tuple(_cell([found.get(limit)], None) for found in by_limit)


def _cell(measured: Sequence[Any], level: Fraction | None) -> Cell:
    """Means over the seeds that have one, and ends of intervals; marked where each proves too much
    risk."""
    found = [one for one in measured if one is not None]
    if not found:
        return Cell()
    ends = [one.interval(_SHOWN) for one in found]
    figures = tuple(
        Figure(
            over_seeds([getattr(one, name) for one in found]).value,
            min(getattr(end, name)[0] for end in ends),
            max(getattr(end, name)[1] for end in ends),
        )
        for name in ("value", "risk")
    )
    return Cell(figures, over=level is not None and all(_proves(one, level) for one in found))


def _proves(measured: Any, level: Fraction, share: int = 1) -> bool:
    """Whether the episodes show that the risk is above the level, as one of so many that do."""
    return enclosed_risk(measured, share).lo > level


# -- what they prove ------------------------------------------------------------------------------
def _remarks(trained: MeasuredTrained) -> Iterator[Remark]:
    cases = [(level, one) for level, found in trained.flips.items() for one in found]
    chosen = [(level, one) for level, one in cases if one.between is not None]
    name, total = trained.algorithm, count(len(chosen), "case")
    if len(chosen) < len(cases):
        yield Remark(
            Tone.OPEN,
            f"{name}: in {len(cases) - len(chosen)} of {count(len(cases), 'case')} no network is "
            "measured to be safe enough",
        )
    if not chosen:
        return
    broken = sum(_proves(one.episode, level, len(chosen)) for level, one in chosen)
    yield Remark(
        Tone.OPEN if broken else Tone.GOOD,
        f"{name}: tossed once an episode, the coin is shown to break its level in {broken} of "
        f"{total} (intervals of confidence {CONFIDENCE:.1%} together)",
    )
    yield _gain(trained, [one for _, one in chosen if one.best is not None])
    over = [(level, one) for level, one in chosen if _proves(one.step, level, len(chosen))]
    text = f"{name}: tossed at every step, it is shown to break its level in {len(over)} of {total}"
    if over:
        level, worst = max(over, key=lambda case: case[1].step.risk - case[0])
        ends = enclosed_risk(worst.step, len(chosen))
        text += (
            f", most at level {decimal(level)}, with a risk from {float(ends.lo):.4f} to "
            f"{float(ends.hi):.4f}"
        )
    yield Remark(Tone.GOOD if over else Tone.QUIET, text)


def _gain(trained: MeasuredTrained, found: Sequence[MeasuredFlips]) -> Remark:
    more = [one.episode.value - one.best.value for one in found]
    text = (
        f"on average {decimal(sum(more) / len(more), 4)} more than the best single network"
        if more
        else "and no single network is measured to be safe enough"
    )
    return Remark(
        Tone.QUIET,
        f"{trained.algorithm}: tossed once an episode, the coin earns {text}",
    )


def _notes(
    request: Request,
    task: str,
    trained: Sequence[MeasuredTrained],
    wanted: int,
) -> Iterator[str]:
    yield (
        f"{task} has no exact model: no optimum is known, and nothing says how much more a policy "
        "could earn at its risk"
    )
    if any(one.groups for one in trained):
        yield "networks act greedily; while they trained, actions were drawn, so that risks differ"
    for one in trained:
        missing = wanted - sum(len(group) for group in one.groups)
        if missing:
            yield (
                f"{one.algorithm}: {count(missing, 'network')} of {wanted} not trained yet; leave "
                "--no-training out to train what is missing"
            )
    found = sorted({network.limit for one in trained for g in one.groups for network in g})
    if found:
        words = ", ".join(decimal(limit, 3) for limit in found)
        yield (
            f"networks were trained at the limits {words}; {request.episodes:,} fresh episodes a "
            "policy, since a simulator is slow (--episodes takes more)"
        )
    if 1 in found:
        yield "a network trained at the limit 1 has nothing that bounds its risk"


# -- pictures -------------------------------------------------------------------------------------
def _panels(task: str, trained: Sequence[MeasuredTrained]) -> Iterator[Panel]:
    if not trained:
        return
    series = [one for colour, found in enumerate(trained, 1) for one in _points(found, colour)]
    title = f"{task}: networks and flips, {_SHOWN:.0%} intervals"
    risk = "chance of an unsafe step in the episode"
    levels = tuple(float(level) for level in trained[0].flips)
    yield Panel(title, risk, "mean return", tuple(series), levels)
    for one in trained:
        for key, words in (("return", "return"), ("cost", "cost (risk) of an episode")):
            yield _curves(one, key, words)


def _points(trained: MeasuredTrained, colour: int) -> Iterator[Series]:
    name = trained.algorithm
    seen = [one.measured for group in trained.groups for one in group]
    yield _measured(f"{name}: networks", seen, Mark.DOTS, colour)
    for found in trained.flips.values():
        for one in found:
            if one.between is None:
                continue
            group = next(group for group in trained.groups if group[0].seed == one.seed)
            two = (group[one.between.safer].measured, group[one.between.bolder].measured)
            ends = tuple((float(each.risk), float(each.value)) for each in two)
            yield Series(f"{name}: flip once an episode", ends, Mark.DASHES, colour)
            yield _measured(f"{name}: flip at every step", [one.step], Mark.CROSSES, colour)


def _measured(name: str, seen: Sequence[Any], mark: Mark, colour: int) -> Series:
    ends = [one.interval(_SHOWN) for one in seen]
    return Series(
        name,
        tuple((float(one.risk), float(one.value)) for one in seen),
        mark,
        colour,
        tuple((*end.risk, *end.value) for end in ends),
    )


def _curves(trained: MeasuredTrained, key: str, words: str) -> Panel:
    """Of the networks of the first seed, while they were trained."""
    group = trained.groups[0]
    series = []
    for colour, one in enumerate(group, 1):
        points = tuple((float(line["steps"]), float(line[key])) for line in one.run.metrics())
        series.append(Series(f"limit {decimal(one.limit, 3)}", points, Mark.LINE, colour))
    title = f"{trained.algorithm}, seed {group[0].seed}: {key} while training"
    return Panel(title, "environment steps", words, tuple(series))
