"""Numbers as they are printed: an interval that holds what was printed, and arithmetic on these.

A writer rounds a column to so many decimals, or to so many digits.  Half a unit of the last place,
the coarser of the two where the column leaves it open, is all that is lost, and no other tolerance
is used; a float of the program itself is known to half a unit in the last place of its type.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import flint

from ...errors import ModelError

DOUBLE = Fraction(1, 2**53)
"""Half a unit in the last place of a double, relative to its size."""
SINGLE = Fraction(1, 2**24)
"""The same of float32, in which PyTorch trains and TensorBoard writes."""
Lost = Literal["printing", "type", "nothing"]
HALF = Fraction(1, 2**11)
"""The same of float16."""
BRAIN = Fraction(1, 2**8)
"""The same of bfloat16."""
PRECISIONS = {"float64": DOUBLE, "float32": SINGLE, "float16": HALF, "bfloat16": BRAIN}
"""Name of a type -> half a unit in its last place."""
_LONGEST = 400
"""Characters of a number, and the largest exponent: no double needs more."""
_LARGEST, _LEAST = Fraction(10) ** 100, Fraction(1, 2**1075)
"""What is larger has diverged, and its square is beyond doubles; below the other, doubles are 0."""
_STEEPEST = 2000
"""Argument of an exponential: e to this is beyond every double, even times the least of them."""
_BITS = 160
"""Of square roots, exponentials and sums: three times those of a double, so that they lose nothing
that a log could show."""
_NUMBER = re.compile(r"([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class Interval:
    """A real number between two rationals, both included."""

    low: Fraction
    high: Fraction

    @classmethod
    def of(cls, value: Fraction | int) -> Interval:
        """A number that is known exactly."""
        return cls(Fraction(value), Fraction(value))

    @property
    def size(self) -> Fraction:
        """The largest absolute value in it."""
        return max(abs(self.low), abs(self.high))

    @property
    def middle(self) -> float:
        """For printing."""
        return float_of((self.low + self.high) / 2)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def over(self, other: Interval) -> Interval | None:
        """The quotient; None where the divisor may be 0."""
        if other.low <= 0 <= other.high:
            return None
        return self * Interval(1 / other.high, 1 / other.low)

    def times(self, factor: Fraction | int) -> Interval:
        """The multiple by an exact number."""
        return self * Interval.of(factor)

    def clipped(self, least: Fraction | None, most: Fraction | None) -> Interval:
        """What becomes of it when it is cut off below and above."""
        low, high = self.low, self.high
        if least is not None:
            low, high = max(low, least), max(high, least)
        if most is not None:
            low, high = min(low, most), min(high, most)
        return Interval(low, high)

    def widened(self, by: Fraction) -> Interval:
        """Both ends moved outwards."""
        return Interval(self.low - by, self.high + by)

    def trimmed(self) -> Interval:
        """An interval around it whose ends are short: those of sums would grow without end."""
        return Interval(
            Fraction(math.floor(self.low * 2**_BITS), 2**_BITS),
            Fraction(math.ceil(self.high * 2**_BITS), 2**_BITS),
        )

    def meets(self, other: Interval) -> bool:
        """Whether one number may be both."""
        return self.low <= other.high and other.low <= self.high

    def may_be_of(self, unit: Fraction) -> bool:
        """Whether a float of the type with this half a unit in the last place lies in it."""
        if self.low <= 0 <= self.high:
            return True
        power = self.size.numerator.bit_length() - self.size.denominator.bit_length() + 1
        grid = Fraction(2) ** power * unit  # of the largest: at least as coarse as of the others
        if self.size < Fraction(2) ** (power - 1):
            grid /= 2
        return math.floor(self.high / grid) * grid >= self.low

    def root(self) -> Interval:
        """The square root of a number that is not negative."""
        return Interval(_root(max(self.low, Fraction(0)), 0), _root(self.high, 1))

    def exponential(self) -> Interval:
        """The exponential; beyond every float where it is."""
        return Interval(_exponential(self.low)[0], _exponential(self.high)[1])


def float_of(value: Fraction) -> float:
    """The nearest float, for printing; the largest where it is beyond them."""
    try:
        return float(value)
    except OverflowError:
        return sys.float_info.max if value > 0 else -sys.float_info.max


def _root(value: Fraction, up: int) -> Fraction:
    scaled = value.numerator * value.denominator << 2 * _BITS
    root = math.isqrt(scaled)
    root += up if root * root < scaled else 0
    return Fraction(root, value.denominator << _BITS)


def _exponential(value: Fraction) -> tuple[Fraction, Fraction]:
    if value < -_STEEPEST:
        return Fraction(0), Fraction(1, 2**_STEEPEST)
    value = min(value, Fraction(_STEEPEST))
    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        ball = flint.arb(flint.fmpq(value.numerator, value.denominator)).exp()
        return _dyadic(ball.lower()), _dyadic(ball.upper())
    finally:
        flint.ctx.prec = before


def _dyadic(number: flint.arb) -> Fraction:
    mantissa, exponent = number.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def printed(
    texts: Sequence[str], name: str, rows: Sequence[int], unit: Fraction = DOUBLE,
    lost: Lost = "printing",
) -> list[Interval]:  # fmt: skip
    """The numbers of a column, each with what its printing may have lost.

    rows: where each stands, for messages; unit: of the type that was printed, `DOUBLE` or `SINGLE`;
    lost: what writing has lost: digits, what the type loses, or nothing.

    Raises ModelError for what is no number, for NaN and for infinities, with the row.
    """
    parts = [_parsed(text, name, row) for text, row in zip(texts, rows, strict=True)]
    if lost == "nothing":
        return [Interval.of(value) for value, _, _ in parts]
    halves = _halves(texts, parts) if lost == "printing" else [Fraction(0)] * len(parts)
    return [
        Interval(value - half, value + half).widened(unit * abs(value))
        for (value, _, _), half in zip(parts, halves, strict=True)
    ]


def stored(values: Iterable[Interval]) -> Fraction:
    """Half a unit in the last place of the smallest type that has a number in each of these: the
    one, at worst, that a program has stored them in; 0 if there is none."""
    known = list(values)
    types = sorted(PRECISIONS.values(), reverse=True)
    return next((unit for unit in types if all(x.may_be_of(unit) for x in known)), Fraction(0))


def graded(texts: Sequence[str], name: str, rows: Sequence[int]) -> list[Interval]:
    """Numbers that may be grades, such as 0, 0.5 and 1, which are what is printed, to the last
    digit; else as `printed`.

    Grades are several multiples of 1/2, or at most a third of the different numbers needs the last
    digit that the column has: of numbers that were rounded to it nine in ten do.
    Raises ModelError as `printed`.
    """
    parts = {part[0]: part for part in map(_parsed, texts, [name] * len(texts), rows)}
    places, digits = (max(part[k] for part in parts.values()) for k in (1, 2))
    full = [
        value * Fraction(10) ** (places - 1) % 1 != 0 or (count == digits and digits > 2)
        for value, _, count in parts.values()
    ]
    several = len(parts) > 1 or not places  # a lone 0.00 may be anything that is small
    halves = all(2 * value % 1 == 0 for value in parts)
    if several and (halves or 3 * sum(full) <= len(parts)):
        return printed(texts, name, rows, lost="nothing")
    return printed(texts, name, rows, Fraction(0))


_UNROUNDED = 15
"""Digits of a shortest text: 15 to 17 of nearly every double; who rounds keeps fewer, as a rule."""
_SINGLE_DIGITS = range(6, 10)
"""Digits of the longest of some shortest texts of float32, of which most have 7 to 9."""


def _halves(texts: Sequence[str], parts: Sequence[tuple[Fraction, int, int]]) -> list[Fraction]:
    """What each number may have lost: one writer has written the whole column.

    The same decimals throughout: rounded to these.  A number such as 2.0, decimals that differ, and
    somewhere as many digits as only floats have that were not rounded: the shortest text of each
    float, which loses nothing but what its type does.  Else zeros at the end
    were left out, and either the most decimals or the most digits were kept: the coarser of both,
    and half a unit in the last place of a float32 where these may be shortest texts of such.
    """
    decimals = max((places for _, places, _ in parts), default=0)
    digits = max((count for _, _, count in parts), default=0)
    if len({places for _, places, _ in parts}) == 1:
        return [Fraction(1, 2 * 10**decimals)] * len(parts)
    if digits >= _UNROUNDED and any(text.strip().endswith(".0") for text in texts):
        return [Fraction(0)] * len(parts)
    last = Fraction(1, 2 * 10**decimals)
    coarse = [
        Fraction(10) ** (_exponent(abs(v)) - digits + 1) / 2 if v else last for v, *_ in parts
    ]
    unit = SINGLE if digits in _SINGLE_DIGITS else Fraction(0)
    return [max(last, one, unit * abs(v)) for one, (v, *_) in zip(coarse, parts, strict=True)]


def exact_number(text: str, name: str) -> Fraction:
    """The rational that a decimal is; raises ModelError for anything else."""
    return _parsed(text, name, None)[0]


def _parsed(text: str, name: str, row: int | None) -> tuple[Fraction, int, int]:
    """Value, decimals, and significant digits (zeros at the end do not count)."""
    word, place = text.strip(), name if row is None else f"row {row} of {name}"
    found = _NUMBER.fullmatch(word) if len(word) <= _LONGEST else None
    if found is None or not (found[2] or found[3]):
        raise ModelError(
            f"{place} is {word[:40]!r}, which is no finite number; leave such rows out, or name "
            "another column"
        )
    whole, fraction, exponent = found[2], found[3], int(found[4] or 0)
    value = Fraction(0)
    if (whole + fraction).strip("0"):
        exponent = max(min(exponent, 2 * _LONGEST), -2 * _LONGEST)  # so far out is refused at once
        value = Fraction(int(whole + fraction)) * Fraction(10) ** (exponent - len(fraction))
    if value and not _LEAST < value <= _LARGEST:
        beyond = "above 1e100" if value > 1 else "so near 0 that no double holds it"
        raise ModelError(f"{place} is {word[:40]!r}, which is {beyond}; scale the numbers")
    digits = (whole + fraction).strip("0")
    return (-value if found[1] == "-" else value), max(len(fraction) - exponent, 0), len(digits)


def _exponent(value: Fraction) -> int:
    """The power of ten of the first digit."""
    guess = len(str(value.numerator)) - len(str(value.denominator))
    return guess if value >= Fraction(10) ** guess else guess - 1
