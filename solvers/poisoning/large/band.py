"""A linear program over the pairs whose role is in doubt; HiGHS's simplex finds its vertex.

    min sum x_j   subject to   sum_j s_j phi_{i_j} x_j = rest,   0 <= x_j <= room_j

over moves j = (pair i_j, direction s_j): all others are kept at zero or at their room, as their
prices say.  The vertex's own prices are then asked for all pairs; moves that they contradict join
the band.  HiGHS proposes, the bounds of ``proved_bounds`` decide.
"""

from __future__ import annotations

import time

import numpy as np

from ...programs.highs import solve
from ...sequences import Array
from .independence import spanning_rows
from .sifting import Found, Sifting

_SECONDS = 600.0
"""Of all rounds; 5,000 pairs with 200 features take 10."""
_WRONG = 1e-7
"""Of prices beside one, by which moves outside the band contradict it: above HiGHS's tolerance, or
the band would grow for nothing; the bounds say what it costs."""
_ROUNDS = 40
"""In which the band grows, each with a linear program from the last basis."""
_FIRST = 3
_FEWEST = 200
"""Moves a feature, and at all, of the first band: a smaller one takes more rounds, a larger one
longer programs."""


def _gains(prices: Array) -> Array:
    """s t - 1 of the 2 N moves, i upwards and N + i downwards: positive where a move pays."""
    return np.concatenate([prices - 1, -prices - 1])


def solve_band(search: Sifting, start: Found | None) -> Found | None:
    """An optimal vertex, from the prices of a search, or of the whole program without one.

    None when HiGHS fails, or the rounds or the time are used up.
    """
    room = np.concatenate([search.data.up, search.data.down])
    possible = room > 0
    if start is None:
        band, full = possible.copy(), np.zeros(len(possible), dtype=bool)
    else:
        gains = np.where(possible, _gains(start.prices), -np.inf)
        band = _nearest(gains, max(_FIRST * len(search.moment), _FEWEST))
        full = possible & (gains > 0)
    basis: Array | None = None
    since = time.perf_counter()
    for _ in range(_ROUNDS):
        left = since + _SECONDS - time.perf_counter()
        if left <= 0:
            return None
        found = _solve(search, room, np.flatnonzero(band), full & ~band, basis, left)
        if found is None:
            if band.sum() == possible.sum():
                return None
            gains = np.where(possible & ~band, _gains(_prices_of(start)), -np.inf)
            band |= _nearest(gains, int(band.sum()))
            basis = None
            continue
        dual, values, basis = found
        y, prices = search.priced(dual)
        gains = _gains(prices)
        wrong = possible & ~band & np.where(full, gains < -_WRONG, gains > _WRONG)
        if not wrong.any():
            changes = values[: search.data.n_pairs] - values[search.data.n_pairs :]
            pairs = np.unique(basis % search.data.n_pairs)
            return Found(y, prices, changes, complete_basis(search, pairs, changes), True)
        band |= wrong
    return None


def _prices_of(start: Found | None) -> Array:
    assert start is not None  # without a start everything is in the band
    return start.prices


def _nearest(gains: Array, count: int) -> Array:
    """The moves whose gain is nearest to zero."""
    finite = int(np.isfinite(gains).sum())
    chosen = np.isfinite(gains)
    if count < finite:
        limit = np.partition(np.abs(gains), count)[count]
        chosen &= np.abs(gains) <= limit
    return chosen


def _solve(
    search: Sifting, room: Array, band: Array, full: Array, basis: Array | None, seconds: float
) -> tuple[Array, Array, Array] | None:
    """y (r) and x (2 N) at an optimal vertex of the band, and its basic moves."""
    data, count = search.data, search.data.n_pairs
    fixed = np.flatnonzero(full)
    rest = search.moment.copy()
    if len(fixed):
        signs = np.where(fixed < count, 1.0, -1.0) * room[fixed]
        rest -= signs @ data.columns(fixed % count, search.features.used)
    columns = search.move_columns(band)
    start = None if basis is None or len(basis) != len(rest) else np.isin(band, basis).nonzero()[0]
    answer = solve(
        np.ones(len(band)), (np.zeros(len(band)), room[band]), columns, (rest, rest),
        basis=start, seconds=seconds,
    )  # fmt: skip
    if not answer.optimal:
        return None
    values = np.where(full, room, 0.0)
    values[band] = answer.x
    return answer.y, values, band[[j for j in answer.basic if j < len(band)]]


def complete_basis(search: Sifting, pairs: Array, changes: Array) -> Array:
    """The pairs with others beside them, such that their columns span all features."""
    data, size = search.data, len(search.moment)
    if len(pairs) >= size:
        return pairs[:size]
    slack = np.minimum(changes + data.down, data.up - changes)
    slack[pairs] = -1.0
    others = np.argsort(-slack, kind="stable")[: max(2000, 20 * size)]
    others = others[slack[others] >= 0]
    own = data.columns(pairs, search.features.used)
    across = np.linalg.qr(own.T, mode="complete")[0][:, len(pairs) :]
    columns = data.columns(others, search.features.used) @ across
    return np.sort(np.concatenate([pairs, others[spanning_rows(columns)]]))
