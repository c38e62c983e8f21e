"""Token processes with a horizon and a radius kappa: rational ones, and laws with a density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from holdfast.solvers.relative_budget.chains import Chain
from holdfast.solvers.relative_budget.enclosures import Density
from holdfast.solvers.relative_budget.moments import (
    exact_moments,
    moments,
)
from holdfast.solvers.relative_budget.processes import (
    DiscreteProcess,
    Empirical,
    Geometric,
    NegativeBinomial,
)

from ...binding.draws import Draw
from ...binding.family import Family

SHARES = (Fraction(1), Fraction(1, 4), Fraction(1, 9), Fraction(1, 100))
"""Squares, so that sigma sqrt(kappa) is rational where kappa is such a share of a tie."""
MARGIN = 1.0001
"""Conditions that are looked at in floats are met with this margin; more leaves out edges."""


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A rational token process, the horizon in tokens, and kappa."""

    process: DiscreteProcess
    horizon: int
    kappa: Fraction


def _process(draw: Draw) -> DiscreteProcess:
    kind = draw.integer(0, 4)
    if kind == 0:
        return Geometric(Fraction(1, draw.integer(2, 9)))
    if kind == 1:
        return NegativeBinomial(draw.integer(2, 3), Fraction(draw.integer(1, 3), 5))
    if kind == 2:
        lengths = range(draw.integer(1, 4), draw.integer(5, 12))
        return Empirical(tuple(lengths), tuple(1 for _ in lengths))
    if kind == 3:
        first, later = draw.integer(1, 3), draw.integer(4, 30)
        return Empirical((first, later), (draw.integer(1, 5), draw.integer(1, 20)))
    stay, leave = Fraction(draw.integer(1, 4), 6), Fraction(draw.integer(1, 2), 6)
    zero, one = Fraction(0), Fraction(1)
    return Chain(
        ((stay, 1 - stay - leave, leave), (leave, stay, 1 - stay - leave), (zero, zero, one))
    )


def tied(draw: Draw, process: DiscreteProcess, horizon: int) -> Fraction | None:
    """A kappa at which some reward above the mean is a tie, or a share of it; None without one."""
    found = exact_moments(process, horizon)
    if not found.variance:
        return None
    masses = process.masses(horizon)
    better = [horizon - t for t, mass in enumerate(masses) if mass and horizon - t > found.mean]
    away = draw.choice(better[:4]) - found.mean
    return away**2 / found.variance * draw.choice(SHARES)


def _budgeted(draw: Draw) -> Budgeted:
    while True:
        process, horizon = _process(draw), draw.integer(2, 24)
        kappa = tied(draw, process, horizon)
        if kappa is not None:
            return Budgeted(process, horizon, kappa)


def doubling(process: DiscreteProcess, horizon: int) -> Fraction | None:
    """c_f = Pr[T <= H]/Pr[R >= H/2]; None where that is undefined."""
    masses = process.masses(horizon)
    good = sum((m for t, m in enumerate(masses) if 2 * (horizon - t) >= horizon), Fraction(0))
    return sum(masses, Fraction(0)) / good if good else None


def rare(case: Budgeted) -> bool:
    """Whether q <= 1/(8 c_f) and q + sqrt(kappa q) <= 1/2."""
    q, c_f = exact_moments(case.process, case.horizon).success, doubling(case.process, case.horizon)
    return c_f is not None and 0 < 8 * q * c_f <= 1 and case.kappa * q <= (Fraction(1, 2) - q) ** 2


def _deficient(draw: Draw) -> Budgeted:
    """Success is halved until little is solved in time."""
    steps, success = draw.integer(1, 3), Fraction(1, draw.integer(4, 20))
    horizon, kappa = draw.integer(2 * steps, 12), draw.choice((*SHARES[:2], Fraction(2)))
    case = Budgeted(NegativeBinomial(steps, success), horizon, kappa)
    while not rare(case):
        success /= 2
        case = replace(case, process=NegativeBinomial(steps, success))
    return case


def _balanced(draw: Draw) -> Budgeted:
    """kappa is a share of s^2."""
    case = _budgeted(draw)
    if draw.integer(0, 2) == 0:  # one length, early and rare, or long past the horizon
        early = Empirical((1, 1000), (1, draw.integer(9, 400)))
        case = Budgeted(early, case.horizon, case.kappa)
    found = exact_moments(case.process, case.horizon)
    return replace(case, kappa=found.variance / case.horizon**2 * draw.choice(SHARES))


def _bounded(draw: Draw) -> Empirical:
    lengths = sorted({draw.integer(1, 20) for _ in range(draw.integer(3, 6))} | {3, 8})
    return Empirical(tuple(lengths), tuple(draw.integer(1, 6) for _ in lengths))


def _ample(draw: Draw, *, solved: bool = True, attainable: bool = True) -> Budgeted:
    process = _bounded(draw)
    horizon = process.lengths[-1] + draw.integer(0, 60)
    kappa = tied(draw, process, horizon)
    assert kappa is not None
    mean, variance = process.mean_and_variance()
    most = (mean - process.lengths[0]) ** 2 / variance
    kappa = (kappa if kappa < most else kappa / 4) if attainable else 2 * most
    return Budgeted(process, horizon if solved else process.lengths[-1] // 2, kappa)


BUDGETED = Family("token processes with a horizon", _budgeted)
DEFICIENT = Family("token processes that are rarely solved in time", _deficient)
BALANCED = Family("token processes with a small ball", _balanced)
AMPLE = Family("bounded lengths within the horizon", _ample).with_controls(
    solved=Family("a horizon below the longest", lambda draw: _ample(draw, solved=False)),
    attainable=Family("too large a kappa", lambda draw: _ample(draw, attainable=False)),
)


@dataclass(frozen=True, slots=True)
class Dense:
    """A law with a density, the horizon and kappa."""

    law: Density
    horizon: Fraction
    kappa: Fraction


_LAWS: tuple[tuple[str, tuple[Fraction, ...]], ...] = (
    ("gamma", (Fraction(1, 2), Fraction(1), Fraction(3))),
    ("weibull", (Fraction(7, 10), Fraction(2))),
    ("log-normal", (Fraction(1, 2), Fraction(1))),
)


def _law(draw: Draw) -> Density:
    kind, shapes = draw.choice(_LAWS)
    shape = draw.choice(shapes)
    return (
        Density(kind, Fraction(3), shape)
        if kind == "log-normal"
        else Density(kind, shape, Fraction(1, 20) if kind == "gamma" else Fraction(20))
    )


def _dense(draw: Draw, meets: Callable[[Dense], bool]) -> Dense:
    """The horizon is shortened by a third until a condition is met."""
    horizon, kappa, law = Fraction(draw.integer(1, 40), 10), draw.choice(SHARES[1:]), _law(draw)
    case = Dense(law, horizon * Fraction(law.process().mean).limit_denominator(100), kappa)
    while not meets(case):
        case = replace(case, horizon=case.horizon * Fraction(2, 3))
    return case


def _has_room(case: Dense) -> bool:
    """Whether c is positive."""
    found = moments(case.law.process(), float(case.horizon))
    best = float(case.horizon) - found.mean
    return best**2 > MARGIN * float(case.kappa) * found.deviation**2


def _rare(case: Dense) -> bool:
    q, half = case.law.process().cdf(float(case.horizon) * np.array([1, 0.5]))
    return bool(8 * q**2 * MARGIN <= half and q + (case.kappa * q) ** 0.5 <= 0.5 / MARGIN)


def _with_room(draw: Draw) -> Dense:
    return _dense(draw, _has_room)


def _rarely_solved(draw: Draw) -> Dense:
    return _dense(draw, _rare)


DENSE = Family("laws with a density", _with_room)
DENSE_DEFICIENT = Family("laws with a density, rarely solved in time", _rarely_solved)
