"""Bounds on the least cost that hold, from floating-point prices and changes.

Write u for the unit roundoff of doubles, v for that of extended precision (``numpy.longdouble``,
wherever it is no wider, v = u), gamma_m = m u / (1 - m u), and M_k for the greatest abs(Phi_ki) of
a scaled row.  d, up and down in doubles carry relative errors of 3 u (``flip_arrays``).

Lower bounds.  For any y the dual value is a sum of h_i(t_i) over the pairs, t = Phi^T y, with

    l1:  h_i(t) = d_i t - up_i (t - 1)_+ - down_i (-t - 1)_+,
    l2:  h_i(t) = d_i t - max_z (t z - z^2 / 2) over the box (take the root of twice the sum),

and abs(h_i') <= rho_i.  A computed t_i, summed in any order, is off by at most

    e = gamma_{n+2} sum_k M_k abs(y_k) + n 2^-500,

so that the sum is off by at most e sum rho_i over the pairs whose term is not certainly zero (d_i =
0 and t_i farther than e from where the term starts), plus 16 u times the terms' operands; the sum
itself is exact (``math.fsum``) up to one rounding.  Prices that are computed in extended
precision have e = gamma_{n+2}(v) sum M_k abs(y_k) + 2 u max abs(t_i) instead.

Upper bounds.  Let zeta be the ends -down_i, 0, up_i (exact numbers) at some pairs and doubles at
the rest; rho = Phi (d - zeta) is computed in extended precision with an error of at most

    epsilon_k = M_k (gamma_m(v) sum abs(w_i) + 4 u sum (abs(d_i) + abs(zeta_i) + abs(w_i))),

w = d - zeta, m terms; if d, up and down are exact in doubles, so is w at the ends, and the last sum
is that of 4 u abs(w_i) at the rest.  For r pairs with columns B (r x r), a computed R near B^-1 and

    alpha_j = sum_l (abs(I - fl(R B)) + gamma_{r+2} abs(R) abs(B))_jl,   max alpha < 1,

B is invertible and the exact solution of B x = rho obeys x = R rho + (I - R B) x, hence

    abs(x_j) <= delta_j = c_j + alpha_j max c / (1 - max alpha),   c = abs(R) (abs(rho) + epsilon).

If zeta_j keeps the distance delta_j from the ends of its box at those pairs, zeta + x is feasible
and the optimum is at most cost(zeta) + sum delta (l1), norm(zeta) + norm(delta) (l2, linf).
The bounds themselves are computed with all roundings upwards by a factor 1 + 1e-12 or more.
Source: the verification of linear systems by an approximate inverse (Rump 2010, Acta Numerica 19,
section 10); Kusaka et al. 2025, Theorem 1, for the program; the rest is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...sequences import Array
from .arrays import ROUNDINGS, FlipArrays

_UNIT = 2.0**-53  # unit roundoff of doubles
_TINY = 2.0**-500
"""What underflow may hide in a term of the docstring, with room for sums."""
_LEAST = 2.0**-1074  # the least double above zero
_HOPELESS = 2.0**300
"""An error of prices from which a bound is said to be zero: far from where doubles overflow."""
_WIDER = 1 + 1e-12
"""Covers the last roundings of a bound, up to 9,000 of 2^-53; it costs 1e-12 of width."""
_PART = 2**20
"""Pairs whose terms are summed at a time, which bounds the memory."""
#: Marks pairs whose change is a double, strictly between its ends.
INSIDE = 2


def gamma(count: int, unit: float = _UNIT) -> float:
    """m u / (1 - m u), rounded up."""
    return _WIDER * count * unit / (1 - count * unit)


def _extended() -> float:
    """The unit roundoff of the widest floats that are IEEE arithmetic throughout."""
    info = np.finfo(np.longdouble)
    return float(info.eps) / 2 if info.nmant in (52, 63, 112) else 0.0


_LONG = np.longdouble if _extended() else np.float64
_LONG_UNIT = _extended() or _UNIT


# -- below ---------------------------------------------------------------------------------------
def price_error(data: FlipArrays, y: Array) -> float:
    """e: how far any computed price may be off."""
    reach = float(data.largest @ np.abs(y))
    return _WIDER * (gamma(data.n_features + 2) * reach) + data.n_features * _TINY


def sharpened(data: FlipArrays, y: Array, prices: Array, pairs: Array) -> tuple[Array, float]:
    """Prices that are computed in extended precision at ``pairs``, and how far those may be off."""
    own, largest = prices.copy(), 0.0
    step = max(1, 2**18 // data.n_features)
    for first in range(0, len(pairs), step):
        part = pairs[first : first + step]
        own[part] = data.columns(part).astype(_LONG) @ y.astype(_LONG)
        largest = max(largest, float(np.abs(own[part]).max()))
    reach = float(data.largest @ np.abs(y))
    error = gamma(data.n_features + 2, _LONG_UNIT) * reach + 2 * _UNIT * largest
    return own, _WIDER * error + data.n_features * _TINY


def least_sum_below(data: FlipArrays, y: Array, prices: Array, sharp: bool = False) -> float:
    """A lower bound on the least cost in l1; ``sharp`` takes prices in extended precision."""
    error = price_error(data, y)
    if not error < _HOPELESS:
        return 0.0
    active = (data.displacement != 0) | (np.abs(prices) + error >= 1)
    if sharp:
        prices, error = sharpened(data, y, prices, np.flatnonzero(active))

    def terms(t: Array, d: Array, up: Array, down: Array) -> tuple[Array, Array]:
        excess = up * np.maximum(t - 1, 0) + down * np.maximum(-t - 1, 0)
        sizes = np.abs(d * t) + (up + down) * (1 + np.abs(t)) * (np.abs(t) + error >= 1)
        return d * t - excess, sizes

    return max(0.0, _sum_below(data, prices, np.flatnonzero(active), error, terms))


def least_square_below(data: FlipArrays, y: Array, prices: Array, sharp: bool = False) -> float:
    """A lower bound on the least cost in l2 (the norm, not its square)."""
    error = price_error(data, y)
    if not error < _HOPELESS:
        return 0.0
    still = (data.displacement == 0) & (
        ((data.up == 0) & (prices > error)) | ((data.down == 0) & (prices < -error))
    )
    if sharp:
        prices, error = sharpened(data, y, prices, np.flatnonzero(~still))

    def terms(t: Array, d: Array, up: Array, down: Array) -> tuple[Array, Array]:
        z = np.clip(t, -down, up)
        return d * t - (t * z - z * z / 2), np.abs(d * t) + np.abs(t * z) + z * z

    total = _sum_below(data, prices, np.flatnonzero(~still), error, terms)
    return math.sqrt(2 * total) / _WIDER if total > 0 else 0.0


def _sum_below(
    data: FlipArrays, prices: Array, active: Array, error: float,
    terms: Callable[[Array, Array, Array, Array], tuple[Array, Array]],
) -> float:  # fmt: skip
    values, wrong = [], 0.0
    for first in range(0, len(active), _PART):
        part = active[first : first + _PART]
        up, down = data.up[part], data.down[part]
        found, sizes = terms(prices[part], data.displacement[part], up, down)
        values.append(math.fsum(found.tolist()))
        wrong += error * float((up + down).sum()) + 16 * _UNIT * float(sizes.sum())
    total = math.fsum(values)
    slack = _WIDER * wrong * (1 + 1e-6) + abs(total) * 4 * _UNIT * (1 + len(values))
    return total - slack - data.n_pairs * _TINY if math.isfinite(slack) else -math.inf


def least_maximum_below(data: FlipArrays, y: Array, prices: Array, sharp: bool = False) -> float:
    """A lower bound on the least cost in l-infinity: b.y + min_s s - sum abs(t_i) min(s, room_i).

    The minimum is at zero or at some room, for the function is convex and piecewise linear in s.
    """
    error = price_error(data, y)
    if not error < _HOPELESS:
        return 0.0
    if sharp:
        prices, error = sharpened(data, y, prices, np.arange(data.n_pairs))
    linear = data.displacement * prices
    room, reach = np.where(prices > 0, data.up, data.down), np.abs(prices)
    order = np.argsort(room)
    room, reach = room[order].astype(_LONG), reach[order].astype(_LONG)
    full = np.concatenate([[0], np.cumsum(reach * room)])
    left = np.concatenate([np.cumsum(reach[::-1])[::-1], [0]])
    places = np.concatenate([[0], room])
    least = float((places - full - places * left).min())
    top, count = float(room[-1]), data.n_pairs
    sizes = float(np.abs(linear).sum()) + top * (1 + 2 * float(left[0]))
    wrong = error * 2 * float((data.up + data.down).sum())
    wrong += (gamma(2 * count + 20, _LONG_UNIT) + 32 * _UNIT) * sizes
    return max(0.0, math.fsum(linear.tolist()) + least - 1.001 * wrong - count * _TINY)


# -- above ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Point:
    """Changes near a feasible point: exact ends, and doubles inside.

    Attributes:
        changes: zeta (N); ends: int8 (N), 1, 0, -1 for the exact up_i, 0, -down_i, or INSIDE.
    """

    changes: Array
    ends: Array

    @classmethod
    def of(cls, data: FlipArrays, changes: Array, inside: Array) -> Point:
        """Every pair at the nearest end, but for those ``inside``."""
        ends = np.where(changes > data.up / 2, 1, np.where(changes < -data.down / 2, -1, 0))
        exact = np.where(ends == 1, data.up, np.where(ends == -1, -data.down, 0.0))
        exact[inside], ends[inside] = changes[inside], INSIDE
        return cls(exact, ends.astype(np.int8))


def _long_moments(data: FlipArrays, changes: Array, support: Array, used: Array) -> Array:
    """Phi times changes (N) of this support, over the features used, in extended precision."""
    total: Array = np.zeros(len(used), dtype=_LONG)
    step = max(1, 2**18 // max(1, len(used)))
    for first in range(0, len(support), step):
        part = support[first : first + step]
        total += changes[part].astype(_LONG) @ data.columns(part, used).astype(_LONG)
    return total


def residual(data: FlipArrays, point: Point, used: Array) -> tuple[Array, Array]:
    """rho and epsilon (r): Phi (d - zeta) of the features used, and how far it may be off."""
    moved = data.displacement - point.changes
    support = np.flatnonzero(moved)
    sizes = float(np.abs(moved).sum())
    operands = float(np.abs(moved[point.ends == INSIDE]).sum())
    if not data.exact:
        operands = sizes + float(np.abs(data.displacement).sum() + np.abs(point.changes).sum())
    wrong = gamma(len(support) + 20, _LONG_UNIT) * sizes + (ROUNDINGS + 1) * _UNIT * operands
    found = _long_moments(data, moved, support, used).astype(np.float64)
    epsilon = _WIDER * (1 + 1e-6) * (data.largest[used] * wrong + 2 * _UNIT * np.abs(found))
    return found, epsilon + data.n_pairs * _TINY


def moments_above(data: FlipArrays, labels: Array) -> Array:
    """Upper bounds on abs(Phi D (labels - target)) (n) of the scaled rows.

    A difference of doubles and its product with a weight are off by 2 u relative to themselves.
    """
    moved = (labels - data.target) * (1.0 if data.weights is None else data.weights)
    support = np.flatnonzero(moved)
    total = _long_moments(data, moved, support, np.arange(data.n_features))
    wrong = gamma(len(support) + 20, _LONG_UNIT) + 3 * _UNIT
    sizes = _WIDER * (1 + 1e-6) * wrong * float(np.abs(moved).sum())
    found = np.abs(total).astype(np.float64) * (1 + 4 * _UNIT)
    above: Array = found + data.largest * sizes + data.n_pairs * _TINY
    return above


def radii(columns: Array, rho: Array, epsilon: Array) -> tuple[Array, Array] | None:
    """An approximate x with B x = rho, and delta (r), for the columns of B (r, r), a row a pair.

    None when the inverse is not verified.
    """
    basis, size = columns.T, len(columns)
    try:
        inverse = np.linalg.inv(basis)
    except np.linalg.LinAlgError:
        return None
    off = np.abs(np.eye(size) - inverse @ basis)
    wider = _WIDER * (1 + 1e-6)
    alpha = wider * (off + gamma(size + 2) * (np.abs(inverse) @ np.abs(basis))).sum(axis=1)
    worst = float(alpha.max(initial=0.0))
    if not worst < 0.5:  # not a number, too
        return None
    reach = wider * (np.abs(inverse) @ (np.abs(rho) + epsilon))
    delta = wider * (reach + alpha * (float(reach.max(initial=0.0)) / (1 - worst)))
    return inverse @ rho, delta + _TINY


@dataclass(frozen=True)
class Above:
    """A point with a feasible one within delta (r) of it, at the pairs of the basis."""

    point: Point
    basis: Array
    delta: Array


def feasible_near(
    data: FlipArrays, point: Point, basis: Array, used: Array, refinements: int = 2
) -> Above | None:
    """Prove that a feasible point is near: ``basis`` are r pairs inside with independent columns.

    The changes at the basis are refined first.  None when that cannot be proved.
    """
    if len(basis) != len(used) or not (point.ends[basis] == INSIDE).all():
        return None
    found = _refined(data, point, basis, used, refinements)
    if found is None:
        return None
    point, delta = found
    inside = np.flatnonzero(point.ends == INSIDE)
    need = np.zeros(data.n_pairs)
    need[basis] = delta
    values, margin = point.changes[inside], 1 - 8 * _UNIT
    above, below = data.up[inside] * margin - values, data.down[inside] * margin + values
    if not (np.minimum(above, below) * margin >= need[inside]).all():
        return None
    return Above(point, basis, delta)


def _refined(
    data: FlipArrays, point: Point, basis: Array, used: Array, refinements: int
) -> tuple[Point, Array] | None:
    """The point with changes at the basis that leave little of the moments, and delta (r)."""
    rho, epsilon = residual(data, point, used)
    found = radii(data.columns(basis, used), rho, epsilon)
    if found is None:
        return None
    step, delta = found
    if not refinements or not np.abs(rho).max(initial=0.0) > 4 * epsilon.max(initial=0.0):
        return point, delta
    changes = point.changes.copy()
    changes[basis] += step
    return _refined(data, Point(changes, point.ends), basis, used, refinements - 1)


def sum_above(data: FlipArrays, above: Above) -> float:
    """An upper bound on the least cost in l1."""
    cost = math.fsum(np.abs(above.point.changes).tolist()) * (1 + 8 * _UNIT)
    cost += data.n_pairs * _LEAST  # what underflow may hide
    return _WIDER * math.fsum(above.delta.tolist()) + cost * (1 + 4 * _UNIT)


def square_above(data: FlipArrays, above: Above) -> float:
    """An upper bound on the least cost in l2 (the norm)."""
    squares = math.fsum(np.square(above.point.changes).tolist()) + data.n_pairs * _TINY
    wrong = math.sqrt(math.fsum(np.square(above.delta).tolist()) + data.n_pairs * _TINY)
    return (math.sqrt(squares) + wrong) * _WIDER


def maximum_above(data: FlipArrays, above: Above) -> float:
    """An upper bound on the least cost in l-infinity."""
    sizes = np.abs(above.point.changes)
    sizes[above.basis] += above.delta
    return float(sizes.max(initial=0.0)) * _WIDER + _LEAST


def norm_above(data: FlipArrays, norm: str) -> float:
    """An upper bound on norm(d), the cost of the target itself, which is feasible."""
    itself = np.full(data.n_pairs, INSIDE, dtype=np.int8)
    above = Above(Point(data.displacement, itself), np.arange(0), np.zeros(0))
    return ABOVE[norm](data, above)


#: The bounds by norm.
BELOW = {"l1": least_sum_below, "l2": least_square_below, "linf": least_maximum_below}
ABOVE = {"l1": sum_above, "l2": square_above, "linf": maximum_above}
