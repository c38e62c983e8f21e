"""Which targets are certified, by whom, and with what bound; and which would certify others.

Comparisons that decide safety are rounded outwards: a target that is certified here satisfies the
rule in exact arithmetic as well, for the floats that were given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from ..gaussian.checks import Floats, Indices
from ..gaussian.posterior import Posterior
from .problem import Tuning

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_BLOCK = 1 << 22
"""Distances held at once (32 MiB): more saves little time, fewer pays for more calls."""
_LEAST = 1e-150
"""No computed distance is below it: squares of smaller differences underflow."""


class SafeSet:
    """The certified targets of a tuning; it only grows.

    member: bool[N]; by: int[N], the certified target by which one was certified, or its own index,
    or -1 for seeds and for what is not certified; upper: float[N], the bound that certified it.
    """

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        count, dimension = tuning.points.shape
        seeds = list(tuning.seeds)
        self.member: Mask = np.zeros(count, dtype=np.bool_)
        self.member[seeds] = True
        self.by: Indices = np.full(count, -1, dtype=np.intp)
        self.upper: Floats = np.full(count, np.inf)
        self.upper[seeds] = tuning.limit
        self._pending = self.member.copy()
        # sums of squares, square root, product: each relative error is at most half an epsilon
        self._slope = (tuning.lipschitz or 0.0) * (1 + (dimension + 8) * np.finfo(float).eps)

    def outside(self) -> Indices:
        """Indices of the targets that are not certified."""
        return np.flatnonzero(~self.member)

    def grow(self, upper: Floats, changed: Mask) -> None:
        """Add what the upper bounds certify; `changed` are the targets whose bound is new."""
        if self._tuning.rule == "direct":
            found = np.flatnonzero(~self.member & (upper <= self._tuning.limit))
            self._add(found, found, upper[found])
            return
        self._pending |= changed & self.member
        while self._pending.any():
            # a bound equal to the limit reaches nobody unless the constant is 0
            ready = np.flatnonzero(self._pending & self.member & (upper <= self._tuning.limit))
            self._pending[:] = False
            self.reach(ready, upper[ready])
            if self._tuning.rule == "printed":
                break

    def reach(self, sources: Indices, upper: Floats) -> None:
        """Add what u(z) + L d(z, z') certifies from the sources, which have the bounds `upper`."""
        outside = self.outside()
        if not len(sources) or not len(outside):
            return
        best, by = np.full(len(outside), np.inf), np.full(len(outside), -1, dtype=np.intp)
        rows = max(1, _BLOCK // len(outside))
        for start in range(0, len(sources), rows):
            part = sources[start : start + rows]
            total = upper[start : start + rows, None] + self._slope * self._distance(part, outside)
            if self._slope:
                total = np.nextafter(total, np.inf)
            nearest = total.argmin(axis=0)
            bound = total[nearest, np.arange(len(outside))]
            by = np.where(bound < best, part[nearest], by)
            best = np.minimum(bound, best)
        found = best <= self._tuning.limit
        self._add(outside[found], by[found], best[found])

    def _add(self, found: Indices, by: Indices, upper: Floats) -> None:
        self.member[found] = True
        self._pending[found] = True
        self.by[found] = by
        self.upper[found] = upper

    def _distance(self, some: Indices, others: Indices) -> Floats:
        points = self._tuning.points
        return np.maximum(cdist(points[some], points[others]), _LEAST)

    def rise(self, index: int, others: Indices) -> Floats:
        """L d(z, z') for one target and others, but for one rounding not below the exact one."""
        return np.asarray(self._slope * self._distance(np.array([index]), others)[0])

    def expanders(self, candidates: Indices, lower: Floats) -> Mask:
        """Which certified candidates could certify another target, by distance.

        With the plus sign: l(z) + L d(z, z') is at most the limit for some z' outside; as PLS
        prints it: l(z) - L d(z, z') is.  lower: float[N].  Time and memory: candidates x outside.
        """
        outside = self.outside()
        if not len(outside):
            return np.zeros(len(candidates), dtype=np.bool_)
        distance = self._distance(candidates, outside)
        constant = self._tuning.lipschitz or 0.0
        if self._tuning.expanders == "printed":
            best = lower[candidates] - constant * distance.max(axis=1)
        else:
            best = lower[candidates] + constant * distance.min(axis=1)
        return np.asarray(best <= self._tuning.limit)

    def fictitious_expanders(
        self, candidates: Indices, lower: Floats, posterior: Posterior, alpha: float
    ) -> Mask:
        """Which certified candidates could certify another, were their cost observed at l(z).

        The direct rule has no distance to go by.  Adding the observation (z, l(z)) moves mean and
        variance at z' by the posterior covariance of z and z'; z expands if the upper bound at some
        z' outside then is at most the limit.  After t observations this takes O(t m) for each
        candidate, m the targets outside that the widest candidate could bring down at all.
        """
        variance = posterior.variance[candidates]
        total = variance + self._tuning.cost.noise**2
        share = variance / total
        drop = np.maximum(posterior.mean[candidates] - lower[candidates], 0.0)
        # |cov(z, z')| <= sd(z) sd(z'): no z' falls further than with perfect correlation
        fall = (np.sqrt(share / total) * drop).max()
        outside = self.outside()
        mean, spread = posterior.mean[outside], np.sqrt(posterior.variance[outside])
        least = mean - spread * fall + alpha * spread * np.sqrt(1 - share.max())
        near = outside[least <= self._tuning.limit]
        if not len(near):
            return np.zeros(len(candidates), dtype=np.bool_)
        joint = posterior.covariance(candidates, near)
        gain = joint / total[:, None]
        left = np.maximum(posterior.variance[near] - gain * joint, 0.0)
        upper = posterior.mean[near] - gain * drop[:, None] + alpha * np.sqrt(left)
        return np.asarray((upper <= self._tuning.limit).any(axis=1))
