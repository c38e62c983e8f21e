"""Exact numbers shared by the solvers: rational strings, vectors over one denominator, solves.

Everything here is an integer or a quotient of integers.  Big vectors keep one common denominator
(``Vector``), so that sums and comparisons are integer operations and no gcd is taken per entry.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from flint import fmpz_mat

from .sequences import Array, listed, objects, refuse_masked
from .strict import parse_rational

#: Integers longer than this many bits (about 1000 decimal digits) are written in hexadecimal.
HEXADECIMAL_ABOVE_BITS = 3321
_INT64_LIMIT = 2**63 - 1
"""The largest int64; larger integers are kept as Python's own."""
_FLOAT_SAFE_BITS = 1000
"""Integers of more bits are scaled before they become doubles, whose largest has 1024 bits; the
rest is room for sums."""

Rational: TypeAlias = int | Fraction | str


def format_integer(value: int) -> str:
    """Decimal text, or hexadecimal (``0x``/``-0x``) beyond about 1000 digits."""
    return hex(value) if value.bit_length() > HEXADECIMAL_ABOVE_BITS else str(value)


def format_rational(value: Fraction | int) -> str:
    """``"p/q"`` in lowest terms, or ``"p"`` when the denominator is one."""
    if value.denominator == 1:
        return format_integer(value.numerator)
    return f"{format_integer(value.numerator)}/{format_integer(value.denominator)}"


def to_fraction(value: object, where: str = "value") -> Fraction:
    """An exact rational from an int, a Fraction, a rational string or a finite float.

    Floats become the dyadic rational they are.  Raises ValueError (naming ``where``) for NaN,
    infinities, malformed text, and types that are no numbers.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{where} is the boolean {value}; give a number")
    if isinstance(value, numbers.Integral):
        return Fraction(int(value))
    if isinstance(value, (float, np.floating)):
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}; every number of a model must be finite")
        return Fraction(float(value))
    if isinstance(value, str):
        return parse_rational(value, where)
    if hasattr(value, "numerator") and hasattr(value, "denominator"):
        return Fraction(int(value.numerator), int(value.denominator))
    if type(value).__module__.startswith("flint"):
        return Fraction(str(value))
    raise ValueError(
        f"{where} is {value!r} ({type(value).__name__}); give an int, a Fraction, "
        'a string "p/q" or a finite float'
    )


def integer_array(values: Any, name: str, *, narrow: bool = False) -> Array:
    """Integers as an int64 array when they all fit, else as an object array of Python ints.

    With ``narrow`` an int32 array when they all fit that.  Raises ValueError naming the first entry
    that is not an integer.
    """
    refuse_masked(values, name)
    array = np.asarray(values)
    if narrow and array.dtype == np.int32:
        return array
    array = _wide_array(array, name)
    return array.astype(np.int32) if narrow and _fits_32(array) else array


def _fits_32(array: Array) -> bool:
    if array.dtype != np.int64:
        return False
    return array.size == 0 or (int(array.min()) >= -(2**31) and int(array.max()) < 2**31)


def _wide_array(array: Array, name: str) -> Array:
    small = array.dtype.kind in "iu" and np.can_cast(array.dtype, np.int64)
    if small or array.size == 0:
        return array.astype(np.int64, copy=False)
    if array.dtype.kind not in "Ou":
        raise ValueError(
            f"{name} has dtype {array.dtype} (first entry {array.flat[0]!r}); it must "
            "hold integers (use model_io.from_arrays for floats and fractions)"
        )
    flat = [_as_integer(value, name, index) for index, value in enumerate(array.ravel().tolist())]
    if max(flat) <= _INT64_LIMIT and min(flat) >= -_INT64_LIMIT:
        return np.array(flat, dtype=np.int64).reshape(array.shape)
    return objects(flat).reshape(array.shape)


def _as_integer(value: object, name: str, index: int) -> int:
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if type(value).__name__ == "fmpz":
        return int(value)  # type: ignore[call-overload,no-any-return]
    raise ValueError(
        f"{name}[{index}] is {value!r} ({type(value).__name__}); it must be an "
        "integer (use model_io.from_arrays for floats and fractions)"
    )


def common_denominator(values: Iterable[Fraction]) -> tuple[list[int], int]:
    """Numerators over the least common denominator, and that denominator."""
    values = list(values)
    bottom = math.lcm(*(value.denominator for value in values))
    return [value.numerator * (bottom // value.denominator) for value in values], bottom


@dataclass(frozen=True, slots=True)
class Vector:
    """A rational vector ``numerators / denominator`` with one positive common denominator.

    Entries read as Fractions; the pair need not be in lowest terms.  Equality is exact equality of
    the rational entries.
    """

    numerators: tuple[int, ...]
    denominator: int = 1

    def __post_init__(self) -> None:
        if self.denominator <= 0:
            raise ValueError(f"denominator is {self.denominator}; it must be positive")

    @classmethod
    def of(cls, values: Iterable[Rational]) -> Vector:
        """The vector of any rationals (ints, Fractions, rational strings, finite floats)."""
        numerators, bottom = common_denominator(
            to_fraction(value, f"entry {index}")
            for index, value in enumerate(listed(values, "a vector"))
        )
        return cls(tuple(numerators), bottom)

    def __len__(self) -> int:
        return len(self.numerators)

    def __getitem__(self, index: int) -> Fraction:
        return Fraction(self.numerators[index], self.denominator)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vector):
            return NotImplemented
        left, right = self.denominator, other.denominator
        return len(self) == len(other) and all(
            a * right == b * left for a, b in zip(self.numerators, other.numerators, strict=True)
        )

    def __hash__(self) -> int:
        return hash((len(self), self[0] if self.numerators else 0))

    def fractions(self) -> tuple[Fraction, ...]:
        """All entries in lowest terms."""
        return tuple(Fraction(value, self.denominator) for value in self.numerators)

    def floats(self) -> Array:
        """All entries correctly rounded to double precision."""
        return np.array([value / self.denominator for value in self.numerators], dtype=float)

    def dot(self, integers: Sequence[int], denominator: int = 1) -> Fraction:
        """Inner product with ``integers / denominator``."""
        total = sum(a * b for a, b in zip(self.numerators, integers, strict=True))
        return Fraction(total, self.denominator * denominator)

    def to_json(self) -> dict[str, Any]:
        """``{"denominator": "D", "numerators": ["n", ...]}`` with rational strings."""
        return {
            "denominator": format_integer(self.denominator),
            "numerators": [format_integer(value) for value in self.numerators],
        }


class SingularMatrixError(ValueError):
    """The exact linear system has no unique solution."""


def solve_integer_system(
    rows: list[list[int]], right: Sequence[int], *, transposed: bool = False
) -> Vector:
    """The exact solution of ``rows x = right`` (or of the transposed system), by FLINT.

    Raises SingularMatrixError when the matrix is singular.
    """
    matrix = fmpz_mat(rows)
    return solve_flint_system(matrix.transpose() if transposed else matrix, right)


def solve_flint_system(matrix: fmpz_mat, right: Sequence[int]) -> Vector:
    """The same for a matrix that is already FLINT's."""
    try:
        solution = matrix.solve(fmpz_mat(len(right), 1, list(right)))
    except ZeroDivisionError as problem:
        raise SingularMatrixError(
            f"the {matrix.nrows()} x {matrix.ncols()} matrix is singular; "
            "choose another basis or policy"
        ) from problem
    top, bottom = solution.numer_denom()  # type: ignore[attr-defined,unused-ignore]
    return Vector(tuple(map(int, top.entries())), int(bottom))


def floats_of(values: Sequence[int]) -> Array:
    """Integers of any size as doubles, divided by one power of two when they would overflow."""
    bits = max((value.bit_length() for value in values), default=0)
    if bits <= _FLOAT_SAFE_BITS:
        return np.array(values, dtype=float)
    scale = 1 << bits
    return np.array([value / scale for value in values], dtype=float)
