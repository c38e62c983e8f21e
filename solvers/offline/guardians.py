"""Which pairs of a log are supported: by their counts, or by their features.

The last two are what OGSRL proposes, an ellipsoid of small volume and a kernel density, each with a
share of the logged steps that it may leave out.
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .logs import LARGEST, Log

_ROUNDS = 2000
"""Of the iteration to the least ellipsoid: it stops at a relative gap of 1e-4 far earlier."""


def counted(log: Log, least: int) -> Array:
    """bool[S, A], the pairs that were visited `least` times or more (OG-D)."""
    if least < 1:
        raise ModelError(f"the least count is {least}; a pair without a visit is not supported")
    return log.visits >= least


def ellipsoid(log: Log, features: Array, left_out: float) -> Array:
    """bool[S, A], the pairs in the ellipsoid of least volume around all but the farthest steps.

    features: float64[S, A, p].  left_out: the share of steps that may lie outside; those farthest
    from the mean, in the metric of their covariance, are left out, and the ellipsoid of least
    volume around the others is found by the multiplicative iteration for D-optimal designs.
    Raises ModelError for a share outside of [0, 1) and for features of another shape.
    """
    _check(log, features, left_out)
    points, weights = _logged(log, features)
    centred = points - np.average(points, axis=0, weights=weights)
    spread = np.cov(centred.T, aweights=weights, bias=True).reshape(points.shape[1], -1)
    distances = np.einsum("ij,jk,ik->i", centred, np.linalg.pinv(spread), centred)
    order = np.argsort(distances, kind="stable")
    kept = order[: np.searchsorted(np.cumsum(weights[order]), (1 - left_out) - 1e-12) + 1]
    metric = least_ellipsoid(points[kept])
    return lifted_squares(features, metric) <= lifted_squares(points[kept], metric).max() + 1e-9


def least_ellipsoid(points: Array) -> Array:
    """float64[p + 1, p + 1], the metric on (x, 1) in which the ellipsoid of least volume around
    float64[n, p] points is a ball, nearly: the largest square is within 1e-4 of its least."""
    lifted = _lifted(points)
    size = np.linalg.matrix_rank(lifted)
    shares = np.full(len(points), 1 / len(points))
    for _ in range(_ROUNDS):
        metric: Array = np.linalg.pinv((lifted * shares[:, None]).T @ lifted)
        values = lifted_squares(points, metric)
        if values.max() <= size * (1 + 1e-4):
            break
        shares = shares * values / size
        shares /= shares.sum()
    return metric


def lifted_squares(points: Array, metric: Array) -> Array:
    """float64[...], the square of (x, 1) in a metric [p + 1, p + 1], of points [..., p]."""
    lifted = _lifted(points)
    found: Array = ((lifted @ metric) * lifted).sum(axis=-1)
    return found


def _lifted(points: Array) -> Array:
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)


def density(log: Log, features: Array, left_out: float, bandwidth: float) -> Array:
    """bool[S, A], the pairs whose kernel density is at least a quantile of the logged ones.

    Gaussian kernels of standard deviation `bandwidth` on features scaled to [-1, 1]; the threshold
    is the `left_out` quantile of the densities of logged steps.  Raises ModelError as `ellipsoid`,
    and for a bandwidth below 1e-9 or above 1e9.
    """
    from scipy.spatial.distance import cdist

    if not 1e-9 <= bandwidth <= 1e9:
        raise ModelError(
            f"the bandwidth is {bandwidth}; on features scaled to [-1, 1] it is from 1e-9 to 1e9"
        )
    _check(log, features, left_out)
    low, high = features.min(axis=(0, 1)), features.max(axis=(0, 1))
    scaled = 2 * (features - low) / np.where(high > low, high - low, 1) - 1
    points, weights = _logged(log, scaled)
    every = scaled.reshape(-1, scaled.shape[-1])
    densities = np.concatenate([
        np.exp(-cdist(part, points, "sqeuclidean") / (2 * bandwidth**2)) @ weights
        for part in np.array_split(every, max(1, len(every) * len(points) // 10**7))
    ]).reshape(log.visits.shape)  # fmt: skip
    logged = densities[log.visits > 0]
    order = np.argsort(logged, kind="stable")
    passed = int(np.searchsorted(np.cumsum(weights[order]), left_out + 1e-12))
    supported: Array = densities >= logged[order[min(passed, len(order) - 1)]]
    return supported


def _logged(log: Log, features: Array) -> tuple[Array, Array]:
    """Features of the visited pairs and their shares of all steps."""
    return features[log.visits > 0], log.visits[log.visits > 0] / log.steps


def _check(log: Log, features: Array, left_out: float) -> None:
    if not 0 <= left_out < 1:
        raise ModelError(f"{left_out} is left out; give a share of at least 0 and below 1")
    if features.ndim != 3 or features.shape[:2] != log.visits.shape or not features.shape[2]:
        raise ModelError(
            f"features are of shape {features.shape}; a log of {len(log.states)} states and "
            f"{len(log.actions)} actions needs ({len(log.states)}, {len(log.actions)}, p)"
        )
    if not np.isfinite(features).all():
        raise ModelError("features must be finite; leave out what is missing, or fill it in")
    if (np.abs(features) > LARGEST).any():
        raise ModelError(f"a feature is larger than {float(LARGEST):g}; change its unit")
