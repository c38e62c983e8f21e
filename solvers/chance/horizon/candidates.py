"""Which choices can be optimal: decided by floats where their error bound allows it, or left open.

A choice is dropped from a cell only if another one is better there by more than both errors, so an
exact induction over the choices that are left, in the cells that these reach, is an induction over
all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...exact import Array
from ...models.cmdp import IntegerArray
from .dynamics import Dynamics
from .floats import FloatDynamics, FloatPolicy

#: Risks below this may be rounded to nothing, charges and probabilities too.
_UNDERFLOW = 1e-290


@dataclass(frozen=True, eq=False)
class Candidates:
    """The choices left in each layer, in the cells that matter.

    choices[t]: sorted n K + k for choice k at memory n; table: int32[T, M, S], a choice that is
    left for every cell, also those that do not matter.
    """

    choices: tuple[IntegerArray, ...]
    table: IntegerArray


def optimal_choices(
    floats: FloatDynamics, multiplier: Fraction, *, everywhere: bool = False
) -> Candidates:
    """Choices that may maximise value - multiplier * risk.

    ``everywhere`` keeps all cells, not only those that the choices left can reach.
    """
    dynamics, owned = floats.dynamics, floats.dynamics.model.choice_start[:-1]
    layers: list[IntegerArray] = []
    table = _table(dynamics)
    with np.errstate(invalid="ignore", over="ignore"):
        for layer in floats.backward(floats.price(multiplier), bounded=True):
            assert layer.errors is not None
            sure = np.maximum.reduceat(layer.scores - layer.errors, owned, axis=1)
            # Written so that whatever is undefined stays open.
            kept = ~(layer.scores + layer.errors < floats.spread(sure)) & dynamics.distinct
            table[layer.time] = floats.pick(kept)
            layers.append(np.flatnonzero(kept))
    return _finish(dynamics, layers, table, everywhere)


def least_risk_choices(
    floats: FloatDynamics, *, everywhere: bool = False
) -> tuple[Candidates, FloatPolicy]:
    """Choices that may minimise the risk; where it can be avoided altogether, one that does.

    The table has the most rewarding ones, up to rounding.  No two risks are ever subtracted, so
    with T layers and b successors the error of one is at most a share T (b + 4) u of it, apart
    from underflow.  Floats therefore say nothing on which risks are 0: that is decided by which
    charges, residual risks and transition probabilities are, as integers.
    """
    dynamics = floats.dynamics
    width = int(np.diff(dynamics.model.indptr).max())
    ratio = 1 + dynamics.horizon * (width + 4) * 2.0**-50
    pattern = floats.matrix.copy()
    pattern.data = (dynamics.model.weights != 0).astype(float)
    state = (floats.terminal, floats.residual, (dynamics.residual != 0).astype(float))
    layers: list[IntegerArray] = []
    table = _table(dynamics)
    for t in reversed(range(dynamics.horizon)):
        picked, kept, state = _least_layer(floats, t, pattern, ratio, *state)
        table[t] = picked
        layers.append(kept)
    value, risk = (float(floats.start @ part.ravel()) for part in state[:2])
    found = _finish(dynamics, layers, table, everywhere)
    return found, FloatPolicy(table, value, risk)


def _least_layer(
    floats: FloatDynamics,
    time: int,
    pattern: Any,
    ratio: float,
    values: Array,
    risks: Array,
    positive: Array,
) -> tuple[IntegerArray, IntegerArray, tuple[Array, Array, Array]]:
    """The choices picked and left, and the layer's values, risks and where these are not 0."""
    dynamics, model = floats.dynamics, floats.dynamics.model
    owned, charges = model.choice_start[:-1], floats.charges
    charged = (dynamics.charges != 0).astype(float)
    hits = (pattern @ floats.arrival(positive, charged).T).T
    free = hits == 0
    avoidable = np.logical_or.reduceat(free, owned, axis=1)
    scores = floats.expected(floats.arrival(risks, charges))
    least = np.minimum.reduceat(scores, owned, axis=1)
    near = scores <= floats.spread(least) * ratio + _UNDERFLOW
    kept = np.where(floats.spread(avoidable), free, near) & dynamics.distinct
    earned = floats.expected(floats.arrival(values, 0 * charges))
    earned[dynamics.earns] += float(model.discount**time) * floats.rewards
    earned = np.where(kept, earned, -np.inf)
    top = np.maximum.reduceat(earned, owned, axis=1)
    picked = floats.pick(earned == floats.spread(top))
    chosen = np.zeros(kept.shape, dtype=bool)
    np.put_along_axis(chosen, picked, True, axis=1)
    left = np.flatnonzero(np.where(floats.spread(avoidable), chosen, kept))
    return picked, left, (top, np.where(avoidable, 0.0, least), (~avoidable).astype(float))


def _table(dynamics: Dynamics) -> IntegerArray:
    return np.empty((dynamics.horizon, *dynamics.residual.shape), dtype=np.int32)


def _finish(
    dynamics: Dynamics, layers: list[IntegerArray], table: IntegerArray, everywhere: bool
) -> Candidates:
    layers.reverse()
    return Candidates(tuple(layers if everywhere else reached(dynamics, layers)), table)


def fixed(table: IntegerArray, model_choices: int) -> Candidates:
    """The choices of one policy, in all cells."""
    memories = np.arange(table.shape[1])[:, None] * model_choices
    return Candidates(tuple((layer + memories).ravel() for layer in table.astype(np.int64)), table)


def reached(dynamics: Dynamics, layers: Sequence[IntegerArray]) -> list[IntegerArray]:
    """The choices of the cells that can be reached by choices of earlier layers."""
    model, size = dynamics.model, dynamics.model.n_states
    needed = np.asarray(dynamics.start != 0, dtype=bool)
    found = []
    for choices in layers:
        memories, numbers = np.divmod(choices, model.n_choices)
        cells = memories * size + model.choice_states[numbers]
        inside = needed[cells]
        found.append(choices[inside])
        needed = np.zeros(dynamics.n_cells, dtype=bool)
        needed[dynamics.entries(cells[inside], numbers[inside]).cells] = True
    return found
