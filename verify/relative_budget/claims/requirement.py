"""Claims on the number of samples: rational where T is a whole number, else balls.

(n/L)^2 = 4 H^2/(kappa c^2 sigma^2) comes from the masses, not by the formulas of the statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import flint
import sympy

from holdfast.solvers.relative_budget import enclosures
from holdfast.solvers.relative_budget.enclosures import EnclosedMoments, gamma_density
from holdfast.solvers.relative_budget.moments import (
    ExactMoments,
    exact_anti_concentration,
    exact_moments,
)
from holdfast.solvers.relative_budget.processes import Geometric
from holdfast.theory import Eq, Ge, Le
from holdfast.theory.relative_budget import requirement as theory

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.values import Ball, Values
from ..families import gamma as lengths
from ..families import processes as families
from ..families.gamma import Budget
from ..families.processes import Budgeted, Dense
from ..families.trajectories import root_of
from ..landmarks import processes as landmarks


def _square(case: Budgeted, found: ExactMoments) -> Fraction:
    c = exact_anti_concentration(case.process, case.horizon, case.kappa)
    return 4 * case.horizon**2 / (case.kappa * found.variance * c**2)


def _dense_square(law: enclosures.Density, horizon: Fraction, kappa: Fraction) -> Ball:
    return Ball(lambda: enclosures.enclosed_requirement(law, horizon, kappa) ** 2)


@cache
def _enclosed(law: enclosures.Density, horizon: Fraction, precision: int) -> EnclosedMoments:
    """Of one working precision, for several values of one case."""
    del precision
    return enclosures.enclosed_moments(law, horizon)


_LESS = "true: |kappa - 1| <= kappa + 1"
_FLOOR = 16 * (1 + theory.kappa) ** 2


@claim(
    theory.universal,
    over=families.BUDGETED.with_landmarks(
        coin=lambda: (landmarks.coin(),),
        early=lambda: (landmarks.early(),),
        seldom=lambda: (landmarks.seldom(),),
        late=lambda: (landmarks.late(),),
    ),
    mutants=(
        NamedMutant(
            "RB-T3-twice", Ge(theory.n_square * theory.kappa, 4 * _FLOOR), "twice the bound"
        ),
        NamedMutant(
            "RB-T3-half-deviation",
            Ge(theory.n_square * theory.kappa * theory.cv_square, _FLOOR * theory.xi**2),
            "std T/2 in the place of min(H/2, std T)",
        ),
    ),
    survivors={
        "kappa*n2 >= 16*(kappa - 1)**2": _LESS,
        "kappa*n2 >= 16*(1 - kappa)**2": _LESS,
        "cv2*kappa*n2 >= 4*xi**2*(kappa - 1)**2": _LESS,
        "cv2*kappa*n2 >= 4*xi**2*(1 - kappa)**2": _LESS,
        "cv2*kappa*n2 >= 4*xi*(kappa + 1)**2": "not known to be false: std T is attained "
        "where all is solved, so for xi >= 1",
    },
)
def universal(case: Budgeted) -> Iterator[Values]:
    mean_variance = case.process.mean_and_variance()
    assert mean_variance is not None, "the family draws lengths of finite mean"
    mean, variance = mean_variance
    yield {
        theory.n_square: _square(case, exact_moments(case.process, case.horizon)),
        theory.kappa: case.kappa,
        theory.xi: case.horizon / mean,
        theory.cv_square: variance / mean**2,
    }


@claim(theory.universal, over=families.DENSE, tag="densities")
def universal_densities(case: Dense) -> Iterator[Values]:
    """Gamma, Weibull and log-normal lengths."""
    law = case.law
    yield {
        theory.n_square: _dense_square(law, case.horizon, case.kappa),
        theory.kappa: case.kappa,
        theory.xi: Ball(lambda: to_arb(case.horizon) / law.moment(1)),
        theory.cv_square: Ball(lambda: law.moment(2) / law.moment(1) ** 2 - 1),
    }


_DEFICIENT = families.DEFICIENT.with_landmarks(
    at_once=lambda: (landmarks.at_once(),),
    halfway=lambda: (landmarks.halfway(),),
    four_steps=lambda: (landmarks.four_steps(),),
)
_SHARPER = "true: requirement/deficient-sharper, as q <= 1/8"
_RADIUS = "true: kappa q <= 1/4, and doubling >= 1"
_SIDE = theory.n_square * theory.kappa * theory.q**3


def _deficient(case: Budgeted) -> Values:
    found = exact_moments(case.process, case.horizon)
    c_f = families.doubling(case.process, case.horizon)
    assert c_f is not None, "the family draws lengths of which some give half the reward"
    return {
        theory.n_square: _square(case, found),
        theory.kappa: case.kappa,
        theory.q: found.success,
        theory.doubling: c_f,
    }


def _dense_deficient(case: Dense) -> Values:
    law, half = case.law, case.horizon / 2
    return {
        theory.n_square: _dense_square(law, case.horizon, case.kappa),
        theory.kappa: case.kappa,
        theory.q: Ball(lambda: law.cdf(to_arb(case.horizon))),
        theory.doubling: Ball(lambda: law.cdf(to_arb(case.horizon)) / law.cdf(to_arb(half))),
    }


_SHARPER = "true: requirement/deficient-sharper, as q <= 1/8"


@claim(
    theory.deficient,
    over=_DEFICIENT,
    mutants=(
        NamedMutant("RB-T4-power", Le(_SIDE / theory.q, 32 * theory.doubling**3), "exponent -1"),
        NamedMutant("RB-T4-eighth", Le(_SIDE, theory.doubling**3 / 2), "an eighth of the constant"),
        NamedMutant("RB-T4-no-doubling", Le(_SIDE, 32), "doubling dropped"),
    ),
    survivors={
        "11*kappa*n2*q**3/10 <= 32*doubling**3": _SHARPER,
        "kappa*n2*q**3 <= 144*doubling**3/5": _SHARPER,
        "kappa*q**3 <= 32*doubling**3": _RADIUS,
    },
)
def deficient(case: Budgeted) -> Iterator[Values]:
    yield _deficient(case)


@claim(
    theory.deficient,
    over=families.DENSE_DEFICIENT.with_landmarks(log_normal=lambda: (landmarks.log_normal(),)),
    tag="densities",
    mutants=(NamedMutant("RB-T4-uniform", Le(_SIDE, 32 * 8**3), "c_f = 8 for all laws"),),
)
def deficient_densities(case: Dense) -> Iterator[Values]:
    yield _dense_deficient(case)


@claim(
    theory.deficient_sharper,
    over=_DEFICIENT,
    survivors={"kappa*q**3*(1 - q) <= 16*doubling**3": _RADIUS},
)
def deficient_sharper(case: Budgeted) -> Iterator[Values]:
    yield _deficient(case)


@claim(theory.deficient_sharper, over=families.DENSE_DEFICIENT, tag="densities")
def deficient_sharper_densities(case: Dense) -> Iterator[Values]:
    yield _dense_deficient(case)


@claim(
    theory.balanced,
    over=families.BALANCED.with_landmarks(
        four_steps=lambda: (landmarks.four_steps_small(),),
        rare=lambda: (landmarks.rare_and_large(),),
        solved=lambda: (landmarks.all_solved(),),
    ),
    survivors={
        "kappa*n2*s2**4 <= 4": "true: s^2 <= 1/4",
        "kappa*s2**3 <= 4": "true: kappa <= s^2 <= 1/4",
    },
)
def balanced(case: Budgeted) -> Iterator[Values]:
    found, masses = exact_moments(case.process, case.horizon), case.process.masses(case.horizon)
    first, second = (
        sum((m * t**k for t, m in enumerate(masses, 1)), Fraction(0)) / found.success
        for k in (1, 2)
    )
    yield {
        theory.n_square: _square(case, found),
        theory.kappa: case.kappa,
        theory.variance: found.variance,
        theory.share: found.variance / case.horizon**2,
        theory.q: found.success,
        theory.conditional: second - first**2,
    }


def _efficiency(case: Budgeted) -> Fraction | Ball:
    found = exact_moments(case.process, case.horizon)
    c = exact_anti_concentration(case.process, case.horizon, case.kappa)
    square = case.kappa * found.variance * c**2 / (2 * case.horizon) ** 2
    root = root_of(square)
    return root if root is not None else Ball(lambda: to_arb(square).sqrt())


def _binary() -> Iterator[Values]:
    """Geometric lengths of success 1/2, H = 20: R = 1{T <= H} has the deviation 2^-10, nearly, and
    no reward is half of that above the mean, 1 - 2^-20 + 2^-11 > 1.  So L/n is 0."""
    process, horizon, kappa = Geometric(Fraction(1, 2)), 20, Fraction(1, 4)
    q = exact_moments(process, horizon).success
    good = q <= 1 and (1 - q) ** 2 >= kappa * q * (1 - q)
    assert not good
    mean, variance = process.mean_and_variance()
    yield {
        theory.binary: Fraction(0),
        theory.kappa: kappa,
        theory.xi: horizon / mean,
        theory.cv_square: variance / mean**2,
        theory.c_ample: Fraction(1, 2),
    }


@claim(
    theory.ample,
    over=families.AMPLE,
    mutants=(
        NamedMutant(
            "RB-binary",
            Eq(
                theory.binary,
                sympy.sqrt(theory.kappa * theory.cv_square) * theory.c_ample / (2 * theory.xi),
            ),
            "rewards without the length",
            _binary,
        ),
    ),
)
def ample(case: Budgeted) -> Iterator[Values]:
    """L/n from the rewards, c_ample and CV from the lengths."""
    mean_variance = case.process.mean_and_variance()
    assert mean_variance is not None, "the family draws bounded lengths"
    mean, variance = mean_variance
    masses = case.process.masses(case.horizon)
    yield {
        theory.efficiency: _efficiency(case),
        theory.kappa: case.kappa,
        theory.cv_square: variance / mean**2,
        theory.xi: case.horizon / mean,
        theory.c_ample: sum(
            (m for t, m in enumerate(masses, 1)
             if t <= mean and (mean - t) ** 2 >= case.kappa * variance),
            Fraction(0),
        ),
    }  # fmt: skip


def _of(case: Budget) -> EnclosedMoments:
    return _enclosed(gamma_density(case.shape), case.budget, flint.ctx.prec)


def _shares(case: Budget) -> Values:
    return {
        theory.s: Ball(lambda: _of(case).deviation / to_arb(case.budget)),
        theory.K: case.shape,
        theory.xi: case.budget,
    }


@claim(
    theory.gamma_deviation,
    over=lengths.BUDGETS.with_landmarks(tiny=lambda: (landmarks.tiny_shape(),)),
    survivors={"s**3 <= g*(1 - g)": "true: s <= 1/2"},
)
def gamma_deviation(case: Budget) -> Iterator[Values]:
    _of(case)
    yield {theory.g: Ball(lambda: _of(case).mean / to_arb(case.budget)), **_shares(case)}


def _room(q: flint.arb, kappa: Fraction) -> flint.arb:
    return 1 - q - (q * to_arb(kappa)).sqrt()


_NOT_KNOWN = "not known to be false: c is between its bounds, which meet only as xi falls to 0"


@claim(
    theory.gamma_deficient,
    over=lengths.DEFICIENT.with_landmarks(tiny=lambda: (landmarks.tiny_budget(),)),
    survivors={
        "kappa*n2*q**3*exp(9*K*xi/10) >= (K + 2)*(2*K + 2)": _NOT_KNOWN,
        "kappa*n2*q**3*exp(K) >= (K + 2)*(2*K + 2)": "true: xi is below 1",
        "kappa*n2*q**3*room**(9*K/5)*(1 - q) <= (K + 2)*(2*K + 2)": _NOT_KNOWN,
        "kappa*n2*q**3*room**(11*K/5)*(1 - q) <= (K + 2)*(2*K + 2)": "true: room <= 1",
        "kappa*n2*q**3*room**2*(1 - q) <= (K + 2)*(2*K + 2)": _NOT_KNOWN,
        "kappa*n2*q**3*room**(2*K)*(1 - 9*q/10) <= (K + 2)*(2*K + 2)": _NOT_KNOWN,
        "kappa*q**3*room**(2*K)*(1 - q) <= (K + 2)*(2*K + 2)": "true: kappa q <= 1",
    },
)
def gamma_deficient(case: Budget) -> Iterator[Values]:
    yield {
        theory.n_square: _dense_square(gamma_density(case.shape), case.budget, case.kappa),
        theory.room: Ball(lambda: _room(_of(case).success, case.kappa)),
        theory.q: Ball(lambda: _of(case).success),
        theory.kappa: case.kappa,
        theory.K: case.shape,
        theory.xi: case.budget,
    }


@claim(
    theory.gamma_ample,
    over=lengths.AMPLE,
    survivors={
        "F_next*c_lower*sqrt(kappa) <= 2*sqrt(K)*xi": "true: n >= 8, requirement/universal",
        "c_upper*sqrt(kappa)*n >= 2*sqrt(K)": "not known to be false: loose below xi = 1",
    },
)
def gamma_ample(case: Budget) -> Iterator[Values]:
    """F_K at y/K is the distribution function of the law of mean 1 there."""
    law = gamma_density(case.shape)

    def upper() -> flint.arb:
        root = to_arb(case.kappa).sqrt()
        return law.cdf(1 - _of(case).deviation * root)

    def lower() -> flint.arb:
        xi = to_arb(case.budget)
        return law.cdf(xi - _of(case).mean - (to_arb(case.kappa) / to_arb(case.shape)).sqrt())

    yield {
        theory.n: Ball(lambda: enclosures.enclosed_requirement(law, case.budget, case.kappa)),
        theory.c_upper: Ball(upper),
        theory.c_lower: Ball(lower),
        theory.F_next: Ball(lambda: law.partial_moment(1, to_arb(case.budget))),
        theory.kappa: case.kappa,
        theory.K: case.shape,
        theory.xi: case.budget,
    }
