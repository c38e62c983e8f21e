"""What no policy can do: states that none reaches, costs and risks that none exceeds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ..exact import Array
from ..models.cmdp import CMDP

#: Transitions looked at, in all sweeps, before a question is left open.
WORK = 300_000_000
_SWEEPS = 20_000  # 0.999^20000 is 2e-9; nearer to one the question may stay open
_ROUNDING = 1e-9  # far above the rounding of as many sweeps, far below what a person would mind


def first_visits(model: CMDP) -> Array:
    """float[S]: the least time at which some policy is in each state, infinity where none is."""
    source = model.n_states
    owners = np.repeat(model.choice_states, np.diff(model.indptr))
    starts = np.flatnonzero(model.initial > 0)
    rows = np.concatenate([owners, np.full(len(starts), source)])
    columns = np.concatenate([model.successors, starts])
    edges = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(source + 1, source + 1))
    return np.asarray(dijkstra(edges, indices=source, unweighted=True))[:source] - 1


def entered(model: CMDP, horizon: int | None = None) -> Array:
    """bool[S]: whether some policy arrives in each state, at a time from 1 to the horizon."""
    times = first_visits(model)[model.choice_states]
    usable = np.isfinite(times) if horizon is None else times < horizon
    found = np.zeros(model.n_states, dtype=bool)
    found[model.successors[np.repeat(usable, np.diff(model.indptr))]] = True
    return found


def charged(model: CMDP, index: int) -> Array:
    """bool[S]: whether the cost is not zero for some action of each state."""
    found = np.zeros(model.n_states, dtype=bool)
    found[model.choice_states[model.costs[index] != 0]] = True
    return found


def within_budget(model: CMDP, index: int) -> bool:
    """Whether every policy is seen to meet the budget; False where it is open after `WORK`."""
    cost, gamma, budget = model.cost_vector(index), model.discount, model.budgets[index]
    usable = np.isfinite(first_visits(model))[model.choice_states]
    paid = [Fraction(c, cost.denominator) for c in np.unique(model.costs[index][usable]).tolist()]
    if gamma == 1:
        return budget >= 0 and max(paid) <= 0
    if max(paid) / (1 - gamma) <= budget:
        return True
    costs = np.where(usable, cost.floats(), 0.0)
    top, spread = (float(x / (1 - gamma)) for x in (max(paid), max(paid) - min(paid)))
    margin = _ROUNDING * max(abs(top), spread)
    values, factor, start = np.full(model.n_states, top), 1.0, np.array(model.initial, dtype=float)
    start, chances = start / start.sum(), model.float_transitions()
    for _ in range(min(_SWEEPS, WORK // len(model.successors))):
        above = float(start @ values)  # at least what the worst policy pays, at most factor more
        if above + margin <= budget or above - factor * spread - margin > budget:
            return bool(above + margin <= budget)
        best = costs + float(gamma) * (chances @ values)
        values, factor = np.maximum.reduceat(best, model.choice_start[:-1]), factor * float(gamma)
    return False


def largest_risk(model: CMDP, unsafe: Sequence[int], horizon: int) -> float | None:
    """The largest chance of an unsafe state at times 1 to the horizon, up to rounding.

    None where more than `WORK` transitions would have to be looked at.
    """
    if horizon * len(model.successors) > WORK:
        return None
    bad = np.zeros(model.n_states)
    bad[list(unsafe)] = 1.0
    chances, risk = model.float_transitions(), np.zeros(model.n_states)
    for _ in range(horizon):
        risk = np.maximum.reduceat(chances @ np.maximum(bad, risk), model.choice_start[:-1])
    start = np.array(model.initial, dtype=float)
    return float(start @ risk / start.sum())
