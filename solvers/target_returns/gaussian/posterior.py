r"""The posterior over a finite grid, one observation more at a time, with bounds that hold.

**What is kept.**  For the observed targets :math:`x_1,\dots,x_t`, :math:`A=K_{tt}+\nu^2I=LL^\top`,
the rows :math:`V=L^{-1}K_{tN}` and :math:`\zeta=L^{-1}r` for the residuals :math:`r=y-m`; then
:math:`\mu=m+V^\top\zeta` and :math:`\sigma^2(z)=k(z,z)-\|v_z\|^2`.  The row of :math:`L` for
a new observation of :math:`x` is :math:`v_x`, so one pass over :math:`V` is all that it costs.

**Rounding.**  Let hats be what was computed, u the unit of rounding, :math:`g\ge(t+c)u`,
:math:`F\ge\|\hat L\|_F` and e the error of an entry of K.  Then (Higham 2002, Lemma 8.4), exactly,

.. math::

   \hat L\hat L^\top=A+\Delta,\quad \hat L\hat v=k+\delta,\quad \hat L\hat\zeta=r+\varrho,\qquad
   \|\Delta\|\le\eta:=gF^2+te,\quad \|\delta\|\le gF\|\hat v\|+\sqrt te,\quad
   \|\varrho\|\le gF\|\hat\zeta\|.

With :math:`w=\hat L^{-\top}\hat v`, :math:`b=\hat L^{-\top}\hat\zeta`, whatever they are,

.. math::

   k^\top A^{-1}r=w^\top r+b^\top k-w^\top Ab+(k-Aw)^\top A^{-1}(r-Ab)
   =\hat v^\top\hat\zeta-w^\top\varrho-b^\top\delta+w^\top\Delta b
   +(\Delta w-\delta)^\top A^{-1}(\Delta b-\varrho),

where :math:`\|w\|\le\|\hat v\|/s` and :math:`\|b\|\le\|\hat\zeta\|/s` for :math:`s^2=\lambda-\eta`,
and :math:`\lambda\le\lambda_{\min}(A)` is :math:`\nu^2` less the kernel's defect.  With
:math:`p=\eta/s+gF`, :math:`a=g+(2gF+\eta/s)/s+p^2/\lambda` and :math:`c=1/s+p/\lambda` the sum
:math:`\hat v^\top\hat\zeta` is off by at most
:math:`a\|\hat v\|\|\hat\zeta\|+c\sqrt te\|\hat\zeta\|`, and :math:`\|\hat v\|^2`, with k and
:math:`\delta` for r and :math:`\varrho`, by
:math:`a\|\hat v\|^2+2c\sqrt te\|\hat v\|+te^2/\lambda`.
"""

from __future__ import annotations

from copy import copy
from math import isfinite, log, sqrt

import numpy as np

from ...errors import ModelError
from .checks import Floats, Indices, count, finite, grid_of, positive
from .kernels import OUTWARD, UNIT, AnyKernel

_FIRST_ROWS = 32  # observations there is room for at first: more waste memory on large grids
_SPARE = 16
"""Roundings of one entry beside those of its sum: the quotient, the sums it enters, the last sums
of a bound.  Fewer would not be proved; more widen bounds while there are few observations."""


class OutOfFloats(ModelError):
    """An observation so large that float64 does not hold what follows from it."""


class Posterior:
    """What is known of a Gaussian process on a grid after noisy observations of its values.

    Parameters
    ----------
    kernel: of the process, with exactly known parameters.
    points: the grid (N, D).
    noise_variance: of one observation, above zero.
    prior_mean: of the process, the same at all targets.

    Raises
    ------
    ModelError: if the grid or a number is not as `checks` says, or the kernel fits another grid.
    """

    def __init__(
        self, kernel: AnyKernel, points: Floats, noise_variance: float, prior_mean: float = 0.0
    ) -> None:
        self.kernel, self.points = kernel, grid_of(points)
        self.noise_variance = positive(noise_variance, "the noise variance")
        self.prior_mean = finite(prior_mean, "the prior mean")
        self._diagonal = kernel.diagonal(self.points)
        size = len(self.points)
        self._solved = np.empty((_FIRST_ROWS, size))
        self._squares, self._fitted = np.zeros(size), np.zeros(size)
        self._indices: list[int] = []
        self._values: list[float] = []
        self._residual_squares = self._trace = 0.0  # |zeta|^2 and the trace of K_tt
        self.information = 0.0
        """(1/2) log det(I + K_tt / noise variance), in nats."""

    def append(self, index: int, observation: float) -> None:
        """Take in one observation of the target of that index; it may be observed again.

        Raises
        ------
        ModelError: if the index is not on the grid, the observation is not finite, or the kernel
            matrix is not positive definite at this noise; OutOfFloats, if squares of it overflow.
            The posterior is then as before.
        """
        index, observation = self._checked(index), finite(observation, "the observation")
        t = len(self._indices)
        squared = self._diagonal[index] + self.noise_variance - self._squares[index]
        if not squared > 0:
            raise ModelError(
                f"observation {t + 1}, at target {index}: the kernel matrix plus the noise "
                f"variance {self.noise_variance} has the pivot {squared:.3g}, so it is not "
                "positive definite in float64; the kernel is none, or the noise is too small"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            residual = (observation - self.prior_mean - self._fitted[index]) / sqrt(squared)
            squares = float(self._residual_squares + residual * residual)
        if not isfinite(squares * max(self.kernel.largest, 1.0)):
            raise OutOfFloats(
                f"the observation {observation} of target {index} is so large that the posterior "
                "is not finite in float64; correct it, or give other units to all observations"
            )
        if t == len(self._solved):
            grown = np.empty((2 * t, len(self.points)))  # takes memory only where it is written
            grown[:t], self._solved = self._solved, grown
        pivot = sqrt(squared)
        weights, row = self._solved[:t, index].copy(), self.kernel.rows(self.points, index)
        # the compiler is loaded by those who observe only: half a second and 30 MB
        from ...cmdp.scale.compiled import n_blocks
        from .elimination import eliminate

        eliminate(
            n_blocks(len(row)), self._solved, t, weights, pivot, residual, row, self._squares,
            self._fitted,
        )  # fmt: skip
        self._indices.append(index)
        self._values.append(observation)
        self._residual_squares = squares
        self._trace += self._diagonal[index]
        self.information += log(squared / self.noise_variance) / 2

    def before(self) -> Posterior:
        """A copy to go back to; it shares memory, so that only one of the two may go on."""
        found = copy(self)
        found._squares, found._fitted = self._squares.copy(), self._fitted.copy()
        found._indices, found._values = self._indices.copy(), self._values.copy()
        return found

    @property
    def observations(self) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """The indices of the observed targets and the values observed there, in order."""
        return tuple(self._indices), tuple(self._values)

    @property
    def mean(self) -> Floats:
        """The posterior mean (N), rounded."""
        return self.prior_mean + self._fitted

    @property
    def variance(self) -> Floats:
        """The posterior variance of the process, without noise (N), rounded; never negative."""
        return np.maximum(self._diagonal - self._squares, 0)

    @property
    def variance_bounds(self) -> tuple[Floats, Floats]:
        """Below and above the exact variance (N).

        For a `Kernel` the lower bound is never zero: since no eigenvalue of K_tt exceeds its trace,
        sigma^2(z) >= k(z, z) nu^2 / (nu^2 + tr K_tt).
        """
        a, c, entries, least = self._rounding()
        norm = sqrt(self._squares.max()) * OUTWARD
        error = a * norm**2 + 2 * c * entries * norm + entries**2 / least
        error = (error + 4 * UNIT * self.kernel.largest) * OUTWARD
        known, share = self._diagonal - self._squares, 0.0
        if self.kernel.defect == 0:
            share = self.noise_variance / (self.noise_variance + self._trace) / OUTWARD
        low = np.maximum(known - error, self._diagonal * share)
        return low, np.minimum(np.maximum(known + error, 0), self._diagonal)

    def bounds(self, alpha: float) -> tuple[Floats, Floats]:
        """Below mean - alpha sigma and above mean + alpha sigma of the exact posterior (N).

        Exact for the kernel and the given floats: grid, parameters, observations, alpha.

        Raises
        ------
        ModelError: if alpha is negative or not finite, or the noise variance is so small beside the
            kernel and the number of observations that float64 bounds nothing; OutOfFloats, if a
            bound is not finite.
        """
        alpha = finite(alpha, "alpha")
        if alpha < 0:
            raise ModelError(f"alpha is {alpha}; a multiple of the deviation is not negative")
        a, c, entries, _ = self._rounding()
        residual, norm = sqrt(self._residual_squares), sqrt(self._squares.max())
        size = norm * residual + abs(self.prior_mean) + alpha * sqrt(self.kernel.largest)
        error = ((a * norm + c * entries) * residual + 8 * UNIT * size) * OUTWARD
        with np.errstate(over="ignore", invalid="ignore"):
            width = alpha * np.sqrt(self.variance_bounds[1]) + error
            low, high = self.mean - width, self.mean + width
        if not (np.isfinite(low) & np.isfinite(high)).all():
            raise OutOfFloats("some bounds are not finite in float64; give other units to all")
        return low, high

    def least_noise(self, observations: int) -> float:
        """The standard deviation of the noise at and below which float64 bounds nothing.

        That is what `bounds` needs after so many observations, wherever they are made.
        """
        t, entry = observations, self.kernel.entry_error
        g = (t + _SPARE) * UNIT * OUTWARD
        share = 2 * g * (1 + 2 * g) ** 2 * OUTWARD
        fixed = self.kernel.defect * OUTWARD + t * (share * self._diagonal.min() + 2 * entry)
        return sqrt(fixed / (1 - t * share))

    def covariance(self, some: Indices, others: Indices) -> Floats:
        """The posterior covariances of n targets with m others (n, m), rounded, in O(t n m)."""
        rows = [self.kernel.rows(self.points, int(one))[others] for one in some]
        known = self._solved[: len(self._indices)]
        return np.asarray(np.stack(rows) - known[:, some].T @ known[:, others])

    def _rounding(self) -> tuple[float, float, float, float]:
        """a, c, sqrt(t) e and lambda of the module's text."""
        t, entry = len(self._indices), self.kernel.entry_error
        g = (t + _SPARE) * UNIT * OUTWARD
        frobenius = sqrt(self._trace + t * self.noise_variance) * (1 + 2 * g)
        eta = (g * frobenius**2 + t * entry) * OUTWARD
        least = self.noise_variance - self.kernel.defect * OUTWARD
        if not least > 2 * eta:
            raise ModelError(
                f"the noise variance {self.noise_variance} is too small for {t} observations with "
                f"a kernel of at most {self.kernel.largest}: rounding in float64 moves eigenvalues "
                f"by up to {eta + self.kernel.defect:.3g}; give more noise, or scale the kernel"
            )
        s = sqrt(least - eta) / OUTWARD
        p = eta / s + g * frobenius
        a = g + (2 * g * frobenius + eta / s) / s + p**2 / least
        return a * OUTWARD, (1 / s + p / least) * OUTWARD, sqrt(t) * entry * OUTWARD, least

    def _checked(self, index: int) -> int:
        index = count(index, "the index of a target", 0)
        if index >= len(self.points):
            raise ModelError(
                f"target {index} is not on the grid, which has {len(self.points)} targets, "
                f"numbered from 0 to {len(self.points) - 1}"
            )
        return index
