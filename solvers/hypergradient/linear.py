"""Solves (1 - gamma P) x = f and its transpose: Krylov, and a factorisation where that is better.

Small chains are factorised densely.  Larger ones are solved by BiCGSTAB, repeated on the residual
until it is down to rounding, and factorised sparsely only if that does not converge: fill-in of a
chain without geometry takes minutes at sizes that Krylov does in a blink.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import bicgstab, splu

from ..sequences import Array
from .models import Matrix

_PASSES = 12
"""Restarts on the residual.  Each gains `_GAIN`, so these reach rounding from anywhere."""
_GAIN = 1e-8
"""Relative residual asked of one pass.  Less: BiCGSTAB goes on where its own residual is wrong."""
_PRODUCTS = 2000
"""Steps of one pass: what a discount of 0.999 on a grid takes, and less time than factorising."""
_EXACT = 2.0**-52
"""Passes end at a residual of this share of what is added up in it, or when it stops falling ..."""
_ROUNDED = 2.0**-44
"""... which counts as solved up to here: rounding of sums of some hundred terms."""


@dataclass(frozen=True)
class Resolvent:
    """(1 - gamma P)^-1 for a chain [n, n], array or csr_array, with rows of sum at most one."""

    chain: Matrix
    discount: float

    def solve(self, right: Array, *, gain: float = 0.0) -> Array:
        """x with (1 - gamma P) x = right [n]; residual at most ``gain |right|``, or rounding."""
        return self._solve(self.chain, right, gain, "N")

    def solve_transposed(self, right: Array) -> Array:
        """x with (1 - gamma P^T) x = right [n]."""
        return self._solve(self._transposed, right, 0.0, "T")

    @cached_property
    def _transposed(self) -> Matrix:
        return self.chain.T if isinstance(self.chain, np.ndarray) else self.chain.T.tocsr()

    def _solve(self, chain: Matrix, right: Array, gain: float, side: str) -> Array:
        if isinstance(chain, np.ndarray):
            solution: Array = linalg.lu_solve(self._dense, right, trans=0 if side == "N" else 1)
            return solution
        found, settled = self._krylov(chain, right, gain)
        if settled:
            return found
        for _ in range(3):  # refinement: one step takes the residual down to rounding
            found = found + self._factors.solve(self._residual(chain, right, found), trans=side)
        return found

    def _residual(self, chain: Matrix, right: Array, x: Array) -> Array:
        left: Array = right + self.discount * (chain @ x) - x
        return left

    def _krylov(self, chain: Matrix, right: Array, gain: float) -> tuple[Array, bool]:
        system = sparse.linalg.LinearOperator(
            chain.shape, matvec=lambda x: x - self.discount * (chain @ x), dtype=float
        )
        x, residual = np.zeros_like(right), right
        size = left = float(np.abs(right).max())
        for _ in range(_PASSES):
            unit = max(size, float(np.abs(x).max()))
            goal = max(gain * size, _EXACT * unit)
            if left <= goal:
                break
            # in units of the residual: BiCGSTAB takes tiny products for a breakdown
            step, _ = bicgstab(
                system, residual / left, rtol=_GAIN, atol=goal / left / 2, maxiter=_PRODUCTS
            )
            moved = self._residual(chain, right, x + left * step)
            after = float(np.abs(moved).max())
            if not after < left / 2:
                break
            x, residual, left = x + left * step, moved, after
        return x, left <= max(gain * size, _ROUNDED * max(size, float(np.abs(x).max())))

    @cached_property
    def _dense(self) -> Any:
        return linalg.lu_factor(np.eye(self.chain.shape[0]) - self.discount * self.chain)

    @cached_property
    def _factors(self) -> Any:
        size = self.chain.shape[0]
        return splu((sparse.eye_array(size) - self.discount * self.chain).tocsc())
