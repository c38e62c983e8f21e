r"""The model of the supported pairs of a log, and what is not known of it.

The model has the states of the log and an end, at which nothing happens any more.  In each state
there are the supported actions, with frequencies for probabilities, and *outside*, one choice for
all other actions, which ends the episode with the least reward and the greatest costs: of these
nothing is used.

Mean rewards are at least ``low``, mean costs at most ``high``, and the transitions of a pair within
``u`` of the frequencies in total variation (1 outside): for all pairs at once, with probability
1 - delta, by ``guarded/every-count`` and Hoeffding's inequality.  Rewards or costs that are said to
be functions of the pair are exact: a log cannot show that, as a rare cost may not have come yet.
All of these are rational, and rounded so that they hold.  Values are UN-normalised, and begin where
the episodes of the log do.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..errors import ModelError
from ..exact import Vector
from ..models.arrays import assemble
from ..models.cmdp import CMDP
from ..sequences import Array
from .logs import LARGEST, Log, bounded, short_fraction

_GRID = 2**16
"""Bounds are multiples of its inverse (of the range), rounded outwards: far below what samples
leave open, and short in exact arithmetic."""
OUTSIDE = -1
"""The label of the choice for all actions that are not supported."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a reward or cost of one step cannot leave, and a return of any state cannot."""

    step: tuple[Fraction, Fraction]
    returns: tuple[Fraction, Fraction]

    @classmethod
    def of(cls, low: Fraction, high: Fraction, discount: Fraction) -> Range:
        """Of returns that are bounded by those of steps alone; episodes may end."""
        ends = min(low, Fraction(0)), max(high, Fraction(0))
        return cls((low, high), (ends[0] / (1 - discount), ends[1] / (1 - discount)))

    @property
    def width(self) -> Fraction:
        """R, of the returns."""
        return self.returns[1] - self.returns[0]


@dataclass(frozen=True)
class Learned:
    """A model of the supported pairs of a log, with what is not known of it.

    Attributes:
        model: a CMDP of S + 1 states whose costs have the budgets given, the end being state S.
            Reward and costs are means; labels of actions are numbers of the log, or `OUTSIDE`.
        outside: bool[K], the choices that are not supported.
        variation: u, K rationals: bounds on the total variation.
        bounds: 1 + m vectors: lower bounds on mean rewards, upper ones on mean costs.
        ranges: 1 + m ranges.
        failure: delta, the probability with which some bound may be wrong.
        complete: whether the log has all states that there are.
    """

    log: Log
    model: CMDP
    outside: Array
    variation: tuple[Fraction, ...]
    bounds: tuple[Vector, ...]
    ranges: tuple[Range, ...]
    failure: Fraction
    complete: bool

    @cached_property
    def exits(self) -> Vector:
        """The cost of leaving the support, over the choices."""
        return Vector(tuple(map(int, self.outside.tolist())), 1)

    def penalised(self, index: int, width: Fraction) -> Vector:
        """low - gamma width u for the reward (0), high + gamma width u for a cost (from 1 on)."""
        rate = (1 if index else -1) * self.model.discount * width
        pairs = zip(self.bounds[index].fractions(), self.variation, strict=True)
        return Vector.of(bound + rate * u for bound, u in pairs)


def learned(
    log: Log, supported: Array, ranges: Sequence[Range], budgets: Sequence[Fraction],
    failure: Fraction, n_states: int | None = None, *, fixed: Collection[int] = (),
) -> Learned:  # fmt: skip
    """The model of the pairs that are `supported` (bool[S, A]; those without a visit are not).

    n_states: how many states there are, if more than the log has.  fixed: the reward (0) and costs
    (from 1 on) that are known to be functions of the pair.  Raises ModelError for a failure outside
    of (0, 1), numbers of ranges and budgets that do not fit the log, a range that the log leaves,
    fewer states than it has, and what is fixed and varies.
    """
    known = _Known(log, tuple(ranges), failure, n_states or len(log.states), frozenset(fixed))
    _check(known, budgets)
    size, used = len(log.states), supported & (log.visits > 0)
    rows: dict[tuple[int, int], dict[int, int]] = {}
    for s, a, then, times in log.moves[used[log.moves[:, 0], log.moves[:, 1]]].tolist():
        rows.setdefault((s, a), {})[then] = times
    for s in range(size):
        rows[s, OUTSIDE] = {size: 1}
    rows[size, 0] = {size: 1}
    pairs = sorted(rows)
    means, bounds = zip(
        *(zip(*(known.mean(i, pair) for pair in pairs), strict=True) for i in range(len(ranges))),
        strict=True,
    )
    model = assemble(
        counts=[*(used.sum(axis=1) + 1).tolist(), 1],
        actions=[a for _, a in pairs],
        rows=[rows[pair] for pair in pairs],
        reward=means[0],
        costs=means[1:],
        budgets=list(budgets),
        discount=log.discount,
        initial=[*log.starts.tolist(), 0],
    )
    return Learned(
        log,
        model,
        np.array([a == OUTSIDE for _, a in pairs]),
        tuple(map(known.variation, pairs)),
        tuple(map(Vector.of, bounds)),
        tuple(ranges),
        failure,
        known.n_states == size,
    )


@dataclass(frozen=True)
class _Known:
    """What the log says of single pairs; at most `failure` of all of it is wrong at once."""

    log: Log
    ranges: tuple[Range, ...]
    failure: Fraction
    n_states: int
    fixed: frozenset[int]

    @cached_property
    def varying(self) -> list[int]:
        """The reward (0) and costs (from 1 on) whose means are estimated."""
        return [
            i
            for i, one in enumerate(self.ranges)
            if i not in self.fixed and one.step[0] < one.step[1]
        ]

    @cached_property
    def _looks(self) -> float:
        """log(K N/delta), with half of delta where means are estimated as well."""
        pairs = self.n_states * len(self.log.actions)
        return math.log(pairs * self.log.steps * (2 if self.varying else 1) / float(self.failure))

    @cached_property
    def _visits(self) -> list[list[int]]:
        visits: list[list[int]] = self.log.visits.tolist()
        return visits

    def variation(self, pair: tuple[int, int]) -> Fraction:
        """1/2 sqrt(2/n log((2^S - 2) K N/delta)), at most 1; 1 outside, and 0 at the end."""
        state, action = pair
        if action == OUTSIDE or state == len(self.log.states):
            return Fraction(int(action == OUTSIDE))
        # of the states and the end; 2^S is above 2^S - 2
        events = (self.n_states + 1) * math.log(2)
        size = math.sqrt((events + self._looks) / (2 * self._visits[state][action]))
        return min(Fraction(1), _outwards(size, Fraction(1), up=True))

    def mean(self, index: int, pair: tuple[int, int]) -> tuple[Fraction, Fraction]:
        """The mean of a pair, and its lower (reward) or upper (cost) bound, by Hoeffding."""
        (state, action), (low, high) = pair, self.ranges[index].step
        worst = high if index else low
        if state == len(self.log.states):
            return Fraction(0), Fraction(0)
        if action == OUTSIDE:
            return worst, worst
        if index not in self.varying:
            value = short_fraction(float(self.log.least[index, state, action]))
            return value, value
        n, scale = self._visits[state][action], high - low
        mean = float(self.log.sums[index, state, action]) / n
        looks = self._looks + math.log(len(self.varying))
        away = float(scale) * math.sqrt(looks / (2 * n))
        found = _outwards(mean, scale, up=bool(index))
        bound = _outwards(mean + (away if index else -away), scale, up=bool(index))
        return found, min(bound, high) if index else max(bound, low)


def _outwards(value: float, scale: Fraction, *, up: bool) -> Fraction:
    """On the grid of a scale, farther than the value by a little more than its rounding."""
    steps = value / float(scale) * _GRID
    return scale * Fraction(math.ceil(steps + 1e-3) if up else math.floor(steps - 1e-3), _GRID)


def _check(known: _Known, budgets: Sequence[Fraction]) -> None:
    log, ranges = known.log, known.ranges
    for i, budget in enumerate(budgets):
        bounded(f"the budget of cost {i + 1}", budget)
    for i, one in enumerate(ranges):
        what = f"of {f'cost {i}' if i else 'the reward'}"
        bounded(f"an end of the range {what}", *one.step)
        bounded(f"the width of the range {what}", one.step[1] - one.step[0])
    if 0 < known.failure < Fraction(1, LARGEST):
        raise ModelError(f"delta is below {1 / LARGEST:g}, too small for floating point; raise it")
    if not 0 < known.failure < 1:
        raise ModelError(
            f"delta is {known.failure}; the probability of failure is above 0 and below 1"
        )
    if len(ranges) != log.n_costs + 1 or len(budgets) != log.n_costs:
        raise ModelError(
            f"{log.name} has {log.n_costs} costs, and there are {len(budgets)} budgets and "
            f"{len(ranges)} ranges; give one budget for each cost, and a range for each and the "
            "reward"
        )
    if known.n_states < len(log.states):
        raise ModelError(
            f"{known.n_states} states are said to be there, and {log.name} has {len(log.states)}; "
            "give at least as many"
        )
    for index, one in enumerate(ranges):
        low, high = log.range(index)
        if not one.step[0] <= low <= high <= one.step[1]:
            raise ModelError(
                f"{'the reward' if index == 0 else f'cost {index}'} of {log.name} is from "
                f"{float(low):g} to {float(high):g}, and its range is said to be "
                f"{float(one.step[0]):g} to {float(one.step[1]):g}; widen it"
            )
        if index in known.fixed and len(bad := np.argwhere(log.least[index] < log.most[index])):
            state, action = log.states[bad[0, 0]], log.actions[bad[0, 1]]
            raise ModelError(
                f"{'the reward' if index == 0 else f'cost {index}'} of {log.name} is said to be a "
                f"function of state and action, and differs between visits of state {state}, "
                f"action {action}; do not say so"
            )
