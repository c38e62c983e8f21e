"""Claims on Boltzmann laws: derivatives in dual numbers, in rationals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import comb
from typing import Any

from holdfast.solvers.hypergradient.balls import Point, elementwise, follower_gradients, immediate
from holdfast.solvers.hypergradient.balls import mean as average
from holdfast.theory import Eq
from holdfast.theory.hypergradient import covariance as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Values
from ..families.points import TEMPERATURES, points
from ..oracles.duals import Dual, derivatives, line

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


Polynomial = tuple[Fraction, ...]


def gaussian_mean(coefficients: Sequence[Fraction], m: Any, variance: Fraction) -> Any:
    """E of sum c_k (m + s z)^k for a standard normal z, whose moments are 1, 0, 1, 0, 3, ..."""
    moments = [Fraction(1), Fraction(0)]
    for k in range(2, len(coefficients)):
        moments.append((k - 1) * moments[k - 2] * variance)
    powers = [m * 0 + 1]
    for _ in coefficients:
        powers.append(powers[-1] * m)
    return sum(
        c * comb(k, j) * moments[j] * powers[k - j]
        for k, c in enumerate(coefficients)
        for j in range(k + 1)
    )


def _gaussian(draw: Draw) -> tuple[Polynomial, Fraction, Fraction, Fraction]:
    """Coefficients of F, mean, variance, temperature."""
    coefficients = tuple(Fraction(draw.integer(-3, 3)) for _ in range(draw.integer(2, 5)))
    mean, variance = Fraction(draw.integer(-4, 4), 2), Fraction(draw.integer(1, 6), 2)
    return coefficients, mean, variance, draw.choice(TEMPERATURES)


@claim(theory.gaussian, over=Family("polynomials of a Gaussian", _gaussian))
def gaussian(case: tuple[Polynomial, Fraction, Fraction, Fraction]) -> Iterator[Values]:
    F, m, variance, temperature = case
    shifted = (Fraction(0), *F)  # x F(x)
    covariance = gaussian_mean(shifted, m, variance) - m * gaussian_mean(F, m, variance)
    yield {
        theory.moved: gaussian_mean(F, Dual(m, Fraction(1)), variance).slope,
        theory.covariance: temperature * covariance / variance,
        theory.stein: gaussian_mean([k * c for k, c in enumerate(F)][1:], m, variance),
        theory.beta: temperature,
    }


@claim(theory.score, over=points())
def score(case: Point) -> Iterator[Values]:
    logarithms = derivatives(case).logarithms
    values, action_values = follower_gradients(case)
    for b in range(case.policy.shape[1]):
        yield {
            theory.log_slope: logarithms[0, b],
            theory.dQ: action_values[0, b],
            theory.mean_dQ: values[0],
            theory.beta: case.temperature,
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
        }
