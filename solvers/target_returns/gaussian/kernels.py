r"""Kernels over targets: the Gaussian one, three of Matern, and any matrix over the grid.

With :math:`r^2=\sum_d((a_d-b_d)/\ell_d)^2` and the variance :math:`v`,

.. math::

   v e^{-r^2/2},\quad v e^{-r},\quad v(1+\sqrt3 r)e^{-\sqrt3 r},\quad
   v(1+\sqrt5 r+5r^2/3)e^{-\sqrt5 r}

are ``rbf``, ``matern12``, ``matern32``, ``matern52`` (Rasmussen and Williams 2006, chapter 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
import scipy  # its parts are loaded when they are used

from ...errors import ModelError
from ...sequences import listed
from .checks import Floats, doubles, positive

UNIT = 2.0**-53  # the largest relative error of one operation in float64
OUTWARD = 1 + 2.0**-40  # more than the rounding of the some ten operations that compute a bound
_STEPS = 20
"""Rounding errors of one entry beside those of the coordinates, in UNITs of the variance: an
exponential of 4 units in the last place is 8, the rest are products and sums.  More would loosen
the bounds, fewer would not be proved."""
_TINY = 1e-290  # above the smallest floats: a shift for a kernel matrix of zeros, a square
_FARTHEST = 700.0  # its exponential is 1e-304; at infinity a Matern kernel has no value


def _matern32(r: Floats) -> Floats:
    s = np.minimum(sqrt(3) * r, _FARTHEST)
    return (1 + s) * np.exp(-s)


def _matern52(r: Floats) -> Floats:
    s = np.minimum(sqrt(5) * r, _FARTHEST)
    return (1 + s + s * s / 3) * np.exp(-s)


FAMILIES: dict[str, Callable[[Floats], Floats]] = {
    "rbf": lambda squared: np.exp(-squared / 2),
    "matern12": lambda squared: np.exp(-np.sqrt(squared)),
    "matern32": lambda squared: _matern32(np.sqrt(squared)),
    "matern52": lambda squared: _matern52(np.sqrt(squared)),
}
DROPS: dict[str, Callable[[Floats], Floats]] = {
    "rbf": lambda squared: -np.expm1(-squared / 2),
    "matern12": lambda squared: -np.expm1(-np.sqrt(squared)),
    "matern32": lambda squared: scipy.special.gammainc(2, np.sqrt(3 * squared)),
    "matern52": lambda squared: scipy.special.gammainc(3, np.sqrt(5 * squared)) + _excess(squared),
}
"""One less the correlation, by r^2, without cancellation: the incomplete gamma function P(n, s) is
1 - (1 + s + ... + s^(n-1)/(n-1)!) e^-s."""


def _excess(squared: Floats) -> Floats:
    s = np.minimum(np.sqrt(5 * squared), _FARTHEST)
    return s * s / 6 * np.exp(-s)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A stationary kernel with one length for each coordinate.

    Parameters
    ----------
    family: a name of FAMILIES.
    variance: k(z, z), in squared units of what the process models.
    lengths: (D,), in units of the coordinates.

    Raises
    ------
    ModelError: if the family is unknown, or a number is not finite and positive.
    """

    family: str
    variance: float
    lengths: tuple[float, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.family, str) or self.family not in FAMILIES:
            raise ModelError(
                f"the kernel family {self.family!r} is unknown; choose one of {', '.join(FAMILIES)}"
            )
        object.__setattr__(self, "variance", positive(self.variance, "the kernel's variance"))
        given = listed(self.lengths, "lengths")
        lengths = tuple(positive(one, f"lengths[{d}]") for d, one in enumerate(given))
        if not lengths:
            raise ModelError("the kernel has no length; give one for each coordinate")
        object.__setattr__(self, "lengths", lengths)

    @property
    def largest(self) -> float:
        """max k(z, z)."""
        return self.variance

    @property
    def defect(self) -> float:
        """No matrix of this kernel has an eigenvalue below minus this: it is a kernel."""
        return 0.0

    @property
    def entry_error(self) -> float:
        """How far a computed entry may be from the kernel's own.

        Each of the D squares has a relative error of 5 units, their sum one of D + 4; ``s |k'(s)|``
        is at most 0.61 times the variance, and _STEPS holds what the other operations add.
        """
        return self.variance * UNIT * (len(self.lengths) + _STEPS)

    def diagonal(self, points: Floats) -> Floats:
        """k(z, z) for N targets, exactly."""
        return np.full(len(self.fitted(points)), self.variance)

    def rows(self, points: Floats, index: int) -> Floats:
        """k(z_index, z) for N targets (N)."""
        return self.matrix(points[index : index + 1], points)[0]

    def matrix(self, a: Floats, b: Floats) -> Floats:
        """k(a_i, b_j) for a (N, D) and b (M, D)."""
        return self.variance * FAMILIES[self.family](self._squared(a, b))

    def spread(self, points: Floats, index: int) -> Floats:
        """The variance of f(z_index) - f(z) for N targets (N), to some units in the last place.

        Squares that may have underflowed are rounded up, to _TINY.
        """
        squared = np.maximum(self._squared(points[index : index + 1], points)[0], _TINY)
        return 2 * self.variance * DROPS[self.family](squared)

    def _squared(self, a: Floats, b: Floats) -> Floats:
        a, b = self.fitted(a), self.fitted(b)
        squared = np.zeros((len(a), len(b)))
        with np.errstate(over="ignore"):  # infinitely far: the kernel is 0
            for d, length in enumerate(self.lengths):
                squared += ((a[:, d, None] - b[None, :, d]) / length) ** 2
        return squared

    def fitted(self, points: Floats) -> Floats:
        """The points (N, D), if they have as many coordinates as the kernel has lengths."""
        if points.ndim != 2 or points.shape[1] != len(self.lengths):
            raise ModelError(
                f"points of shape {points.shape} do not fit a kernel with {len(self.lengths)} "
                "lengths; give one length for each column of the points"
            )
        return points


@dataclass(frozen=True, slots=True, eq=False)
class GridKernel:
    """A kernel given as its matrix (N, N) over the grid, for at most some thousands of targets.

    Raises ModelError if it is not square, in float32, not finite, not symmetric, or has a negative
    eigenvalue; no jitter is added.
    """

    values: Floats
    defect: float

    def __init__(self, matrix: object) -> None:
        values = doubles(matrix, "the kernel matrix")
        if values.ndim != 2 or values.shape[0] != values.shape[1] or not values.size:
            raise ModelError(f"the kernel matrix has shape {values.shape}; give a square one")
        apart = np.argwhere(values != values.T)
        if len(apart):
            i, j = apart[0].tolist()
            raise ModelError(
                f"the kernel matrix is not symmetric: entry [{i}, {j}] is {values[i, j]}, entry "
                f"[{j}, {i}] is {values[j, i]}; average the matrix with its transpose if that is "
                "rounding"
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "defect", _defect(values))

    @property
    def largest(self) -> float:
        """max k(z, z)."""
        return float(self.values.diagonal().max())

    @property
    def entry_error(self) -> float:
        """Zero: the entries are the kernel."""
        return 0.0

    def diagonal(self, points: Floats) -> Floats:
        """k(z, z) for the N targets of the grid."""
        self.fitted(points)
        return self.values.diagonal().copy()

    def rows(self, points: Floats, index: int) -> Floats:
        """k(z_index, z) for the N targets of the grid (N)."""
        del points
        return self.values[index].copy()

    def spread(self, points: Floats, index: int) -> Floats:
        """The variance of f(z_index) - f(z) for the N targets (N), to some units in the last place.

        Differences come first: they are exact for entries within a factor of two, others are not
        close to cancelling in a positive semi-definite matrix.
        """
        row, diagonal = self.rows(points, index), self.diagonal(points)
        return np.maximum((diagonal[index] - row) + (diagonal - row), 0)

    def fitted(self, points: Floats) -> Floats:
        """The points, if there is one for each row."""
        if len(points) != len(self.values):
            raise ModelError(
                f"the kernel matrix has {len(self.values)} rows for {len(points)} targets; give "
                "the matrix over just the grid's targets, in their order"
            )
        return points


AnyKernel = Kernel | GridKernel


def _defect(matrix: Floats) -> float:
    """d such that no eigenvalue is below -d.

    If Cholesky's algorithm ends on a matrix M of size n in float64, no eigenvalue of M is below
    -n+1 units times its trace, nearly (Rump 2006, Verification of positive definiteness): M is here
    the matrix plus a shift, the least at which a singular kernel matrix passes.
    """
    n, trace = len(matrix), fsum(np.abs(matrix.diagonal()))
    shift = max(4 * (n + 2) * UNIT * trace, _TINY)
    shifted = matrix + np.diag(np.full(n, shift))
    try:
        scipy.linalg.cholesky(shifted, lower=True)
    except np.linalg.LinAlgError as error:
        least = float(np.linalg.eigvalsh(matrix)[0])
        raise ModelError(
            f"the kernel matrix is not positive semi-definite: its least eigenvalue is {least:.6g}"
            "; a kernel has none below zero, and nothing is added to repair it"
        ) from error
    return shift + 2 * (n + 2) * UNIT * (trace + n * shift)
