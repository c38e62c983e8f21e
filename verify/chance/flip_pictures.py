"""Pictures of a ladder of flips: value against risk, and learning curves against the exact line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from holdfast.solvers.chance import ChanceProblem, ChanceSolution, frontier

from ..report.ladder import Mark, Panel, Series
from ..report.numbers import decimal
from .measured import enclosed_risk, enclosed_value
from .networks import Flips, Trained, optimum_at

_KINKS = 40
"""Of the envelope: more are closer than a pixel, and each costs an exact solution."""


def panels(
    problem: ChanceProblem,
    task: str,
    trained: Sequence[Trained],
    solved: Mapping[Fraction, ChanceSolution],
) -> tuple[Panel, ...]:
    """The envelope with networks and flips, then the learning curves of each algorithm."""
    return (
        _envelope(problem, task, trained, solved),
        *(_curves(one, task) for one in trained),
    )


def _envelope(
    problem: ChanceProblem,
    task: str,
    trained: Sequence[Trained],
    solved: Mapping[Fraction, ChanceSolution],
) -> Panel:
    series = [_line(problem, trained, float(max(solved)))]
    for colour, one in enumerate(trained, start=1):
        points = tuple((float(n.exact[1]), float(n.exact[0])) for n in one.networks)
        series.append(Series(f"{one.algorithm}: networks", points, Mark.DOTS, colour))
        for level in solved:
            for found in one.flips[level]:
                series += _flip(one, found, colour)
    title = f"{task}: exact envelope and trained networks"
    risk = "chance of an unsafe state in the episode"
    return Panel(title, risk, "expected return", tuple(series), tuple(map(float, solved)))


def _line(problem: ChanceProblem, trained: Sequence[Trained], level: float) -> Series:
    """The part of the envelope that the picture needs, so that networks are not crowded."""
    kinks = frontier(problem, most=_KINKS).kinks
    most = max([level, *(float(n.exact[1]) for one in trained for n in one.networks)])
    most = max([most, *(float(f.step[1]) for one in trained for g in one.flips.values()
                        for f in g if f.step is not None)])  # fmt: skip
    shown = [(float(risk), float(value)) for risk, value in kinks]
    last = next((k for k, (risk, _) in enumerate(shown) if risk > most), len(shown) - 1)
    return Series("exact envelope", tuple(shown[: last + 1]), Mark.LINE, 0)


def _flip(trained: Trained, found: Flips, colour: int) -> Iterator[Series]:
    """The segment between the two networks, and where the coin at every step leads."""
    if found.between is None or found.measured is None:
        return
    group = [one for one in trained.networks if one.run.training.seed == found.seed]
    ends = (group[found.between.safer].exact, group[found.between.bolder].exact)
    points = tuple((float(risk), float(value)) for value, risk in ends)
    yield Series(f"{trained.algorithm}: flip once an episode", points, Mark.DASHES, colour)
    at = (float(found.measured.risk), float(found.measured.value))
    risk, value = enclosed_risk(found.measured), enclosed_value(found.measured)
    ends_of = float(risk.lo), float(risk.hi), float(value.lo), float(value.hi)
    yield Series(
        f"{trained.algorithm}: flip at every step, measured", (at,), Mark.CROSSES, colour,
        (ends_of,),
    )  # fmt: skip


def _curves(trained: Trained, task: str) -> Panel:
    """Return during training, of the first seed, and the exact optimum at each limit."""
    seed = trained.networks[0].run.training.seed
    shown = [one for one in trained.networks if one.run.training.seed == seed]
    series: list[Series] = []
    for colour, one in enumerate(shown, start=1):
        lines = one.run.metrics()
        points = tuple((float(line["steps"]), float(line["return"])) for line in lines)
        series.append(Series(f"limit {decimal(one.limit, 3)}", points, Mark.LINE, colour))
        line = float(optimum_at(task, one.limit) or 0)
        ends = tuple((x, line) for x in (points[0][0], points[-1][0]))
        series.append(Series("exact optimum at each limit", ends, Mark.DASHES, colour))
    title = f"{trained.algorithm}, seed {seed}: return while training"
    return Panel(title, "environment steps", "return of an episode", tuple(series))
