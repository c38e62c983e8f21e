"""Which relative budget is best in the Gamma case: it depends on what is called efficient.

Each criterion is a function of the budget xi, for a shape K and, some of them, a radius kappa.  A
maximiser is certified on a grid: its value, enclosed by arb, is above that of every other point.
Between the points nothing is claimed; that a criterion has one peak alone is not assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import flint

from ..errors import ModelError
from ..exact import Rational
from ..target_returns.gaussian.checks import count
from .chains import rational
from .enclosures import gamma_density

SHAPES = (1, 2, 3, 5, 10)
"""The shapes of the table; whole, so that a density is elementary.  More take longer."""
KAPPAS = tuple(Fraction(k, 100) for k in (1, 10, 25, 50, 90))
WINDOW = (Fraction(3, 2), Fraction(2))
"""Where the paper's experiments are reported to find the best budgets."""
_LARGEST = 12
"""The end of the grid: above every maximiser of the catalogue (11); more costs time."""
_PRECISIONS = (64, 128, 256)
"""Bits at which values are compared; two that do not separate at the last one are called equal."""


@dataclass(frozen=True, slots=True)
class _Point:
    """xi, q, g, s and xi g', xi q' at a budget, enclosed; c needs a radius."""

    budget: flint.arb
    success: flint.arb
    mean: flint.arb
    deviation: flint.arb
    mean_slope: flint.arb
    success_slope: flint.arb
    share: flint.arb


CRITERIA: dict[str, Callable[[_Point], flint.arb]] = {
    "samples of one step": lambda at: at.deviation * at.share,
    "improvement per sample": lambda at: at.deviation * at.deviation * at.share,
    "anti-concentration": lambda at: at.share,
    "improvement per token": lambda at: (
        at.deviation * at.deviation * at.share / (at.budget * (1 - at.mean))
    ),
    "normalised advantage": lambda at: at.mean_slope * at.mean_slope / at.deviation,
    "mixed gradients": lambda at: at.mean_slope * at.success_slope / at.deviation,
    "plain gradient": lambda at: at.mean_slope * at.mean_slope,
    "deviation": lambda at: at.deviation,
    "success variance": lambda at: at.success * (1 - at.success),
}
"""s c (the requirement is least where it is largest), s^2 c, c, s^2 c over the tokens that are
generated, (xi g')^2/s, xi g' xi q'/s, (xi g')^2, s and q (1 - q)."""
WITH_KAPPA = tuple(CRITERIA)[:4]
"""Those that depend on the radius kappa."""


@cache
def _point(shape: int, budget: Fraction, precision: int) -> _Point:
    """All of a point but its share c, which is 0 in it; `precision` is that of the cache."""
    del precision
    law = gamma_density(Fraction(shape))
    xi = flint.arb(flint.fmpq(budget.numerator, budget.denominator))
    success, one, two = (law.partial_moment(k, xi) for k in range(3))
    mean = success - one / xi
    square = success - 2 * one / xi + two / xi**2 - mean * mean
    density = (shape * xi) ** shape * (-shape * xi).exp() / flint.arb(shape).gamma()
    return _Point(xi, success, mean, square.max(0).sqrt(), one / xi, density, flint.arb(0))


def criterion_value(
    criterion: str, shape: int, budget: Fraction, kappa: Fraction | None
) -> flint.arb:
    """The value of a criterion at a budget, at the working precision; arguments as `best_budget`
    checks them."""
    at = _point(shape, budget, flint.ctx.prec)
    if kappa is not None:
        root = flint.arb(flint.fmpq(kappa.numerator, kappa.denominator)).sqrt()
        left = at.budget * (1 - at.mean - root * at.deviation)
        at = replace(at, share=gamma_density(Fraction(shape)).cdf(left))
    return CRITERIA[criterion](at)


def _best(criterion: str, shape: int, kappa: Fraction | None, grid: list[Fraction]) -> Fraction:
    for precision in _PRECISIONS:
        with flint.ctx.workprec(precision):
            values = {xi: criterion_value(criterion, shape, xi, kappa) for xi in grid}
            first = max(grid, key=lambda xi: float(values[xi].mid()))
            if all(values[first] > values[xi] for xi in grid if xi != first):
                return first
    raise ModelError(
        f"two budgets of the grid are equally good for {criterion!r}, shape {shape}, kappa {kappa}"
    )


def best_budget(criterion: str, shape: int, kappa: Rational | float | None = None) -> Fraction:
    """The maximiser over the grid: tenths up to 12, hundredths within 1/5 of the best of these,
    thousandths within 1/50 of the best then; certified against all of them.

    Raises ModelError for a criterion that there is not, one without the kappa that it needs or with
    one that has no effect, a shape that is no whole number above 0, and a kappa that is not
    positive.
    """
    if criterion not in CRITERIA:
        raise ModelError(f"{criterion!r} is no criterion; give one of {', '.join(CRITERIA)}")
    if (kappa is None) == (criterion in WITH_KAPPA):
        words = "depends on kappa; give one" if kappa is None else "has no kappa; leave it out"
        raise ModelError(f"{criterion!r} {words}")
    radius = None if kappa is None else rational(kappa, "kappa")
    if radius is not None and radius <= 0:
        raise ModelError(f"kappa is {kappa}; the radius of the ball of policies is positive")
    return _maximiser(criterion, count(shape, "the shape"), radius)


@cache
def _maximiser(criterion: str, shape: int, kappa: Fraction | None) -> Fraction:
    grid: list[Fraction] = []
    middle, reach = Fraction(_LARGEST, 2), Fraction(_LARGEST, 2)
    for step in (10, 100, 1000):
        first, last = int((middle - reach) * step), int((middle + reach) * step)
        grid = sorted({*grid, *(Fraction(k, step) for k in range(max(first, 1), last + 1))})
        middle, reach = _best(criterion, shape, kappa, grid), Fraction(2, step)
    return middle


@dataclass(frozen=True, slots=True)
class BestBudget:
    """The best budget of one criterion, shape and radius (None where it plays no part)."""

    criterion: str
    shape: int
    kappa: Fraction | None
    budget: Fraction

    @property
    def inside(self) -> bool:
        """Whether it lies in the window of the reported experiments."""
        return WINDOW[0] <= self.budget <= WINDOW[1]


def cells() -> tuple[tuple[str, int, Fraction | None], ...]:
    """All criteria, shapes and radii of the table."""
    return tuple(
        (name, shape, kappa)
        for name in CRITERIA
        for shape in SHAPES
        for kappa in (KAPPAS if name in WITH_KAPPA else (None,))
    )


def argmax_table() -> tuple[BestBudget, ...]:
    """The best budget for all criteria, K in {1, 2, 3, 5, 10} and the five kappas.

    The window [1.5, 2] holds some of them and not others: it is compatible with the model, and does
    not follow from it.
    """
    return tuple(BestBudget(*cell, best_budget(*cell)) for cell in cells())
