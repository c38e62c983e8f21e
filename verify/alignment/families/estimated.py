"""Problems whose reward and safety are known up to errors within given widths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers.alignment.tilts import log_partition, ready, tilt
from holdfast.solvers.hypergradient.balls import elementwise
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from .stepwise import KNOWN, Known


@dataclass(frozen=True)
class Estimated:
    """Errors of reward and safety [X, Y], added to the truth; widths U [X, Y], of which alpha times
    as much bounds them; the estimated multiplier."""

    known: Known
    reward_error: Array
    safety_error: Array
    reward_width: Array
    safety_width: Array
    alpha: Fraction
    multiplier: Fraction

    @property
    def safety(self) -> Array:
        """hat g."""
        found: Array = self.known.problem.safety + self.safety_error
        return found

    @property
    def bound(self) -> Fraction:
        """The largest ``|hat g|``, at least 1."""
        return max([Fraction(1), *elementwise(abs, self.safety).ravel()])

    @property
    def norm_bound(self) -> Fraction:
        """At least the norm of each of r, g and their estimates, as weights of unit vectors."""
        truth = self.known.problem
        parts = (truth.rewards, truth.safety, truth.rewards + self.reward_error, self.safety)
        return max([Fraction(1), *(elementwise(abs, one).sum() for one in parts)])

    def objective(self, weight: Any, *, estimated: bool = False) -> Array:
        """r + weight g, of the truth or as estimated, [X, Y]."""
        truth = self.known.problem
        if estimated:
            return truth.rewards + self.reward_error + weight * self.safety
        return truth.rewards + weight * truth.safety

    def policy(self) -> Array:
        """hat pi, in balls."""
        f = self.objective(self.multiplier, estimated=True)
        return tilt(self.known.problem.reference, f, self.known.problem.temperature)

    def optimum(self) -> Array:
        """The policy of the true multiplier, in balls."""
        return self.known.tilted(self.known.multiplier)

    def spread(self, weight: Any, bound: Any) -> Array:
        """Gamma of a weight of safety, [X, Y]."""
        widths = self.reward_width + weight * self.safety_width
        return self.alpha * widths + abs(weight - self.multiplier) * bound

    def log_ratios(self) -> Array:
        """log Z_h / Z_hat_h of each prompt, in balls."""
        problem = self.known.problem
        both = (
            self.objective(self.known.multiplier),
            self.objective(self.multiplier, estimated=True),
        )
        one, two = (log_partition(problem.reference, f, problem.temperature) for f in both)
        found: Array = one - two
        return found

    def mean(self, policy: Array, f: Any) -> Any:
        """E f under a policy, in balls."""
        law = ready(self.known.problem.prompt_law)
        return (law[:, None] * ready(policy) * ready(f)).sum()


def _errors(draw: Draw, shape: tuple[int, ...], kind: int) -> Array:
    """Eighths: any, all of one sign, all equal, or none."""
    least = {0: -4, 1: 0}.get(kind, 1)
    flat = [Fraction(draw.integer(least, 4), 8) for _ in range(int(np.prod(shape)))]
    flat = [flat[0]] * len(flat) if kind == 2 else flat
    return np.array(flat, dtype=object).reshape(shape) * (kind != 3) * draw.choice((1, -1))


def _estimated(draw: Draw) -> Estimated:
    """Widths are the errors over alpha, in half of the cases plus up to 1/2."""
    (known,) = KNOWN.draw(draw)
    shape = known.problem.reference.shape
    errors = [_errors(draw, shape, draw.integer(0, 3)) for _ in range(2)]
    alpha, loose = draw.choice(tuple(map(Fraction, ("1", "2", "1/2")))), draw.integer(0, 1)
    widths = [
        elementwise(abs, one) / alpha + loose * abs(_errors(draw, shape, 0)) for one in errors
    ]
    multiplier = known.multiplier + draw.choice(tuple(map(Fraction, ("0", "1/8", "-1/8", "1"))))
    found = max(multiplier, Fraction(0))
    return Estimated(known, errors[0], errors[1], widths[0], widths[1], alpha, found)


ESTIMATED = Family("problems known up to errors", _estimated)


def _ordered(draw: Draw) -> Estimated:
    """Both widths the same, so that both are ordered as Gamma is."""
    case = _estimated(draw)
    width = np.maximum(case.reward_width, case.safety_width)
    return replace(case, reward_width=width, safety_width=width)


ORDERED = Family("problems known up to errors of one width", _ordered)


def slack(draw: Draw, case: Estimated) -> Fraction:
    """By how much the level is below what is believed."""
    return Fraction(draw.choice((0, 1, 2)), 8)


def weight(draw: Draw, case: Estimated) -> Fraction:
    """A weight of safety."""
    return Fraction(draw.integer(0, 6), 2)


def response(draw: Draw, case: Estimated, *_: object) -> tuple[int, int]:
    """A prompt and a response."""
    X, Y = case.known.problem.reference.shape
    return draw.integer(0, X - 1), draw.integer(0, Y - 1)
