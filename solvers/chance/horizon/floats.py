"""Backward induction in floating point: it proposes policies, and bounds its own error.

Rewards are measured in units of the largest one, so that nothing overflows.  The chord here finds
two policies around the level; what they are worth, and whether they are the right ones, is decided
in integers elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...exact import Array
from ...models.cmdp import IntegerArray
from .dynamics import Dynamics

_ROUNDS = 60
"""Trial multipliers in floating point; the exact chord goes on from wherever this stops."""
_TOLERANCE = 1e-14
"""Relative gain over the chord that is taken for rounding: less costs float rounds that gain
nothing, more leaves rounds to exact induction, each far dearer."""
_SPACING = 2.0**-52
"""Proved: twice the relative rounding error u of one operation, see `backward`."""
_TINY = 1e-300
"""Proved: more than underflow adds to an error in one step, but for products with a size ..."""
_SUBNORMAL = 2.0**-1074
"""... which lose at most the smallest positive double, in proportion to that size."""
_STEEPEST = 1e200
"""The slope beyond which products with risks may overflow; exact induction decides from there."""


@dataclass(frozen=True, slots=True)
class FloatLayer:
    """One step of the induction, over the choices in all memories.

    scores: float[M, K], the value of each choice; best: float[M, S], of each cell; errors:
    float[M, K], how far the scores can be from the exact ones (if asked for).
    """

    time: int
    scores: Array
    best: Array
    errors: Array | None = None


@dataclass(frozen=True, slots=True)
class FloatPolicy:
    """A table of choices int32[T, M, S], and its value (in units) and risk as floats."""

    table: IntegerArray
    value: float
    risk: float


@dataclass(frozen=True, eq=False)
class FloatDynamics:
    """The nearest doubles of the layers; values are in units of the largest reward."""

    dynamics: Dynamics
    matrix: Any
    rewards: Array
    terminal: Array
    residual: Array
    charges: Array
    start: Array
    unit: Fraction

    @classmethod
    def of(cls, dynamics: Dynamics) -> FloatDynamics:
        """The doubles of a problem's layers."""
        numbers = [*dynamics.rewards.tolist(), *dynamics.terminal.ravel().tolist()]
        unit = max(map(abs, numbers)) or 1
        shape, bottom = dynamics.residual.shape, dynamics.charge_denominator
        return cls(
            dynamics,
            dynamics.model.float_transitions(),
            _doubles(dynamics.rewards, unit),
            _doubles(dynamics.terminal, unit).reshape(shape),
            _doubles(dynamics.residual, bottom).reshape(shape),
            _doubles(dynamics.charges, bottom),
            _doubles(dynamics.start, dynamics.model.initial_denominator),
            Fraction(unit, dynamics.value_denominator),
        )

    def price(self, multiplier: Fraction) -> float:
        """A multiplier in units of reward; infinite when no double is as large."""
        return nearest(multiplier / self.unit)

    def arrival(self, values: Array, charges: Array) -> Array:
        """[M, S]: the values after arriving from each memory, and the charge of unsafe arrivals."""
        risky = self.dynamics.problem.is_unsafe
        moved = values.copy()
        moved[:, risky] = values[self.dynamics.following][:, risky] + charges[:, None]
        return moved

    def expected(self, arrivals: Array) -> Array:
        """[M, K]: the expectation over the successors of each choice."""
        return np.ascontiguousarray((self.matrix @ arrivals.T).T)

    def backward(self, price: float, *, bounded: bool = False) -> Iterator[FloatLayer]:
        """The layers T-1 .. 0 of the induction for value - price * risk.

        ``bounded`` adds the errors.  A choice with b successors, whose values and charges have
        expected sizes at most x, and with a reward of size r, adds less than (b + 9) u x + 5 u r,
        u = 2^-53, to the expected error of what follows.  Twice that is added, which covers the
        rounding of the bound itself.  What is lost to underflow has its own terms, in proportion to
        the price where it is a charge, a residual risk or a probability.
        """
        dynamics, model = self.dynamics, self.dynamics.model
        owned, charges = model.choice_start[:-1], -price * self.charges
        width = int(np.diff(model.indptr).max())
        noise = _SPACING * (width + 9)
        factor = float(model.discount**dynamics.horizon)
        values = factor * self.terminal - price * self.residual
        error = 8 * _SPACING * (np.abs(self.terminal) + price * self.residual) + price * _SUBNORMAL
        errors = None
        for t in reversed(range(dynamics.horizon)):
            rewards = float(model.discount**t) * self.rewards
            scores = self.expected(self.arrival(values, charges))
            scores[dynamics.earns] += rewards
            if bounded:
                sizes = self.arrival(np.abs(values), -charges)
                errors = self.expected(self.arrival(error, 0 * charges) + noise * sizes)
                errors += _TINY + 4 * width * _SUBNORMAL * sizes.max()
                errors[dynamics.earns] += 5 * _SPACING * np.abs(rewards)
                error = np.maximum.reduceat(errors, owned, axis=1)
            values = np.maximum.reduceat(scores, owned, axis=1)
            yield FloatLayer(t, scores, values, errors)

    def greedy(self, price: float) -> FloatPolicy:
        """The policy that maximises value - price * risk, up to rounding."""
        dynamics = self.dynamics
        table = np.empty((dynamics.horizon, *dynamics.residual.shape), dtype=np.int32)
        risks, best = self.residual, self.residual
        for layer in self.backward(price):
            table[layer.time] = self.pick(layer.scores == self.spread(layer.best))
            expected = self.expected(self.arrival(risks, self.charges))
            risks = np.take_along_axis(expected, table[layer.time], axis=1)
            best = layer.best
        risk = float(self.start @ risks.ravel())
        return FloatPolicy(table, float(self.start @ best.ravel()) + price * risk, risk)

    def pick(self, marked: Array) -> IntegerArray:
        """[M, S]: the first marked choice of each cell; every cell has one."""
        model = self.dynamics.model
        numbers = np.where(marked, np.arange(model.n_choices), model.n_choices)
        return np.asarray(np.minimum.reduceat(numbers, model.choice_start[:-1], axis=1))

    def spread(self, cells: Array) -> Array:
        """[M, K]: the number of its cell for each choice."""
        return np.repeat(cells, self.dynamics.model.action_counts, axis=1)

    def bracket(self, budget: float, least: FloatPolicy) -> tuple[FloatPolicy, FloatPolicy, int]:
        """Two policies on the envelope around a budget, from a least risky one; and the rounds.

        Both are the reward's optimum if that meets the budget.
        """
        low, high = least, self.greedy(0.0)
        if high.risk <= budget:
            return high, high, 0
        rounds = 0
        while rounds < _ROUNDS and (slope := _slope(low, high)) is not None:
            trial, rounds = self.greedy(slope), rounds + 1
            gain = trial.value - high.value - slope * (trial.risk - high.risk)
            if gain <= _TOLERANCE * (abs(high.value) + slope * high.risk):
                break
            low, high = (trial, high) if trial.risk <= budget else (low, trial)
        return low, high, rounds


def _slope(low: FloatPolicy, high: FloatPolicy) -> float | None:
    """Of the chord between two policies; None where it does not rise, or too steeply for floats."""
    if high.risk <= low.risk or high.value <= low.value:
        return None
    slope = (high.value - low.value) / (high.risk - low.risk)
    return None if slope > _STEEPEST else slope


def nearest(value: Fraction) -> float:
    """The nearest double; infinite when none is as large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _doubles(numerators: IntegerArray, denominator: int) -> Array:
    """Correctly rounded quotients of integers of any size."""
    return np.array([n / denominator for n in numerators.ravel().tolist()], dtype=float)
