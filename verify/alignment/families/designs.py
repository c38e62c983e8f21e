"""Data on unit vectors: exact, with and without noise."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment.designs import fitted
from holdfast.solvers.alignment.tilts import mean, objective, ready, tilt
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family

Numbers = tuple[Fraction, ...]
FAILURES = tuple(map(Fraction, ("1/10", "1/2", "1/100")))
_FIFTHS = ((0, 5), (3, 4), (-4, 1), (4, -3), (-5, 0))  # of norm 5 at most, so B = 1
UNIT = tuple((Fraction(a, 5), Fraction(b, 5)) for a, b in _FIFTHS)


@dataclass(frozen=True)
class Fit:
    """One prompt with two responses whose features are e_1 and e_2, labels without noise.

    reference, reward, safety (the true weights, of norm at most B = 1), labels of the two;
    fitting: the ridge of the fit, the one in the widths or 0 for the least weights that fit.
    multiplier: the true one; level: b, or None for what is then reached at most.
    """

    reference: Numbers
    reward: Numbers
    safety: Numbers
    reward_counts: tuple[int, int]
    safety_counts: tuple[int, int]
    ridge: Fraction
    fitting: Fraction
    temperature: Fraction
    failure: Fraction
    multiplier: Fraction
    estimated: Fraction
    level: Fraction | None

    @property
    def fits(self) -> tuple[Numbers, Numbers]:
        """Fitted reward and safety."""
        return (
            fitted(self.reward, self.reward_counts, self.fitting),
            fitted(self.safety, self.safety_counts, self.fitting),
        )

    def alpha(self) -> flint.arb:
        """B (1 + sqrt(log(2/delta)/2)) with B = 1."""
        return 1 + (ready(2 / self.failure).log() / 2).sqrt()

    def width(self, counts: tuple[int, int]) -> Array:
        """U of both responses, in balls."""
        return np.array([1 / ready(self.ridge + n).sqrt() for n in counts], dtype=object)

    def policy(self, multiplier: Any, *, estimated: bool = False) -> Array:
        """The tilt of the reference, [2], in balls."""
        reward, safety = self.fits if estimated else (self.reward, self.safety)
        f = ready(array(reward)) + ready(multiplier) * ready(array(safety))
        found: Array = tilt(array(self.reference)[None], f[None], self.temperature)[0]
        return found

    def mean(self, policy: Array, f: Numbers) -> flint.arb:
        """E f."""
        return (policy * ready(array(f))).sum()

    def reached(self) -> flint.arb:
        """G of the optimum."""
        return self.mean(self.policy(self.multiplier), self.safety)

    def believed(self) -> flint.arb:
        """E hat g under hat pi."""
        return self.mean(self.policy(self.estimated, estimated=True), self.fits[1])

    def bound(self) -> flint.arb:
        """b: the given level, or the largest that optimum and belief meet."""
        if self.level is not None:
            return ready(self.level)
        return self.reached() if self.multiplier else self.reached().min(self.believed())

    def value(self, policy: Array) -> flint.arb:
        """R."""
        data = (policy[None], array(self.reference)[None], array(self.reward)[None])
        return objective(array((1,)), *data, self.temperature)


def array(values: Any) -> Array:
    """Numbers as an object array."""
    return np.array([Fraction(one) for one in values], dtype=object)


def _fit(draw: Draw) -> Fit:
    """Without a multiplier, true or estimated, so that the level can be what both meet."""
    few = [(draw.choice((0, 1, 10**6)), draw.choice((0, 3, 10**6))) for _ in range(2)]
    ridge = draw.choice(tuple(map(Fraction, ("4", "1", "1/2"))))
    return Fit(
        draw.choice((array(("9/10", "1/10")), array(("1/2", "1/2")))),  # type: ignore[arg-type]
        draw.choice(UNIT), draw.choice(UNIT), few[0], few[1],
        ridge, draw.choice((ridge, Fraction(0))),
        draw.choice((Fraction(1, 4), Fraction(1), Fraction(1, 10))),
        Fraction(1, 10), Fraction(0), Fraction(0), None,
    )  # fmt: skip


FITS = Family("fits to labels without noise", _fit)


@dataclass(frozen=True)
class Lone:
    """A response whose feature is a unit vector: its weight, labels, the ridge, B and delta."""

    weight: Fraction
    count: int
    ridge: Fraction
    bound: Fraction
    failure: Fraction


def _lone(draw: Draw) -> Lone:
    """Weights of norm B at most."""
    bound = Fraction(draw.integer(1, 4), 2)
    weight = bound * Fraction(draw.integer(-4, 4), 4)
    ridge = draw.choice(tuple(map(Fraction, ("1", "1/4", "5", "20"))))
    return Lone(weight, draw.choice((0, 0, 1, 4, 30)), ridge, bound, draw.choice(FAILURES))


def _seen(draw: Draw) -> Lone:
    """With so many labels and so small a ridge that the width can fail."""
    bound = Fraction(draw.integer(1, 4), 2)
    weight = bound * Fraction(draw.integer(-4, 4), 4)
    ridge = draw.choice(tuple(map(Fraction, ("1/16", "1/4", "1"))))
    return Lone(weight, draw.choice((20, 40, 80)), ridge, bound, draw.choice(FAILURES))


LONE = Family("labels of a unit vector", _lone)
SEEN = Family("many noisy labels of a unit vector", _seen)


@dataclass(frozen=True)
class Axes:
    """Each of d = root^2 unit vectors observed `count` times with noise +-B/2; weights 0, and
    responses with all features of signs over root."""

    root: int
    count: int
    ridge: Fraction
    failure: Fraction


def _axes(draw: Draw) -> Axes:
    return Axes(draw.integer(1, 6), draw.integer(1, 12), Fraction(1), draw.choice(FAILURES))


AXES = Family("sign vectors, weights 0", _axes)


@dataclass(frozen=True)
class Noisy:
    """d unit vectors, each observed `count` times with noise +-B/2; the first one has weight w."""

    dimension: int
    count: int
    weight: Fraction
    ridge: Fraction
    bound: Fraction
    failure: Fraction


def _noisy(draw: Draw) -> Noisy:
    bound = Fraction(draw.integer(1, 4), 2)
    failure = draw.choice((*FAILURES, Fraction(9, 10), Fraction(1, 10**6)))
    return Noisy(
        draw.integer(1, 3), draw.integer(1, 6), bound * Fraction(draw.integer(-2, 2), 2),
        draw.choice(tuple(map(Fraction, ("1", "1/4", "5", "100")))), bound, failure,
    )  # fmt: skip


NOISY = Family("unit vectors with noise", _noisy)


@dataclass(frozen=True)
class Compared:
    """One comparison, made `count` times; odds of the true preference, B as log of odds."""

    odds: Fraction
    count: int
    ridge: Fraction
    largest_odds: Fraction
    failure: Fraction


def _compared(draw: Draw) -> Compared:
    """True log-odds within B in size."""
    odds = draw.choice(tuple(map(Fraction, ("1", "2", "1/2", "3", "1/3"))))
    largest = max(odds, 1 / odds) * draw.choice(tuple(map(Fraction, ("1", "2", "5/4"))))
    return Compared(
        odds, draw.integer(1, 12), draw.choice(tuple(map(Fraction, ("1/4", "1", "5", "1000")))),
        max(largest, Fraction(5, 4)), draw.choice((*FAILURES, Fraction(9, 10), Fraction(1, 10**6))),
    )  # fmt: skip


COMPARED = Family("a comparison made again and again", _compared)


def mean_of(policy: Array, f: Array) -> Any:
    """E f of one prompt."""
    return mean(array((1,)), policy[None], f[None])
