"""A plain posterior that stands in for `holdfast.solvers.target_returns.gaussian`."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


def alpha_bayes(targets: int, step: int, failure: float) -> float:
    return sqrt(2 * log(targets * step**2 * pi**2 / (6 * failure)))


@dataclass(frozen=True)
class Kernel:
    family: str
    variance: float
    lengths: tuple[float, ...]

    @property
    def largest(self) -> float:
        return self.variance

    def matrix(self, a: Floats, b: Floats) -> Floats:
        scale = np.asarray(self.lengths)
        squares = (((a[:, None, :] - b[None, :, :]) / scale) ** 2).sum(-1)
        return np.asarray(self.variance * np.exp(-squares / 2))


class Posterior:
    def __init__(
        self, kernel: Kernel, points: Floats, noise_variance: float, prior_mean: float = 0
    ):
        self.kernel, self.points, self.noise, self.prior = (
            kernel,
            points,
            noise_variance,
            prior_mean,
        )
        self._index: list[int] = []
        self._values: list[float] = []
        self._refresh()

    def _refresh(self) -> None:
        at = self.points[self._index]
        gram = self.kernel.matrix(at, at) + self.noise * np.eye(len(at))
        self._factor = np.linalg.cholesky(gram)
        self._rows = np.linalg.solve(self._factor, self.kernel.matrix(at, self.points))
        gaps = np.asarray(self._values) - self.prior
        self.mean = self.prior + self._rows.T @ np.linalg.solve(self._factor, gaps)
        self.variance = np.maximum(self.kernel.variance - (self._rows**2).sum(0), 0.0)

    def append(self, index: int, observation: float) -> None:
        self._index.append(index)
        self._values.append(observation)
        self._refresh()

    def bounds(self, alpha: float) -> tuple[Floats, Floats]:
        reach = alpha * np.sqrt(self.variance) + 1e-9
        return self.mean - reach, self.mean + reach

    def covariance(self, index: Any, others: Any) -> Floats:
        prior = self.kernel.matrix(self.points[index], self.points[others])
        return np.asarray(prior - self._rows[:, index].T @ self._rows[:, others])

    @property
    def observations(self) -> tuple[tuple[int, ...], tuple[float, ...]]:
        return tuple(self._index), tuple(self._values)

    @property
    def information(self) -> float:
        return float(np.log(np.diag(self._factor)).sum() - len(self._index) * log(self.noise) / 2)
