"""Claims on best-of-n: formulas against all tuples of responses, and bounds in rationals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import flint
import numpy as np
from sympy import log

from holdfast.solvers.alignment import best_of_n as solver
from holdfast.solvers.alignment.tilts import divergence as divergence_of
from holdfast.solvers.hypergradient.balls import elementwise
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq, Ge, Le
from holdfast.theory.alignment import best_of_n as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Ball, Values
from ...hypergradient.oracles.duals import line
from ..families import choices as families
from ..families.choices import Choice
from ..landmarks import best_of_n as landmarks
from ..oracles.tuples import best_of_tuples, best_with

_ONE = np.array([Fraction(1)], dtype=object)
"""The law of one prompt."""
_FORMULA = log(theory.n) - (theory.n - 1) / theory.n


@claim(theory.law, over=families.choices())
def law(case: Choice) -> Iterator[Values]:
    counted = best_of_tuples(case.policy, case.rewards, case.n)
    below, upto = solver.levels(case.policy, case.rewards)
    gaps, under = solver.steps(case.policy, case.rewards)
    for y in (0, len(counted) - 1):
        yield {
            theory.chosen: counted[y],
            theory.pi: case.policy[y],
            theory.F: upto[y],
            theory.F_below: below[y],
            theory.n: case.n,
            theory.R_n: (counted * case.rewards).sum(),
            theory.top: case.rewards.max(),
            theory.below: (gaps * under**case.n).sum() + Fraction(0),
        }


_RANKED = families.choices(most=6).along(families.in_order)


def _far(policy: Array, other: Array) -> Ball | int:
    """KL(policy | other)."""
    if (policy == other).all():
        return 0
    return Ball(lambda: divergence_of(_ONE, policy[None], other[None]))


@claim(
    theory.divergence,
    over=_RANKED.with_landmarks(
        few=partial(landmarks.atoms, 2), many=partial(landmarks.atoms, 9), same=landmarks.constant
    ),
    mutants=(
        NamedMutant("M7-equal", Eq(theory.KL, _FORMULA), "equality"),
        NamedMutant("M7-log", Le(theory.KL, log(theory.n) - 1), "log n - 1"),
    ),
    survivors={"KL <= log(11*n/10) - (n - 1)/n": "true: the bound is larger"},
)
def divergence(case: Choice, ranks: Array) -> Iterator[Values]:
    chosen = solver.best_of(case.policy, ranks, case.n)
    yield {theory.KL: _far(chosen, case.policy), theory.n: case.n}


@claim(
    theory.win_rate,
    over=families.choices(least=2, most=6)
    .along(families.in_order)
    .with_landmarks(
        few=partial(landmarks.atoms, 2), many=partial(landmarks.atoms, 9), same=landmarks.constant
    ),
)
def win_rate(case: Choice, ranks: Array) -> Iterator[Values]:
    chosen = solver.best_of(case.policy, ranks, case.n)
    below, upto = solver.levels(case.policy, ranks)
    yield {theory.win: (chosen * (below + upto)).sum() / 2, theory.n: case.n}


def _peak(n: int) -> flint.arb:
    """Of u - u^n, where its derivative vanishes."""
    u = flint.arb(n) ** (-1 / flint.arb(n - 1))
    return u - u**n


@claim(
    theory.gain,
    over=families.choices(most=6).with_landmarks(
        half=lambda: landmarks.two(2, Fraction(1, 2))[:1],
        third=lambda: landmarks.two(3, Fraction(4, 7))[:1],
    ),
    survivors={"-R_1 + R_n <= spread": "true: both are between the same rewards"},
)
def gain(case: Choice) -> Iterator[Values]:
    yield {
        theory.R_n: solver.best_value(case.policy, case.rewards, case.n),
        theory.R_1: (case.policy * case.rewards).sum(),
        theory.spread: case.rewards.max() - case.rewards.min(),
        theory.peak: Ball(lambda: _peak(case.n)) if case.n > 1 else 0,
        theory.KL: _far(solver.best_of(case.policy, case.rewards, case.n), case.policy),
    }


_MOVED = families.choices(most=3, responses=3).along(families.other)


@claim(
    theory.variation,
    over=_MOVED,
    mutants=(
        NamedMutant("IAMA-plain", Eq(theory.slope, theory.along_best), "without the factor n"),
    ),
)
def variation(case: Choice, other: Array) -> Iterator[Values]:
    """The derivative in dual numbers, over all tuples."""
    change = other - case.policy
    moving = best_of_tuples(line(case.policy, change), case.rewards, case.n)
    along = solver.first_variation(case.policy, case.rewards, case.n)
    yield {
        theory.slope: (moving * case.rewards).sum().slope,
        theory.along: (change * along).sum(),
        theory.along_best: (change * best_with(case.policy, case.rewards, case.n)).sum(),
        theory.n: case.n,
    }


_CONSTANT = theory.spread * (theory.n - 1) * (1 - 1 / theory.n) ** (theory.n - 1)


@claim(
    theory.smooth,
    over=families.choices(most=6)
    .along(families.other)
    .with_landmarks(
        **{f"extremal_{n}": partial(landmarks.extremal, n) for n in (2, 3, 8)},
        away=landmarks.away,
    ),
    survivors=dict.fromkeys(
        (
            "after >= R_n - far*spread*(11/10 - 1/n)**(n - 1)*(n - 1) + slope",
            "after >= R_n - far*spread*(n - 1) + slope",
            "after >= R_n - far*spread*(1 + 1/n)**(n - 1)*(n - 1) + slope",
            "after >= R_n - far*spread*(1 - 9/(10*n))**(n - 1)*(n - 1) + slope",
            "after >= R_n - far*spread*(1 - 1/n**2)**(n - 1)*(n - 1) + slope",
            "after >= R_n - far*spread*(n - 1)/(1 - 1/n) + slope",
            "after >= R_n - far*spread*(1 - 1/n)**(-n - 1)*(n - 1) + slope",
            "after >= R_n - far*spread*(1 - 1/n)**(9*n/10 - 1)*(n - 1) + slope",
        ),
        "true: the constant is larger",
    ),
    mutants=(
        NamedMutant(
            "M17-half",
            Ge(theory.after, theory.R_n + theory.slope - _CONSTANT * theory.far / 2),
            "half of the constant",
        ),
    ),
)
def smooth(case: Choice, other: Array) -> Iterator[Values]:
    along = solver.first_variation(case.policy, case.rewards, case.n)
    yield {
        theory.after: solver.best_value(other, case.rewards, case.n),
        theory.R_n: solver.best_value(case.policy, case.rewards, case.n),
        theory.slope: ((other - case.policy) * along).sum(),
        theory.spread: case.rewards.max() - case.rewards.min(),
        theory.n: case.n,
        theory.far: _far(other, case.policy),
    }


def _base(draw: Draw, *_: object) -> int:
    """e^(1/(2 temperature))."""
    return draw.choice((2, 4, 9))


def _weights(case: Choice, base: int) -> Array:
    found: Array = elementwise(lambda r: Fraction(base) ** int(2 * r), case.rewards)
    return found


_SOFT = families.choices(most=4).along(families.other, _base)


@claim(
    theory.soft_variation,
    over=_SOFT,
    mutants=(
        NamedMutant(
            "IAMA-uncentred", Eq(theory.soft_slope, theory.soft_along / theory.Z), "not centred"
        ),
    ),
)
def soft_variation(case: Choice, other: Array, base: int) -> Iterator[Values]:
    change, weights = other - case.policy, _weights(case, base)
    found = solver.soft_ratio(line(case.policy, change), case.rewards, weights)
    yield {
        theory.soft_slope: found.slope,
        theory.soft_along: (change * weights * case.rewards).sum(),
        theory.soft_weight: (change * weights).sum(),
        theory.soft: solver.soft_value(case.policy, case.rewards, weights),
        theory.Z: (case.policy * weights).sum(),
    }


@claim(
    theory.soft_mixture,
    over=_SOFT.with_landmarks(not_concave=landmarks.not_concave),
    mutants=(
        NamedMutant(
            "M20-soft-concave",
            Ge(theory.soft_middle, (theory.soft + theory.soft_other) / 2),
            "soft best-of-n is concave",
        ),
    ),
)
def soft_mixture(case: Choice, other: Array, base: int) -> Iterator[Values]:
    weights, middle = _weights(case, base), (case.policy + other) / 2
    yield {
        theory.soft: solver.soft_value(case.policy, case.rewards, weights),
        theory.soft_other: solver.soft_value(other, case.rewards, weights),
        theory.soft_middle: solver.soft_value(middle, case.rewards, weights),
        theory.Z: (case.policy * weights).sum(),
        theory.Z_other: (other * weights).sum(),
        theory.R_n: solver.best_value(case.policy, case.rewards, case.n),
        theory.after: solver.best_value(other, case.rewards, case.n),
        theory.best_middle: solver.best_value(middle, case.rewards, case.n),
    }
