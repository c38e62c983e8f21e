"""Bias and variance of an estimator as enclosed numbers: every trajectory, by its probability.

The problems are those whose states are numbered along the way, so that an episode meets a state
once and ends after at most n - 1 steps: nothing is truncated, and the values of the infinite
horizon are those of the episode.  The estimators run on balls by the very code that runs on floats.
The true gradient beside them is differentiated forwards, without an adjoint and without a sample.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ...errors import ModelError
from ...exact import to_fraction
from ...sequences import Array
from ..sampling import Trajectories
from .critics import SampledCritic, monte_carlo_critic
from .estimate import Sensitivities, find, sensitivities

_PRECISION = 256
"""Bits: sums of some thousand products then keep seventy digits."""
_MOST = 200_000
"""Batches that are enumerated: at half a millisecond each, minutes."""


@dataclass(frozen=True)
class LayeredProblem:
    """A bilevel problem of n states, A actions and d leader parameters in exact numbers.

    The last state is terminal, and transitions lead from a state to later ones alone.

    Attributes:
        transitions: [n, A, n]; follower_rewards, leader_rewards: [n, A]; initial: [n]; nested lists
            of rationals, and after construction object arrays of Fraction.
        slopes: their derivatives by the parameters, of the same names, shapes with one axis [d] at
            the end; where a name is missing there is no dependence.
        temperature, follower_discount, leader_discount: rationals.

    Raises ModelError for transitions that lead back, or rows that are no laws.
    """

    transitions: Any
    follower_rewards: Any
    leader_rewards: Any
    initial: Any
    slopes: dict[str, Any]
    n_parameters: int
    temperature: Fraction
    follower_discount: Fraction
    leader_discount: Fraction

    def __post_init__(self) -> None:
        for name in _TABLES:
            table = _exact(getattr(self, name), name)
            none = np.full((*table.shape, self.n_parameters), Fraction(0))
            slope = _exact(self.slopes[name], f"slopes of {name}") if name in self.slopes else none
            object.__setattr__(self, name, table)
            self.slopes[name] = slope
        n, n_actions = self.follower_rewards.shape
        for s, b in itertools.product(range(n - 1), range(n_actions)):
            if any(self.transitions[s, b, : s + 1]):
                raise ModelError(f"transitions[{s}][{b}] leads back; number states along the way")
            if sum(self.transitions[s, b]) != 1 or any(
                self.slopes["transitions"][s, b].sum(axis=0)
            ):
                raise ModelError(f"transitions[{s}][{b}] or its slope is that of no law")


_TABLES = ("transitions", "follower_rewards", "leader_rewards", "initial")


@dataclass(frozen=True, slots=True)
class Moments:
    """Of an estimate, each an object array [d] of balls (arb): the true gradient, and what the
    estimate's mean, its bias and the variance of its components are."""

    gradient: Array
    mean: Array
    bias: Array
    variance: Array


def small_problem() -> LayeredProblem:
    """Four states, two actions, three parameters: of a reward, of a transition, and of both.

    The first parameter moves r_F, the second P and the start, the third r_F, r_L and P.
    """
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    to = [[0, quarter, 3 * quarter, 0], [0, 3 * quarter, quarter, 0]], [[0, 0, half, half]] * 2
    end = [[0, 0, 0, 1]] * 2
    none, zero = [0, 0, 0], [[0, 0, 0]] * 2
    moved = [[none, [0, quarter, half], [0, -quarter, -half], none],
             [none, [0, half, -quarter], [0, -half, quarter], none]]  # fmt: skip
    also = [[none, none, [0, 1, half], [0, -1, -half]], [none, none, [0, -half, 0], [0, half, 0]]]
    still = [[none] * 4] * 2
    return LayeredProblem(
        transitions=[*to, end, [[0] * 4] * 2],
        follower_rewards=[[0, half], [1, 0], [quarter, 1], [0, 0]],
        leader_rewards=[[0, 1], [2, -1], [-1, 1], [0, 0]],
        initial=[3 * quarter, quarter, 0, 0],
        slopes={
            "transitions": [moved, also, still, still],
            "follower_rewards": [[[1, 0, 0], [0, 0, 1]], [[-1, 0, half], [half, 0, 0]],
                                 [[2, 0, 0], [0, 0, 1]], zero],
            "leader_rewards": [[none, [0, 0, 1]], [[0, 0, half], none], zero, zero],
            "initial": [[0, half, 0], [0, -half, 0], none, none],
        },
        n_parameters=3, temperature=half, follower_discount=half, leader_discount=3 * quarter,
    )  # fmt: skip


def exact_bias_and_variance(
    problem: LayeredProblem, method: str = "bc-hg", episodes: int = 1
) -> Moments:
    """Of the estimate from a batch of so many episodes, over all batches that there are.

    Critics are exact where the method takes SARSA's, whose limit that is, and of the batch where it
    takes Monte-Carlo means.  An oracle's further steps are one episode from a state drawn
    uniformly.  Raises ModelError for Bi-AC, which is for games, and for more than 200,000 batches.
    """
    rule = find(method)
    if rule.critic == "stackelberg":
        raise ModelError(f"{method} is for games alone, whose leader acts; take another method")
    with flint.ctx.workprec(_PRECISION):
        balls = _Balls(problem)
        ways = list(balls.episodes(balls.initial))
        again: list[tuple[Any, Any]] = [(None, flint.arb(1))]
        if rule.oracle:
            even = flint.arb(1) / (balls.size - 1)
            law = [even] * (balls.size - 1) + [flint.arb(0)]
            again = [(balls.batch([way]), weight) for way, weight in balls.episodes(law)]
        if (number := len(ways) ** episodes * len(again)) > _MOST:
            raise ModelError(
                f"{number:,} batches are more than {_MOST:,}; take fewer episodes or a smaller "
                "problem"
            )
        first = second = np.full(problem.n_parameters, flint.arb(0))
        for batch, (oracle, weight) in itertools.product(
            itertools.product(*[ways] * episodes), again
        ):
            steps = balls.batch([way for way, _ in batch])
            critic = balls.critic
            if rule.critic == "monte-carlo":
                critic = monte_carlo_critic(balls, oracle or steps)  # type: ignore[arg-type]
            found = balls.pull_back(
                sensitivities(balls, balls, steps, critic, rule, oracle)  # type: ignore[arg-type]
            )
            chance = math.prod((one for _, one in batch), start=weight)
            first, second = first + chance * found, second + chance * found**2
        return Moments(balls.gradient, first, first - balls.gradient, second - first**2)


class _Balls:
    """The problem in balls, with the attributes of a model and of its follower that estimators
    read, the leader's critic and the true gradient."""

    def __init__(self, problem: LayeredProblem) -> None:
        kernel = _balls(problem.transitions)
        self.size, self.n_actions = problem.follower_rewards.shape
        self.support = np.flatnonzero(problem.transitions.ravel() != 0)
        self.transitions = _Stored(kernel.ravel()[self.support])
        self.follower_rewards = _balls(problem.follower_rewards)
        self.leader_rewards = _balls(problem.leader_rewards)
        self.initial = _balls(problem.initial)
        self.slopes = {name: _balls(slope) for name, slope in problem.slopes.items()}
        self.temperature = _ball(problem.temperature)
        self.follower_discount = _ball(problem.follower_discount)
        self.leader_discount = _ball(problem.leader_discount)
        self._solve(kernel)

    def _solve(self, kernel: Array) -> None:
        """Backwards through the states, with all derivatives; the log of a sum is Z's own."""
        n, d = self.size, self.slopes["initial"].shape[-1]
        zero = flint.arb(0)
        self.values, own = np.full(n, zero), np.full(n, zero)
        self.policy, table = np.full((n, self.n_actions), zero), np.full((n, self.n_actions), zero)
        slope, own_slope = np.full((n, d), zero), np.full((n, d), zero)
        moved = self.slopes["transitions"]
        for s in range(n - 2, -1, -1):
            action = self.follower_rewards[s] + self.follower_discount * kernel[s] @ self.values
            lifted = self.slopes["follower_rewards"][s] + self.follower_discount * (
                kernel[s] @ slope + np.einsum("bnd,n->bd", moved[s], self.values)
            )
            weights = np.array([(value / self.temperature).exp() for value in action])
            self.values[s] = self.temperature * weights.sum().log()
            self.policy[s] = weights / weights.sum()
            slope[s] = self.policy[s] @ lifted
            reaction = self.policy[s][:, None] * (lifted - slope[s]) / self.temperature
            table[s] = self.leader_rewards[s] + self.leader_discount * kernel[s] @ own
            direct = self.slopes["leader_rewards"][s] + self.leader_discount * (
                kernel[s] @ own_slope + np.einsum("bnd,n->bd", moved[s], own)
            )
            own[s] = self.policy[s] @ table[s]
            own_slope[s] = self.policy[s] @ direct + table[s] @ reaction
        self.critic = SampledCritic(own, table)
        self.gradient = self.initial @ own_slope + own @ self.slopes["initial"]

    def episodes(self, law: Any) -> Iterator[tuple[list[tuple[int, int, int]], flint.arb]]:
        """Every way from a first state to the end, as steps, with its probability."""
        entry_of = {int(place): k for k, place in enumerate(self.support)}
        stack: list[Any] = [([], s, weight) for s, weight in enumerate(law) if weight != 0]
        while stack:
            way, state, weight = stack.pop()
            if state == self.size - 1:
                yield way, weight
                continue
            for b, t in itertools.product(range(self.n_actions), range(self.size)):
                entry = entry_of.get((state * self.n_actions + b) * self.size + t)
                if entry is not None:
                    chance = weight * self.policy[state, b] * self.transitions.data[entry]
                    stack.append(([*way, (state, b, entry)], t, chance))

    def batch(self, ways: list[list[tuple[int, int, int]]]) -> Trajectories:
        """Ways as trajectories."""
        steps = np.array([step for way in ways for step in way], int).reshape(-1, 3)
        starts = np.cumsum([0, *map(len, ways)])
        following = self.support[steps[:, 2]] % self.size
        return Trajectories(
            steps[:, 0], steps[:, 1], following, steps[:, 2], starts, self.n_actions
        )

    def pull_back(self, found: Sensitivities) -> Array:
        """The weights times the slopes of the tables, [d]."""
        slopes = self.slopes
        kernel = slopes["transitions"].reshape(-1, self.gradient.size)[self.support]
        pairs = [(kernel, found.transitions), (slopes["initial"], found.initial),
                 (slopes["follower_rewards"], found.follower_rewards),
                 (slopes["leader_rewards"], found.leader_rewards)]  # fmt: skip
        total = sum(weights.ravel() @ s.reshape(-1, self.gradient.size) for s, weights in pairs)
        return np.asarray(total)


@dataclass(frozen=True, slots=True)
class _Stored:
    data: Array


def _exact(values: Any, name: str) -> Array:
    table = np.array(values, dtype=object)
    return np.vectorize(lambda x: to_fraction(x, name), otypes=[object])(table)


def _ball(number: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(number.numerator, number.denominator))


def _balls(table: Array) -> Array:
    return np.vectorize(_ball, otypes=[object])(table)
