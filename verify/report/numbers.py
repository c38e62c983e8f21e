"""Numbers for people: long rationals shortened in the middle, and decimals beside them."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from typing import TypeAlias

from ..binding.description import decimal_text, is_exactly
from ..kernel import Enclosure, parse_rational

Number: TypeAlias = Fraction | int | Enclosure | str

DASH = "\N{EN DASH}"
"""Stands where there is no number."""

ALMOST = "\N{ALMOST EQUAL TO}"
"""Stands between a number and its rounded decimal."""

_MOST_DIGITS = 17
"""Digits up to which the ends of an enclosure are told apart: as many as a double has."""


def shorten(text: str, width: int = 25) -> str:
    """A rational or ``lo..hi`` with the middle of long integers left out, about `width` wide."""
    if len(text) <= width:
        return text
    for separator in ("..", "/"):
        if separator in text:
            parts = text.split(separator)
            room = (width - len(separator)) // len(parts)
            return separator.join(shorten(part, max(room, 5)) for part in parts)
    keep = max((width - 1) // 2, 2)
    return f"{text[:keep]}…{text[-keep:]}"


def decimal(number: Number, digits: int = 6) -> str:
    """``2/3`` as ``0.666667``, an enclosure as its ends with the digits that tell them apart.

    The ends of an enclosure are rounded outwards, so that what is shown holds the number too.
    Text is a number as findings keep it, a rational or ``lo..hi``; anything else, such as ``about
    3.14``, is returned as it stands.
    """
    ends = _ends(number)
    for precision in range(digits, max(digits, _MOST_DIGITS) + 1):
        shown = [decimal_text(value, precision) for value in ends]
        if len(set(ends)) == 1:
            return shown[0]
        if len(set(shown)) > 1:
            low, high = ends
            return (
                f"{decimal_text(low, precision, ROUND_FLOOR)} to "
                f"{decimal_text(high, precision, ROUND_CEILING)}"
            )
    return f"{shown[0]} (to {precision} digits)" if ends else str(number)


def beside(number: Number, digits: int = 6) -> str:
    """What stands beside a fraction: ``= 3.5``, or `ALMOST` and what it is rounded to.

    Nothing stands beside a whole number that is shown in full.
    """
    shown, ends = decimal(number, digits), set(_ends(number))
    if str(number) == shown:
        return ""
    left_out = len(ends) == 1 and not all(is_exactly(shown, end) for end in ends)
    return f"{ALMOST if left_out else '='} {shown}"


def rough(number: Number, digits: int = 6) -> str:
    """One decimal where the ends of an enclosure agree to that many digits, else as `decimal`."""
    shown = {decimal_text(value, digits) for value in _ends(number)}
    return shown.pop() if len(shown) == 1 else decimal(number, digits)


def brief(text: str, width: int = 8) -> str:
    """The rational itself if it fits, its decimal otherwise."""
    return text if len(text) <= width else decimal(text, 3)


def rounded(number: float | None, digits: int = 4) -> str:
    """A float for display, or a dash."""
    return DASH if number is None else f"{number:.{digits}g}"


_TIMES = (("s", "min", 60, 60), ("min", "h", 60, 48), ("h", "days", 24, 100))
"""A unit of time, the next one, how many make one of it, and up to how many of it are shown so."""


def duration(seconds: float) -> str:
    """``0.12 s``, ``12 s``, ``2 min 05 s``, ``3 h 20 min``, ``4 days 03 h`` or ``2.5 years``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    amount = int(seconds)
    for less, more, size, until in _TIMES:
        amount, rest = divmod(amount, size)
        if amount < until:
            return f"{amount} {more} {rest:02d} {less}"
    return f"{amount} days" if amount < 730 else f"{amount / 365.25:,.1f} years"


def _ends(number: Number) -> tuple[Fraction, ...]:
    """Both ends of an enclosure, a number once; nothing where text is not a number."""
    if isinstance(number, Enclosure):
        return number.lo, number.hi
    if not isinstance(number, str):
        return (Fraction(number),)
    try:
        return tuple(map(parse_rational, number.split("..")))
    except ValueError:
        return ()


def count(number: int, noun: str) -> str:
    """``1 model``, ``2 models``, ``1,000 models``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
