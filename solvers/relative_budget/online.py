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
from scipy.optimize import brentq

from ..errors import ModelError
from .enclosures import enclosed_moments, gamma_density
from .gamma import gamma_anti_concentration, gamma_requirement, gamma_shares

_NEWTON = 8
"""Steps of Newton's method from a float, each doubling the bits: more are never needed below the
largest precision of a comparison, 4096 bits."""
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
    return 1 / (shape * budget**2)


def next_budget(shape: float, budget: float, kappa: float) -> float:
    """xi_{i+1}, where g(xi_{i+1}) = g(xi_i) + sqrt(kappa) s(xi_i)/2.

    Raises ModelError where no budget reaches that mean, g + sqrt(kappa) s/2 >= 1.
    """
    now = gamma_shares(shape, budget)
    target = now.lost - math.sqrt(kappa) * now.deviation / 2
    if target <= 0:
        raise ModelError(
            f"no budget has the mean reward that one step from xi = {budget:g} asks for with kappa "
            f"= {kappa:g}; start from a larger budget, or take a smaller kappa"
        )
    high = 2 * budget
    while gamma_shares(shape, high).lost > target:
        high *= 2
    found = brentq(lambda xi: gamma_shares(shape, xi).lost - target, budget, high, xtol=1e-13)
    return float(found)


def simulate_growth(
    shape: float, budget: float, log_class: float, steps: int, kappa: float | None = None
) -> tuple[OnlineStep, ...]:
    """The steps from xi_base = `budget` on, with the theory's schedule or a fixed kappa.

    It ends early after a step that no number of samples can make, or that no budget reaches.
    """
    found: list[OnlineStep] = []
    for index in range(steps):
        radius = scheduled_kappa(shape, budget) if kappa is None else kappa
        needed, shares = gamma_requirement(shape, budget, radius), gamma_shares(shape, budget)
        samples = math.ceil(log_class * needed) if math.isfinite(needed) else math.inf
        found.append(OnlineStep(index, budget, radius, samples, shares.success, shares.mean))
        try:
            budget = next_budget(shape, budget, radius)
        except ModelError:
            break
        if math.isinf(samples):
            break
    return tuple(found)


def enclosed_next_budget(shape: Fraction, budget: flint.arb, kappa: flint.arb) -> flint.arb:
    """The same root, enclosed: g rises, so that a change of sign between two points proves it.

    Raises ModelError as `next_budget`, or where the working precision is too low for a proof.
    """
    law = gamma_density(shape)
    now = enclosed_moments(law, budget)
    target = (now.mean + kappa.sqrt() * now.deviation / 2) / budget
    first = next_budget(float(shape), float(budget.mid()), float(kappa.mid()))
    root = flint.arb(first)
    for _ in range(_NEWTON):
        gap = enclosed_moments(law, root).mean / root - target
        step = gap * root**2 / law.partial_moment(1, root)
        root = (root - step).mid()
    width = 4 * (step.abs_upper() + abs(root) * flint.arb(2) ** (8 - flint.ctx.prec))
    for _ in range(_WIDENINGS):
        low, high = root - width, root + width
        below, above = (enclosed_moments(law, one.mid()).mean / one.mid() for one in (low, high))
        if below < target < above:
            return low.mid().union(high.mid())
        width *= 16
    raise ModelError(f"the root near {first:g} was not enclosed; raise the working precision")


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
            path = simulate_growth(shape, start, 1.0, steps + 1)
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
    """The limit of xi_{i+1}/xi_i with a fixed kappa < 4 K: 1/(1 - sqrt(kappa/K)/2)."""
    return 1 / (1 - math.sqrt(kappa / shape) / 2)


def anti_concentration_at(shape: float, budget: float) -> float:
    """c at the schedule's kappa."""
    return gamma_anti_concentration(shape, budget, scheduled_kappa(shape, budget))
