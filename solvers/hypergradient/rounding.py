"""Rigorous bounds on the errors of a follower and of a hypergradient computed in doubles.

Nothing is assumed of how solutions were found: each is put into its equation, and its residual,
with a bound on the rounding in it, is carried through the contraction.  Values are bounded in the
greatest norm, measures in the sum norm.  numpy's exp and log are taken to be right within 4 units
in the last place; what the model's doubles are off is given as a `Rounding`, whose default is
nothing: the bounds are about the doubles then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..sequences import Array
from .models import BilevelModel, Jacobians, Matrix
from .records import NO_ROUNDING, Critic, Follower, Rounding, Term, Weights

_UNIT = 2.0**-53
"""Proved: the relative error of one operation on doubles, where none underflows."""
_OUTWARD = 1 + 2.0**-20
"""Proved: bounds sum fewer than 2 ** 30 non-negative terms, so this covers their rounding."""
_TINY = 1e-290
"""Proved: more than all that underflows in sums of that many terms."""


@dataclass(frozen=True)
class _Sizes:
    """Terms in a row and in a column of the transitions at most, the greatest row sum, and by how
    much a row is off."""

    row: int
    column: int
    mass: float
    off: float

    @classmethod
    def of(cls, model: BilevelModel, data: Rounding) -> _Sizes:
        kernel = model.transitions
        row = int(np.diff(kernel.indptr).max())
        column = int(np.bincount(kernel.indices, minlength=1).max())
        mass = float(kernel.sum(axis=1).max()) * (1 + (row + 4) * _UNIT)
        return cls(row, column, mass + data.transitions, data.transitions)

    def contraction(self, discount: float) -> float:
        """A bound below on ``1 - gamma |P|``, or zero."""
        return max(0.0, 1 - discount * self.mass * (1 + 2 * _UNIT) - 4 * _UNIT)

    def backup(self, rewards: Array, values: Array, off: float) -> float:
        """The rounding in r + gamma P V, in the type of the values; rewards are ``off`` by that."""
        rounded = (self.row + 4) * _unit(values) * (_most(rewards) + self.mass * _most(values))
        return rounded + off + self.off * _most(values)


def _unit(values: Array) -> float:
    """Of the type of the values; never less than that of the 64 bits of extended doubles."""
    return max(2.0**-64, float(np.finfo(values.dtype).eps) / 2)


def _most(values: Array) -> float:
    return float(np.abs(values).max())


def _over(total: float, contraction: float) -> float:
    return (total + _TINY) * _OUTWARD / contraction if contraction > 0 else np.inf


def follower_errors(
    model: BilevelModel, values: Array, action_values: Array, backed: Array,
    data: Rounding = NO_ROUNDING,
) -> tuple[float, float, float]:  # fmt: skip
    """Bounds on ``|V - V*|``, ``|Q - Q*|`` and ``|g - g*| / g``, all rounded to doubles at last.

    Q [n, A] and V ``backed`` [n] were computed from ``values`` [n], in extended precision.
    """
    sizes, beta, actions = _Sizes.of(model, data), model.temperature, model.n_actions
    unit, discount = _unit(values), model.follower_discount
    rounded = sizes.backup(model.follower_rewards, values, data.follower_rewards)
    logs = (12 + 2 * actions + 10 * np.log(actions)) * beta + 2 * _most(backed)
    rounded_values = rounded + unit * logs
    residual = _most(backed - values) * (1 + _UNIT) + rounded_values
    before = discount * sizes.mass * _over(residual, sizes.contraction(discount))
    spread = min(750.0, float(np.ptp(action_values, axis=1).max()) / beta)
    exponent = 2 * (before + rounded) / beta + unit * (3 * spread + 2 * actions + 20) + 2 * _UNIT
    return (
        (before + rounded_values + _UNIT * _most(backed)) * _OUTWARD,
        (before + rounded + _UNIT * _most(action_values)) * _OUTWARD,
        float(np.expm1(min(exponent, 700.0))) * _OUTWARD,
    )


def critic_errors(
    model: BilevelModel, policy: Array, relative: float, values: Array, action_values: Array,
    data: Rounding = NO_ROUNDING,
) -> tuple[float, float]:  # fmt: skip
    """Bounds on ``|V_L - V_L*|`` and ``|A_L - A_L*|``, rounded to doubles at last.

    relative: ``|g - g*| / g`` at most.  Values and action values are in extended precision.
    """
    sizes, discount, unit = _Sizes.of(model, data), model.leader_discount, _unit(values)
    rounded = sizes.backup(model.leader_rewards, values, data.leader_rewards)
    mean = (policy * action_values).sum(axis=1)
    deviation = (policy * np.abs(action_values - mean[:, None])).sum(axis=1)
    # both policies sum to one, so what a shifted policy moves is measured from the mean
    summed = (model.n_actions + 5) * unit * (_most(action_values) + _most(values))
    moved = relative * deviation + summed
    residual = np.where(model.terminal, np.abs(values), np.abs(mean - values))
    value = _over(float((residual + moved).max()) + rounded, sizes.contraction(discount))
    advantage = 2 * (discount * sizes.mass * value + rounded) + float(moved.max())
    return (
        (value + _UNIT * _most(values)) * _OUTWARD,
        (advantage + 2 * _UNIT * float(np.ptp(action_values, axis=1).max())) * _OUTWARD,
    )


def weight_errors(
    model: BilevelModel, follower: Follower, critic: Critic, weights: Weights,
    data: Rounding = NO_ROUNDING,
) -> tuple[float, float]:  # fmt: skip
    """Bounds, in the sum norm, on the errors of the weights ``own`` and ``response``."""
    sizes, policy, relative = _Sizes.of(model, data), follower.policy, follower.policy_error
    discount, contraction = model.leader_discount, sizes.contraction(model.leader_discount)
    deviation = (policy * np.abs(critic.advantages)).sum(axis=1)
    # both policies sum to one: what the likeliest action gains is what the others lose
    lost = (model.n_actions + 2) * _UNIT + np.abs(1 - policy.sum(axis=1))
    change = 2 * relative * (policy.sum(axis=1) - policy.max(axis=1)) + lost
    # the leader's measure
    visits = float(np.abs(critic.occupancy).sum())
    changed = float(np.abs(critic.occupancy) @ change)
    flow = model.initial + discount * model.arrivals(weights.own) - critic.occupancy
    rounding = (sizes.column + 6) * _UNIT
    lost = float(np.abs(flow).sum()) + rounding * (1 + (1 + sizes.mass) * visits)
    lost += data.initial + discount * sizes.off * visits
    occupancy = _over(lost + discount * sizes.mass * changed, contraction)
    own = (occupancy + changed + 2 * _UNIT * visits) * _OUTWARD
    # the weights on the follower's action values, and what they become
    advantages = critic.advantage_error
    most = float(deviation.max() + advantages) * (1 + relative)
    each = np.abs(critic.occupancy) @ (relative * deviation + (1 + relative) * advantages)
    total = float(np.abs(weights.immediate).sum())
    immediate = (occupancy * most + float(each)) / model.temperature + 6 * _UNIT * total
    discount, contraction = model.follower_discount, sizes.contraction(model.follower_discount)
    total += float(np.abs(weights.carried).sum())
    changed = float(np.abs(weights.carried) @ change)
    arrived = np.where(model.terminal, 0.0, discount * model.arrivals(weights.response))
    lost = float(np.abs(arrived - weights.carried).sum())
    lost += (rounding * (1 + sizes.mass) + discount * sizes.off) * total
    lost += discount * sizes.mass * (immediate + changed)
    response = immediate + _over(lost, contraction) + changed + 3 * _UNIT * total
    return own, response * _OUTWARD


def term_errors(
    model: BilevelModel, jacobians: Jacobians, term: Term, found: Array, value_error: float,
    weight_error: float, data: Rounding = NO_ROUNDING,
) -> Array:  # fmt: skip
    """float64[d], a bound on the error of one term of the gradient that was ``found``.

    The term is computed a second time from the Jacobians, with a bound on its rounding; what the
    errors of weights and values add is bounded by the greatest entries of each column.
    """
    again, size, terms = np.zeros_like(found), np.zeros_like(found), np.zeros_like(found)
    off, greatest = np.zeros_like(found), []
    parts = zip(vars(jacobians).values(), data.jacobians, term.weights, strict=True)
    for part, moved, weights in parts:
        again += part.T @ weights.ravel()
        size += abs(part).T @ np.abs(weights).ravel()
        terms += np.bincount(part.indices, minlength=len(found))
        off += 0 if moved is None else moved.T @ np.abs(weights).ravel()
        greatest.append(abs(part) if moved is None else abs(part) + moved)
    total = np.abs(found - again) + (terms + 10) * _UNIT * size + off
    follower, leader, kernel, start = greatest
    rewards = leader if term.own else follower
    total += rewards.max(axis=0).toarray().ravel() * weight_error
    total += term.discount * _scored(model, jacobians, kernel, term, value_error, weight_error)
    if term.own:
        total += np.asarray(start.sum(axis=0)).ravel() * value_error
    return (total + _TINY) * _OUTWARD


def _scored(
    model: BilevelModel, jacobians: Jacobians, most: Matrix, term: Term, value_error: float,
    weight_error: float,
) -> Array:  # fmt: skip
    """float64[d], what errors of values and weights add to the derivatives of the transitions.

    most: [nnz, d], a bound on these derivatives.  Those of a law sum to zero, or nearly, so values
    are measured from the middle of their range.
    """
    starts, entries = model.transitions.indptr, np.arange(model.transitions.nnz)
    rows = sparse.csr_array((np.ones(len(entries)), entries, starts))
    middle = (term.values.max() + term.values.min()) / 2
    far = _most(term.values - middle) + 2 * _UNIT * _most(term.values)
    by_row = (rows @ most).max(axis=0).toarray().ravel()
    terms = int(np.diff(starts).max()) * _UNIT
    sums = abs(rows @ jacobians.transitions) + rows @ (
        most - abs(jacobians.transitions) + terms * most
    )
    left = sums.max(axis=0).toarray().ravel()
    found: Array = by_row * (weight_error * (far + value_error) + term.size * value_error)
    return found + left * weight_error * abs(middle)
