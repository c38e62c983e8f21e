"""A lower bound on the least cost that needs no search, rigorous for floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...sequences import Array
from ..flips.closed_forms import check_norm
from .arrays import FlipArrays
from .independence import independent_features
from .proved_bounds import BELOW, price_error


def closed_form_bound(
    features: Any, benign: Any, target: Any, *, weights: Any = None, norm: str = "l1"
) -> float:
    """A rigorous lower bound in closed form: norm(p)_2^2 / norm(p)_*, p = Phi^+ Phi d.

    In l1 the dual norm is the maximum, in l2 the 2-norm, in linf the sum.  The pseudo-inverse is
    computed in floats; whatever it is, t = Phi^T y for some y, and Phi d.y / norm(t)_* is a bound.

    Source: Kusaka et al. 2025, Theorem 2.  Raises ModelError as ``enclose_flips`` does.
    """
    from threadpoolctl import threadpool_limits

    check_norm(norm)
    data = FlipArrays.of(features, benign, target, weights)
    with threadpool_limits(1, user_api="blas"):
        return _closed_form(data, norm)


def _closed_form(data: FlipArrays, norm: str) -> float:
    used = independent_features(data).used
    if not len(used) or not data.displacement.any():
        return 0.0
    y = _least_squares(data, used)
    t = data.prices(y)
    error = price_error(data, y)
    possible = data.up + data.down > 0
    size = {
        "l1": lambda: float(np.abs(t[possible]).max()) + error,
        "l2": lambda: (
            math.sqrt(math.fsum(np.square(t[possible]).tolist())) + error * math.sqrt(data.n_pairs)
        ),
        "linf": lambda: math.fsum(np.abs(t[possible]).tolist()) + error * data.n_pairs,
    }[norm]() * (1 + 1e-12)
    if not size > 0:
        return 0.0
    scaled, unit = t / size, y / size * (1 - 1e-12)  # the largest price is now at most one
    if norm != "l2":
        return BELOW[norm](data, unit, data.prices(unit))
    moved = data.displacement * scaled
    wrong = (error / size + 2.0**-50) * float((data.up + data.down).sum() + np.abs(moved).sum())
    return max(0.0, math.fsum(moved.tolist()) - 1.001 * wrong) * (1 - 1e-12)


def _least_squares(data: FlipArrays, used: Array) -> Array:
    """y (n) with Phi Phi^T y = Phi d over the features used (zero at the others)."""
    triangle: Array = np.zeros((0, len(used)))
    moment = np.zeros(len(used))
    for part in data.ranges():
        pairs = np.arange(part.start, part.stop)
        columns = data.columns(pairs, used)
        moment += data.displacement[part] @ columns
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, columns]), mode="r"))
    y = np.zeros(data.n_features)
    y[used] = np.linalg.lstsq(triangle, np.linalg.lstsq(triangle.T, moment, rcond=None)[0],
                              rcond=None)[0]  # fmt: skip
    return y
