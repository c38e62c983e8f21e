"""Claims on Boltzmann laws: derivatives in dual numbers, in rationals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb
from operator import mul
from typing import Any

from holdfast.solvers.hypergradient.balls import Point, elementwise, follower_gradients, immediate
from holdfast.solvers.hypergradient.balls import mean as average
from holdfast.theory import Eq
from holdfast.theory.hypergradient import covariance as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.duals import Dual
from ...binding.family import Family
from ...binding.values import Values
from ..families.points import TEMPERATURES, points
from ..oracles.duals import derivatives, line

_HALF = theory.explicit + theory.covariance / (2 * theory.beta)


@claim(
    theory.trick,
    over=points(),
    mutants=(
        NamedMutant(
            "BC-T1-uncentred",
            Eq(theory.moved, theory.explicit + theory.raw / theory.beta),
            "neither factor centred",
        ),
        NamedMutant("BC-T1-half", Eq(theory.moved, _HALF), "half the covariance"),
    ),
)
def trick(case: Point) -> Iterator[Values]:
    """p, F and dq are the policy, the leader's rewards and the slope of the first state."""
    p, F, dq = case.policy[0], case.leader_rewards[0], case.follower_slope[0]
    weights = p * elementwise(lambda one: one.exp(), line(dq * 0, dq / case.temperature))
    moving = (weights * line(F, case.leader_slope[0])).sum() / weights.sum()
    centred_F, centred_q = F - average(p, F), dq - average(p, dq)
    yield {
        theory.moved: moving.slope,
        theory.explicit: average(p, case.leader_slope[0]),
        theory.covariance: average(p, centred_F * centred_q),
        theory.centred_F: average(p, centred_F * dq),
        theory.centred_q: average(p, F * centred_q),
        theory.raw: average(p, F * dq),
        theory.means: average(p, F) * average(p, dq),
        theory.beta: case.temperature,
    }


_MOMENTS = (1, 0, 1, 0, 3, 0)
"""E z^0 to E z^5 of a standard normal z; x F(x) has degree 5 at most."""
Gaussian = tuple[list[Fraction], Fraction, Fraction, Fraction]


def _mean(coefficients: Sequence[Fraction], m: Any, spread: Fraction) -> Any:
    """E of sum c_k (m + spread z)^k."""
    powers = list(accumulate([m] * 5, mul, initial=m * 0 + 1))
    return sum(
        c * comb(k, j) * _MOMENTS[j] * spread**j * powers[k - j]
        for k, c in enumerate(coefficients)
        for j in range(k + 1)
    )


def _gaussian(draw: Draw) -> Gaussian:
    """Coefficients of F, mean, standard deviation, temperature."""
    coefficients = [Fraction(draw.integer(-3, 3)) for _ in range(draw.integer(2, 5))]
    mean, spread = Fraction(draw.integer(-4, 4), 2), Fraction(draw.integer(1, 6), 2)
    return coefficients, mean, spread, draw.choice(TEMPERATURES)


@claim(theory.gaussian, over=Family("polynomials of a Gaussian", _gaussian))
def gaussian(case: Gaussian) -> Iterator[Values]:
    F, m, spread, temperature = case
    covariance = _mean([Fraction(0), *F], m, spread) - m * _mean(F, m, spread)  # E x F - m E F
    yield {
        theory.moved: _mean(F, Dual(m, Fraction(1)), spread).slope,
        theory.covariance: temperature * covariance / spread**2,
        theory.stein: _mean([k * c for k, c in enumerate(F)][1:], m, spread),
        theory.beta: temperature,
    }


@claim(theory.envelope, over=points())
def envelope(case: Point) -> Iterator[Values]:
    """dQ_F is d(V_F + beta log g), both from the soft Bellman equation in dual numbers."""
    found = derivatives(case)
    dQ = found.values[:, None] + case.temperature * found.logarithms
    for b in range(case.policy.shape[1]):
        yield {
            theory.dV: found.values[0],
            theory.mean_dQ: average(case.policy[0], dQ[0]),
            theory.dQ: dQ[0, b],
            theory.term: immediate(case)[0, b],
            theory.gamma_F: case.follower_discount,
            theory.ahead: (case.transitions[0, b] * found.values).sum(),
            theory.summed: follower_gradients(case)[1][0, b],
            theory.log_slope: found.logarithms[0, b],
            theory.beta: case.temperature,
        }
