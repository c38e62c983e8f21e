"""Claims on one step of improvement: rational throughout but for roots and logarithms."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, log, sqrt

import sympy

from holdfast.solvers.relative_budget import version_space as exact
from holdfast.theory import Eq, Le, Lt, Relation
from holdfast.theory.relative_budget import improvement as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.values import Ball, Values
from ..families import trajectories as families
from ..families.trajectories import Learning, Trajectories, compared, root_of
from ..landmarks import learning

_ROOT = sympy.sqrt(theory.kappa * theory.variance)


def _named(*mutants: tuple[str, Relation, str]) -> tuple[NamedMutant, ...]:
    return tuple(NamedMutant(*one) for one in mutants)


@claim(
    theory.chi_square,
    over=families.BALLS.along(compared).with_landmarks(
        rare=lambda: (
            Trajectories((Fraction(1, 10), Fraction(9, 10)), (Fraction(5), Fraction(0)),
                         Fraction(5), Fraction(9)),
            (Fraction(1), Fraction(0)),
        )
    ),
    mutants=_named(
        (
            "RB-L1-half",
            Le(theory.gain, sympy.sqrt(theory.divergence * theory.variance) / 2),
            "half the constant",
        )
    ),
)  # fmt: skip
def chi_square(model: Trajectories, policy: exact.Law) -> Iterator[Values]:
    yield {
        theory.gain: exact.mean(policy, model.rewards) - exact.mean(model.base, model.rewards),
        theory.divergence: exact.chi_square(policy, model.base),
        theory.variance: exact.variance(model.base, model.rewards),
    }


def _best(model: Trajectories) -> Fraction | Ball:
    found = exact.ball_optimum(model.base, model.rewards, model.kappa)
    root = root_of(found.square)
    if root is not None:
        return found.centre + root
    return Ball(lambda: to_arb(found.centre) + to_arb(found.square).sqrt())


def _given(model: Trajectories) -> Values:
    return {
        theory.J: exact.mean(model.base, model.rewards),
        theory.kappa: model.kappa,
        theory.variance: exact.variance(model.base, model.rewards),
    }


@claim(
    theory.best_in_ball,
    over=families.BALLS,
    mutants=_named(
        ("RB-L1-half-ball", Le(theory.best, theory.J + _ROOT / 2), "half the constant"),
        ("RB-L1-always", Eq(theory.best, theory.J + _ROOT), "equality without a condition"),
    ),
)
def best_in_ball(model: Trajectories) -> Iterator[Values]:
    yield {theory.best: _best(model), **_given(model)}


@claim(theory.linear_tilt, over=families.LINEAR)
def linear_tilt(model: Trajectories) -> Iterator[Values]:
    yield {theory.best: _best(model), **_given(model)}


@claim(theory.conditioning, over=families.BALLS)
def conditioning(model: Trajectories) -> Iterator[Values]:
    """The law given the good trajectories, and the largest quotient of its probabilities."""
    good = exact.better(model.base, model.rewards, model.kappa)
    law = exact.conditioned(model.base, good)
    yield {
        theory.J_A: exact.mean(law, model.rewards),
        theory.density: max(p / b for p, b in zip(law, model.base, strict=True)),
        theory.c: sum((model.base[i] for i in good), Fraction(0)),
        theory.best: _best(model),
        **_given(model),
    }


def _probability(model: Trajectories) -> Fraction:
    good = exact.better(model.base, model.rewards, model.kappa)
    return sum((model.base[i] for i in good), Fraction(0))


@claim(
    theory.cantelli,
    over=families.VARIED,
    mutants=_named(("RB-L3-half", Le(theory.c, 1 / (2 * (1 + theory.kappa))), "half of it")),
)
def cantelli(model: Trajectories) -> Iterator[Values]:
    yield {theory.c: _probability(model), theory.kappa: model.kappa}


def _shares(model: Trajectories) -> Values:
    spread = exact.variance(model.base, model.rewards)
    return {
        theory.c: _probability(model),
        theory.share: spread / model.horizon**2,
        theory.kappa: model.kappa,
    }


_SHARPER = "true: improvement/variance-bound-sharper, c >= s^2"
_S = sympy.sqrt(theory.share)


@claim(
    theory.variance_bound,
    over=families.SMALLER,
    mutants=_named(
        ("RB-L4-eightfold", Le(8 * _S * (_S / 2 - sympy.sqrt(theory.kappa)), theory.c), "8 times")
    ),
    survivors=dict.fromkeys(
        (
            "9*c/10 >= sqrt(s2)*(-sqrt(kappa) + sqrt(s2)/2)",
            "c >= 11*sqrt(s2)*(-sqrt(kappa) + sqrt(s2)/2)/10",
            "c >= s2*(-sqrt(kappa) + sqrt(s2)/2)",
            "c >= sqrt(s2)*(-sqrt(kappa) + 11*sqrt(s2)/20)",
            "c >= sqrt(s2)*(-sqrt(kappa) + s2/2)",
            "c >= s2/2",
            "c >= sqrt(s2)*(sqrt(kappa) + sqrt(s2)/2)",
            "c >= sqrt(s2)*(-9*sqrt(kappa)/10 + sqrt(s2)/2)",
            "c >= sqrt(s2)*(-kappa + sqrt(s2)/2)",
        ),
        _SHARPER,
    ),
)
def variance_bound(model: Trajectories) -> Iterator[Values]:
    yield _shares(model)


@claim(theory.variance_bound_sharper, over=families.SMALL)
def variance_bound_sharper(model: Trajectories) -> Iterator[Values]:
    found = _shares(model)
    yield {one: found[one] for one in (theory.c, theory.share)}


_LEARNING = families.LEARNING.with_landmarks(
    one=lambda: (learning.one_trajectory(),),
    two=lambda: (learning.two_trajectories(),),
    three=lambda: (learning.three_trajectories(),),
)
_L = sympy.log(theory.size / theory.delta)


def _class(case: Learning) -> Values:
    return {
        theory.H: case.problem.horizon,
        theory.size: len(case.problem.candidates),
        theory.delta: case.failure,
        theory.c: sum((case.problem.base[i] for i in _good(case)), Fraction(0)),
    }


def _good(case: Learning) -> tuple[int, ...]:
    return exact.better(case.problem.base, case.problem.rewards, case.kappa)


_WEAKER = "true: a larger bound"
_ALTERNATIVES = "true up to ten rewards: R itself never fails, so that |R| - 1 of them are enough"
_GAP = theory.H * _L / (theory.c * theory.n)


@claim(
    theory.version_space,
    over=_LEARNING,
    mutants=_named(
        ("RB-T1-0.8", Le(theory.gap, sympy.Rational(4, 5) * _GAP), "0.8 of the constant"),
        ("RB-T1-no-c", Le(theory.gap, theory.c * _GAP), "no 1/c"),
        ("RB-T1-square", Le(theory.gap, _GAP / theory.n), "1/n^2"),
    ),
    survivors={
        "9*gap/10 <= H*log(size/delta)/(c*n)": _WEAKER,
        "gap <= 11*H*log(size/delta)/(10*c*n)": _WEAKER,
        "gap <= H*log(size/delta)/(c**2*n)": _WEAKER,
        "gap <= H*log(size/delta**2)/(c*n)": _WEAKER,
        "gap <= H*log(9*size/(10*delta))/(c*n)": _ALTERNATIVES,
    },
)
def version_space(case: Learning) -> Iterator[Values]:
    """The set of trajectories seen has a law, by inclusion and exclusion; a program for each."""
    yield {
        theory.gap: exact.shortfall_quantile(case.problem, _good(case), case.samples, case.failure),
        theory.n: case.samples,
        **_class(case),
    }


_NEED = 2 * theory.H * _L / (_ROOT * theory.c)


@claim(
    theory.one_step,
    over=_LEARNING,
    mutants=_named(
        ("RB-T2-0.4", Lt(theory.insufficient, 2 * _NEED / 5), "0.4 of the samples"),
        ("RB-T2-root-c", Lt(theory.insufficient, sympy.sqrt(theory.c) * _NEED), "rate c^(-1/2)"),
    ),
    survivors={
        "insufficient < 2*H*log(size/delta)/(c**2*sqrt(kappa*variance))": _WEAKER,
        "insufficient < 2*H*log(size/delta**2)/(c*sqrt(kappa*variance))": _WEAKER,
        "insufficient < 2*H*log(9*size/(10*delta))/(c*sqrt(kappa*variance))": _ALTERNATIVES,
        "insufficient < 2*H*log(size/delta)/(c*sqrt(variance))": "not known to be false: the bound "
        "is nearly attained only where kappa is above 1",
    },
)
def one_step(case: Learning) -> Iterator[Values]:
    """Bisection between 0 and the bound, at which the theorem promises success."""
    values = {theory.kappa: case.kappa, **_class(case)}
    base, rewards = case.problem.base, case.problem.rewards
    middle, spread = exact.mean(base, rewards), exact.variance(base, rewards)
    root = root_of(case.kappa * spread)
    assert root is not None, "the family draws kappa with a rational sigma sqrt(kappa)"
    c = values[theory.c]
    assert isinstance(c, Fraction)
    most = 2 * log(len(case.problem.candidates) / case.failure) / sqrt(case.kappa * spread)
    most = ceil(float(case.problem.horizon / c) * most) + 1
    found = exact.samples_needed(case.problem, c, middle + root / 2, case.failure, most)
    yield {theory.insufficient: found - 1, theory.variance: spread, **values}
