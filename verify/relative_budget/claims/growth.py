"""Claims on the growth of the relative budget: roots enclosed by a change of sign, in balls."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import flint
import sympy

from holdfast.solvers.relative_budget.enclosures import (
    enclosed_moments,
    enclosed_requirement,
    gamma_density,
)
from holdfast.solvers.relative_budget.online import enclosed_next_budget, scheduled_path
from holdfast.theory import Ge, Le
from holdfast.theory.relative_budget import growth as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.values import Ball, Values
from ..families import gamma as families
from ..families.gamma import Budget

_STEP = theory.xi_next - theory.xi


def _deviation(shape: Fraction, xi: flint.arb) -> flint.arb:
    """s at a budget that may be enclosed."""
    return enclosed_moments(gamma_density(shape), xi).deviation / xi


def _scheduled(shape: Fraction, xi: flint.arb) -> flint.arb:
    return 1 / (to_arb(shape) * xi**2)


def _ends(case: Budget, kappa: Fraction) -> Values:
    """One step by the radius kappa."""
    shape, xi = case.shape, case.budget
    return {
        theory.xi_next: Ball(lambda: enclosed_next_budget(shape, to_arb(xi), to_arb(kappa))),
        theory.xi: xi,
        theory.K: shape,
    }


def _next(case: Budget) -> Ball:
    return Ball(lambda: gamma_density(case.shape).partial_moment(1, to_arb(case.budget)))


def _s(case: Budget) -> Ball:
    return Ball(lambda: _deviation(case.shape, to_arb(case.budget)))


_PEAK = "not known to be false: s is largest at some xi > 1"


@claim(
    theory.slope,
    over=families.BUDGETS,
    survivors={
        "F_next <= sqrt(K)*xi": "true: s <= 1/2",
        "sqrt(K)*s <= 1": _PEAK,
    },
)
def slope(case: Budget) -> Iterator[Values]:
    yield {
        theory.F_next: _next(case),
        theory.s: _s(case),
        theory.K: case.shape,
        theory.xi: case.budget,
    }


_LARGE = families.Budget(Fraction(1), Fraction(60))
_HALF = families.Budget(Fraction(1, 2), Fraction(60))
_FIVE = families.Budget(Fraction(5), Fraction(40))


@claim(
    theory.step,
    over=families.FEASIBLE.with_landmarks(
        large=lambda: (_LARGE,), half=lambda: (_HALF,), five=lambda: (_FIVE,)
    ),
    mutants=(
        NamedMutant(
            "RB-T5-twice",
            Ge(_STEP, 2 * sympy.sqrt(theory.K) * theory.xi * theory.s / (2 * theory.K)),
            "slope 1/K",
        ),
    ),
    survivors={"-xi + xi_next >= s/(2*sqrt(K))": _PEAK},
)
def step(case: Budget) -> Iterator[Values]:
    yield {**_ends(case, case.scheduled), theory.s: _s(case)}


@cache
def _path(case: Budget, steps: int) -> tuple[Fraction, ...]:
    return scheduled_path(case.shape, case.budget, steps)


def _deficit(case: Budget, steps: int) -> flint.arb:
    root = to_arb(case.shape).sqrt()
    terms = (
        1 - root * to_arb(xi) * _deviation(case.shape, to_arb(xi)) for xi in _path(case, steps)[:-1]
    )
    return sum(terms, flint.arb(0)) / (2 * to_arb(case.shape))


_LOOSE = (
    "11*F_base*K*deficit/10 <= K + 3/2",
    "K*deficit <= K + 3/2",
    "F_base*deficit <= K + 3/2",
    "F_base*K*deficit <= K + 27/20",
    "F_base*K*deficit <= K",
    "F_base*K*deficit <= 3/2",
    "F_base*K*deficit <= 9*K/10 + 3/2",
)
_FAR = "not known to be false: C_400 from xi = 1 is .82 for K = 1, its bound 9.5"
_SHARPER = "true: growth/sharper"


@claim(
    theory.linear,
    over=families.FEASIBLE.along(families.several).with_landmarks(
        large=lambda: (_LARGE, 3), half=lambda: (_HALF, 2), still=lambda: (_FIVE, 0)
    ),
    mutants=(
        NamedMutant(
            "RB-T5-slope",
            Ge(theory.grown, theory.i / theory.K - theory.deficit),
            "slope 1/K",
        ),
        NamedMutant("RB-T5-no-loss", Le(theory.deficit, 0), "no loss at all"),
    ),
    survivors={
        "grown >= i/(2*K)": _SHARPER,
        "grown >= -9*deficit/10 + i/(2*K)": _SHARPER,
        "grown >= -1 + i/(2*K)": _SHARPER,
        **dict.fromkeys(_LOOSE, _FAR),
    },
)
def linear(case: Budget, steps: int) -> Iterator[Values]:
    """As many steps as drawn, one after the other."""
    yield {
        theory.grown: scheduled_path(case.shape, case.budget, steps)[-1] - case.budget,
        theory.deficit: Ball(lambda: _deficit(case, steps)),
        theory.F_base: _next(case),
        theory.i: steps,
        theory.K: case.shape,
    }


@claim(
    theory.sharper,
    over=families.FALLING.with_landmarks(large=lambda: (_LARGE,), half=lambda: (_HALF,)),
)
def sharper(case: Budget) -> Iterator[Values]:
    yield _ends(case, case.scheduled)


_CONVEX = families.Budget(Fraction(40), Fraction(47, 40))


@claim(theory.sharper_rising, over=families.RISING.with_landmarks(forty=lambda: (_CONVEX,)))
def sharper_rising(case: Budget) -> Iterator[Values]:
    yield _ends(case, case.scheduled)


def _samples(case: Budget) -> Values:
    law, kappa = gamma_density(case.shape), case.scheduled
    return {
        theory.n: Ball(lambda: enclosed_requirement(law, case.budget, kappa)),
        theory.K: case.shape,
        theory.xi: case.budget,
    }


def _at_mean(case: Budget) -> Ball:
    return Ball(lambda: gamma_density(case.shape).cdf(flint.arb(1)))


@claim(
    theory.sample_size,
    over=families.WINDOW.with_landmarks(large=lambda: (_LARGE,), half=lambda: (_HALF,)),
    mutants=(
        NamedMutant(
            "RB-T5-samples",
            Le(theory.n, 24 * theory.K * theory.xi),
            "n in proportion to K xi",
        ),
    ),
    survivors={"n >= 2*K*xi/at_mean": "true: xi >= 1 here"},
)
def sample_size(case: Budget) -> Iterator[Values]:
    yield {**_samples(case), theory.at_mean: _at_mean(case)}


@claim(
    theory.window,
    over=families.WINDOW.with_landmarks(
        first=lambda: (families.Budget(Fraction(1), Fraction(1)),),
    ),
)
def window(case: Budget) -> Iterator[Values]:
    yield _samples(case)


def _total(case: Budget, steps: int) -> flint.arb:
    law = gamma_density(case.shape)
    needs = (
        enclosed_requirement(law, xi, _scheduled(case.shape, to_arb(xi)))
        for xi in _path(case, steps)[:-1]
    )
    return sum(needs, flint.arb(0))


_AWAY = "not known to be false: nearly attained for many steps only"


@claim(
    theory.cumulative,
    over=families.SAMPLED.along(families.several).with_landmarks(
        half=lambda: (families.Budget(Fraction(1, 2), Fraction(3, 2)), 40),
        one=lambda: (families.Budget(Fraction(1), Fraction(1)), 300),
        five=lambda: (families.Budget(Fraction(5), Fraction(1)), 60),
    ),
    survivors={
        "total >= i**3/(6*K*at_mean)": _AWAY,
        "total >= (i + 1)**3/(6*K*at_mean)": _AWAY,
        "total >= (9*i/10 - 1)**3/(6*K*at_mean)": "true: a smaller bound",
        "total >= (i - 1)**3/(6*K)": "true: at_mean <= 1",
    },
)
def cumulative(case: Budget, steps: int) -> Iterator[Values]:
    yield {
        theory.total: Ball(lambda: _total(case, steps)),
        theory.i: steps,
        theory.K: case.shape,
        theory.at_mean: _at_mean(case),
    }


@claim(
    theory.fixed_kappa,
    over=families.FIXED.with_landmarks(
        large=lambda: (families.Budget(Fraction(1), Fraction(60), Fraction(2)),)
    ),
    mutants=(
        NamedMutant("RB-T5-linear", Le(_STEP, 1), "linear growth"),
        NamedMutant(
            "RB-T5-slower",
            Le(theory.xi_next * (1 - sympy.sqrt(theory.kappa) * theory.xi * theory.s / 4),
               theory.xi),
            "half the rate",
        ),
    ),
    survivors={"xi_next*(-sqrt(kappa)*s/2 + 1) >= xi": _PEAK},
)  # fmt: skip
def fixed_kappa(case: Budget) -> Iterator[Values]:
    found = {**_ends(case, case.kappa), theory.kappa: case.kappa, theory.s: _s(case)}
    yield {one: value for one, value in found.items() if one is not theory.K}
