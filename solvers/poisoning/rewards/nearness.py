"""How near two learnt rewards must be, whatever learnt them, from moments and gradients alone.

Theorem.  F(r; theta) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i] + lambda/2 norm(r)^2.  For
any rewards r, s and labels theta, theta',

    norm(r - s) <= (norm(Phi D (theta - theta')) + norm(grad F(r; theta))
                    + norm(grad F(s; theta'))) / lambda.

Proof.  grad F(.; theta) is lambda-strongly monotone, and grad F(s; theta) - grad F(s; theta') =
Phi D (theta' - theta).  So lambda norm(r - s)^2 <= (grad F(r; theta) - grad F(s; theta)).(r - s),
and the bracket is grad F(r; theta) - grad F(s; theta') + Phi D (theta - theta').

Nothing is assumed of how r and s were found: a training that stopped early has a larger gradient,
and a looser bound.  As sigma has slope 1/4 at most, the chance of a pair with features phi moves by
at most norm(phi) norm(r - s) / 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ...errors import ModelError
from ...exact import Vector
from ...sequences import Array
from ..flips.problem import FlipProblem
from .enclosed import dot, enclose_gradient, sigma
from .exact_loss import label_moments

_PRECISION = 192
"""Bits: three doubles, as sums of products of two lose at most a few bits to rounding; more cost
time only."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """Both sides of the bound, rounded outwards: floats are the dyadic rationals they are.

    distance: a lower and an upper bound on norm(r - s); bound: an upper bound on what the theorem
    allows; moments: norm(Phi D (theta - theta')); gradients: the sum of both norms, rounded up;
    moved: an upper bound on the largest abs(sigma(r.phi) - sigma(s.phi)) of the pairs given, and
    allowed: on what the theorem allows there.
    """

    distance_lower: float
    distance_upper: float
    bound: float
    moments: float
    gradients: float
    moved: float
    allowed: float


def nearness(
    features: Array,
    labels: tuple[Array, Array],
    rewards: tuple[Array, Array],
    ridge: float,
    *,
    weights: Array | None = None,
    held_out: Array | None = None,
) -> Nearness:
    """Both sides of the theorem, certainly.

    features: Phi (n, N); labels: theta, theta' (N); rewards: r, s (n); ridge: lambda > 0; held_out:
    features (n, M) of the pairs whose chances are compared, or None for those of `features`.

    Raises ModelError for a ridge that is not positive and finite, for rewards and features held out
    that are not finite or do not fit, and as `FlipProblem` does.
    """
    if not 0 < ridge < math.inf:
        raise ModelError(f"ridge is {ridge}; without a positive, finite one there is no such bound")
    problem = FlipProblem.of(features, *labels, weights)
    for name, reward in zip(("first", "second"), rewards, strict=True):
        _check(f"the {name} reward", reward, (problem.n_features,))
    if held_out is not None:
        _check("held_out", held_out, (problem.n_features, np.shape(held_out)[-1]))
    points = tuple(Vector.of(np.asarray(reward).tolist()) for reward in rewards)
    with flint.ctx.workprec(_PRECISION):
        strength = Fraction(ridge)
        slopes = [
            enclose_gradient(problem, theta, point, ridge=strength)
            for theta, point in zip((problem.benign, problem.target), points, strict=True)
        ]
        gradients = sum((norm(slope) for slope in slopes), flint.arb(0))
        one, two = (label_moments(problem, t) for t in (problem.benign, problem.target))
        moments, apart = norm(_gaps(one, two)), norm(_gaps(*points))
        bound = (moments + gradients) / _ball(strength)
        pairs = features if held_out is None else held_out
        moved, longest = _moved(pairs, points)
        return Nearness(
            distance_lower=_below(apart),
            distance_upper=_above(apart),
            bound=_above(bound),
            moments=_above(moments),
            gradients=_above(gradients),
            moved=_above(moved),
            allowed=_above(longest * bound / 4),
        )


def _check(name: str, given: Array, shape: tuple[int, ...]) -> None:
    """Raises ModelError for what has another shape or holds a number that is not finite."""
    found = np.asarray(given, dtype=np.float64)
    if found.shape != shape:
        raise ModelError(f"{name} has shape {found.shape}; with these features it is {shape}")
    if not np.isfinite(found).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(found))[0]))
        raise ModelError(f"{name} holds {found[place]} at {place}; its entries are finite numbers")


def _moved(pairs: Array, points: Any) -> tuple[flint.arb, flint.arb]:
    """Upper bounds: the largest gap of chances of the pairs (n, M), and the longest norm(phi)."""
    one, two = ([_ball(value) for value in point.fractions()] for point in points)
    gap, longest = flint.arb(0), flint.arb(0)
    for column in np.asarray(pairs, dtype=np.float64).T:
        phi = [flint.arb(float(value)) for value in column]
        apart = abs(sigma(dot(one, phi)) - sigma(dot(two, phi)))
        gap, longest = gap.max(apart), longest.max(norm(phi))
    return gap, longest


def norm(vector: list[flint.arb]) -> flint.arb:
    """A ball around the Euclidean norm."""
    squares = dot(vector, vector)
    return squares.sqrt() if squares > 0 else squares.abs_upper().sqrt().union(flint.arb(0))


def _gaps(one: Vector, two: Vector) -> list[flint.arb]:
    return [_ball(a - b) for a, b in zip(one.fractions(), two.fractions(), strict=True)]


def _ball(number: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(number.numerator, number.denominator))


def _above(ball: flint.arb) -> float:
    """An upper bound on the number in the ball; infinite where the ball says nothing."""
    if not ball.is_finite():
        return math.inf
    return 0.0 if ball.is_zero() else math.nextafter(float(ball.upper()), math.inf)


def _below(ball: flint.arb) -> float:
    """A lower bound on the number in the ball, which is not negative."""
    if not ball.is_finite() or ball.is_zero():
        return 0.0
    return max(0.0, math.nextafter(float(ball.lower()), -math.inf))
