"""The learnt reward enclosed: balls that certainly contain the minimiser of the loss.

    F(r) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i] + ridge/2 norm(r)^2.

Newton steps propose a point; that the minimiser is near follows from strong convexity.  With a
ridge, norm(r - r*) <= norm(grad F(r))/ridge.  Without one, F is strongly convex near r with the
modulus mu(R) = lambda_min(Phi D Phi^T) min_i sigma'(abs(r.phi_i) + R norm(phi_i)) on the ball of
radius R; if norm(grad F(r)) < mu(R) R/2, then F is larger on its sphere than at r, the minimiser is
inside, and norm(r - r*) <= norm(grad F(r))/mu(R).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np

from ...errors import ModelError
from ...exact import Vector
from ..flips.problem import FlipProblem
from .exact_loss import label_moments
from .separability import separation

_GUARD = 64
"""Bits beside the precision asked for, which rounding of sums may use up: fewer would leave balls
wider than asked for, more cost time only."""
_MOST_STEPS = 64
"""Newton steps: the digits double with each near the minimiser, so that these are plenty."""
Balls = list[flint.arb]


@dataclass(frozen=True, slots=True)
class EnclosedReward:
    """reward: balls (n) around the entries of the minimiser; radius: a bound on the Euclidean
    distance between their middles and the minimiser."""

    reward: tuple[flint.arb, ...]
    radius: flint.arb


def enclose_reward(
    problem: FlipProblem, labels: Vector, *, ridge: Fraction | int = 0
) -> EnclosedReward:
    """Enclose the minimiser for labels (N) on the problem's pairs, to about the working precision
    of ``flint.ctx``.  For small n.

    Raises ModelError for a negative ridge; without a ridge also for labels that are separated and
    for dependent features.
    """
    if ridge < 0:
        raise ModelError(f"ridge is {ridge}; it must not be negative")
    least = Fraction(0) if ridge else _least_eigenvalue(problem, labels)
    precision = flint.ctx.prec
    with flint.ctx.workprec(precision + _GUARD):
        newton = _Newton(problem, labels, Fraction(ridge), least)
        found = newton.run(_proposal(problem, labels, float(ridge)), precision)
    return found


def enclose_gradient(
    problem: FlipProblem, labels: Vector, reward: Vector, *, ridge: Fraction | int = 0
) -> Balls:
    """Balls (n) around the gradient of the loss at any rational reward (n), at the working
    precision of ``flint.ctx``."""
    point = [_ball(value) for value in reward.fractions()]
    return _Newton(problem, labels, Fraction(ridge), Fraction(0)).gradient(point)


def _least_eigenvalue(problem: FlipProblem, labels: Vector) -> Fraction:
    """A positive lower bound on the least eigenvalue of Phi D Phi^T: det/trace^(n-1)."""
    if separation(problem, labels).separable:
        raise ModelError(
            "the labels are separated by a direction, so the loss has no minimiser; add a ridge"
        )
    size, gram = problem.n_features, _gram(problem)
    determinant = Fraction(str(gram.det()))
    if not determinant:
        raise ModelError(
            "the features are linearly dependent on these pairs, so many rewards are minimal; drop "
            "some features or add a ridge"
        )
    trace = sum((Fraction(str(gram[a, a])) for a in range(size)), Fraction(0))
    return determinant / trace ** (size - 1)


def _gram(problem: FlipProblem) -> flint.fmpq_mat:
    """Phi D Phi^T."""
    size = problem.n_features
    gram = flint.fmpq_mat(size, size)
    for phi, weight in zip(problem.columns(), problem.multiplicities, strict=True):
        for a in range(size):
            for b in range(size):
                entry = weight * phi[a] * phi[b]
                gram[a, b] += flint.fmpq(entry.numerator, entry.denominator)
    return gram


class _Newton:
    def __init__(
        self, problem: FlipProblem, labels: Vector, ridge: Fraction, least: Fraction
    ) -> None:
        used = [i for i, weight in enumerate(problem.multiplicities) if weight]
        columns, weights = problem.columns(), problem.multiplicities
        self.columns = [[_ball(value) for value in columns[i]] for i in used]
        self.weights = [_ball(weights[i]) for i in used]
        self.seen = [_ball(value) for value in label_moments(problem, labels).fractions()]
        self.ridge, self.least = _ball(ridge), _ball(least)

    def run(self, start: Sequence[float], precision: int) -> EnclosedReward:
        """Newton steps until the radius is as small as asked, or shrinks no more."""
        middle = [flint.arb(value) for value in start]
        best = self.enclosed(middle)
        for _ in range(_MOST_STEPS):
            if best.radius.is_finite() and best.radius <= flint.arb(2) ** -precision:
                break
            middle = self.stepped(middle)
            found = self.enclosed(middle)
            if best.radius.is_finite() and not found.radius < best.radius:
                break
            best = found
        return best

    def stepped(self, middle: Balls) -> Balls:
        """The middles after a Newton step."""
        slope, curvature = self.gradient(middle), self.hessian(middle)
        step = flint.arb_mat(curvature).solve(flint.arb_mat([[g] for g in slope]), nonstop=True)
        return [(r - step[k, 0]).mid() for k, r in enumerate(middle)]

    def scores(self, reward: Sequence[flint.arb]) -> Balls:
        return [dot(reward, phi) for phi in self.columns]

    def gradient(self, reward: Sequence[flint.arb]) -> Balls:
        chances = [rho * sigma(u) for rho, u in zip(self.weights, self.scores(reward), strict=True)]
        return [
            dot(chances, [phi[k] for phi in self.columns]) - seen + self.ridge * reward[k]
            for k, seen in enumerate(self.seen)
        ]

    def hessian(self, reward: Sequence[flint.arb]) -> list[Balls]:
        bends = [
            rho * sigma(u) * sigma(-u)
            for rho, u in zip(self.weights, self.scores(reward), strict=True)
        ]
        size = range(len(self.seen))
        return [
            [
                dot(bends, [phi[a] * phi[b] for phi in self.columns])
                + (self.ridge if a == b else 0)
                for b in size
            ]
            for a in size
        ]

    def enclosed(self, middle: Balls) -> EnclosedReward:
        """Balls around an exact point; infinite where nothing is proved."""
        length = _norm(self.gradient(middle))
        radius = self.radius(middle, length)
        spread = flint.arb(0, radius.upper() if radius.is_finite() else flint.arb("inf"))
        return EnclosedReward(tuple(value + spread for value in middle), radius)

    def radius(self, middle: Balls, length: flint.arb) -> flint.arb:
        if length == 0 or self.ridge > 0:  # a gradient that is exactly 0: this is the minimiser
            return length / self.ridge if self.ridge > 0 else length
        ball = 3 * length.upper() / self.modulus(middle, flint.arb(0)).lower()
        modulus = self.modulus(middle, ball)
        return length / modulus if length < modulus * ball / 2 else flint.arb("inf")

    def modulus(self, middle: Balls, radius: flint.arb) -> flint.arb:
        """mu(radius)."""
        furthest = [
            abs(u) + radius * _norm(phi)
            for u, phi in zip(self.scores(middle), self.columns, strict=True)
        ]
        bends = [sigma(u) * sigma(-u) for u in furthest]
        least = bends[0]
        for bend in bends[1:]:
            least = least.min(bend)
        return self.least * least


def _proposal(problem: FlipProblem, labels: Vector, ridge: float) -> list[float]:
    """The minimiser in floats, from which Newton's method converges; 0 where no pair counts."""
    from .learning import fit_reward

    if not any(problem.multiplicities):
        return [0.0] * problem.n_features
    features = np.array([row.floats() for row in problem.features])
    weights = None if problem.weights is None else problem.weights.floats()
    return [
        float(r) for r in fit_reward(features, labels.floats(), weights=weights, ridge=ridge).reward
    ]


def sigma(u: flint.arb) -> flint.arb:
    """A ball around the logistic function: finite for every u, as it lies between 0 and 1."""
    small = u.exp() if u < 0 else (-u).exp()
    found = small / (1 + small) if u < 0 else 1 / (1 + small)
    return found if found.is_finite() else flint.arb(0.5, 0.5)


def dot(left: Sequence[flint.arb], right: Sequence[flint.arb]) -> flint.arb:
    """The inner product of two vectors of balls."""
    return sum((a * b for a, b in zip(left, right, strict=True)), flint.arb(0))


def _norm(vector: Sequence[flint.arb]) -> flint.arb:
    """An upper bound on the Euclidean norm."""
    return flint.arb(dot(vector, vector).abs_upper()).sqrt()


def _ball(number: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(number.numerator, number.denominator))
