"""The least maximum of the changes (linf) as a linear program for HiGHS.

Moves j = (pair, direction) have room r_j.  If no room is below the optimum, the program in s is
homogeneous: with w = zeta / s and 1 / s = v,

    max v   subject to   sum_j s_j phi_j w_j = v Phi d,   0 <= w <= 1,

which has n rows only.  Otherwise  min s  with  x_j <= s  for every move whose room may exceed it.
"""

from __future__ import annotations

import numpy as np

from ...programs.highs import solve
from .arrays import Array
from .sifting import Found, Sifting

_LARGEST = 2_000_000
_LARGEST_ROWS = 4_000
_SECONDS = 600.0


def solve_maximum(search: Sifting, start: Array) -> tuple[Found | None, str]:
    """An optimum, or None and why not; ``start`` (N) are feasible changes up to rounding."""
    data, size = search.data, len(search.moment)
    room = np.concatenate([data.up, data.down])
    moves = np.flatnonzero(room > 0)
    ceiling = float(np.abs(start).max())
    if len(moves) * size > _LARGEST:
        return None, (
            f"{data.n_pairs} pairs with {size} features are too many for the linear program of "
            "linf; the bounds are those of the projection"
        )
    if float(room[moves].min()) >= ceiling:
        return _homogeneous(search, moves)
    if len(moves) > _LARGEST_ROWS:
        return None, (
            f"{len(moves)} possible changes of different room are too many for the linear program "
            "of linf; the bounds are those of the projection"
        )
    return _general(search, moves, room)


def _columns(search: Sifting, moves: Array) -> Array:
    count = search.data.n_pairs
    columns = search.data.columns(moves % count, search.features.used)
    columns *= np.where(moves < count, 1.0, -1.0)[:, None]
    return columns


def _homogeneous(search: Sifting, moves: Array) -> tuple[Found | None, str]:
    columns, size = _columns(search, moves), len(search.moment)
    scale = float(np.abs(search.moment).max())
    matrix = np.vstack([columns, -search.moment / scale])
    cost = np.zeros(len(matrix))
    cost[-1] = -1.0
    upper = np.ones(len(matrix))
    upper[-1] = np.inf
    found = solve(
        cost, (np.zeros(len(matrix)), upper), matrix, (np.zeros(size), np.zeros(size)),
        seconds=_SECONDS, presolve=True,
    )  # fmt: skip
    if not (found.optimal and found.x[-1] > 0):
        return None, "HiGHS did not solve the linear program of linf"
    least = scale / found.x[-1]
    y = -found.y * (least / scale)
    return _found(search, moves, least * found.x[:-1], _scaled_dual(search, y, least)), ""


def _scaled_dual(search: Sifting, y: Array, least: float) -> Array:
    """y in the sign and size that prove most: Phi d.y is the optimum."""
    gain = float(search.moment @ y)
    return y * (least / gain) if gain else y


def _general(search: Sifting, moves: Array, room: Array) -> tuple[Found | None, str]:
    columns, size = _columns(search, moves), len(search.moment)
    count = len(moves)
    matrix = np.zeros((count + 1, size + count))
    matrix[:count, :size] = columns
    matrix[:count, size:] = np.eye(count)
    matrix[count, size:] = -1.0
    cost = np.zeros(count + 1)
    cost[-1] = 1.0
    upper = np.concatenate([room[moves], [np.inf]])
    least = np.concatenate([search.moment, np.full(count, -np.inf)])
    greatest = np.concatenate([search.moment, np.zeros(count)])
    found = solve(
        cost, (np.zeros(count + 1), upper), matrix, (least, greatest),
        seconds=_SECONDS, presolve=True,
    )  # fmt: skip
    if not found.optimal:
        return None, "HiGHS did not solve the linear program of linf"
    return _found(search, moves, found.x[:-1], found.y[:size]), ""


def _found(search: Sifting, moves: Array, values: Array, dual: Array) -> Found:
    data = search.data
    y = np.zeros(data.n_features)
    y[search.features.used] = dual
    prices = data.prices(y)
    search.pricings += 1
    search.pulse(y, prices)
    both = np.zeros(2 * data.n_pairs)
    both[moves] = values
    changes = both[: data.n_pairs] - both[data.n_pairs :]
    return Found(y, prices, changes, np.zeros(0, dtype=np.int64), False)
