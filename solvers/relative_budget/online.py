"""Online improvement in the Gamma case: how the relative budget grows, step by step.

At each step T is Gamma of shape K, and J rises by exactly sqrt(kappa) sigma/2.  The schedule of the
theory is kappa_i = 1/(K xi_i^2); xi_base is the budget of the policy that one begins with, xi_i
that of the current one.  Source: ALG-Online of Wachi et al. 2026, recalled; the schedule is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import flint
import scipy  # its parts are loaded when they are used

from ..errors import ModelError
from ..target_returns.gaussian.checks import count, positive
from .enclosures import enclosed_moments, gamma_density
from .gamma import gamma_requirement, gamma_shares

_FLOAT_BITS = 30
"""Bits that a float root has for certain; each step of Newton's method doubles them, and with fewer
assumed one step more is made."""
_PATH_BITS = 192
"""Bits for a root that is rounded to 64 binary places: fewer enclose none where g is flat, more
cost time on every step."""
_WIDENINGS = 24
"""Times that a proposed enclosure of a root is widened, by 16 each, before it is given up."""


@dataclass(frozen=True, slots=True)
class OnlineStep:
    """One step: the current xi_i, its radius kappa_i, samples n_i (whole, or infinity where c is
    0), and the shares q and g = J/H of the current policy."""

    index: int
    budget: float
    kappa: float
    samples: float
    success: float
    mean: float


def scheduled_kappa(shape: float, budget: float) -> float:
    """kappa_i = 1/(K xi_i^2)."""
    return 1 / (positive(shape, "the shape") * positive(budget, "the relative budget") ** 2)


def next_budget(shape: float, budget: float, kappa: float) -> float:
    """xi_{i+1}, where g(xi_{i+1}) = g(xi_i) + sqrt(kappa) s(xi_i)/2.

    Raises ModelError where no budget reaches that mean, g + sqrt(kappa) s/2 >= 1.
    """
    now = gamma_shares(shape, budget)
    target = now.lost - math.sqrt(positive(kappa, "kappa")) * now.deviation / 2
    if target <= 0:
        raise ModelError(
            f"no budget has the mean reward that one step from xi = {budget:g} asks for with kappa "
            f"= {kappa:g}; start from a larger budget, or take a smaller kappa"
        )
    high = 2 * budget
    while gamma_shares(shape, high).lost > target:
        high *= 2
    found = scipy.optimize.brentq(
        lambda xi: gamma_shares(shape, xi).lost - target, budget, high, xtol=1e-13
    )
    return float(found)


def simulate_growth(
    shape: float, budget: float, log_class: float, steps: int, kappa: float | None = None
) -> tuple[OnlineStep, ...]:
    """The steps from xi_base = `budget` on, with the theory's schedule or a fixed kappa.

    A step that no number of samples can make, with c = 0, says so by infinitely many, and is made;
    the path ends early before one that no budget reaches.  Raises ModelError for numbers that are
    not positive, and steps that are no number of them.
    """
    found: list[OnlineStep] = []
    positive(log_class, "log_class")
    for index in range(count(steps, "steps", 0)):
        radius = scheduled_kappa(shape, budget) if kappa is None else kappa
        needed, shares = gamma_requirement(shape, budget, radius), gamma_shares(shape, budget)
        samples = math.ceil(log_class * needed) if math.isfinite(needed) else math.inf
        found.append(OnlineStep(index, budget, radius, samples, shares.success, shares.mean))
        try:
            budget = next_budget(shape, budget, radius)
        except ModelError:
            break
    return tuple(found)


def enclosed_next_budget(shape: Fraction, budget: flint.arb, kappa: flint.arb) -> flint.arb:
    """The same root, enclosed: g rises, so that a change of sign between two points proves it.

    Not finite where the working precision is too low for a proof.  Raises ModelError as
    `next_budget`.
    """
    if not (budget.is_finite() and kappa.is_finite()):
        return flint.arb("nan")
    law = gamma_density(shape)
    now = enclosed_moments(law, budget)
    target = (now.mean + kappa.sqrt() * now.deviation / 2) / budget
    first = next_budget(float(shape), float(budget.mid()), float(kappa.mid()))
    root = flint.arb(first)
    for _ in range((flint.ctx.prec // _FLOAT_BITS).bit_length()):
        gap = enclosed_moments(law, root).mean / root - target
        step = gap * root**2 / law.partial_moment(1, root)
        root = (root - step).mid()
    width = 4 * (step.abs_upper() + abs(root) * flint.arb(2) ** (8 - flint.ctx.prec))
    for _ in range(_WIDENINGS):
        low, high = (root - width).mid(), (root + width).mid()
        if not low > 0:
            break
        below, above = (enclosed_moments(law, one).mean / one for one in (low, high))
        if below < target < above:
            return low.union(high)
        width *= 16
    return flint.arb("nan")


def scheduled_path(shape: Fraction, budget: Fraction, steps: int) -> tuple[Fraction, ...]:
    """xi_base, xi_1, ..., each rounded up to a multiple of 2^-64.

    So J rises at each step by at least sqrt(kappa) sigma/2 with the theory's schedule, by less than
    anybody could see more, and all budgets are rational.  Raises ModelError as `next_budget`.
    """
    found = [budget]
    with flint.ctx.workprec(_PATH_BITS):
        for _ in range(count(steps, "steps", 0)):
            xi = flint.arb(flint.fmpq(found[-1].numerator, found[-1].denominator))
            kappa = 1 / (flint.arb(flint.fmpq(shape.numerator, shape.denominator)) * xi**2)
            root = enclosed_next_budget(shape, xi, kappa)
            above = (root.upper() * 2**64).ceil().unique_fmpz()
            assert above is not None, "a root is enclosed at this precision"
            found.append(Fraction(int(above), 2**64))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class GrowthRow:
    """For one shape and xi_base: xi after the steps, i/(2 K), what is short of it by the proof
    (C_i), and n_i/(2 L K xi_i^2) at its least and largest for xi_i >= 1."""

    shape: float
    start: float
    end: float
    slope: float
    deficit: float
    least: float
    largest: float


def growth_table(
    shapes: tuple[float, ...] = (1, 2, 3, 5, 10),
    starts: tuple[float, ...] = (0.3, 1.0, 2.0),
    steps: int = 400,
) -> tuple[GrowthRow, ...]:
    """What RB-T5 says of each shape and start, beside what happens; steps that are infeasible end a
    row early."""
    rows = []
    for shape in shapes:
        for start in starts:
            path = simulate_growth(shape, start, 1.0, count(steps, "steps", 0) + 1)
            before = path[:-1]
            lost = sum(
                1 - math.sqrt(shape) * one.budget * gamma_shares(shape, one.budget).deviation
                for one in before
            )
            ratios = [
                gamma_requirement(shape, one.budget, one.kappa) / (2 * shape * one.budget**2)
                for one in before
                if one.budget >= 1
            ]
            rows.append(
                GrowthRow(
                    shape,
                    start,
                    path[-1].budget,
                    len(before) / (2 * shape),
                    lost / (2 * shape),
                    min(ratios, default=math.nan),
                    max(ratios, default=math.nan),
                )
            )
    return tuple(rows)


def geometric_growth(shape: float, kappa: float) -> float:
    """The limit of xi_{i+1}/xi_i with a fixed kappa < 4 K: 1/(1 - sqrt(kappa/K)/2).

    Raises ModelError for a larger kappa, or numbers that are not positive.
    """
    share = math.sqrt(positive(kappa, "kappa") / positive(shape, "the shape")) / 2
    if share >= 1:
        raise ModelError(f"kappa is {kappa}; it must be below four times the shape, {4 * shape}")
    return 1 / (1 - share)
