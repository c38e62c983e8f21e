"""The least maximum of the changes (linf) as a linear program for HiGHS.

Moves j = (pair, direction) have room r_j.  With w = x / s and v = 1 / s, the least s with x_j <= s
for every move is found by

    max v   subject to   sum_j s_j phi_j w_j = v Phi d,   0 <= w <= 1,   w_j <= r_j v,

where the last rows are needed only for moves whose room may be below the optimum: for labels of 0
and 1 without weights none is, and the program has n rows however many pairs there are.
"""

from __future__ import annotations

import numpy as np

from ...programs.highs import solve
from ...sequences import Array
from .sifting import Found, Sifting

_LARGEST = 2_000_000
"""Entries of the program: more of them would take longer than the other norms do.  Beyond it there
are the projection's bounds, which are two to three times apart on Gaussian features."""
_LARGEST_ROWS = 4_000
"""Rows for moves of little room, each of which makes every step of the simplex method dearer."""
_INSTEAD = "the bounds are those of the projection: take l1 or l2, or fewer pairs"
_SECONDS = 600.0
"""Of the program; the bounds of the projection stand where it does not suffice."""


def solve_maximum(search: Sifting, start: Array) -> tuple[Found | None, str]:
    """An optimum, or None and why not; ``start`` (N) are feasible changes up to rounding."""
    room = np.concatenate([search.data.up, search.data.down])
    moves = np.flatnonzero(room > 0)
    short = np.flatnonzero(room[moves] < float(np.abs(start).max()))
    size, count = len(search.moment), len(moves)
    many = f"{count} possible changes with {size} features" if count * size > _LARGEST else ""
    many = f"{len(short)} possible changes of little room" if len(short) > _LARGEST_ROWS else many
    if many:
        return None, f"{many} are too many for the linear program of linf; {_INSTEAD}"
    scale = float(np.abs(search.moment).max())  # v is measured in 1 / scale
    matrix = np.zeros((count + 1, size + len(short)))
    matrix[:count, :size] = search.move_columns(moves)
    matrix[count, :size] = -search.moment / scale
    rows = size + np.arange(len(short))
    matrix[short, rows], matrix[count, rows] = 1.0, -room[moves[short]] / scale
    found = solve(
        np.append(np.zeros(count), 1.0),
        (np.zeros(count + 1), np.append(np.ones(count), np.inf)),
        matrix,
        (np.append(np.zeros(size), np.full(len(short), -np.inf)), np.zeros(size + len(short))),
        maximise=True, seconds=_SECONDS, presolve=True,
    )  # fmt: skip
    if not (found.optimal and found.x[-1] > 0):
        return None, f"HiGHS did not solve the linear program of linf; {_INSTEAD}"
    least = scale / found.x[-1]
    return _found(search, moves, least * found.x[:-1], found.y[:size] * (-least / scale)), ""


def _found(search: Sifting, moves: Array, values: Array, dual: Array) -> Found:
    count = search.data.n_pairs
    y, prices = search.priced(dual)
    both = np.zeros(2 * count)
    both[moves] = values
    changes = both[:count] - both[count:]
    return Found(y, prices, changes, np.zeros(0, dtype=np.int64), False)
