"""Derivatives by implicit differentiation: everything in dual numbers, by definition.

The soft Bellman equation is solved by one step of Newton's method in dual numbers, the leader's
return by elimination.  No formula of the statements is used, nor that the follower's policy is
optimal.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from holdfast.solvers.hypergradient.balls import Array, Point, elementwise, objective, solve

from ...binding.duals import Dual


def line(value: Array, slope: Array) -> Array:
    """value + slope d, number by number."""
    found: Any = np.frompyfunc(Dual, 2, 1)(value, slope)
    return found


class Derivatives(NamedTuple):
    """Along the point's direction: of J; of V_F [n]; of the policy g and of log g [n, A]."""

    objective: Fraction
    values: Array
    policy: Array
    logarithms: Array


def derivatives(point: Point) -> Derivatives:
    """Those of a point of rationals."""
    moving = line(point.transitions, point.transition_slope)
    rewards = line(point.follower_slope * 0, point.follower_slope)
    base = np.einsum("xby,y->xb", point.transitions, point.values)

    def backup(values: Array) -> tuple[Array, Array]:
        ahead = np.einsum("xby,y->xb", moving, values) - base
        gains = rewards + point.follower_discount * ahead - (values - point.values)[:, None]
        weights = point.policy * elementwise(lambda one: one.exp(), gains / point.temperature)
        total = weights.sum(axis=1)
        residual = point.temperature * elementwise(lambda one: one.log(), total)
        return weights / total[:, None], residual

    found, residual = backup(line(point.values, point.values * 0))
    kernel = np.einsum("xb,xby->xy", found, moving)
    identity = np.eye(len(kernel), dtype=int).astype(object)
    values: Array = point.values + solve(identity - point.follower_discount * kernel, residual)
    best, _ = backup(values)
    moved = replace(
        point,
        policy=best,
        transitions=moving,
        leader_rewards=line(point.leader_rewards, point.leader_slope),
        initial=line(point.initial, point.initial_slope),
    )
    logarithms = elementwise(lambda one: one.log(), best / point.policy)
    slopes = (elementwise(lambda one: one.slope, part) for part in (values, best, logarithms))
    return Derivatives(objective(moved).slope, *slopes)
