"""Claims on stages: levels are what a known multiplier's policy reaches, and balls decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import flint
from sympy import exp

from holdfast.solvers.alignment.multipliers import dual_value, enclose_multiplier
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.stepwise import (
    merge_logits,
    realign,
    smallest_safe_merge,
    stages,
)
from holdfast.solvers.alignment.tilts import log_partition, mean, objective, ready, tilt
from holdfast.theory import Eq, Le, Quantity
from holdfast.theory.alignment import stepwise as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Ball, Values
from ..families import stepwise as families
from ..families.stepwise import ALLIED, KNOWN, SEVERAL, Known, Policies, Several
from ..landmarks import stepwise as landmarks
from ..together import together

Balls = Mapping[Quantity, flint.arb]

_TWO = KNOWN.with_landmarks(
    two=lambda: (landmarks.two_responses(),),
    cold=lambda: (landmarks.two_responses("1/2", "1/10"),),
)


def _dual(case: Known, multiplier: Any) -> flint.arb:
    levels = [case.level()]
    return dual_value(case.problem, case.problem.safety[None], [ready(multiplier)], levels)


@claim(theory.duality, over=_TWO.along(families.some_policy, families.other_multiplier))
def duality(case: Known, other: Policies, multiplier: Fraction) -> Iterator[Values]:
    """The multiplier comes from the solver, which knows only the level."""

    def found() -> Balls:
        lam = (
            ready(case.multiplier) if case.slack else enclose_multiplier(case.problem, case.level())
        )
        best, rival = case.tilted(lam), other(case)
        return {
            theory.lam: lam,
            theory.R_star: case.value(best),
            theory.G_star: case.safety(best),
            theory.b: case.level(),
            theory.dual: _dual(case, lam),
            theory.R_other: case.value(rival),
            theory.G_other: case.safety(rival),
            theory.dual_other: _dual(case, multiplier),
        }

    yield together(found, *theory.duality.quantities)


_BOUND = (theory.R_star - theory.R_slater) / theory.xi
M4 = NamedMutant("M4-half", Le(theory.lam, _BOUND / 2), "half of what the Slater point loses")


@claim(
    theory.multiplier_bound,
    over=_TWO.along(families.slater_policy).with_landmarks(
        coarse=lambda: (landmarks.coarse(), lambda known: known.tilted(Fraction(3, 50)))
    ),
    mutants=(M4,),
)
def multiplier_bound(case: Known, slater: Policies) -> Iterator[Values]:
    def found() -> Balls:
        point = slater(case)
        return {
            theory.R_star: case.value(case.tilted(case.multiplier)),
            theory.R_slater: case.value(point),
            theory.xi: case.safety(point) - case.level(),
        }

    quantities = (theory.R_star, theory.R_slater, theory.xi)
    yield {theory.lam: case.multiplier, **together(found, *quantities)}


def _larger(draw: Draw, case: Known) -> Fraction:
    return case.multiplier + draw.choice(tuple(map(Fraction, ("1/20", "1/2", "2"))))


@claim(theory.frontier, over=_TWO.along(_larger))
def frontier(case: Known, larger: Fraction) -> Iterator[Values]:
    def found() -> Balls:
        low, high = case.tilted(case.multiplier), case.tilted(larger)
        return {
            theory.R_low: case.value(low),
            theory.R_high: case.value(high),
            theory.G_low: case.safety(low),
            theory.G_high: case.safety(high),
        }

    quantities = (theory.R_low, theory.R_high, theory.G_low, theory.G_high)
    yield {theory.low: case.multiplier, theory.mu: larger, **together(found, *quantities)}


def _both(problem: Problem, multiplier: Any) -> Any:
    return ready(problem.rewards) + ready(multiplier) * ready(problem.safety)


_ONE, _TWO_STAGES = (
    Quantity("one_shot", "probability, both at once"),
    Quantity("two_stages", "probability, one after the other"),
)


def _forward() -> Iterator[Values]:
    """E f less KL(reference | pi) is largest at reference/(nu - f), here for the second of two
    responses of reward 0 and 3/4, then 0 and 7/12, and at once 0 and 4/3.

    By hand: nu = 3/2 gives (1/3, 2/3); then nu solves nu^2 - 19/12 nu + 7/36 = 0; at once nu = 2
    gives (1/4, 3/4).
    """

    def second() -> flint.arb:
        nu = (19 + flint.arb(249).sqrt()) / 24
        return 1 - 1 / (3 * nu)

    yield {_ONE: Fraction(3, 4), _TWO_STAGES: Ball(second)}


def _chi_square() -> Iterator[Values]:
    """E f less chi^2(pi | reference)/2 is largest at reference (1 + f - E f), even odds, rewards
    and safeties 0 and 1/2: (3/8, 5/8), then 5/8 (1 + 1/2 - 5/16); at once 1/2 (1 + 1/2)."""
    yield {_ONE: Fraction(3, 4), _TWO_STAGES: Fraction(5, 8) * Fraction(19, 16)}


_SAME = Eq(_TWO_STAGES, _ONE)
_BY_BETA = Quantity("by_beta", "pi_r tilted by g with weight beta", latex=r"T^\beta_g\pi_r")


def _plain_stage() -> Iterator[Values]:
    """Multiplier 2: the second stage with the KL weight of the first one."""
    case = landmarks.two_responses()
    first = partial(case.tilted, 0)
    yield {
        theory.pi_star: Ball(lambda: case.tilted(2)[0, 1]),
        _BY_BETA: Ball(lambda: realign(first(), case.problem.safety, 1, 1)[0, 1]),
    }


@claim(
    theory.composition,
    over=_TWO.along(families.response),
    mutants=(
        NamedMutant("M1-beta", Eq(_BY_BETA, theory.pi_star), "stage 2 with beta", _plain_stage),
        NamedMutant(
            "M1-exponent",
            Eq(theory.pi_star, theory.pi_r * exp(theory.g / theory.beta) / theory.Y),
            "no multiplier in the exponent",
        ),
        NamedMutant("M2-forward", _SAME, "stages of forward KL compose", _forward),
        NamedMutant("M2-chi-square", _SAME, "stages of chi^2 compose", _chi_square),
    ),
)
def composition(case: Known, at: tuple[int, int]) -> Iterator[Values]:
    problem, lam = case.problem, case.multiplier

    def found() -> Balls:
        first = tilt(problem.reference, problem.rewards, problem.temperature)
        both, alone = (
            log_partition(problem.reference, f, problem.temperature)[at[0]]
            for f in (_both(problem, lam), problem.rewards)
        )
        return {
            theory.pi_star: case.tilted(lam)[at],
            theory.pi_r: first[at],
            theory.realigned: realign(first, problem.safety, problem.temperature, lam)[at],
            theory.Y: (both - alone).exp(),
        }

    quantities = (theory.pi_star, theory.pi_r, theory.realigned, theory.Y)
    yield {
        theory.lam: lam,
        theory.beta: problem.temperature,
        theory.g: problem.safety[at],
        **together(found, *quantities),
    }


@claim(theory.order, over=_TWO.along(families.response))
def order(case: Known, at: tuple[int, int]) -> Iterator[Values]:
    problem = case.problem

    def found() -> Balls:
        safety = ready(problem.safety) * ready(case.multiplier)
        two = [(problem.rewards, problem.temperature), (safety, problem.temperature)]
        return {
            theory.reward_first: stages(problem.reference, two)[at],
            theory.safety_first: stages(problem.reference, two[::-1])[at],
        }

    yield together(found, *theory.order.quantities)


_RATIO = Quantity("Z_ratio", "Z of r + sum lam_i g_i over Z of r", latex="Z_h/Z_r")


def _normaliser() -> Iterator[Values]:
    case = landmarks.one_idle()
    logs = partial(log_partition, case.problem.reference, temperature=1)
    both = case.problem.rewards + 2 * case.safeties[0]
    yield {
        theory.Y_n: 1,
        _RATIO: Ball(lambda: (logs(both)[0] - logs(case.problem.rewards)[0]).exp()),
    }


@claim(
    theory.several,
    over=SEVERAL.along(families.response),
    mutants=(NamedMutant("M22-ratio", Eq(theory.Y_n, _RATIO), "Y_n is Z_h/Z_r", _normaliser),),
)
def several(case: Several, at: tuple[int, int]) -> Iterator[Values]:
    problem = case.problem

    def found() -> Balls:
        policy = tilt(problem.reference, problem.rewards, problem.temperature)
        for safety, multiplier in zip(case.safeties, case.multipliers, strict=True):
            policy = realign(policy, safety, problem.temperature, multiplier)
        return {
            theory.pi_star: case.tilted()[at],
            theory.composed: policy[at],
            theory.Y_n: policy[at[0]].sum(),
        }

    yield together(found, *theory.several.quantities)


def _factor(draw: Draw, case: Several) -> Fraction:
    """By how much the multipliers of the Slater point are larger."""
    return draw.choice(tuple(map(Fraction, ("21/20", "3/2", "4"))))


@claim(
    theory.shared_bound,
    over=ALLIED.along(_factor).with_landmarks(
        idle=lambda: (landmarks.one_idle(), Fraction(101, 100))
    ),
)
def shared_bound(case: Several, factor: Fraction) -> Iterator[Values]:
    """The levels are what the optimum reaches."""
    problem = case.problem

    def found() -> Balls:
        best, point = case.tilted(), case.tilted(ready(factor))
        safety = partial(mean, ready(problem.prompt_law))
        rooms = [safety(point, ready(g)) - safety(best, ready(g)) for g in case.safeties]
        value = partial(
            objective,
            problem.prompt_law,
            reference=problem.reference,
            f=problem.rewards,
            temperature=problem.temperature,
        )
        pairs = list(zip(case.multipliers, rooms, strict=True))
        lost = value(best) - value(point)
        spare = [lost / xi - ready(lam) for lam, xi in pairs if lam and xi > 0]
        return {
            theory.paid: sum((ready(lam) * xi for lam, xi in pairs), flint.arb(0)),
            theory.R_star: value(best),
            theory.R_slater: value(point),
            theory.own_bound: min(spare, default=flint.arb(0)),
        }

    yield together(found, *theory.shared_bound.quantities)


def _weight(draw: Draw, case: Known) -> Fraction:
    return Fraction(draw.integer(1, 7), 8)


_MIXED = Quantity("mixed", "probabilities averaged", latex=r"(1-q)\pi_r+q\pi_{\bar\lambda}")


def _probabilities() -> Iterator[Values]:
    case = landmarks.two_responses()
    half = Fraction(1, 2)
    yield {
        theory.at_q: Ball(lambda: case.tilted(2 * half)[0, 1]),
        _MIXED: Ball(lambda: (case.tilted(0) + case.tilted(2))[0, 1] / 2),
    }


@claim(
    theory.merge,
    over=_TWO.along(_weight, families.response),
    mutants=(
        NamedMutant("M3-mixture", Eq(_MIXED, theory.at_q), "probabilities", _probabilities),
        NamedMutant("M3-naive", Eq(theory.naive, theory.at_q), "the naive merge keeps r"),
    ),
)
def merge(case: Known, weight: Fraction, at: tuple[int, int]) -> Iterator[Values]:
    problem = case.problem

    def found() -> Balls:
        safe = tilt(problem.reference, case.multiplier * problem.safety, problem.temperature)
        thinner = (1 - weight) * problem.rewards + weight * case.multiplier * problem.safety
        return {
            theory.merged: merge_logits(case.tilted(0), case.tilted(case.multiplier), weight)[at],
            theory.at_q: case.tilted(weight * case.multiplier)[at],
            theory.naive: merge_logits(case.tilted(0), safe, weight)[at],
            theory.diluted: tilt(problem.reference, thinner, problem.temperature)[at],
        }

    yield together(found, *theory.merge.quantities)


def _conservative(draw: Draw, case: Known) -> Fraction:
    return case.multiplier + draw.choice(tuple(map(Fraction, ("1", "1/4", "5"))))


@claim(theory.smallest_merge, over=_TWO.along(_conservative))
def smallest_merge(case: Known, larger: Fraction) -> Iterator[Values]:
    """Both by root finding that knows the level alone."""
    problem = case.problem

    def found() -> Balls:
        level = case.level()
        first, safe = case.tilted(0), case.tilted(larger)
        return {
            theory.lam: enclose_multiplier(problem, level) if case.multiplier else ready(0),
            theory.q_safe: smallest_safe_merge(
                problem.prompt_law, first, safe, problem.safety, level
            ),
        }

    yield {theory.lam_bar: larger, **together(found, theory.lam, theory.q_safe)}
