"""Exact solutions of square systems, lifted from a floating-point inverse and then checked.

With R near A^-1, digits z_k of the solution follow from what is left of the right side,

    z_k = round(2^s R r_k),   r_{k+1} = 2^s r_k - A z_k,   x ~ sum_k z_k 2^(-s k),

where r_k stays small if R is close, so that 64-bit integers hold it exactly.  A common denominator
of x divides det A, which Hadamard bounds; twice its bits determine it (continued fractions).  That
is how the answer is found; that it is one is checked by A x = b in integers, and that A is regular
by ||I - R A|| < 1, roundings included.  Nothing else need be proved: where either fails, or the
integers are too large, the caller solves with FLINT.
Source: Wan, "An algorithm to solve integer linear systems exactly using numerical methods", Journal
of Symbolic Computation 41 (2006); ours are the fixed digits and the checks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..exact import Array, Vector

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Line = Mapping[int, int]
SMALLEST = 64
"""Rows from which lifting is quicker than FLINT's p-adic solver."""
_SUM = 2**40
"""Of the sizes of a row's or a column's entries: below it, remainders are doubles exactly."""
_DIGITS = (44, 36, 28, 20, 12)
"""Bits of a digit, s, tried in turn: a longer one means fewer steps, and asks for a closer R."""
_ROOM = 2.0**62  # what 64-bit integers hold with room
_CLOSE = 0.5
"""Computed bound of ||I - R A||: far enough from one for the roundings of sums of sizes."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """A regular integer matrix A (n, n) and R (n, n), its floating-point inverse.

    ``bits`` bounds the binary logarithm of abs(det A).
    """

    matrix: csr_array
    inverse: Array
    bits: int

    @classmethod
    def of(cls, rows: Sequence[Line]) -> Lifted | None:
        """The matrix with rows {column: value}; None if small, or if its inverse proves nothing."""
        lengths, entries = list(map(len, rows)), [v for row in rows for v in row.values()]
        if len(rows) < SMALLEST or not min(lengths) or max(map(abs, entries)) > _SUM:
            return None
        from scipy.sparse import csr_array

        places = [j for row in rows for j in row], np.concatenate([[0], np.cumsum(lengths)])
        matrix = csr_array((np.array(entries), *places), shape=(len(rows), len(rows)))
        sizes = abs(matrix)
        if max(sizes.sum(axis=0).max(), sizes.sum(axis=1).max()) > _SUM:
            return None
        floats = matrix.astype(float)
        try:
            inverse = np.linalg.inv(floats.toarray())
        except np.linalg.LinAlgError:
            return None
        size = len(inverse)
        off = inverse @ floats
        off[np.diag_indices(size)] -= 1
        rounding = (size + 4) * 2.0**-52 * (np.abs(inverse) @ sizes.astype(float))
        if not float((np.abs(off) + rounding).sum(axis=1).max()) < _CLOSE:
            return None
        squares = (floats**2).sum(axis=0), (floats**2).sum(axis=1)
        return cls(matrix, inverse, 1 + math.ceil(min(np.log2(s).sum() for s in squares) / 2))

    def solve(self, right: Sequence[int], transposed: bool = False) -> Vector | None:
        """x with A x = right (or A^T x = right); None if lifting does not find it."""
        matrix, inverse = self.matrix, self.inverse
        if transposed:
            matrix, inverse = matrix.T.tocsr(), inverse.T
        if max(map(abs, right)) > _SUM:
            return None
        slack = 2 * _SUM.bit_length()
        for bits in _DIGITS:
            count = math.ceil((2 * self.bits + 2 * slack) / bits)
            digits = _digits(matrix, inverse, np.array(right), bits, count)
            if digits is not None:
                lifted = _joined(digits, bits).tolist()
                numerators, bottom = _rational(lifted, bits * count, self.bits + slack)
                terms = matrix.data.astype(object) * np.array(numerators, object)[matrix.indices]
                found = np.add.reduceat(terms, matrix.indptr[:-1]).tolist()
                same = found == [bottom * value for value in right]
                return Vector(tuple(numerators), bottom) if same else None
        return None


def _digits(
    matrix: csr_array, inverse: Array, right: Array, bits: int, count: int
) -> list[Array] | None:
    """z_0 (the integer part) to z_count; None if a remainder does not stay small."""
    rest, digits, shift = right, list[Array](), 0
    limit = int(abs(matrix).sum(axis=1).max())
    for _ in range(count + 1):
        digit = np.rint(np.ldexp(inverse @ rest, shift))
        if not float(np.abs(digit).max()) < _ROOM:
            return None
        digits.append(digit.astype(np.int64))
        rest = (rest << shift) - matrix @ digits[-1]  # modulo 2^64, which a small one is not
        if np.abs(rest).max() > limit:
            return None
        shift = bits
    return digits


def _joined(digits: list[Array], bits: int) -> Array:
    """sum_k z_k 2^(bits (n - k)) as Python integers, the first digit having the largest power."""
    parts = np.array(digits).astype(object)
    while len(parts) > 1:
        if len(parts) % 2:
            parts = np.vstack([parts[:1] * 0, parts])
        parts, bits = (parts[::2] << bits) + parts[1::2], 2 * bits
    return np.asarray(parts[0])


def _rational(lifted: list[int], bits: int, near: int) -> tuple[list[int], int]:
    """Numerators over the least common denominator of numbers near to ``lifted`` / 2^bits.

    A denominator d leaves less than 2^near of d times a number's lifted one, modulo 2^bits.  All
    bits are needed to find d, and few more than its own to see that it serves another number.
    """
    bottom, short, numerators = 1, bits - near, list[int]()
    for number in lifted:
        value = (number >> near) * bottom
        if abs(_modulo(value, short)) >> (bottom.bit_length() + 1):
            factor = _denominator(_modulo(number * bottom, bits), bits, near)
            numerators = [factor * numerator for numerator in numerators]
            bottom, value = factor * bottom, factor * value
        numerators.append((value + (1 << (short - 1))) >> short)
    return numerators, bottom


def _modulo(value: int, bits: int) -> int:
    """What a value leaves modulo 2^bits, the least in size."""
    half = 1 << (bits - 1)
    return ((value + half) & (2 * half - 1)) - half


def _denominator(rest: int, bits: int, near: int) -> int:
    """The first denominator of a convergent of rest / 2^bits that leaves less than 2^near."""
    old, new, before, now = 1 << bits, abs(rest), 0, 1
    while new >> near:
        quotient, remainder = divmod(old, new)
        old, new, before, now = new, remainder, now, before + quotient * now
    return now
