"""Semismooth Newton steps on a smoothed dual, over the pairs that matter.

For a kink k (1 for l1, 0 for l2), a centre c (0 unless k = 0) and a smoothing s > 0,

    min  sum_i k abs(zeta_i) + s/2 (zeta_i - c_i)^2   s.t.  A^T zeta = b,  -down <= zeta <= up

has the dual  max_y b.y - sum_i max_z (t_i z - k abs(z) - s/2 (z - c_i)^2),  t = A y,  which is
concave and once differentiable: its gradient is b - A^T zeta(t) with

    zeta(t) = clip(c + soft(t, k) / s, -down, up),

its generalised Hessian -A_F^T A_F / s over the pairs F strictly between the kinks.  Steps end where
the derivative along them is small, between secants and bisection, so that the ascent is monotone.
For l1, c = 0 and s -> 0 lead to the linear program, and for s small enough the minimiser solves it
(Mangasarian and Meyer 1979).  Nothing here is rigorous, nor needs to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array

from ...sequences import Array

Columns: TypeAlias = Array | csr_array

_DAMPING = 1e-10
"""Of the mean square of the free columns, added to the Hessian: enough to factor it where pairs are
dependent, too little to shorten a step elsewhere."""
_SLOPE = 0.1
"""Of the derivative along a step at its beginning, that may be left at its end: a smaller one costs
trials, a larger one steps, each with a new factor."""
_TRIALS = 40
"""Of a step's length; halving alone would get to 2^-40, and secants are faster."""
_STALLS = 3
"""Steps in a row that neither change the free pairs nor halve the residual, after which rounding is
taken to be what is left."""
_INNER = 0.1
"""Of an interval, which a secant must leave on both sides: none could creep along one end."""
_LONGEST = 1e12
"""Of a step, in units of Newton's: where the derivative does not vanish before, the moments are out
of reach."""


def dense(matrix: Columns) -> Array:
    """The same numbers as an array."""
    return matrix if isinstance(matrix, np.ndarray) else np.asarray(matrix.toarray())


@dataclass
class SmoothedDual:
    """The smoothed dual over m pairs and n features.

    Attributes:
        columns: A (m, n), a row a pair, dense or in compressed rows; moment: b (n).
        up, down: room (m), not negative.
        kink: k; centre: c, a number or (m).
    """

    columns: Columns
    moment: Array
    up: Array
    down: Array
    kink: float = 1.0
    centre: Array | float = 0.0

    def __post_init__(self) -> None:
        self.steps = 0
        self.size = float(np.abs(self.moment).max(initial=0.0))

    def changes(self, prices: Array, smoothing: float) -> Array:
        """zeta(t) (m)."""
        moved = prices
        if self.kink:
            moved = prices - np.clip(prices, -self.kink, self.kink)
        moved = self.centre + moved / smoothing
        return np.clip(moved, -self.down, self.up, out=moved)

    def ascend(
        self, y: Array, smoothing: float, accuracy: float, limit: int, jump: float = 1.0
    ) -> Ascent:
        """Newton's method from y until the residual is at most ``accuracy`` times max abs(b).

        With ``jump`` below one the smoothing is multiplied by it first, along the path that the
        minimisers follow as long as no pair changes its role.
        """
        prices = self.columns @ y
        state = self._at(y, prices, smoothing)
        if jump < 1:
            smoothing *= jump
            ahead = self._follow(state, smoothing)
            state = self._search(self._at(y, prices, smoothing), ahead, smoothing)
        stalled = 0
        for _ in range(limit):
            # rounding of the prices and of the sum of the changes
            noise = 2e-16 * len(state.free) / smoothing + 1e-15 * float(np.abs(state.changes).sum())
            if state.gap <= max(accuracy * self.size, noise) or stalled > _STALLS:
                break
            before = state
            state = self._search(state, self._newton(state, smoothing * state.residual), smoothing)
            if state is before:
                break
            same = np.array_equal(state.free, before.free)
            stalled = stalled + 1 if same and state.gap > before.gap / 2 else 0
        return state

    def _at(self, y: Array, prices: Array, smoothing: float) -> Ascent:
        zeta = self.changes(prices, smoothing)
        support = np.flatnonzero(zeta)
        residual = self.moment - zeta[support] @ self.columns[support]
        inside = np.abs(prices) > self.kink if self.kink else np.ones(len(zeta), dtype=bool)
        free = np.flatnonzero(inside & (zeta > -self.down) & (zeta < self.up))
        return Ascent(y, prices, zeta, free, residual, smoothing)

    def _newton(self, state: Ascent, right: Array) -> Array:
        columns = self.columns[state.free]
        matrix = dense(columns.T @ columns)
        size = float(np.trace(matrix)) / len(matrix)
        if size <= 0:
            size = float((self.columns**2).mean())
        matrix[np.diag_indices_from(matrix)] += _DAMPING * size or 1.0
        try:
            factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
        except LinAlgError:  # not positive definite up to rounding
            return right / (size or 1.0)
        return np.asarray(cho_solve(factor, right, check_finite=False))

    def _follow(self, state: Ascent, smoothing: float) -> Array:
        """The step to the minimiser for another smoothing, if the free pairs stay the same."""
        free = state.free
        fixed = self.moment - state.residual - state.changes[free] @ self.columns[free]
        centre = np.broadcast_to(self.centre, state.changes.shape)[free]
        kinks = np.sign(state.prices[free]) * self.kink - smoothing * centre
        wanted = smoothing * (self.moment - fixed) + kinks @ self.columns[free]
        now = state.prices[free] @ self.columns[free]
        return self._newton(state, wanted - now)

    def _search(self, state: Ascent, direction: Array, smoothing: float) -> Ascent:
        """Along a direction to where the derivative has nearly vanished."""
        along = self.columns @ direction
        rise = float(self.moment @ direction)

        def slope(step: float) -> float:
            return rise - float(along @ self.changes(state.prices + step * along, smoothing))

        start = slope(0.0)
        if not start > 0:
            return state
        low, above, high = 0.0, start, 1.0
        found = slope(high)
        while found > _SLOPE * start and high < _LONGEST:
            low, above, high = high, found, 4 * high
            found = slope(high)
        if found > _SLOPE * start:  # no end: the moments are out of reach by rounding
            return state
        step, below = high, found
        for _ in range(_TRIALS):
            if abs(found) <= _SLOPE * start:
                break
            share = above / (above - below)
            step = low + min(max(share, _INNER), 1 - _INNER) * (high - low)
            found = slope(step)
            if found > 0:
                low, above = step, found
            else:
                high, below = step, found
        self.steps += 1
        return self._at(state.y + step * direction, state.prices + step * along, smoothing)


@dataclass(frozen=True)
class Ascent:
    """Where an ascent stands: y (n), t (m), zeta (m), the free pairs, b - A^T zeta (n)."""

    y: Array
    prices: Array
    changes: Array
    free: Array
    residual: Array
    smoothing: float

    @property
    def gap(self) -> float:
        """The largest entry of the residual."""
        return float(np.abs(self.residual).max(initial=0.0))
