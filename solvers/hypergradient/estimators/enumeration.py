"""Bias and variance of an estimator as exact numbers: every trajectory, by its probability.

The problems are `balls.Point`s, bilevel problems in rationals with derivatives along one direction,
whose episodes end: nothing is truncated, and the values of the infinite horizon are those of the
episode.  Estimators run on fractions by the very code that runs on floats; the true derivative
beside them is that of `balls.hypergradient`, without an estimator in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..balls import Point, elementwise, hypergradient, leader_values
from ..sampling import Trajectories
from .critics import SampledCritic, monte_carlo_critic
from .estimate import Sensitivities, find, sensitivities

_MOST = 200_000
"""Batches that are enumerated: at half a millisecond each, minutes."""
Way = list[tuple[int, int, int]]
"""Steps of an episode, as (state, action, place of the transition)."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Of an estimate of the derivative of J along the direction: the truth, and the estimate's
    mean, bias and variance."""

    gradient: Fraction
    mean: Fraction
    bias: Fraction
    variance: Fraction


def small_points() -> tuple[Point, Point, Point]:
    """Three states, two actions, and three directions: along the first r_F moves, along the second
    the transitions and the start, along the third r_L, r_F and a transition."""
    half, zero = Fraction(1, 2), Fraction(0)
    transitions = [[[0, half / 2, half], [0, half, half / 2]], [[0, 0, half]] * 2, [[0, 0, 0]] * 2]
    still: dict[str, Any] = {
        "follower_slope": [[zero] * 2] * 3, "leader_slope": [[zero] * 2] * 3,
        "transition_slope": [[[zero] * 3] * 2] * 3, "initial_slope": [zero] * 3,
    }  # fmt: skip
    fixed: dict[str, Any] = {
        "policy": [[half / 2, 3 * half / 2], [half, half], [Fraction(1, 3), Fraction(2, 3)]],
        "values": [Fraction(3), half, Fraction(1)], "transitions": transitions,
        "leader_rewards": [[0, 1], [2, -1], [-1, 1]], "initial": [3 * half / 2, half / 2, 0],
    }  # fmt: skip
    rewards = {"follower_slope": [[1, 0], [-1, half], [2, 0]]}
    laws = {"transition_slope": [[[0, half, -half / 2], [0, half, -half]], [[0, 0, 1], [0, 0, -1]],
                                 [[0, 0, 0]] * 2], "initial_slope": [half, -half, 0]}  # fmt: skip
    both = {"follower_slope": [[0, 1], [half, 0], [0, 1]], "leader_slope": [[0, 1], [half, 0],
            [0, -1]], "transition_slope": [[[0, half, -1], [0, -half, 0]], [[0, 0, half],
            [0, 0, 0]], [[0, 0, 0]] * 2]}  # fmt: skip
    one, two, three = (
        Point(
            **{name: _fractions(table) for name, table in (fixed | still | slopes).items()},
            temperature=half,
            follower_discount=half,
            leader_discount=3 * half / 2,
        )
        for slopes in (rewards, laws, both)
    )
    return one, two, three


def exact_bias_and_variance(point: Point, method: str = "bc-hg", episodes: int = 1) -> Moments:
    """Of the estimate from a batch of so many episodes, over all batches that there are.

    Critics are exact where the method takes SARSA's, whose limit that is, and of the batch where it
    takes Monte-Carlo means.  An oracle's further steps are one episode from a state drawn
    uniformly.  Raises ModelError for Bi-AC, which is for games, for problems whose episodes meet a
    state twice, and for more than 200,000 batches.
    """
    rule = find(method)
    if rule.critic == "stackelberg":
        raise ModelError(f"{method} is for games alone, whose leader acts; take another method")
    exact = _Exact(point)
    ways = list(exact.episodes(point.initial))
    again: list[tuple[Any, Fraction]] = [(None, Fraction(1))]
    if rule.oracle:
        even = [Fraction(1, exact.end)] * exact.end
        again = [(exact.batch([way]), weight) for way, weight in exact.episodes(even)]
    if (number := len(ways) ** episodes * len(again)) > _MOST:
        raise ModelError(f"{number:,} batches are more than {_MOST:,}; take fewer episodes or a "
                         "smaller problem")  # fmt: skip
    first = second = Fraction(0)
    for batch, (oracle, weight) in itertools.product(itertools.product(*[ways] * episodes), again):
        steps, critic = exact.batch([way for way, _ in batch]), exact.critic
        if rule.critic == "monte-carlo":
            critic = monte_carlo_critic(exact, oracle or steps)  # type: ignore[arg-type]
        found = exact.pull_back(
            sensitivities(exact, exact, steps, critic, rule, oracle)  # type: ignore[arg-type]
        )
        chance = math.prod((one for _, one in batch), start=weight)
        first, second = first + chance * found, second + chance * found**2
    true = hypergradient(point)
    return Moments(true, first, first - true, second - first**2)


class _Exact:
    """A point with the attributes of a model and a follower that estimators read; the end of an
    episode is one more state, to which rows lead with the mass that they lack."""

    def __init__(self, point: Point) -> None:
        self.end, self.n_actions = point.leader_rewards.shape
        self.point = point
        lacking = 1 - point.transitions.sum(axis=2, keepdims=True)
        kernel = np.concatenate([point.transitions, lacking], axis=2)
        slope = point.transition_slope
        slope = np.concatenate([slope, -slope.sum(axis=2, keepdims=True)], axis=2)
        self.support = np.flatnonzero(kernel.ravel() != 0)
        self.data, self.slope = kernel.ravel()[self.support], slope.ravel()[self.support]
        self.transitions = self  # of the sparse matrix, estimators read the data alone
        self.temperature, self.leader_discount = point.temperature, point.leader_discount
        self.follower_discount = point.follower_discount
        self.policy, self.leader_rewards = _ended(point.policy), _ended(point.leader_rewards)
        self.values, self.initial = _ended(point.values), _ended(point.initial)
        values, action_values = leader_values(point)
        self.critic = SampledCritic(_ended(values), _ended(action_values))

    def episodes(self, law: Any) -> Iterator[tuple[Way, Fraction]]:
        """Every way from a first state to the end, with its probability."""
        places = {int(place): k for k, place in enumerate(self.support)}
        stack: list[Any] = [([], s, weight) for s, weight in enumerate(law) if weight]
        while stack:
            way, state, weight = stack.pop()
            if state == self.end:
                yield way, weight
                continue
            if len(way) > self.end:
                raise ModelError(f"an episode meets state {state} again, so that there is no end "
                                 "of episodes; enumerate a problem without cycles")  # fmt: skip
            for b, t in itertools.product(range(self.n_actions), range(self.end + 1)):
                place = places.get((state * self.n_actions + b) * (self.end + 1) + t)
                if place is not None:
                    chance = weight * self.policy[state, b] * self.data[place]
                    stack.append(([*way, (state, b, place)], t, chance))

    def batch(self, ways: list[Way]) -> Trajectories:
        """Ways as trajectories."""
        steps = np.array([step for way in ways for step in way], int).reshape(-1, 3)
        states, actions, places = steps.T
        starts = np.cumsum([0, *map(len, ways)])
        after = self.support[places] % (self.end + 1)
        return Trajectories(states, actions, after, places, starts, self.n_actions)

    def pull_back(self, found: Sensitivities) -> Fraction:
        """The weights times the slopes of what they weigh."""
        point = self.point
        pairs = (
            (self.slope, found.transitions),
            (point.initial_slope, found.initial[:-1]),
            (point.follower_slope, found.follower_rewards[:-1]),
            (point.leader_slope, found.leader_rewards[:-1]),
        )
        return sum(((slope * weight).sum() for slope, weight in pairs), Fraction(0))


def _fractions(table: Any) -> Array:
    found: Array = elementwise(Fraction, np.array(table, dtype=object))
    return found


def _ended(table: Array) -> Array:
    return np.concatenate([table, np.full((1, *table.shape[1:]), Fraction(0))])
