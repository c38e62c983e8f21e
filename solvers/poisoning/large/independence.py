"""Which features are linearly independent, and whether the others are combinations of them.

Features are compared in floating point (QR factors of scaled rows; a Gram matrix only where it is
well conditioned), so that a feature can be found dependent without being so; ``proved`` says when
it certainly is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu, qr

from ...sequences import Array
from .arrays import FlipArrays

_SAMPLE = 20
"""Pairs a feature looked at first: fewer whiten worse, more take longer; all are looked at before a
feature is dropped."""
ROUNDING = 1e-11
"""What is left of a feature, of its size, when the others are taken out and only rounding stays."""
_CLEAR = 1e-3
"""Diagonal of a Cholesky factor of unit columns, above which they are independent without doubt,
for the Gram matrix squares it; below it the slower QR factors decide."""
_LARGEST_INTEGER = 2.0**52  # in units: half of what doubles hold exactly
_FINEST = 60  # of 2^-60, a unit beyond the 53 bits of entries that are mostly near to one
_LARGEST_FACTOR = 64
"""Denominators of the factors that are tried: a combination with greater ones stays unproved."""


@dataclass(frozen=True)
class Independent:
    """Features to use.

    Attributes:
        used: independent features (r), ascending; dropped: the others, of which the used ones leave
            no more than the tolerance, relative to their size.
        triangle: R (r, r) of a sample of the used columns over the root of its length: Phi R^-1
            is roughly white.
        proved: whether every dropped feature is exactly a combination of those used.
    """

    used: Array
    dropped: Array
    triangle: Array
    proved: bool


def independent_features(data: FlipArrays, tolerance: float = ROUNDING) -> Independent:
    """A largest set of features that are independent over the pairs of positive weight."""
    pairs = np.arange(data.n_pairs)
    if data.weights is not None:
        pairs = np.flatnonzero(data.weights > 0)
    count = min(len(pairs), max(2000, _SAMPLE * data.n_features))
    sample = pairs[np.linspace(0, len(pairs) - 1, count).astype(np.int64)] if count else pairs
    columns = data.columns(sample)
    clear = _clearly_independent(columns, max(_CLEAR, tolerance))
    if clear is not None:
        everything = np.arange(data.n_features)
        return Independent(everything, everything[:0], clear / count**0.5, True)
    triangle = _triangle(columns) if count else np.zeros((1, data.n_features))
    used, dropped = _split(triangle, tolerance)
    proved = _certainly(data, used, dropped, pairs, triangle)
    if not proved and count < len(pairs):
        count = len(pairs)
        for first in range(0, count, 4096):
            block = data.columns(pairs[first : first + 4096])
            triangle = _triangle(np.vstack([triangle, block]))
        used, dropped = _split(triangle, tolerance)
        proved = _certainly(data, used, dropped, pairs, triangle)
    own = _triangle(triangle[:, used]) if len(used) else np.zeros((0, 0))
    return Independent(used, dropped, own / max(count, 1) ** 0.5, proved)


def spanning_rows(columns: Array) -> Array:
    """Places of n rows of (m, n) that span all, m >= n: the pivots of Gauss's elimination.

    Pivoted QR factors would choose rows a little better conditioned in ten times the time.
    """
    places = lu(columns, p_indices=True, check_finite=False)[0]
    return np.argsort(places)[: columns.shape[1]]


def _clearly_independent(columns: Array, least: float) -> Array | None:
    """R of well-conditioned columns by Cholesky's method, which is fast; else None."""
    if len(columns) < columns.shape[1]:
        return None
    gram = columns.T @ columns
    sizes = np.sqrt(np.diag(gram))
    if not sizes.min() > 0:
        return None
    try:
        factor = np.linalg.cholesky(gram / sizes / sizes[:, None]).T
    except np.linalg.LinAlgError:
        return None
    return np.asarray(factor * sizes) if np.diag(factor).min() > least else None


def _triangle(columns: Array) -> Array:
    return np.asarray(np.linalg.qr(columns, mode="r"))


def _split(triangle: Array, tolerance: float) -> tuple[Array, Array]:
    """The features that are independent, and the others; both ascending."""
    sizes = np.linalg.norm(triangle, axis=0)
    sizes[sizes == 0] = 1.0
    pivoted, order = qr(triangle / sizes, mode="r", pivoting=True)
    rank = int((np.abs(np.diag(pivoted)) > tolerance).sum())
    return np.sort(order[:rank]), np.sort(order[rank:])


def _certainly(
    data: FlipArrays, used: Array, dropped: Array, pairs: Array, triangle: Array
) -> bool:
    """Whether dropped rows are combinations with small rational factors, in exact arithmetic.

    The factors are guessed from the triangle of some columns; the products are integers below 2^52
    in units of a power of two, so that doubles hold them exactly.
    """
    zero = data.largest[dropped] == 0
    dropped = dropped[~zero]
    if not len(dropped) or len(used) == len(pairs):  # so many independent columns span everything
        return True
    if not data.scales_exactly:
        return False
    guess = np.linalg.lstsq(triangle[:, used], triangle[:, dropped], rcond=None)[0]
    factors, bottom = _rational(guess)
    if np.abs(factors).max(initial=0) > 2**20:
        return False
    for first in range(0, len(pairs), 4096):
        block = data.columns(pairs[first : first + 4096])
        unit = _unit(block)
        room = _LARGEST_INTEGER * unit
        reach = np.abs(block[:, used]) @ np.abs(factors)
        if unit == 0 or max(reach.max(initial=0), bottom) > room:
            return False
        if not np.array_equal(block[:, used] @ factors, bottom * block[:, dropped]):
            return False
    return True


def _rational(guess: Array) -> tuple[Array, int]:
    """Integers whose quotients by the least possible number are the guess; infinities if none."""
    for bottom in range(1, _LARGEST_FACTOR + 1):
        rounded = np.rint(guess * bottom)
        if np.abs(rounded - guess * bottom).max(initial=0) < 1e-6:
            return rounded, bottom
    return np.full(guess.shape, np.inf), 1


def _unit(block: Array) -> float:
    """The largest power of two, from 2^-60 to 1, that all entries are multiples of; 0 if none is.

    Entries of scaled rows are at most one, so that they are 64-bit integers in units of 2^-60.
    """
    whole = np.ldexp(block, _FINEST)
    if not np.array_equal(np.rint(whole), whole):
        return 0.0
    bits = int(np.bitwise_or.reduce(whole.astype(np.int64), axis=None))
    return min(1.0, math.ldexp(bits & -bits, -_FINEST)) if bits else 1.0
