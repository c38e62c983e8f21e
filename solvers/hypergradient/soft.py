"""The follower's best response: soft policy iteration, which is Newton on the soft equation."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .checks import kind, reals
from .linear import Resolvent
from .models import BilevelModel
from .records import NO_ROUNDING, Follower, Rounding
from .rounding import follower_errors

_ROUNDS = 200
"""Newton's steps end after about ten; this only bounds it where rounding makes it go round."""
_FORCING = 1e-3
"""What a Newton step leaves of the residual.  Less: digits that the next policy makes worthless."""
_ROUNDING = 4
"""A residual below this many units in the last place of the values may be rounding: once it no
longer halves, no further step is tried."""


def solve_follower(
    model: BilevelModel, start: Array | None = None, *, data: Rounding = NO_ROUNDING
) -> Follower:
    """The follower's soft-optimal policy (soft policy iteration, quadratic convergence).

    start: values [n] to begin with, such as those of a model nearby; default zero.
    data: how far the model may be from the one that is meant.
    Raises ModelError for a start of another shape or not finite, and if rewards are so
    large that they leave the range of doubles.
    """
    kind(model, BilevelModel, "model", "give a BilevelModel")
    shape = (model.n_states,)
    values = np.zeros(shape) if start is None else reals(start, "start", shape).copy()
    # a greater temperature first would not help: from any start, the second step is monotone
    values = _newton(model, _newton(model, values).astype(np.longdouble))
    action_values, policy, backed = soft_backup(model, values)
    errors = follower_errors(model, values, action_values, backed, data)
    residual = float(np.abs(backed - values).max())
    doubles = policy.astype(float), backed.astype(float), action_values.astype(float)
    return Follower(*doubles, residual, *errors)


def _newton(model: BilevelModel, values: Array) -> Array:
    """Values [n] of the type of the given ones, whose residual is down to that type's rounding."""
    least, kept = np.inf, values
    for _ in range(_ROUNDS):
        _, policy, backed = soft_backup(model, values)
        defect = backed - values
        residual = float(np.abs(defect).max())
        if not np.isfinite(residual):
            raise ModelError(
                f"the follower's values overflow: rewards reach "
                f"{np.abs(model.follower_rewards).max()}; measure them in a larger unit"
            )
        size = np.abs(kept).max() + np.abs(model.follower_rewards).max()
        if residual == 0 or (
            residual >= least / 2 and least <= _ROUNDING * np.finfo(values.dtype).eps * size
        ):
            break
        if residual < least:
            least, kept = residual, values
        resolvent = Resolvent(model.chain(policy.astype(float)), model.follower_discount)
        values = values + resolvent.solve(defect.astype(float), gain=_FORCING)
    return kept if residual else values


def soft_backup(model: BilevelModel, values: Array) -> tuple[Array, Array, Array]:
    """Q [n, A] of values V [n], its Boltzmann policy [n, A] and its own soft values [n]."""
    action_values = model.follower_rewards + model.follower_discount * model.expected(values)
    best = action_values.max(axis=1)
    weights = np.exp((action_values - best[:, None]) / model.temperature)
    total = weights.sum(axis=1)
    soft = np.where(model.terminal, 0.0, best + model.temperature * np.log(total))
    return action_values, weights / total[:, None], soft
