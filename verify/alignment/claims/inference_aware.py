"""Claims on inference-aware alignment: all groups in rationals, descent in balls."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import prod
from typing import Any

import flint

from holdfast.solvers.alignment.best_of_n import best_value, first_variation, groups
from holdfast.solvers.alignment.inference_aware import (
    Goal,
    enclose,
    minimize,
    plug_in_derivative,
    unbiased_derivative,
)
from holdfast.solvers.alignment.tilts import ready
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq, Ge, Le
from holdfast.theory.alignment import inference_aware as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ...hypergradient.families.points import array
from ..families import choices as families
from ..families import goals
from ..families.choices import Choice
from ..families.goals import Noisy
from ..landmarks import inference_aware as landmarks
from ..noise import far, half_span
from ..noise import inexact as noisy
from ..together import together


def _root(draw: Draw) -> tuple[Fraction, int]:
    """s with y/(1 - y) = s^(N - 1), and N."""
    return Fraction(draw.integer(1, 9), draw.integer(1, 9)), draw.integer(2, 8)


def _one_over_N() -> Iterator[Values]:
    """y = 8/9, N = 4: y/(1 - y) = 8, and F/(1 - F) its fourth root."""

    def sides() -> dict[Any, flint.arb]:
        F = 1 - 1 / (1 + flint.arb(8).root(4))
        return {theory.rising: 32 * (1 - F) ** 3 / 9, theory.falling: 4 * F**3 / 9}

    yield {**together(sides, theory.rising, theory.falling)}


@claim(
    theory.two_goals,
    over=Family("responses in (0, 1)", _root),
    mutants=(NamedMutant("M21-one-over-N", theory.two_goals.parts[0], "a = 1/N", _one_over_N),),
)
def two_goals(case: tuple[Fraction, int]) -> Iterator[Values]:
    s, N = case
    y, F = s ** (N - 1) / (1 + s ** (N - 1)), s / (1 + s)
    yield {theory.rising: N * y * (1 - F) ** (N - 1), theory.falling: N * (1 - y) * F ** (N - 1)}


@claim(
    theory.aggregates,
    over=goals.goals()
    .along(goals.other, goals.other)
    .with_landmarks(
        **{f"extremal_{n}": partial(landmarks.extremal, n) for n in (2, 3, 8)},
        away=landmarks.away,
        lowered=partial(landmarks.lowered, 1),
        lowered_back=partial(landmarks.lowered, -1),
        bent=landmarks.bent,
        bent_little=partial(landmarks.bent, Fraction(1, 2)),
        bent_much=partial(landmarks.bent, Fraction(2)),
    ),
    mutants=(
        NamedMutant(
            "IAMA-half",
            Ge(theory.after, theory.value + theory.along - theory.L * theory.moved / 2),
            "half of the constant of a sum, none for the smooth minimum",
        ),
    ),
)
def aggregates(goal: Goal, policy: Array, other: Array) -> Iterator[Values]:
    def found() -> dict[Any, flint.arb]:
        laws, others = ready(policy), ready(other)
        return {
            theory.value: goal.value(laws),
            theory.after: goal.value(others),
            theory.along: (goal.variation(laws) * (others - laws)).sum(),
            theory.moved: far(others, laws),
        }

    if (policy == other).all():
        return
    spreads = goal.rewards.max(axis=1) - goal.rewards.min(axis=1)
    reach = max(n * spread for n, spread in zip(goal.counts, spreads, strict=True))
    sharpness = goal.sharpness or 0
    yield {
        theory.L: goal.certified() - sharpness * reach**2 / 4,
        theory.sharpness: sharpness,
        theory.reach: reach,
        **together(found, theory.value, theory.after, theory.along, theory.moved),
    }


def _change(draw: Draw) -> Fraction:
    return Fraction(1, draw.integer(3, 200))


@claim(
    theory.minimum,
    over=Family("changes of a probability", _change),
    mutants=(
        NamedMutant(
            "IAMA-smooth-minimum",
            Ge(theory.lower + theory.upper, 2 * theory.middle - 10 * theory.both_far),
            "smooth relative to KL with constant 10",
        ),
    ),
    survivors=dict.fromkeys(
        ("11*both_far/10 <= 8*e**2", "both_far <= 36*e**2/5"), "true: KL of both is near 4e^2"
    ),
)
def minimum(e: Fraction) -> Iterator[Values]:
    def least(policy: Array) -> Fraction:
        found: Any = min(policy @ array([1, 0]), policy @ array([0, 1]))
        return found

    half, change = array([Fraction(1, 2)] * 2), array([e, -e])
    yield {
        theory.e: e,
        theory.lower: least(half - change),
        theory.upper: least(half + change),
        theory.middle: least(half),
        theory.both_far: Ball(
            lambda: sum(far(ready(half + sign * change), ready(half)) for sign in (1, -1))
        ),
    }


_MIDDLE = (2 * theory.least_middle, theory.least + theory.least_other)


@claim(
    theory.sharp,
    over=goals.goals(smooth=True)
    .along(goals.other, goals.other)
    .with_landmarks(
        heavy=partial(landmarks.alone, Fraction(2)),
        light=partial(landmarks.alone, Fraction(1, 2)),
        equal=landmarks.equal,
        opposite=partial(landmarks.equal, -1),
    ),
    mutants=(NamedMutant("IAMA-convex", Le(*_MIDDLE), "the minimum is convex"),),
)
def sharp(goal: Goal, policy: Array, other: Array) -> Iterator[Values]:
    def least(law: Array) -> Fraction:
        rows = zip(goal.rewards, goal.counts, strict=True)
        return min(best_value(law, row, n) for row, n in rows)

    def logs() -> dict[Any, flint.arb]:
        weights, sharpness = ready(goal.weights), ready(array([goal.sharpness]))[0]
        return {
            theory.value: goal.value(ready(policy)),
            theory.total: -weights.sum().log() / sharpness,
            theory.lightest: -ready(array([min(goal.weights)]))[0].log() / sharpness,
        }

    yield {
        theory.least: least(policy),
        theory.least_other: least(other),
        theory.least_middle: least((policy + other) / 2),
        **together(logs, theory.value, theory.total, theory.lightest),
    }


def _size(draw: Draw, case: Choice) -> int:
    return case.n + draw.integer(0, 4 - case.n)


_GROUPS = families.choices(most=3, responses=3).along(_size)


@claim(theory.unbiased, over=_GROUPS)
def unbiased(case: Choice, M: int) -> Iterator[Values]:
    means = [Fraction(0)] * 2
    for y in (0, 1):
        for others in product(range(len(case.policy)), repeat=M - 1):
            paid = unbiased_derivative(case.rewards[[y, *others]], case.n)[0]
            means[y] += paid * prod(case.policy[list(others)])
    slope = first_variation(case.policy, case.rewards, case.n)
    yield {theory.derivative: means[0] - means[1], theory.slope: slope[0] - slope[1]}


@claim(
    theory.baseline,
    over=_GROUPS,
    mutants=(
        NamedMutant("M19-one", Eq(theory.update, (1 - 1 / theory.M) * theory.gradient), "1 - 1/M"),
    ),
)
def baseline(case: Choice, M: int) -> Iterator[Values]:
    update = Fraction(0)
    for group in product(range(len(case.policy)), repeat=M):
        paid = unbiased_derivative(case.rewards[list(group)], case.n)
        paid = paid - paid.sum() / M
        score = [(y == 0) - case.policy[0] for y in group]
        update += prod(case.policy[list(group)]) * sum(map(lambda a, b: a * b, paid, score)) / M
    slope = first_variation(case.policy, case.rewards, case.n)
    gradient = case.policy[0] * (slope[0] - (case.policy * slope).sum())
    yield {theory.update: update, theory.gradient: gradient, theory.n: case.n, theory.M: M}


def _descent(
    goal: Goal,
    start: Array,
    target: Array | None,
    counts: tuple[int, ...],
    *,
    share: Fraction = Fraction(1),
    plain: bool = False,
) -> Iterator[Values]:
    """From the start, beside a target or the enclosed optimum, with the constant times `share`;
    plain: by the rewards alone."""
    L = goal.certified() * share
    about = minimize(goal) if target is None else None

    @cache
    def path(precision: int) -> dict[int, dict[Any, flint.arb]]:
        del precision  # the working precision, as in `together`
        best, least = enclose(goal, about) if target is None else (ready(target), None)
        least = goal.loss(best) if least is None else least
        away = far(best, ready(start))
        slope = (ready(goal.weights)[:, None] * ready(goal.rewards)).sum(axis=0) if plain else None
        policies = [ready(start)]
        for _ in range(max(counts)):
            policies.append(goal.step(policies[-1], L, slope))
        return {T: {theory.gap: goal.loss(policies[T]) - least, theory.far: away} for T in counts}

    for T in counts:
        values: dict[Any, Any] = {
            **together(lambda T=T: path(flint.ctx.prec)[T], theory.gap, theory.far)  # type: ignore[misc]
        }
        if target is not None and (start == target).all():
            values[theory.far] = 0
        growth = ((L + goal.temperature) / L) ** T - 1
        yield {theory.beta: goal.temperature, theory.growth: growth, **values}


def _plain() -> Iterator[Values]:
    yield from _descent(*landmarks.opposed(), (4,), plain=True)


def _scaled(share: Fraction) -> Iterator[Values]:
    yield from _descent(*landmarks.extremal_start(), (1,), share=share)


@claim(
    theory.rate,
    over=goals.goals()
    .along(goals.other, goals.other)
    .with_landmarks(
        opposed=landmarks.opposed,
        hot=landmarks.hot,
        far=landmarks.far_start,
        rarely=landmarks.rarely,
    ),
    mutants=(
        NamedMutant("IAMA-plain-reward", theory.rate.parts[0], "by the rewards alone", _plain),
        NamedMutant(
            "IAMA-tenth",
            theory.rate.parts[0],
            "a tenth of the constant",
            partial(_scaled, Fraction(1, 10)),
        ),
        NamedMutant(
            "IAMA-long-steps", theory.rate.parts[0], "steps 30/L", partial(_scaled, Fraction(1, 30))
        ),
    ),
)
def rate(goal: Goal, start: Array, target: Array) -> Iterator[Values]:
    yield from _descent(goal, start, target, (1, 3))


@claim(theory.rate, over=goals.goals().along(goals.other), tag="optimum")
def optimum(goal: Goal, start: Array) -> Iterator[Values]:
    """Beside the best policy, which Newton's method and a dual bound enclose."""
    yield from _descent(goal, start, None, (1, 2, 4, 8))


_HALF = (
    "true for one step, where half of the term suffices: -beta K + |f| sqrt(2 K) <= |f|^2/(2 beta) "
    "for K = KL(best|iterate); undecided for more, where differential evolution needs 0.25 of it"
)


def _from_zero() -> Iterator[Values]:
    yield noisy(landmarks.noiseless()[0], 0)


@claim(
    theory.inexact,
    over=goals.noisy().with_landmarks(
        noiseless=landmarks.noiseless,
        wrong_slope=partial(landmarks.noise, Fraction(3), Fraction(0)),
        wrong_step=partial(landmarks.noise, Fraction(0), Fraction(3)),
        cold=landmarks.cold,
        rarely=landmarks.rarely_exact,
    ),
    mutants=(
        NamedMutant("M18-from-0", theory.inexact.parts[0], "iterates 0, .., T - 1", _from_zero),
        NamedMutant(
            "IAMA-no-noise",
            Le(theory.mean_gap, theory.beta * theory.far / (2 * theory.half)),
            "without the errors",
        ),
    ),
    survivors=dict.fromkeys(
        (
            "mean_gap <= beta*far/(2*half) + 9*(2*error + 2*residual)/(10*beta)",
            "mean_gap <= beta*far/(2*half) + (9*error/5 + 2*residual)/beta",
            "mean_gap <= beta*far/(2*half) + (2*error + 9*residual/5)/beta",
        ),
        _HALF,
    ),
)
def inexact(case: Noisy) -> Iterator[Values]:
    yield noisy(case)


_PAIRS = families.choices(least=2, most=2, responses=3).along(lambda draw, case: draw.integer(2, 4))


@claim(
    theory.plug_in,
    over=_PAIRS,
    mutants=(
        NamedMutant(
            "IAMA-proportional",
            Eq(theory.update * theory.other_gradient, theory.other_update * theory.gradient),
            "a multiple of the gradient",
        ),
    ),
)
def plug_in(case: Choice, M: int) -> Iterator[Values]:
    updates = [Fraction(0)] * 2
    for group, chance in groups(case.policy, M):
        paid = plug_in_derivative(case.rewards[list(group)], 2)
        paid = paid - paid.sum() / M
        for z in (0, 1):
            updates[z] += chance * sum(a * (y == z) for a, y in zip(paid, group, strict=True)) / M
    best, one = (
        case.policy * (slope - (case.policy * slope).sum())
        for slope in (first_variation(case.policy, case.rewards, 2), case.rewards)
    )
    yield {
        theory.M: M,
        theory.update: updates[0],
        theory.other_update: updates[1],
        theory.gradient: best[0],
        theory.other_gradient: best[1],
        theory.plain: one[0],
        theory.other_plain: one[1],
    }


@claim(
    theory.group_error,
    over=families.choices(least=2, responses=3)
    .along(lambda draw, case: draw.integer(1, 4))
    .with_landmarks(
        attained=landmarks.coin,
        many=partial(landmarks.coin, 3, 4),
        low=partial(landmarks.coin, spread=Fraction(1, 2)),
        high=partial(landmarks.coin, spread=Fraction(2)),
    ),
    survivors={"missed <= n**2*spread**2*(-n - 1)**2/(16*M)": "true: the bound is larger"},
)
def group_error(case: Choice, M: int) -> Iterator[Values]:
    if (case.rewards == case.rewards[0]).all():
        return
    true, missed = first_variation(case.policy, case.rewards, case.n), Fraction(0)
    for group, chance in groups(case.policy, M):
        shares = array([Fraction(group.count(y), M) for y in range(len(true))])
        off = half_span(first_variation(shares, case.rewards, case.n) - true)
        missed += chance * off * off
    yield {
        theory.missed: missed,
        theory.n: case.n,
        theory.M: M,
        theory.spread: case.rewards.max() - case.rewards.min(),
    }
