"""Large preference data as the numerical solvers read it: never copied, scaled on the fly.

Row k of Phi is used as Phi_k / 2^e_k with entries up to one; powers of two are exact, so that they
go into the vectors that Phi is multiplied by.  Room and displacement are computed in doubles, each
within ``ROUNDINGS`` units of roundoff of the exact one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..checks import check_labels, check_size, check_weights

#: d, up and down are off by at most this many relative errors of 2^-53.
ROUNDINGS = 3
_BLOCK = 2**22
"""Features of a range of pairs, 32 MB as doubles: smaller ranges cost more calls, larger ones more
memory, and leave threads without work."""
_EXTREME = 400
"""Power of two from which a row is copied in another unit, so that its products with prices and
weights stay far from the limits of doubles, 2^-1074 and 2^1024."""
_EXTREME_WEIGHT = 150
"""Power of two of weights: beyond it their products with features might leave doubles, too."""
_LARGEST_INTEGER = 2**53  # up to which doubles hold every integer
_GRID = 2.0**20
"""Labels and weights below 2^10 that are whole multiples of 1 / grid: products of both are whole
multiples of 2^-40, and differences of products, below 2^11, have 51 of the 53 bits of a double."""


@dataclass(frozen=True)
class FlipArrays:
    """N pairs with n features.

    Attributes:
        features: Phi (n, N), float32 or float64, as given.
        benign, target: labels (N); weights: rho (N), or None for one each.
        exponents: e (n); largest: the greatest abs(Phi_k) / 2^e_k (n), in [1/2, 1), or 0.
        units: (n); row k was given as Phi_k 2^units_k, not 0 only where doubles nearly overflow.
        displacement, up, down: d and the room of the weighted changes (N).
    """

    features: Array
    benign: Array
    target: Array
    weights: Array | None
    exponents: Array
    largest: Array
    displacement: Array
    up: Array
    down: Array
    units: Array

    @classmethod
    def of(cls, features: Any, benign: Any, target: Any, weights: Any = None) -> FlipArrays:
        """Checked data.

        Rows near the limits of doubles are copied in another unit, a power of two.

        Raises ModelError for wrong shapes, labels outside [0, 1], negative weights, and numbers
        that are not finite or too extreme for double precision.
        """
        matrix = _matrix(features)
        size = matrix.shape[1]
        origin, aim = _labels(benign, "benign", size), _labels(target, "target", size)
        rho = None if weights is None else _vector(weights, "weights", size)
        if rho is not None:
            check_weights(rho, "weights", some=False)
        if rho is not None and rho.max() > 0 and abs(np.frexp(rho.max())[1]) > _EXTREME_WEIGHT:
            raise ModelError(
                f"weights reach {rho.max():.6g} at most, too extreme for double precision; "
                "multiply all by a constant, which multiplies every cost"
            )
        matrix, units = _in_range(matrix)
        mantissas, exponents = np.frexp(_greatest(matrix))
        factor = 1.0 if rho is None else rho
        return cls(
            matrix, origin, aim, rho, exponents, mantissas,
            factor * (aim - origin), factor * (1 - origin), factor * origin, units,
        )  # fmt: skip

    @property
    def n_features(self) -> int:
        """n."""
        return int(self.features.shape[0])

    @property
    def n_pairs(self) -> int:
        """N."""
        return int(self.features.shape[1])

    @cached_property
    def exact(self) -> bool:
        """Whether d, up, down and their differences are exact: labels and weights on a grid."""
        given = [self.benign, self.target] + ([] if self.weights is None else [self.weights])
        return all(
            float(v.max()) < 2**10 and np.array_equal(np.rint(v * _GRID), v * _GRID) for v in given
        )

    @cached_property
    def moved(self) -> Array:
        """The pairs whose exact d is not zero, which d may have lost by underflow."""
        moved = self.benign != self.target
        return np.flatnonzero(moved if self.weights is None else moved & (self.weights > 0))

    @cached_property
    def scales_exactly(self) -> bool:
        """Whether no entry of a scaled row is rounded: tiny ones underflow where rows shrink."""
        if self.features.dtype == np.float32:
            return True
        for k in np.flatnonzero(self.exponents > 0):
            sizes = np.abs(self.features[k])
            least = float(sizes.min(where=sizes > 0, initial=np.inf))
            if least < np.ldexp(1.0, int(self.exponents[k]) - 1022):
                return False
        return True

    def ranges(self) -> Iterator[slice]:
        """Ranges of pairs, of a few MB of features each."""
        step = max(1, _BLOCK // self.n_features)
        for first in range(0, self.n_pairs, step):
            yield slice(first, min(first + step, self.n_pairs))

    def prices(self, y: Array) -> Array:
        """t = Phi^T y (N) for y (n) in the units of the scaled rows."""
        scaled = np.ldexp(y, -self.exponents)
        prices = np.empty(self.n_pairs)

        def work(part: slice) -> None:
            prices[part] = scaled @ self.features[:, part].astype(np.float64, copy=False)

        self._over_all(work)
        return prices

    def moments(self, changes: Array) -> Array:
        """Phi zeta (n) of the scaled rows, for changes (N)."""
        parts = []

        def work(part: slice) -> None:
            parts.append(self.features[:, part].astype(np.float64, copy=False) @ changes[part])

        self._over_all(work)
        return np.ldexp(np.sum(parts, axis=0), -self.exponents)

    def _over_all(self, work: Callable[[slice], None]) -> None:
        """Work on every range of pairs, on all cores."""
        parts = list(self.ranges())
        if len(parts) == 1:
            work(parts[0])
            return
        with ThreadPoolExecutor(max_workers=min(len(parts), os.cpu_count() or 1)) as pool:
            list(pool.map(work, parts))

    def columns(self, pairs: Array, used: Array | None = None) -> Array:
        """float64 (len(pairs), n), C-ordered: the scaled phi_i, of the features ``used``."""
        rows = range(self.n_features) if used is None else used
        gathered = np.empty((len(pairs), len(rows)))
        if self.features.flags.f_contiguous and not self.features.flags.c_contiguous:
            step = max(1, _BLOCK // self.n_features)
            for first in range(0, len(pairs), step):
                part = self.features.T[pairs[first : first + step]]
                gathered[first : first + step] = part if used is None else part[:, used]
        else:
            for place, k in enumerate(rows):
                gathered[:, place] = self.features[k, pairs]
        scale = self.exponents if used is None else self.exponents[used]
        gathered *= np.ldexp(1.0, -scale)
        return gathered

    def exact_displacement(self, pairs: Array) -> list[Fraction]:
        """d, exactly."""
        ends = (Fraction(float(self.target[i])) - Fraction(float(self.benign[i])) for i in pairs)
        return [change * self.weight(i) for change, i in zip(ends, pairs, strict=True)]

    def exact_end(self, pair: int, sign: int) -> Fraction:
        """The bound of a change in this direction: up (1), zero (0) or -down (-1)."""
        origin = Fraction(float(self.benign[pair]))
        return self.weight(pair) * {1: 1 - origin, 0: Fraction(0), -1: -origin}[sign]

    def weight(self, pair: int) -> Fraction:
        """rho."""
        return Fraction(1) if self.weights is None else Fraction(float(self.weights[pair]))

    def labels_after(self, changes: Array) -> Array:
        """Labels (N) after weighted changes; pairs of weight zero stay."""
        moved = changes
        if self.weights is not None:
            used = self.weights > 0
            moved = np.divide(changes, self.weights, out=np.zeros_like(changes), where=used)
        return np.clip(self.benign + moved, 0.0, 1.0)


def _matrix(features: Any) -> Array:
    matrix = np.asarray(features)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ModelError(
            f"features have the shape {matrix.shape}; give an array (n, N) with one row a feature "
            "and one column a pair"
        )
    if matrix.dtype not in (np.float32, np.float64):
        if matrix.dtype.kind not in "biuf":
            raise ModelError(f"features have the dtype {matrix.dtype}; give floats")
        return _doubles(matrix)
    return matrix


def _doubles(matrix: Array) -> Array:
    """The same numbers as doubles; raises ModelError if some are none."""
    doubles = matrix.astype(np.float64)
    if matrix.dtype.kind in "iu":
        exact = max(int(matrix.max()), -int(matrix.min())) <= _LARGEST_INTEGER
    else:
        exact = np.array_equal(doubles, matrix, equal_nan=matrix.dtype.kind == "f")
    if not exact:
        raise ModelError(
            f"features of dtype {matrix.dtype} are no doubles, and costs would be those of rounded "
            "ones; round them yourself (astype float64) or use solve_flips"
        )
    return doubles


def _greatest(matrix: Array) -> Array:
    """The greatest absolute value of each row; raises ModelError for what is not finite."""
    greatest = np.maximum(matrix.max(axis=1), -matrix.min(axis=1)).astype(np.float64)
    if not np.isfinite(greatest).all():
        k = int(np.flatnonzero(~np.isfinite(greatest))[0])
        i = int(np.flatnonzero(~np.isfinite(matrix[k]))[0])
        raise ModelError(f"features[{k}, {i}] is {matrix[k, i]}; every feature must be finite")
    return greatest


def _in_range(matrix: Array) -> tuple[Array, Array]:
    """The matrix with extreme rows divided by powers of two, and these powers (n).

    Raises ModelError naming a row that spans too many orders of magnitude for that to be exact.
    """
    greatest = _greatest(matrix)
    powers = np.frexp(greatest)[1]
    units = np.where((greatest > 0) & (np.abs(powers) > _EXTREME), powers, 0)
    if not units.any():
        return matrix, units
    scaled = np.ldexp(matrix.astype(np.float64), -units[:, None])
    for k in np.flatnonzero((np.ldexp(scaled, units[:, None]) != matrix).any(axis=1)):
        raise ModelError(
            f"feature {k} reaches {greatest[k]:.6g} at most and has entries that are far smaller, "
            "too extreme for double precision; multiply it by a constant, which changes no cost"
        )
    return scaled, units


def _vector(given: Any, name: str, size: int) -> Array:
    try:
        vector = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ModelError(f"{name}: {problem}; give {size} numbers") from problem
    return check_size(vector, size, name)


def _labels(given: Any, name: str, size: int) -> Array:
    if np.ndim(given) == 0:
        given = np.full(size, given)
    return check_labels(_vector(given, name, size), name)
