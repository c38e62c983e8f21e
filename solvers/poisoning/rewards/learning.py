"""The linear reward that a Bradley-Terry loss learns from labels, in floats, for large data.

    L(r; theta) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i] + ridge/2 norm(r)^2,

minimised by damped Newton steps; the features are passed over in blocks of pairs.  Enclosures of
the minimiser for small data are in ``enclosed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...solution import Bounds, Status
from ..checks import check_labels, check_size, check_weights
from .loss_passes import Loss
from .separability import separating_direction

_RESTLESS = 1e-3
"""Where another Newton step would change some score by more, a minimiser may not exist: towards
infinity the steps keep their length, and near a minimiser they vanish."""
_SINGULAR = 1e-6
"""Pivots of Cholesky factors below this, relative to the largest, count as singular: least squares
then take longer and give the shortest step."""
_VANISHED = 1e-8
"""A gradient that counts as zero where rounding leaves no progress: about the root of the roundoff,
for there the loss itself is flat in floats."""
_DECREASE = 1e-4
"""Of what the gradient promises, that a step must bring (Armijo's rule): so little refuses next to
no step of Newton's, and still leaves out those that only rounding takes for progress."""
_SMALLEST_STEP = 2.0**-40
"""Of Newton's step: a shorter one changes nothing that floats show."""


@dataclass(frozen=True, slots=True)
class LearnedReward(Bounds):
    """What was learnt.

    reward: r (n), in the units of the features; loss: L with its ridge term; gradient: largest
    entry of the gradient in absolute value, each measured in the root mean square of its feature
    and divided by the sum of the weights; iterations: Newton steps; direction: a separating
    direction (n) where UNATTAINED, else None; lower, upper: of the least loss nothing is proved.
    The status is APPROXIMATE where the gradient vanished, UNATTAINED where no finite reward fits
    best, and UNDECIDED where the iterations did not suffice.
    """

    status: Status
    reward: Array
    loss: float
    gradient: float
    iterations: int
    ridge: float
    direction: Array | None = None
    lower: float | None = None
    upper: float | None = None

    @property
    def statistics(self) -> dict[str, Any]:
        """Newton steps, and how far the gradient vanished."""
        return {"method": "damped Newton", "steps": self.iterations, "gradient": self.gradient}

    def certificate(self) -> dict[str, Any]:
        """Raises ModelError: `enclose_reward` bounds the minimiser, for small data."""
        raise ModelError("a reward learnt in floats has no certificate; enclose_reward bounds it")


def fit_reward(
    features: Array,
    labels: Array,
    *,
    weights: Array | None = None,
    ridge: float = 0.0,
    tolerance: float = 1e-10,
    iterations: int = 100,
) -> LearnedReward:
    """Minimise the loss.

    Args:
        features: Phi (n, N); labels: theta (N), in [0, 1]; weights: rho (N), or None for ones.
        ridge: >= 0; with 0 the minimum may not exist, and where features are dependent the
            smallest minimiser is returned (each feature measured in its root mean square).
        tolerance: on the gradient, as `LearnedReward` measures it.

    Raises ModelError for shapes that disagree, and numbers that are not finite or out of range.
    """
    import scipy.linalg  # noqa: F401  (limits reach the libraries that are loaded)
    from threadpoolctl import threadpool_limits

    loss = Loss(*_checked(features, labels, weights, ridge), ridge)
    with threadpool_limits(1, user_api="blas"):  # blocks are spread over threads already
        return _minimise(loss, tolerance, iterations)


def _minimise(loss: Loss, tolerance: float, iterations: int) -> LearnedReward:
    reward, (value, gradient, hessian), done = _descended(loss, tolerance, iterations)
    size = loss.size(gradient)
    vanished = size <= max(tolerance, _VANISHED)
    status = Status.APPROXIMATE if vanished else Status.UNDECIDED
    settled = vanished and loss.furthest(_newton(gradient, hessian)) <= _RESTLESS
    direction = None if loss.ridge or settled else _direction(loss, reward)
    if direction is not None:
        status = Status.UNATTAINED
    return LearnedReward(status, reward / loss.scale, value, size, done, loss.ridge, direction)


def _descended(
    loss: Loss, tolerance: float, iterations: int
) -> tuple[Array, tuple[float, Array, Array], int]:
    """Where the Newton steps end, the loss expanded there, and how many they were."""
    reward = np.zeros(len(loss.features))
    value, gradient, hessian = loss.expand(reward)
    done = 0
    while loss.size(gradient) > tolerance and done < iterations:
        step = _newton(gradient, hessian)
        length = _length(loss, reward, step, value, _DECREASE * float(gradient @ step))
        if length < _SMALLEST_STEP:  # no progress is left in floats
            break
        reward, done = reward + length * step, done + 1
        value, gradient, hessian = loss.expand(reward)
        if not loss.ridge and loss.separates(reward):
            break
    return reward, (value, gradient, hessian), done


def _length(loss: Loss, reward: Array, step: Array, value: float, slope: float) -> float:
    """The first of 1, 1/2, 1/4, ... at which the loss lies below a line of this slope."""
    length = 1.0
    while loss.value(reward + length * step) > value + length * slope:
        length /= 2
        if length < _SMALLEST_STEP:
            break
    return length


def _newton(gradient: Array, hessian: Array) -> Array:
    """The shortest Newton step; by Cholesky factors where they are far from singular."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve, lstsq

    try:
        factor = cho_factor(hessian, lower=True)
        pivots = np.diag(factor[0])
        if pivots.min() > _SINGULAR * pivots.max():
            return np.asarray(cho_solve(factor, -gradient))
    except LinAlgError:
        pass
    return np.asarray(lstsq(hessian, -gradient)[0])


def _direction(loss: Loss, reward: Array) -> Array | None:
    if loss.separates(reward):
        return np.asarray(reward / loss.scale)
    return separating_direction(loss.features, loss.labels, weights=loss.rho)


def _checked(
    features: Array, labels: Array, weights: Array | None, ridge: float
) -> tuple[Array, Array, Array]:
    features, labels = np.asarray(features), np.asarray(labels, float)
    if features.dtype != np.float32:  # which is converted block by block
        features = features.astype(float, copy=False)
    if features.ndim != 2 or not features.size:
        raise ModelError(
            f"features have shape {features.shape}; give (n, N), one row a feature and one column "
            "a pair, neither empty"
        )
    pairs = features.shape[1]
    rho = np.ones(pairs) if weights is None else np.asarray(weights, float)
    check_labels(check_size(labels, pairs, "labels"), "labels")
    check_weights(check_size(rho, pairs, "weights"), "weights")
    finite = np.isfinite(features.sum(axis=0, dtype=float))  # NaN and infinities do not cancel
    for i in np.flatnonzero(~finite)[:1]:
        raise ModelError(f"the features of pair {i + 1} are {features[:, i]}; all must be finite")
    if not 0 <= ridge < np.inf:
        raise ModelError(f"ridge is {ridge}; it must be finite and not negative")
    return features, labels, rho
