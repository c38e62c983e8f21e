"""Passes over many pairs for the Bradley-Terry loss: value, gradient and Hessian, in blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ...sequences import Array

Parts = tuple[Any, ...]
_BLOCK = 1 << 21
"""Numbers of a block of features, 16 MB: smaller ones cost more calls, larger ones leave the
caches and the threads without work."""


class Loss:
    """The loss of rewards, each entry measured in 1 / the root mean square of its feature.

    Args:
        features: (n, N), in double or single precision; labels: (N); rho: weights (N), not all 0;
        ridge: the factor of norm(r)^2 / 2, r in the units of the features.

    Attributes: scale: the root mean squares (n), 1 for a feature that is always 0.
    """

    def __init__(self, features: Array, labels: Array, rho: Array, ridge: float) -> None:
        self.features, self.labels, self.rho, self.ridge = features, labels, rho, ridge
        size, pairs = features.shape
        width = max(1, _BLOCK // size)
        self.cells = [slice(start, start + width) for start in range(0, pairs, width)]

        def squares(part: Array, cells: slice) -> Parts:
            return (np.einsum("ij,ij,j->i", part, part, self.rho[cells]),)

        self.scale = np.sqrt(self._sum(squares)[0] / rho.sum())
        self.scale[self.scale == 0] = 1.0
        self.penalty = ridge / self.scale**2

    def _block(self, cells: slice) -> Array:
        return np.asarray(self.features[:, cells], float)

    def _sum(self, terms: Callable[[Array, slice], Parts]) -> list[Any]:
        """The sums over the blocks, taken in their order whatever thread is first."""
        if len(self.cells) == 1:
            return list(terms(self._block(self.cells[0]), self.cells[0]))
        with ThreadPoolExecutor(min(len(self.cells), os.cpu_count() or 1)) as pool:
            found = pool.map(lambda cells: terms(self._block(cells), cells), self.cells)
            total = list(next(found))
            for parts in found:
                total = [a + b for a, b in zip(total, parts, strict=True)]
        return total

    def value(self, reward: Array) -> float:
        """L plus the ridge term."""

        def terms(part: Array, cells: slice) -> Parts:
            u = (reward / self.scale) @ part
            return (float(self.rho[cells] @ (np.logaddexp(0, u) - self.labels[cells] * u)),)

        return float(self._sum(terms)[0]) + 0.5 * float(self.penalty @ reward**2)

    def expand(self, reward: Array) -> tuple[float, Array, Array]:
        """Value, gradient (n) and Hessian (n, n)."""
        from scipy.special import expit

        def terms(part: Array, cells: slice) -> Parts:
            u, rho, labels = (reward / self.scale) @ part, self.rho[cells], self.labels[cells]
            value = float(rho @ (np.logaddexp(0, u) - labels * u))
            bends = part * (rho * expit(u) * expit(-u))
            return value, part @ (rho * (expit(u) - labels)), bends @ part.T

        value, gradient, hessian = self._sum(terms)
        return (
            value + 0.5 * float(self.penalty @ reward**2),
            gradient / self.scale + self.penalty * reward,
            hessian / np.outer(self.scale, self.scale) + np.diag(self.penalty),
        )

    def size(self, gradient: Array) -> float:
        """The largest entry of the gradient over the sum of the weights."""
        return float(np.abs(gradient).max() / self.rho.sum())

    def _scores(self, reward: Array) -> Iterator[tuple[Array, slice]]:
        for cells in self.cells:
            yield (reward / self.scale) @ self._block(cells), cells

    def furthest(self, reward: Array) -> float:
        """The largest score in absolute value."""
        return max(float(np.abs(u).max()) for u, _ in self._scores(reward))

    def separates(self, reward: Array) -> bool:
        """Whether every pair of weight has a label of 0 or 1, strictly on its side."""
        for u, cells in self._scores(reward):
            labels = self.labels[cells]
            right = ((labels == 1) & (u > 0)) | ((labels == 0) & (u < 0))
            if not (right | (self.rho[cells] == 0)).all():
                return False
        return True
