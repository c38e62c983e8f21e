"""Feasible points near computed changes: at a vertex, inside, by a blend, or in exact arithmetic.

A vertex whose basic changes keep clear of their ends is proved directly.  One that does not (ties)
is solved exactly when it is small, or moved a little towards a point inside the box; how little is
set by what the move may cost.
"""

from __future__ import annotations

import math
from fractions import Fraction
from operator import sub
from typing import Any

import numpy as np
from flint import fmpz_mat

from ...exact import SingularMatrixError, solve_flint_system
from ...sequences import Array
from ..flips.dual_newton import SmoothedDual
from .independence import spanning_rows
from .proved_bounds import INSIDE, Above, Point, feasible_near
from .sifting import Found, Sifting

_CLEAR = 1e-9
"""Of the room, that a change keeps from its ends to count as inside: nearer ones could not be moved
by what rounding leaves to correct."""
_NEAR = 20
"""Pairs a feature among which a basis is sought, and at least 2000: more give a better conditioned
one and take longer."""
_ALL = 2**21
"""Entries up to which all pairs may be moved off their ties, not only those near a price of one."""
_STEPS = 100
"""Newton steps to the middle of the room, which need not be met exactly."""
_EXACT_RANK = 128
_EXACT_SIZE = 3_000_000
"""Rank and entries of exact systems and sums: what takes seconds; beyond them a tie is moved."""


def certify_vertex(search: Sifting, found: Found, allowance: float) -> Above | None:
    """A feasible point near a vertex without ties."""
    if len(found.free) != len(search.moment):
        return None
    point = Point.of(search.data, found.changes, found.free)
    return feasible_near(search.data, point, found.free, search.features.used)


def certify_inside(search: Sifting, found: Found, allowance: float) -> Above | None:
    """A feasible point near changes that need be no vertex, if need be after a move."""
    data, changes = search.data, found.changes
    slack = np.minimum(changes + data.down, data.up - changes)
    inside = slack > _CLEAR * (data.up + data.down)
    point = Point.of(data, changes, np.flatnonzero(inside))
    return _near(search, point, slack) or certify_blend(search, found, allowance)


def certify_blend(search: Sifting, found: Found, allowance: float) -> Above | None:
    """A feasible point near a vertex with ties, that costs about ``allowance`` more in l1."""
    data, size, changes = search.data, len(search.moment), found.changes
    gains = np.abs(np.abs(found.prices) - 1)
    gains[data.up + data.down == 0] = np.inf
    count = min(int(np.isfinite(gains).sum()), data.n_pairs)
    if data.n_pairs * size > _ALL:
        count = min(count, max(2000, _NEAR * size))
    moved = np.argsort(gains, kind="stable")[:count]
    between = _interior(search, changes, moved)
    cost = float(np.abs(between).sum()) + float(np.abs(changes[moved]).sum())
    share = min(1.0, allowance / cost) if cost > 0 else 1.0
    blend = changes.copy()
    blend[moved] = (1 - share) * changes[moved] + share * between
    slack = np.minimum(between + data.down[moved], data.up[moved] - between)
    clear = slack > _CLEAR * (data.up + data.down)[moved]
    point = Point.of(data, blend, moved[clear])
    room = np.full(data.n_pairs, -1.0)
    room[moved] = slack * share
    return _near(search, point, room)


def _interior(search: Sifting, changes: Array, moved: Array) -> Array:
    """Changes of the pairs ``moved``, with the same moments, as near as can be to mid-room."""
    data, features = search.data, search.features
    rest = np.zeros(data.n_pairs)
    rest[:] = data.displacement - changes
    rest[moved] += changes[moved]
    support = np.flatnonzero(rest)
    moment = np.zeros(len(search.moment))
    for first in range(0, len(support), 4096):
        part = support[first : first + 4096]
        moment += rest[part] @ data.columns(part, features.used)
    dual = SmoothedDual(
        search.whitened(moved), moment @ search.whitener,
        data.up[moved], data.down[moved], 0.0, (data.up - data.down)[moved] / 2,
    )  # fmt: skip
    return dual.ascend(np.zeros(len(moment)), 1.0, 1e-13, _STEPS).changes


def _near(search: Sifting, point: Point, slack: Array) -> Above | None:
    data, size = search.data, len(search.moment)
    inside = np.flatnonzero((point.ends == INSIDE) & (slack > 0))
    if len(inside) < size:
        return None
    count = max(2000, _NEAR * size)
    if len(inside) > count:
        inside = inside[np.argpartition(-slack[inside], count)[:count]]
    columns = data.columns(inside, search.features.used) * slack[inside][:, None]
    basis = np.sort(inside[spanning_rows(columns)])
    return feasible_near(data, point, basis, search.features.used)


# -- exactly -------------------------------------------------------------------------------------
def exact_vertex(search: Sifting, changes: Array, basis: Array) -> tuple[Fraction, Array] | None:
    """The cost in l1 and zeta (N, rounded) of the vertex of this basis, in exact arithmetic.

    None when the vertex is infeasible, the basis singular, or either too large.
    """
    data, size = search.data, len(search.moment)
    if len(basis) != size or size > _EXACT_RANK or not data.scales_exactly:
        return None
    point = Point.of(data, changes, basis)
    point.changes[basis] = 0.0
    support = np.union1d(data.moved, np.flatnonzero(point.changes))
    if len(support) * size > _EXACT_SIZE:
        return None
    ends = np.where(point.ends == INSIDE, 0, point.ends)  # the basis starts from zero
    moves = data.exact_displacement(support)
    kept = [data.exact_end(int(i), int(ends[i])) for i in support]
    right = exact_moments(search, support, list(map(sub, moves, kept)))
    values = _solved(data.columns(basis, search.features.used), right)
    if values is None or not all(
        data.exact_end(int(i), -1) <= value <= data.exact_end(int(i), 1)
        for i, value in zip(basis, values, strict=True)
    ):
        return None
    point.changes[basis] = [float(value) for value in values]
    return sum(map(abs, [*kept, *values]), Fraction(0)), point.changes


def _solved(columns: Array, right: list[Fraction]) -> list[Fraction] | None:
    """x (r) with sum_j x_j columns_j = right, for columns (r, r), a row each; or None."""
    entries, bottom = _integers(columns)
    common = math.lcm(*(value.denominator for value in right))
    matrix = fmpz_mat(len(right), len(right), [int(a) for a in entries.T.ravel()])
    try:
        solution = solve_flint_system(matrix, [int(value * common) for value in right])
    except SingularMatrixError:
        return None
    return [value * bottom / common for value in solution.fractions()]


def exact_moments(search: Sifting, pairs: Array, weights: list[Fraction]) -> list[Fraction]:
    """sum_i weights_i phi_i (r) of the scaled features used, exactly."""
    common = math.lcm(*(weight.denominator for weight in weights)) if weights else 1
    factors = np.array([int(weight * common) for weight in weights], dtype=object)
    total = [Fraction(0)] * len(search.moment)
    for first in range(0, len(pairs), 4096):
        columns, bottom = _integers(
            search.data.columns(pairs[first : first + 4096], search.features.used)
        )
        part = factors[first : first + 4096] @ columns
        total = [
            old + Fraction(int(new), common * bottom) for old, new in zip(total, part, strict=True)
        ]
    return total


def moment_is_zero(search: Sifting) -> bool:
    """Whether Phi d is certainly zero, decided exactly where that is not too much work."""
    data = search.data
    support = data.moved
    if len(support) * len(search.moment) > _EXACT_SIZE or not data.scales_exactly:
        return False
    return not any(exact_moments(search, support, data.exact_displacement(support)))


def _integers(columns: Array) -> tuple[Any, int]:
    """Doubles as integers (objects) over one power of two."""
    mantissas, exponents = np.frexp(columns)
    used = exponents[mantissas != 0]
    least = int(used.min()) if used.size else 0
    tops = (mantissas * 2.0**53).astype(np.int64).astype(object)
    shifts = np.where(mantissas != 0, exponents - least, 0).astype(object)
    scaled = tops * np.power(np.full(columns.shape, 2, dtype=object), shifts)
    return (scaled, 2 ** (53 - least)) if least <= 53 else (scaled * 2 ** (least - 53), 1)
