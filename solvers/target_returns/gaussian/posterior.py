r"""The posterior over a finite grid, one observation more at a time, with bounds that hold.

**What is kept.**  For the observed targets :math:`x_1,\dots,x_t`, :math:`A=K_{tt}+\nu^2I=LL^\top`,
the rows :math:`V=L^{-1}K_{tN}` and :math:`\zeta=L^{-1}r` for the residuals :math:`r=y-m`; then
:math:`\mu=m+V^\top\zeta` and :math:`\sigma^2(z)=k(z,z)-\|v_z\|^2`.  The row of :math:`L` for
a new observation of :math:`x` is :math:`v_x`, so one pass over :math:`V` is all that it costs.

**Rounding.**  Let hats be what was computed, u the unit of rounding, :math:`g=(t+c)u/(1-(t+c)u)`,
:math:`F^2\ge\mathrm{tr}A\,(1+g)` and e the error of an entry of K.  Then (Higham 2002, Lemma 8.4),
exactly,

.. math::

   \hat L\hat L^\top=A+\Delta A,\quad \hat L\hat v=k+\delta,\quad \hat L\hat\zeta=r+\varrho,\qquad
   \|\Delta A\|\le\eta:=gF^2+te,\quad \|\delta\|\le gF\|\hat v\|+\sqrt te,\quad
   \|\varrho\|\le gF\|\hat\zeta\|.

With :math:`w=\hat L^{-\top}\hat v`, :math:`b=\hat L^{-\top}\hat\zeta` the identity

.. math::

   k^\top A^{-1}r=w^\top r+b^\top k-w^\top Ab+(k-Aw)^\top A^{-1}(r-Ab)
   =\hat v^\top\hat\zeta-w^\top\varrho-b^\top\delta+w^\top\Delta A\,b+(k-Aw)^\top A^{-1}(r-Ab)

holds for any w and b, where :math:`k-Aw=\Delta A\,w-\delta`, likewise for r; :math:`\|w\|\le
\|\hat v\|/s`, :math:`\|b\|\le\|\hat\zeta\|/s` with :math:`s^2=\lambda-\eta`, and :math:`\lambda
\le\lambda_{\min}(A)` is :math:`\nu^2` less the kernel's defect.  All terms are thus bounded by
norms that are known; for the variance put k and :math:`\delta` in place of r and :math:`\varrho`.
"""

from __future__ import annotations

from math import inf, log1p, nextafter, sqrt

import numpy as np

from ...cmdp.scale.compiled import suited_threads
from ...errors import ModelError
from .checks import Floats, Indices, count, finite, grid_of, positive
from .elimination import eliminate
from .kernels import UNIT, AnyKernel

_FIRST_ROWS = 32  # observations there is room for at first: more waste memory on large grids
_SPARE = 8  # roundings of one entry beside those of its sum: the quotient, the sums that it enters
_OUTWARD = 1 + 2.0**-40
"""Widens a bound by more than the some ten operations round that compute it from norms."""


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
        self,
        kernel: AnyKernel,
        points: Floats,
        noise_variance: float,
        prior_mean: float = 0.0,
    ) -> None:
        self.kernel = kernel
        self.points = grid_of(points)
        self.noise_variance = positive(noise_variance, "the noise variance")
        self.prior_mean = finite(prior_mean, "the prior mean")
        self._diagonal = kernel.diagonal(self.points)
        size = len(self.points)
        self._solved = np.empty((_FIRST_ROWS, size))
        self._squares, self._fitted = np.zeros(size), np.zeros(size)
        self._indices: list[int] = []
        self._values: list[float] = []
        self._residual_squares = 0.0  # |zeta|^2
        self._trace = 0.0  # of K_tt
        self.information = 0.0
        """(1/2) log det(I + K_tt / noise variance), in nats."""

    def append(self, index: int, observation: float) -> None:
        """Take in one observation of the target of that index (the index may be observed again).

        Raises
        ------
        ModelError: if the index is not on the grid, the observation is not finite, or the kernel
            matrix is not positive definite at this noise; the posterior is then as before.
        """
        index = self._checked_index(index)
        observation = finite(observation, "the observation")
        t = len(self._indices)
        squared = self._diagonal[index] + self.noise_variance - self._squares[index]
        if not squared > 0:
            raise ModelError(
                f"observation {t + 1}, at target {index}: the kernel matrix plus the noise "
                f"variance {self.noise_variance} has the pivot {squared:.3g}, so it is not "
                "positive definite in float64; the kernel is none, or the noise is too small"
            )
        if t == len(self._solved):
            self._grow()
        pivot = sqrt(squared)
        residual = (observation - self.prior_mean - self._fitted[index]) / pivot
        weights = self._solved[:t, index].copy()
        row = self.kernel.rows(self.points, index)
        with suited_threads(len(row)):
            eliminate(self._solved, t, weights, pivot, residual, row, self._squares, self._fitted)
        self._indices.append(index)
        self._values.append(observation)
        self._residual_squares += residual * residual
        self._trace += self._diagonal[index]
        self.information += log1p(squared / self.noise_variance - 1) / 2

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
        error = self._error(self._norms(), self._norms(), both=True)
        known = self._diagonal - self._squares
        slack = error * _OUTWARD + 2 * UNIT * self._diagonal
        low, high = known - slack, known + slack
        least = np.zeros_like(low)
        if self.kernel.defect == 0:
            share = self.noise_variance / (self.noise_variance + self._trace * _OUTWARD)
            least = self._diagonal * (share / _OUTWARD)
        return np.maximum(low, least), np.minimum(np.maximum(high, 0), self._diagonal)

    @property
    def mean_bounds(self) -> tuple[Floats, Floats]:
        """Below and above the exact mean (N)."""
        norm = sqrt(self._residual_squares) * _OUTWARD
        error = self._error(self._norms(), norm, both=False) * _OUTWARD
        mean = self.mean
        return np.nextafter(mean - error, -inf), np.nextafter(mean + error, inf)

    def bounds(self, alpha: float) -> tuple[Floats, Floats]:
        """Below mean - alpha sigma and above mean + alpha sigma of the exact posterior (N).

        Exact for the kernel and the given floats: grid, parameters, observations, alpha.

        Raises
        ------
        ModelError: if alpha is negative or not finite, or the noise variance is so small beside the
            kernel and the number of observations that float64 bounds nothing.
        """
        alpha = finite(alpha, "alpha")
        if alpha < 0:
            raise ModelError(f"alpha is {alpha}; a multiple of the deviation is not negative")
        low, high = self.mean_bounds
        width = alpha * np.sqrt(self.variance_bounds[1]) * _OUTWARD
        return np.nextafter(low - width, -inf), np.nextafter(high + width, inf)

    def covariance(self, some: Indices, others: Indices) -> Floats:
        """The posterior covariances of n targets with m others (n, m), rounded, in O(t n m)."""
        rows = [self.kernel.rows(self.points, int(one))[others] for one in some]
        known = self._solved[: len(self._indices)]
        return np.asarray(np.stack(rows) - known[:, some].T @ known[:, others])

    def _norms(self) -> Floats:
        """At least the norm of each computed v (N)."""
        return np.sqrt(self._squares) * _OUTWARD

    def _error(self, v: Floats, other: Floats | float, *, both: bool) -> Floats:
        """How far v . other may be from k' A^-1 r; with ``both``, from k' A^-1 k (other = v)."""
        t, entry = len(self._indices), self.kernel.entry_error
        g = (t + _SPARE) * UNIT * _OUTWARD
        frobenius = sqrt((self._trace + t * self.noise_variance) * (1 + 2 * g)) * _OUTWARD
        eta = (g * frobenius**2 + t * entry) * _OUTWARD
        least = self.noise_variance - self.kernel.defect
        if not least > eta * 2:
            raise ModelError(
                f"the noise variance {self.noise_variance} is too small for {t} observations with "
                f"a kernel of at most {self.kernel.largest}: rounding in float64 moves eigenvalues "
                f"by up to {eta + self.kernel.defect:.3g}; give more noise, or scale the kernel"
            )
        s = nextafter(sqrt(least - eta), 0)
        first = g * frobenius * v + sqrt(t) * entry
        second = g * frobenius * other + (sqrt(t) * entry if both else 0.0)
        left, right = eta * v / s + first, eta * other / s + second
        terms = v * second + other * first + eta * v * other / s
        return g * v * other + terms / s + left * right / least

    def _grow(self) -> None:
        rows = np.empty((2 * len(self._solved), len(self.points)))
        rows[: len(self._solved)] = self._solved
        self._solved = rows

    def _checked_index(self, index: int) -> int:
        index = count(index, "the index of a target", 0)
        if index >= len(self.points):
            raise ModelError(
                f"target {index} is not on the grid, which has {len(self.points)} targets, "
                f"numbered from 0 to {len(self.points) - 1}"
            )
        return index
