"""The least value that a policy can have under any transitions near those of a model.

Near means: within u(s, a) of the model's in total variation.  The least value is found in floating
point, by letting an adversary move u of each law from the best successors to the worst state until
nothing changes; what is returned is proved in rational arithmetic: where V exceeds what one more
step makes of it by e at most, V - e/(1 - gamma) is a lower bound (``guarded/robust``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ..cmdp.policies import Policy
from ..exact import Vector
from ..models.cmdp import CMDP
from ..sequences import Array

_ROUNDS = 50
"""Of the adversary: it improves in every one, and a handful do; more only narrow the bound."""
_GRID = 2**40
"""The values that are proved are multiples of its inverse: doubles have not many more digits."""
_FINE = 2**64
"""Probabilities are rounded to multiples of its inverse: below what doubles lose anyway."""


def least_value(
    model: CMDP, policy: Policy, function: Vector, variation: Sequence[Fraction],
    floor: Fraction | None = None,
) -> Fraction:  # fmt: skip
    """A lower bound on the UN-normalised value of a function (K) from the initial law.

    variation: u, K rationals in [0, 1].  floor: what a state that the model lacks is worth at
    least; None if it lacks none.
    """
    values = least_values(model, policy, function, variation, floor)
    scaled = [int(value) for value in np.floor(values * _GRID).tolist()]
    excess = max(
        Fraction(value, _GRID) - backed
        for value, backed in zip(
            scaled, backed_up(model, policy, function, variation, scaled, _GRID, floor),
            strict=True,
        )
    )  # fmt: skip
    mean = Fraction(
        sum(m * v for m, v in zip(model.initial.tolist(), scaled, strict=True)),
        model.initial_denominator * _GRID,
    )
    return mean - max(excess, Fraction(0)) / (1 - model.discount)


def backed_up(
    model: CMDP, policy: Policy, function: Vector, variation: Sequence[Fraction],
    values: Sequence[int], scale: int, floor: Fraction | None,
) -> list[Fraction]:  # fmt: skip
    """E[f + gamma V(next)] for each state under the worst transitions near the model's, or less.

    values: V times `scale`, for each state.  It is less by rounding alone, some 1e-19 of V.
    """
    worst = Fraction(min(values), scale)
    worst = worst if floor is None else min(worst, floor)
    found = [Fraction(0)] * model.n_states
    own, states = function.fractions(), model.choice_states.tolist()
    for k, p in enumerate(policy.probabilities):
        if p:
            ahead = _moved(model.weighted_row(k), values, scale, variation[k], worst)
            found[states[k]] += p * (own[k] + model.discount * ahead)
    return found


def _moved(
    row: dict[int, int], values: Sequence[int], scale: int, allowed: Fraction, worst: Fraction
) -> Fraction:
    """The mean of V after `allowed` of the law went from the best successors to the worst.

    Probabilities are rounded down on a grid, and what that leaves over is worth the worst.
    """
    total, left, kept, mass = sum(row.values()), -(-allowed * _FINE // 1), 0, 0
    for t in sorted(row, key=values.__getitem__, reverse=True):
        stays = max(row[t] * _FINE // total - left, 0)
        left = max(left - row[t] * _FINE // total, 0)
        kept, mass = kept + stays * values[t], mass + stays
    return Fraction(kept, _FINE * scale) + Fraction(_FINE - mass, _FINE) * worst


def least_values(
    model: CMDP, policy: Policy, function: Vector, variation: Sequence[Fraction],
    floor: Fraction | None,
) -> Array:  # fmt: skip
    """The same of every state in floating point, float64[S], without proof."""
    from scipy.sparse import csr_matrix, identity
    from scipy.sparse.linalg import spsolve

    size, gamma = model.n_states, float(model.discount)
    acting = np.array([float(p) for p in policy.probabilities])
    states, gains = model.choice_states, acting * function.floats()
    rows = np.repeat(np.arange(model.n_choices), np.diff(model.indptr))
    law, allowed = model.float_transitions().data, np.array([float(u) for u in variation])
    gain = np.bincount(states, gains, size)
    values = np.zeros(size)
    for _ in range(_ROUNDS):
        order = np.lexsort((-values[model.successors], rows))
        chances, row = law[order], rows[order]
        before = np.cumsum(chances) - chances
        before -= before[model.indptr[:-1]][row]
        kept = chances - np.clip(allowed[row] - before, 0, chances)
        target, gained = int(values.argmin()), gain
        moved = np.bincount(states, acting * allowed, size)
        if floor is not None and float(floor) < values[target]:
            gained, moved = gain + gamma * moved * float(floor), 0 * moved
        chain = csr_matrix(
            (acting[row] * kept, (states[row], model.successors[order])), shape=(size, size)
        ) + csr_matrix((moved, (np.arange(size), np.full(size, target))), shape=(size, size))
        further = spsolve((identity(size) - gamma * chain).tocsc(), gained)
        done = np.abs(further - values).max() <= 1e-12 * max(1.0, np.abs(further).max())
        values = further
        if done:
            break
    found: Array = values
    return found
