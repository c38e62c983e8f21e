"""Hypergradients of tiny models: one set of formulas, in rationals or in balls of arb.

A `Point` is a bilevel problem at one parameter of the leader, with its derivatives along one
direction.  The follower's policy and values are part of it: chosen as rationals, they are optimal
for the rewards V + temperature log g - discount P V, which are irrational, and every derivative at
the point is rational all the same.  For rewards that are given, `enclosed` finds the follower.

Arrays hold Fractions or `flint.arb`, of shapes [n], [n, A] and [n, A, n] for n states and A
actions.  Mass that a row of transitions lacks ends the episode, with value 0 and no bonus.  Returns
are UN-normalised sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Number = Any  # a Fraction or an arb
_MOST_STEPS, _FEW_BITS = 80, 64
"""Newton's steps at most, and the bits of the first ones.  More of either would only cost time: 15
steps find 64 bits for a temperature of 1/20 and a discount of 99/100, 2 more double them."""


@dataclass(frozen=True, slots=True)
class Point:
    """A bilevel problem at one parameter, and how its data move along one direction.

    policy [n, A], values [n]: the follower's optimum; transitions [n, A, n]; leader_rewards [n, A];
    initial [n]; slopes: derivatives of the follower's rewards, of the transitions (0 outside their
    support), of the leader's rewards and of the initial law.
    """

    policy: Array
    values: Array
    transitions: Array
    leader_rewards: Array
    initial: Array
    follower_slope: Array
    transition_slope: Array
    leader_slope: Array
    initial_slope: Array
    temperature: Number
    follower_discount: Number
    leader_discount: Number


def number(value: Fraction | int | float | flint.arb) -> flint.arb:
    """A number as a ball at the working precision; a float is the binary fraction that it is."""
    if isinstance(value, flint.arb):
        return value
    if isinstance(value, float):
        return flint.arb(value)
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def elementwise(function: Callable[[Any], Any], values: Any) -> Any:
    """A function of each number of an array, or of one number."""
    return np.frompyfunc(function, 1, 1)(values)


def in_balls(point: Point) -> Point:
    """The same point, in balls at the working precision."""
    return Point(*(elementwise(number, getattr(point, one.name)) for one in fields(point)))


def solve(matrix: Array, right: Array) -> Array:
    """x with matrix x = right, for matrices that need no pivots, such as I - discount P."""
    rows, x = matrix.copy(), right.copy()
    for k in range(len(x)):
        for i in range(k + 1, len(x)):
            ratio = rows[i, k] / rows[k, k]
            rows[i, k:] = rows[i, k:] - ratio * rows[k, k:]
            x[i] = x[i] - ratio * x[k]
    for k in reversed(range(len(x))):
        x[k] = (x[k] - (rows[k, k + 1 :] * x[k + 1 :]).sum()) / rows[k, k]
    return x


def mean(policy: Array, values: Array) -> Any:
    """The mean of values [..., A] over actions, [...]."""
    return (policy * values).sum(axis=-1)


def _resolvent(point: Point, discount: Number) -> Array:
    """I - discount P under the follower's policy, [n, n]."""
    kernel = np.einsum("xb,xby->xy", point.policy, point.transitions)
    return np.eye(len(kernel), dtype=int).astype(object) - discount * kernel


def leader_values(point: Point) -> tuple[Array, Array]:
    """The leader's values [n] and action values [n, A] under the follower's policy."""
    rewards = mean(point.policy, point.leader_rewards)
    values = solve(_resolvent(point, point.leader_discount), rewards)
    backed_up = np.einsum("xby,y->xb", point.transitions, values)
    return values, point.leader_rewards + point.leader_discount * backed_up


def leader_advantages(point: Point) -> Array:
    """A_L = Q_L - V_L, [n, A]."""
    values, action_values = leader_values(point)
    return action_values - values[:, None]


def objective(point: Point) -> Number:
    """J, the leader's un-normalised discounted return."""
    return (point.initial * leader_values(point)[0]).sum()


def occupancy(point: Point) -> Array:
    """Discounted visits of each state by the leader's discount, un-normalised, [n]."""
    return solve(_resolvent(point, point.leader_discount).T, point.initial)


def immediate(point: Point) -> Array:
    """E i given state and action [n, A]: the follower's reward and next value, differentiated at
    a fixed policy and fixed values."""
    moved = np.einsum("xby,y->xb", point.transition_slope, point.values)
    return point.follower_slope + point.follower_discount * moved


def follower_gradients(point: Point, discount: Number = None) -> tuple[Array, Array]:
    """Derivatives of the follower's values [n] and action values [n, A] (BC-T2).

    discount: by which immediate terms are summed up; the follower's, unless a wrong one is tried.
    """
    discount = point.follower_discount if discount is None else discount
    terms = immediate(point)
    values = solve(_resolvent(point, discount), mean(point.policy, terms))
    return values, terms + discount * np.einsum("xby,y->xb", point.transitions, values)


def covariances(point: Point, discount: Number = None) -> Number:
    """E sum gamma_L^t A_L dQ_F, the indirect term times the temperature (BC-T3); `discount`: as in
    `follower_gradients`."""
    products = leader_advantages(point) * follower_gradients(point, discount)[1]
    return (occupancy(point) * mean(point.policy, products)).sum()


def direct(point: Point) -> Number:
    """The derivative of J at a fixed policy of the follower, the initial law's part included."""
    values, _ = leader_values(point)
    moved = np.einsum("xby,y->xb", point.transition_slope, values)
    terms = mean(point.policy, point.leader_slope + point.leader_discount * moved)
    return (occupancy(point) * terms).sum() + (point.initial_slope * values).sum()


def hypergradient(point: Point) -> Number:
    """dJ along the direction (BC-T3)."""
    return direct(point) + covariances(point) / point.temperature


def soft_maximum(action_values: Array, temperature: Number) -> tuple[Array, Array]:
    """Policy [n, A] and values [n] that are soft-optimal for action values [n, A], in balls."""
    top = max(elementwise(lambda one: one.mid(), action_values).ravel())
    weights = elementwise(lambda one: one.exp(), (action_values - top) / temperature)
    total = weights.sum(axis=1)
    return weights / total[:, None], top + temperature * elementwise(lambda one: one.log(), total)


def backed_up(rewards: Array, transitions: Array, discount: Number, values: Array) -> Array:
    """Action values [n, A] of one Bellman backup."""
    found: Array = rewards + discount * np.einsum("xby,y->xb", transitions, values)
    return found


def _newton(rewards: Array, transitions: Array, temperature: Number, discount: Number) -> Array:
    """About the follower's values: steps on midpoints, the first ones in few bits."""
    gains, moves = (elementwise(lambda one: one.mid(), part) for part in (rewards, transitions))
    values = np.array([flint.arb(0)] * len(rewards), dtype=object)
    identity = np.eye(len(rewards), dtype=int).astype(object)
    goal, precision = flint.ctx.prec, _FEW_BITS
    for _ in range(_MOST_STEPS):
        with flint.ctx.workprec(min(precision, goal)):
            policy, better = soft_maximum(backed_up(gains, moves, discount, values), temperature)
            kernel = np.einsum("xb,xby->xy", policy, moves)
            step = solve(identity - discount * kernel, better - values)
            values = elementwise(lambda one: one.mid(), values + step)
            size = max(abs(one).upper() for one in step) / (1 + max(map(abs, values)))
            converged = size < flint.arb(2) ** (24 - flint.ctx.prec)
        if converged and precision >= goal:
            break
        precision *= 2 if converged or precision > _FEW_BITS else 1
    return values


def enclose_follower(
    rewards: Array, transitions: Array, temperature: Number, discount: Number
) -> tuple[Array, Array]:
    """Policy [n, A] and values [n] of the soft-optimal follower, in balls.

    Newton's method is soft policy iteration; the residual of the soft Bellman equation over
    1 - discount bounds the error of the values, whatever the iteration did.
    """
    values = _newton(rewards, transitions, temperature, discount)
    _, better = soft_maximum(backed_up(rewards, transitions, discount, values), temperature)
    error = max(abs(one).upper() for one in better - values) / (1 - discount)
    enclosing = elementwise(lambda one: one + flint.arb(0, error.upper()), values)
    policy, _ = soft_maximum(backed_up(rewards, transitions, discount, enclosing), temperature)
    return policy, enclosing


def implied_rewards(point: Point) -> Array:
    """The follower's rewards [n, A] for which its policy and values are optimal, in balls."""
    ball = in_balls(point)
    logarithms = elementwise(lambda one: one.log(), ball.policy)
    next_values = np.einsum("xby,y->xb", ball.transitions, ball.values)
    bonus = ball.temperature * logarithms - ball.follower_discount * next_values
    return ball.values[:, None] + bonus


def enclosed(point: Point, rewards: Array, at: Fraction | flint.arb = Fraction(0)) -> Point:
    """The point that lies `at` along the direction, with the follower that is optimal there.

    rewards: the follower's at the point itself, rationals or balls.  `at` may be an interval; rows
    must stay laws on all of it, as they do near 0.
    """
    ball, step = in_balls(point), number(at)
    transitions = ball.transitions + step * ball.transition_slope
    moved = elementwise(number, rewards) + step * ball.follower_slope
    policy, values = enclose_follower(moved, transitions, ball.temperature, ball.follower_discount)
    return replace(
        ball,
        policy=policy,
        values=values,
        transitions=transitions,
        leader_rewards=ball.leader_rewards + step * ball.leader_slope,
        initial=ball.initial + step * ball.initial_slope,
    )


def difference_quotient(point: Point, rewards: Array, step: flint.arb) -> flint.arb:
    """(J(step) - J(-step))/(2 step): by the mean value theorem, dJ somewhere in between."""
    ends = [objective(enclosed(point, rewards, at)) for at in (step, -step)]
    return (ends[0] - ends[1]) / (2 * step)
