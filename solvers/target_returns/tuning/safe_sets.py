"""Which targets are certified, by whom, and with what bound; and which would certify others.

Comparisons that decide safety are rounded outwards: a target that is certified here satisfies the
rule in exact arithmetic as well, for the floats that were given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy  # its parts are loaded when they are used

from ..gaussian.checks import Floats, Indices
from ..gaussian.posterior import Posterior
from .problem import Tuning

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_BLOCK = 1 << 22
"""Distances held at once (32 MiB): more saves little time, fewer pays for more calls."""
_LEAST = 1e-150
"""No computed distance is below it: squares of smaller differences underflow."""

_TILE = 256
"""Targets of a tile, near each other: more are skipped too seldom, fewer pay for more calls."""
_SLACK = 1e-9
"""A relative difference beyond which no rounding changes what is less."""
_min, _max = np.min, np.max


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
        self._tree: Any = None
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
        one = len(sources) * len(outside) <= _BLOCK
        points, limit = self._tuning.points, self._tuning.limit
        tiles = _tiles(points[sources], one)
        low, high = (np.array([f(points[sources[t]], axis=0) for t in tiles]) for f in (_min, _max))
        least = np.array([upper[tile].min() for tile in tiles])
        for block in _tiles(points[outside], one):
            place = points[outside[block]]
            gaps = np.maximum(np.maximum(low - _max(place, axis=0), _min(place, axis=0) - high), 0)
            rise = self._slope * np.sqrt((gaps**2).sum(axis=1))
            floor = least + rise - _SLACK * (np.abs(least) + rise)
            for k in np.argsort(floor, kind="stable"):
                if floor[k] > min(limit, best[block].max()):
                    break  # by more than rounding: no total is less, nor equal
                self._improve(best, by, block, outside, sources, tiles[k], upper)
        found = best <= limit
        self._add(outside[found], sources[by[found]], best[found])

    def _improve(
        self, best: Floats, by: Indices, block: Indices, outside: Indices,
        sources: Indices, tile: Indices, upper: Floats,
    ) -> None:  # fmt: skip
        """Take the least total, and of equal ones that of the first source."""
        total = self._slope * self._distance(sources[tile], outside[block])
        total += upper[tile, None]
        if self._slope:
            total = np.nextafter(total, np.inf)
        nearest = total.argmin(axis=0)
        bound, source = total[nearest, np.arange(len(block))], tile[nearest]
        less = (bound < best[block]) | ((bound == best[block]) & (source < by[block]))
        best[block[less]], by[block[less]] = bound[less], source[less]

    def _add(self, found: Indices, by: Indices, upper: Floats) -> None:
        self.member[found] = True
        self._tree = None
        self._pending[found] = True
        self.by[found] = by
        self.upper[found] = upper

    def _distance(self, some: Indices, others: Indices) -> Floats:
        points = self._tuning.points
        return np.maximum(scipy.spatial.distance.cdist(points[some], points[others]), _LEAST)

    def rise(self, index: int, others: Indices) -> Floats:
        """L d(z, z') for one target and others, but for one rounding not below the exact one."""
        return np.asarray(self._slope * self._distance(np.array([index]), others)[0])

    def expanders(self, candidates: Indices, lower: Floats) -> Mask:
        """Which certified candidates could certify another target, by distance.

        With the plus sign: l(z) + L d(z, z') is at most the limit for some z' outside; as PLS
        prints it: l(z) - L d(z, z') is.  lower: float[N].
        """
        outside, limit = self.outside(), self._tuning.limit
        if not len(outside):
            return np.zeros(len(candidates), dtype=np.bool_)
        constant, low = self._tuning.lipschitz or 0.0, lower[candidates]
        if self._tuning.expanders == "printed":
            distance = self._distance(candidates, outside).max(axis=1)
            return np.asarray(low - constant * distance <= limit)
        if self._tree is None:
            self._tree = scipy.spatial.cKDTree(self._tuning.points[outside])
        rise = constant * self._tree.query(self._tuning.points[candidates])[0]
        # the tree rounds in its own way, so that what is close is looked at once more
        close = np.flatnonzero(np.abs(low + rise - limit) <= _SLACK * (np.abs(low) + rise) + _LEAST)
        if len(close):
            rise[close] = constant * self._distance(candidates[close], outside).min(axis=1)
        return np.asarray(low + rise <= limit)

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


def _tiles(points: Floats, one: bool) -> list[Indices]:
    """Indices of all points in tiles of points that are near each other, or in one tile."""
    if one:
        return [np.arange(len(points))]
    order = scipy.spatial.cKDTree(points, _TILE).indices
    return [np.sort(order[start : start + _TILE]) for start in range(0, len(order), _TILE)]
