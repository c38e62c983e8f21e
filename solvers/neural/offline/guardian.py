"""Sets that hold most recorded pairs (s, a): what lies outside is not known from the data.

Coordinates are scaled so that the data of each lie in [-1, 1].  A score is fitted to one half of
the pairs; the threshold is a quantile of the scores of the other half, so that a further pair of
the same law lies outside with probability at most the level, whatever the law is (pairs of one
episode are not independent, so that of recorded episodes this is nearly true only).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ...offline.guardians import least_ellipsoid, lifted_squares
from ...sequences import Array

BANDWIDTH = 0.535
"""Of the kernel, in scaled coordinates, as in the released code of OGSRL."""
_CENTRES = 1000
"""Pairs of the first half, at most, that a score is fitted to: more are slower, hardly better."""
KINDS = ("density", "ellipsoid", "none")


@dataclass(frozen=True, eq=False)
class Guardian:
    """Tells which pairs lie outside.

    low, high: float[D], of the data; centres: float32[n, D], of the density; metric: float64[D + 1,
    D + 1], of the ellipsoid, on (x, 1); threshold: the largest score inside.
    """

    kind: str
    low: Array
    high: Array
    centres: Tensor
    metric: Array
    threshold: float

    def scores(self, pairs: Array) -> Array:
        """float64[n] of float[n, D] pairs, larger further out."""
        scaled = scaled_pairs(pairs, self.low, self.high)
        if self.kind == "density":
            near = torch.cdist(torch.as_tensor(scaled, dtype=torch.float32), self.centres)
            found: Array = -torch.logsumexp(-0.5 * (near / BANDWIDTH) ** 2, dim=1).double().numpy()
            return found
        return lifted_squares(scaled, self.metric)

    def outside(self, pairs: Array) -> Array:
        """bool[n]."""
        if self.kind == "none":
            return np.zeros(len(pairs), dtype=bool)
        return np.asarray(self.scores(pairs) > self.threshold)


def scaled_pairs(pairs: Array, low: Array, high: Array) -> Array:
    """Into [-1, 1] for the data that low and high are of."""
    spread = np.where(high > low, high - low, 1.0)
    return np.asarray(2 * (pairs - low) / spread - 1)


def guardian(pairs: Array, kind: str, level: float, stream: np.random.Generator) -> Guardian:
    """The set of float[n, D] pairs that leaves out a share of at most `level`.

    Raises ModelError for an unknown kind, a level outside of (0, 1), and too few pairs for it.
    """
    if kind not in KINDS or not 0 < level < 1:
        raise ModelError(
            f"guardian = {kind!r} must be one of {', '.join(KINDS)}, and level = {level} lie "
            "strictly between 0 and 1"
        )
    order, (low, high) = stream.permutation(len(pairs)), (pairs.min(axis=0), pairs.max(axis=0))
    first, second = np.array_split(pairs[order], 2)
    rank = conformal_rank(len(second), level)
    scaled = scaled_pairs(first[:_CENTRES], low, high)
    centres = torch.as_tensor(scaled, dtype=torch.float32)
    metric = least_ellipsoid(scaled) if kind == "ellipsoid" else np.empty((0, 0))
    unset = Guardian(kind, low, high, centres, metric, np.inf)
    if kind == "none":
        return unset
    scores = np.sort(unset.scores(second))
    return replace(unset, threshold=float(scores[rank - 1]))


def conformal_rank(count: int, level: float) -> int:
    """The k for which a further score exceeds the k-th smallest of `count` with probability at most
    `level`: the least with k >= (1 - level)(count + 1).

    Raises ModelError where there are too few.
    """
    rank = int(np.ceil((1 - level) * (count + 1)))
    if rank > count:
        raise ModelError(
            f"{count} held-out pairs are too few for the level {level}; give at least "
            f"{int(np.ceil(1 / level)) - 1} of them, or a larger level"
        )
    return rank
