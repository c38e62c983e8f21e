"""Gamma lengths of mean 1: shape, relative budget, radius; and cells of the table of criteria."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, lgamma, log

import scipy  # its parts are loaded when they are used

from holdfast.solvers.relative_budget import criteria
from holdfast.solvers.relative_budget.gamma import gamma_anti_concentration, gamma_shares

from ...binding.draws import Draw
from ...binding.family import Family

SHAPES = tuple(Fraction(k, 2) for k in (1, 2, 3, 4, 6, 10, 20))


@dataclass(frozen=True, slots=True)
class Budget:
    """Shape K, relative budget xi and radius kappa."""

    shape: Fraction
    budget: Fraction
    kappa: Fraction = Fraction(1)

    @property
    def scheduled(self) -> Fraction:
        """1/(K xi^2)."""
        return 1 / (self.shape * self.budget**2)


def _budget(draw: Draw, low: int = 2, high: int = 400) -> Budget:
    """xi is drawn in twentieths, half the time among the smaller ones."""
    shape = draw.choice(SHAPES)
    most = high if draw.integer(0, 1) else min(high, 40)
    kappa = Fraction(draw.choice((1, 10, 25, 50)), 100)
    return Budget(shape, Fraction(draw.integer(low, most), 20), kappa)


def _deficient(draw: Draw) -> Budget:
    """q + sqrt(kappa q) < 1, mostly by far."""
    case = replace(_budget(draw), budget=Fraction(1, draw.integer(2, 400)))
    while True:
        q = gamma_shares(float(case.shape), float(case.budget)).success
        if q + (float(case.kappa) * q) ** 0.5 < 0.99:
            return case
        case = replace(case, budget=case.budget / 2)


def _ample(draw: Draw) -> Budget:
    """kappa < K, and c_lower and c are positive."""
    case = replace(_budget(draw, 6), kappa=Fraction(draw.integer(1, 40), 10))
    while True:
        found = gamma_shares(float(case.shape), float(case.budget))
        lower = float(case.shape) * float(case.budget) * found.lost
        room = lower**2 > 1.1 * float(case.shape * case.kappa)
        numbers = float(case.shape), float(case.budget), float(case.kappa)
        if room and gamma_anti_concentration(*numbers):
            return case
        case = replace(case, kappa=case.kappa / 2)


def _feasible(draw: Draw, low: int = 2, high: int = 400) -> Budget:
    """One step of the schedule has an end: g + sqrt(kappa) s/2 < 1."""
    case = _budget(draw, low, high)
    while not _ends(case, case.scheduled):
        case = replace(case, budget=2 * case.budget)
    return case


def _ends(case: Budget, kappa: Fraction) -> bool:
    found = gamma_shares(float(case.shape), float(case.budget))
    return found.lost > 1.01 * float(kappa) ** 0.5 * found.deviation / 2


def _fixed(draw: Draw) -> Budget:
    case = _budget(draw, 10, 400)
    while not _ends(case, case.kappa):
        case = replace(case, kappa=case.kappa / 4)
    return case


def falls(case: Budget) -> bool:
    """Whether F_{K+1}(K xi)/xi^2 does not rise from xi on: y f(y) <= 2 F(y), y = K xi, which once
    true stays so; in floats, but for shapes up to 1 a theorem."""
    y, k = float(case.shape * case.budget), float(case.shape)
    density = exp(k * log(y) - y - lgamma(k + 1))
    return case.shape <= 1 or bool(y * density <= 1.999 * scipy.special.gammainc(k + 1, y))


def _falling(draw: Draw) -> Budget:
    case = _feasible(draw)
    while not falls(case):
        case = replace(case, budget=case.budget + Fraction(1, 4))
    return case


def _sampled(draw: Draw) -> Budget:
    """So that c is positive with the schedule's radius."""
    case = _falling(draw)
    while not gamma_anti_concentration(
        float(case.shape), float(case.budget), float(case.scheduled)
    ):
        case = replace(case, budget=case.budget + Fraction(1, 4))
    return case


def _rising(draw: Draw) -> Budget:
    """Shapes above 1 at budgets where dg/dxi rises; small ones are feasible."""
    case = Budget(draw.choice(SHAPES[2:]), Fraction(draw.integer(4, 47), 40))
    while falls(case) or not _ends(case, case.scheduled):
        case = replace(case, budget=case.budget * Fraction(4, 5))
    return case


def several(draw: Draw, *_: object) -> int:
    """A number of steps whose path is short to compute."""
    return draw.integer(1, 4)


def _window(draw: Draw) -> Budget:
    return Budget(Fraction(draw.integer(1, 10)), 1 + Fraction(draw.integer(0, 980), 20))


BUDGETS = Family("Gamma lengths", _budget)
DEFICIENT = Family("Gamma lengths with small budgets", _deficient)
AMPLE = Family("Gamma lengths with large budgets", _ample)
FEASIBLE = Family("Gamma lengths before a step of the schedule", _feasible)
FIXED = Family("Gamma lengths before a step of fixed radius", _fixed)
FALLING = Family("Gamma lengths where the mean reward is concave", _falling)
SAMPLED = Family("Gamma lengths before steps that samples can make", _sampled)
RISING = Family("Gamma lengths where the mean reward is convex", _rising)
WINDOW = Family("Gamma lengths of whole shape, budgets of 1 to 50", _window)

Cell = tuple[str, int, Fraction | None]
_QUARTER, _TENTH, _HUNDREDTH, _HALF = (Fraction(1, k) for k in (4, 10, 100, 2))
INSIDE: tuple[Cell, ...] = (
    *(("samples of one step", shape, k) for shape in (1, 2, 3, 5) for k in (_HUNDREDTH, _TENTH)),
    *(("samples of one step", shape, _QUARTER) for shape in (1, 2, 3)),
    *(("improvement per sample", shape, _HUNDREDTH) for shape in (2, 3, 5)),
    *(("improvement per sample", shape, _TENTH) for shape in (2, 3)),
    ("anti-concentration", 10, _TENTH),
    *(("anti-concentration", shape, _QUARTER) for shape in (3, 5, 10)),
    *(("anti-concentration", shape, _HALF) for shape in (1, 2, 3)),
    *(("normalised advantage", shape, None) for shape in (2, 3, 5)),
    *(("plain gradient", shape, None) for shape in (1, 2, 3, 5)),
)
"""Criterion, K and kappa whose best budget lies in [1.5, 2]."""
OUTSIDE: tuple[Cell, ...] = tuple(cell for cell in criteria.cells() if cell not in INSIDE)


def _inside(draw: Draw) -> Cell:
    return draw.choice(INSIDE)


def _outside(draw: Draw) -> Cell:
    return draw.choice(OUTSIDE)


def _pair(draw: Draw) -> tuple[int, Fraction, Fraction]:
    """A shape and two radii, the smaller one first."""
    smaller = draw.integer(0, len(criteria.KAPPAS) - 2)
    larger = draw.integer(smaller + 1, len(criteria.KAPPAS) - 1)
    return draw.choice(criteria.SHAPES), criteria.KAPPAS[smaller], criteria.KAPPAS[larger]


def _swapped(draw: Draw) -> tuple[int, Fraction, Fraction]:
    shape, smaller, larger = _pair(draw)
    return shape, larger, smaller


CELLS_INSIDE = Family("criteria listed as inside", _inside).with_controls(
    listed=Family("criteria listed as outside", _outside)
)
CELLS_OUTSIDE = Family("criteria listed as outside", _outside).with_controls(
    unlisted=Family("criteria listed as inside", _inside)
)
PAIRS = Family("a shape and two radii", _pair).with_controls(
    larger=Family("the larger radius first", _swapped)
)
