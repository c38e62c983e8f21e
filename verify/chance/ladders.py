"""Ladders of flips: the exact optimum, trained networks, and coins tossed once or at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from holdfast.solvers.chance import ChanceProblem, ChanceSolution
from holdfast.solvers.errors import ModelError

from ..report.ladder import Cell, Figure, Ladder, Number, Request, Row, Rung, Table, over_seeds
from ..report.numbers import count, decimal
from . import flip_pictures, flip_remarks
from .measured import CONFIDENCE, MARGIN, enclosed_risk, enclosed_value
from .measured_ladder import MEASURED_LEVELS, measured_ladder
from .networks import Flips, Pair, Trained, flips, networks, optima

_TASK = "holdfast/TwoDiscs-v0"
_ALGORITHMS = ("ppo-lagrangian", "cpo")
_LEVELS = tuple(Fraction(text) for text in ("0.10", "0.17", "0.22", "0.30"))
_EPISODES = 20_000
"""Fresh episodes of a policy: a risk of 0.2 is known to 0.006, in a second on a grid of ours."""

OPTIMUM = Rung(
    "exact optimum", "exact", "Most that any policy earns whose risk is at most the level."
)
BEST = Rung(
    "best network", "neural, judged exactly",
    "Value / risk of the best single network whose risk is at most the level.",
)  # fmt: skip
MIXTURE = Rung(
    "best mixture", "neural, judged exactly",
    "Value / risk of the best coin between two networks, tossed once an episode: what the linear "
    "program finds over their exact numbers.",
)  # fmt: skip
EPISODE = Rung(
    "flip once an episode", "neural, judged exactly",
    "Value / risk of the coin that the program finds from measured episodes, with upper bounds on "
    f"the risks (confidence {float(MARGIN):.0%} together), tossed once an episode.",
)  # fmt: skip
STEP = Rung(
    "flip at every step", "neural, judged exactly",
    "Value / risk of the same networks and coin, tossed at every step, as the printed algorithm "
    "runs.",
)  # fmt: skip
MEASURED = Rung(
    "the same, measured", "neural",
    f"Value / risk of fresh episodes; below, from the least to the greatest end of the "
    f"{CONFIDENCE:.1%} intervals of the seeds.",
)  # fmt: skip
RUNGS = (OPTIMUM, BEST, MIXTURE, EPISODE, STEP, MEASURED)


def flip_ladder(request: Request) -> Ladder:
    """Networks and their flips at each level, beside the exact optimum where the task has one.

    Raises ModelError for an unknown task, an algorithm that is not compared, and a level that no
    policy can keep.
    """
    from holdfast.solvers.neural.parts.tasks import is_known, problem_of, unknown

    task, names = request.task or _TASK, _algorithms(request)
    if not is_known(task):
        raise ModelError(unknown(task))
    problem = problem_of(task)
    if problem is None:
        levels = request.levels or MEASURED_LEVELS
        return measured_ladder(request, task, names, levels, _limits(request, levels))
    levels = request.levels or _LEVELS
    return _beside_the_optimum(request, task, problem, names, levels)


def _beside_the_optimum(
    request: Request,
    task: str,
    problem: ChanceProblem,
    names: Sequence[str],
    levels: Sequence[Fraction],
) -> Ladder:
    request = replace(request, episodes=request.episodes or _EPISODES)
    solved = optima(task, levels)
    limits = _limits(request, levels)
    trained = [_trained(request, name, task, problem, limits, levels) for name in names]
    there = [one for one in trained if one.networks]
    return Ladder(
        label=request.label,
        title=f"Flips of trained networks on {task}",
        bound="A coin tossed once an episode mixes value and risk of two policies. One that is "
        "tossed at every step is another policy. None has more than the exact optimum at its risk.",
        tables=tuple(_table(one, solved) for one in there) or (_exact_table(solved),),
        panels=flip_pictures.panels(problem, task, there, solved),
        remarks=tuple(remark for one in there for remark in flip_remarks.remarks(one, solved)),
        notes=tuple(_notes(request, trained, limits)),
        runs=tuple(str(one.run.folder) for found in there for one in found.networks),
    )


def _algorithms(request: Request) -> Sequence[str]:
    names = [name.removeprefix("chance/") for name in request.algorithms or _ALGORITHMS]
    for name in names:
        if name not in _ALGORITHMS:
            raise ModelError(
                f"{name!r} is not an algorithm of this ladder; it compares {', '.join(_ALGORITHMS)}"
            )
    return names


def _limits(request: Request, levels: Sequence[Fraction]) -> Sequence[Fraction]:
    """At which networks are trained.  By default few and far apart, as the printed algorithm draws
    them: below and at the least level, well above the greatest, and without any limit."""
    if above := [limit for limit in request.limits if limit > 1]:
        raise ModelError(
            f"--limits has {decimal(above[0], 4)}, and no risk is above 1; give 1 for networks "
            "without any limit"
        )
    least, greatest = min(levels), max(levels)
    usual = {least / 2, least, min(2 * greatest, Fraction(1)), Fraction(1)}
    return request.limits or sorted(usual)


def _trained(
    request: Request,
    name: str,
    task: str,
    problem: ChanceProblem,
    limits: Sequence[Fraction],
    levels: Sequence[Fraction],
) -> Trained:
    groups = [networks(request, f"chance/{name}", task, seed, limits) for seed in request.seeds]
    full = [group for group in groups if group]
    found = {
        level: [flips(request, task, problem, group, level) for group in full] for level in levels
    }
    return Trained(name, [one for group in full for one in group], found)


def _table(trained: Trained, solved: Mapping[Fraction, ChanceSolution]) -> Table:
    title = f"{trained.algorithm}, mean of {count(trained.seeds, 'seed')} (least to greatest)"
    rows = tuple(
        Row(decimal(level, 4), tuple(_cells(level, trained.flips[level], solution)))
        for level, solution in solved.items()
    )
    return Table(title, "level", RUNGS, rows)


def _exact_table(solved: Mapping[Fraction, ChanceSolution]) -> Table:
    """What there is to see where nothing is trained."""
    rows = tuple(Row(decimal(level, 4), (_optimum(one),)) for level, one in solved.items())
    return Table("no network is trained yet", "level", (OPTIMUM,), rows)


def _optimum(solution: ChanceSolution) -> Cell:
    assert solution.value is not None
    return Cell((Figure(solution.value),))


def _cells(level: Fraction, found: Sequence[Flips], solution: ChanceSolution) -> Iterator[Cell]:
    yield _optimum(solution)
    for pick in (_best, _mixture, _episode, _step):
        pairs = [pair for one in found if (pair := pick(one)) is not None]
        yield _pairs(pairs, level) if pairs else Cell()
    measured = [one.measured for one in found if one.measured is not None]
    yield _measured(measured, level) if measured else Cell()


def _best(one: Flips) -> Pair | None:
    return one.best


def _mixture(one: Flips) -> Pair | None:
    return one.mixture


def _episode(one: Flips) -> Pair | None:
    return one.episode


def _step(one: Flips) -> Pair | None:
    return one.step


def _pairs(pairs: Sequence[Pair], level: Fraction) -> Cell:
    """Mean and range; marked where each risk is above the level."""
    figures = tuple(over_seeds(list(numbers)) for numbers in zip(*pairs, strict=True))
    return Cell(figures, over=all(risk > level for _, risk in pairs))


def _measured(found: Sequence[Any], level: Fraction) -> Cell:
    values: list[Number] = [one.value for one in found]
    risks: list[Number] = [one.risk for one in found]
    figures = tuple(
        Figure(over_seeds(seen).value, min(end.lo for end in ends), max(end.hi for end in ends))
        for seen, ends in (
            (values, [enclosed_value(one) for one in found]),
            (risks, [enclosed_risk(one) for one in found]),
        )
    )
    return Cell(figures, over=all(enclosed_risk(one).lo > level for one in found))


def _notes(
    request: Request, trained: Sequence[Trained], limits: Sequence[Fraction]
) -> Iterator[str]:
    for one in trained:
        missing = len(limits) * len(request.seeds) - len(one.networks)
        if missing:
            yield (
                f"{one.algorithm}: {count(missing, 'network')} of "
                f"{len(limits) * len(request.seeds)} not trained yet; leave --no-training out to "
                "train what is missing"
            )
    found = sorted({network.limit for one in trained for network in one.networks})
    if found:
        words = ", ".join(decimal(limit, 3) for limit in found)
        yield (
            f"networks were trained at the limits {words} and act greedily; "
            f"{request.episodes:,} fresh episodes each"
        )
    if 1 in found:
        yield "a network trained at the limit 1 has nothing that bounds its risk"


LADDERS: dict[str, Callable[[Request], Ladder]] = dict.fromkeys(
    (
        "policy-mixtures/episode-flip", "policy-mixtures/step-flip", "trained-policies/envelope",
        "trained-policies/episode-coin", "trained-policies/step-coin",
    ),
    flip_ladder,
)  # fmt: skip
"""Label -> what draws its ladder; one ladder shows all that is said of flips."""
