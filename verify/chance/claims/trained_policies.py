"""Claims on what holds of every policy, trained or not, in fractions on drawn problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import comb

from holdfast.solvers.chance import (
    ChanceProblem,
    evaluate_episode_flip,
    evaluate_policy,
    evaluate_step_flip,
    minimum_risk,
    solve,
)
from holdfast.solvers.chance.horizon.dynamics import Dynamics
from holdfast.solvers.chance.horizon.faces import Faces
from holdfast.theory import Ge, Le
from holdfast.theory.chance import trained_policies as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, Family, OutOfScope
from ...binding.values import Values
from ..families.problems import chance_problems
from ..landmarks.problems import g8
from ..landmarks.windows import corridor

Table = tuple[tuple[tuple[int, ...], ...], ...]
"""A choice for each time, memory and state."""


def table(draw: Draw, problem: ChanceProblem, *_: object) -> Table:
    """A deterministic policy of time, memory and state."""
    states = range(problem.model.n_states)
    return tuple(
        tuple(tuple(draw.choice(problem.choices(s)) for s in states) for _ in range(problem.levels))
        for _ in range(problem.horizon)
    )


def share(draw: Draw, *_: object) -> Fraction:
    """A probability."""
    return Fraction(draw.integer(0, 8), 8)


def _levels(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    """Where two levels lie between the least risk and 1."""
    return Fraction(draw.integer(0, 7), 8), Fraction(draw.integer(0, 7), 8)


_PROBLEMS = chance_problems(undiscounted=True)


@claim(
    theory.envelope,
    over=_PROBLEMS.along(table, _levels),
    mutants=(
        NamedMutant(
            "without the multiplier",
            Le(theory.J_policy, theory.V_level),
            "a policy of more risk is worth no more either",
        ),
    ),
)
def envelope(
    problem: ChanceProblem, table: Table, levels: tuple[Fraction, Fraction]
) -> Iterator[Values]:
    """The drawn policy, then two that are optimal at another level, against the optimum at one."""
    least = minimum_risk(problem).risk
    if least == 1:
        raise OutOfScope("every policy meets an unsafe state; a level is below 1")
    level, other = (least + part * (1 - least) for part in levels)
    best, second = solve(problem, level), solve(problem, other)
    assert best.value is not None and second.safer is not None and second.bolder is not None
    points = (evaluate_policy(problem, table), *(
        (end.value, end.risk) for end in (second.safer, second.bolder)
    ))  # fmt: skip
    for value, risk in points:
        yield {
            theory.J_policy: value,
            theory.risk: risk,
            theory.V_level: best.value,
            theory.multiplier: best.multiplier,
            theory.alpha: level,
        }


def _prices(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    """Two prices of a violation."""
    return Fraction(draw.integer(0, 12), 2), Fraction(draw.integer(0, 12), 2)


Priced = tuple[Fraction, Fraction, Fraction]
"""(value, risk, price) of a policy, UN-normalised."""


def priced(faces: Faces, first: Priced, second: Priced) -> Values:
    """Both sides for two policies of one problem."""
    gaps = []
    for value, risk, paid in (first, second):
        best = faces.at(paid).safer
        gaps.append(best.value - paid * best.risk - (value - paid * risk))
    return {
        theory.lam_high: first[2],
        theory.lam_low: second[2],
        theory.risk_dear: first[1],
        theory.risk_cheap: second[1],
        theory.gap_dear: gaps[0],
        theory.gap_cheap: gaps[1],
    }


def _swapped(risky_pays: Fraction, safe_pays: Fraction, *, risky_first: bool = True) -> Case:
    """One step, safe for 0 or unsafe for 4: the risky policy pays more than 4, the safe one less.

    The gaps are what is paid less 4 and 4 less what is paid, the risks 1 and 0, so that both sides
    are the difference of the prices.
    """
    risky, safe = (((choices,) * 2,) for choices in ((0, 2, 4), (1, 2, 4)))
    if risky_first:
        return g8(1, 4), risky, safe, (risky_pays, safe_pays)
    return g8(1, 4), safe, risky, (safe_pays, risky_pays)


@claim(
    theory.price,
    over=_PROBLEMS.along(table, table, _prices).with_landmarks(
        swapped=lambda: _swapped(Fraction(6), Fraction(5, 2)),
        reversed=lambda: _swapped(Fraction(6), Fraction(5, 2), risky_first=False),
        free=lambda: _swapped(Fraction(5), Fraction(0)),
    ),
)
def price(
    problem: ChanceProblem, one: Table, other: Table, prices: tuple[Fraction, Fraction]
) -> Iterator[Values]:
    """Two drawn policies, then each price's optimum with the other price."""
    faces = Faces.of(Dynamics.of(problem))
    points = [evaluate_policy(problem, each) for each in (one, other)]
    yield priced(faces, (*points[0], prices[0]), (*points[1], prices[1]))
    best = [faces.at(paid).safer for paid in prices]
    yield priced(
        faces, (best[1].value, best[1].risk, prices[0]), (best[0].value, best[0].risk, prices[1])
    )


def room(draw: Draw, *_: object) -> Fraction:
    """What share of the way from the average risk to 1 the level lies above it."""
    return draw.choice((Fraction(0), Fraction(1, 8), Fraction(1, 2)))


def _too_low(draw: Draw, *_: object) -> Fraction:
    return -Fraction(1, draw.integer(2, 8))


def _averaged(
    problem: ChanceProblem, first: Table, second: Table, weight: Fraction, above: Fraction
) -> tuple[Fraction, Fraction, Fraction]:
    """(risk of the first, of the second, level): above the average of the risks, or below it."""
    risks = [evaluate_policy(problem, table)[1] for table in (first, second)]
    average = (1 - weight) * risks[0] + weight * risks[1]
    return risks[0], risks[1], average + above * (1 - average if above > 0 else average)


def timed_corridor() -> Case:
    """(problem, left then left, right then right, 1/2, nothing above): each is safe, level 0."""
    problem, *_, half = corridor()
    left, right = (((choices,) * 2,) * 2 for choices in ((0, 2, 4, 6, 7), (1, 3, 5, 6, 7)))
    return ChanceProblem(problem.model, problem.unsafe, 2), left, right, half, Fraction(0)


_FLIPS = _PROBLEMS.along(table, table, share)
_CORRIDOR = _FLIPS.along(room).with_landmarks(corridor=timed_corridor)


def _corridor_by_step() -> Iterator[Values]:
    """The corridor with the coin tossed in each step."""
    (values,) = step_coin.evaluate(*timed_corridor())
    yield {theory.risk_episode: values[theory.risk_step], theory.alpha: values[theory.alpha]}


@claim(
    theory.episode_coin,
    over=_CORRIDOR.with_controls(average=_FLIPS.along(_too_low)),
    mutants=(
        NamedMutant(
            "a coin in each step",
            Le(theory.risk_episode, theory.alpha),
            "it does not matter when the coin is tossed",
            _corridor_by_step,
        ),
    ),
)
def episode_coin(
    problem: ChanceProblem, first: Table, second: Table, weight: Fraction, above: Fraction
) -> Iterator[Values]:
    _, _, level = _averaged(problem, first, second, weight, above)
    _, risk = evaluate_episode_flip(problem, first, second, weight)
    yield {theory.risk_episode: risk, theory.alpha: level}


def _parts(
    problem: ChanceProblem, first: Table, second: Table, weight: Fraction, above: Fraction
) -> Values:
    one, other, _ = _averaged(problem, first, second, weight, above)
    return {theory.weight: weight, theory.risk_first: one, theory.risk_second: other}


@claim(
    theory.step_coin,
    over=_CORRIDOR.with_controls(average=_FLIPS.along(_too_low)),
    witness="corridor",
    shows=_parts,
)
def step_coin(
    problem: ChanceProblem, first: Table, second: Table, weight: Fraction, above: Fraction
) -> Iterator[Values]:
    _, _, level = _averaged(problem, first, second, weight, above)
    _, risk = evaluate_step_flip(problem, first, second, weight)
    yield {theory.risk_step: risk, theory.alpha: level}


def _extremes(problem: ChanceProblem) -> tuple[Fraction, Fraction]:
    """Bounds of the return of an episode: each step at its least, and at its largest."""
    rewards = problem.model.reward_vector().fractions()
    weights = [problem.model.discount**t for t in range(problem.horizon)]
    return min(rewards) * sum(weights), max(rewards) * sum(weights)


def _few(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    """(eps, share of others): all of it, half of it or nothing."""
    allowed = Fraction(draw.integer(0, 6), 12)
    return allowed, allowed * Fraction(draw.choice((2, 1, 0)), 2)


def _many(draw: Draw, *_: object) -> tuple[Fraction, Fraction]:
    return Fraction(draw.integer(0, 2), 12), Fraction(draw.integer(4, 12), 12)


def _opposite(risky_is_solved: bool) -> Case:
    """One step, safe for 0 or unsafe for certain and 1: both numbers move by all of eps."""
    risky, safe = (((choices,) * 2,) for choices in ((0, 2, 4), (1, 2, 4)))
    first, second = (risky, safe) if risky_is_solved else (safe, risky)
    return g8(1), first, second, (Fraction(1, 4), Fraction(1, 4))


def _dear() -> Case:
    """As `_opposite`, and 1000 more in any case: J is large, and what is allowed is 1/4."""
    _, first, second, shares = _opposite(True)
    return g8(1, floor=1000), first, second, shares


@claim(
    theory.shown,
    over=_PROBLEMS.along(table, table, _few)
    .with_landmarks(safe=lambda: _opposite(False), risky=lambda: _opposite(True), dear=_dear)
    .with_controls(few_others=_PROBLEMS.along(table, table, _many)),
)
def shown(
    problem: ChanceProblem, solved: Table, other: Table, shares: tuple[Fraction, Fraction]
) -> Iterator[Values]:
    allowed, followed = shares
    value, risk = evaluate_policy(problem, solved)
    shown_value, shown_risk = evaluate_episode_flip(problem, solved, other, followed)
    low, high = _extremes(problem)
    yield {
        theory.risk_shown: shown_risk,
        theory.risk: risk,
        theory.J_shown: shown_value,
        theory.J_policy: value,
        theory.eps: allowed,
        theory.span: high - low,
    }


@dataclass(frozen=True, slots=True)
class Choice:
    """Policies of known risks, so many sampled episodes of each, and what the choice goes by.

    bias: how far the samples are from the risk towards 1, as if of a riskier policy.
    """

    risks: tuple[Fraction, ...]
    samples: int
    safest: bool = True
    bias: Fraction = Fraction(0)


def _choices(*, safest: bool = True, bias: Fraction = Fraction(0)) -> Family:
    """One to three policies, up to four samples of each."""

    def base(draw: Draw) -> Choice:
        risks = tuple(Fraction(draw.integer(1, 11), 12) for _ in range(draw.integer(1, 3)))
        return Choice(risks, draw.integer(1, 4), safest, bias)

    words = "" if safest else ", the one that looks riskiest chosen"
    words += ", the samples biased" if bias else ""
    return Family(f"policies judged by a few samples{words}", base)


def _outcomes(case: Choice) -> Iterator[tuple[Fraction, tuple[int, ...]]]:
    """(probability, unsafe episodes of each policy), all that there are."""
    n = case.samples
    for counts in product(range(n + 1), repeat=len(case.risks)):
        chance = Fraction(1)
        for count, risk in zip(counts, case.risks, strict=True):
            seen = risk + case.bias * (1 - risk)
            chance *= comb(n, count) * seen**count * (1 - seen) ** (n - count)
        yield chance, counts


@claim(
    theory.chosen,
    over=_choices()
    .with_landmarks(one=lambda: (Choice((Fraction(1, 3),), 2),))
    .with_controls(fixed=_choices(bias=Fraction(1, 2)), looks_safest=_choices(safest=False)),
    mutants=(
        NamedMutant(
            "as it looked",
            Ge(theory.chosen_shown, theory.chosen_risk),
            "the samples that chose a policy show its risk",
        ),
    ),
)
def chosen(case: Choice) -> Iterator[Values]:
    seen, true = Fraction(0), Fraction(0)
    for chance, counts in _outcomes(case):
        taken = counts.index(min(counts) if case.safest else max(counts))
        seen += chance * Fraction(counts[taken], case.samples)
        true += chance * case.risks[taken]
    yield {theory.chosen_shown: seen, theory.chosen_risk: true}
