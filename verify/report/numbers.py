"""Numbers for people: long rationals shortened in the middle, and decimals beside them."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from ..kernel import parse_rational

DASH = "\N{EN DASH}"
"""Stands where there is no number."""

_MOST_DIGITS = 17


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


def decimal(text: str, digits: int = 6) -> str:
    """``2/3`` as ``0.666667``, ``lo..hi`` as its ends with the digits that tell them apart.

    Anything else, such as ``about 3.14``, is returned as it stands.
    """
    values = [_parsed(end) for end in text.split("..")]
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values):
        return text
    while True:
        shown = [_decimal(value, digits) for value in numbers]
        if len(set(numbers)) == 1:
            return shown[0]
        if len(set(shown)) > 1:
            return " to ".join(shown)
        if digits >= _MOST_DIGITS:
            return f"{shown[0]} (to {digits} digits)"
        digits += 1


def rough(text: str, digits: int = 6) -> str:
    """One decimal where the ends of ``lo..hi`` agree to that many digits, else as `decimal`."""
    values = [_parsed(end) for end in text.split("..")]
    shown = {text if value is None else _decimal(value, digits) for value in values}
    return shown.pop() if len(shown) == 1 else decimal(text, digits)


def brief(text: str, width: int = 8) -> str:
    """The rational itself if it fits, its decimal otherwise."""
    return text if len(text) <= width else decimal(text, 3)


def rounded(number: float | None, digits: int = 4) -> str:
    """A float for display, or a dash."""
    return DASH if number is None else f"{number:.{digits}g}"


def duration(seconds: float) -> str:
    """``0.12 s``, ``12 s`` or ``2 min 05 s``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def _parsed(text: str) -> Fraction | None:
    try:
        return parse_rational(text)
    except ValueError:
        return None


def _decimal(value: Fraction, digits: int) -> str:
    context = Context(prec=digits)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize()
    return f"{quotient:f}" if -5 <= quotient.adjusted() <= 9 else f"{quotient:e}"


def count(number: int, noun: str) -> str:
    """``1 model``, ``2 models``, ``1,000 models``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
