"""Numbers and JSON from files and command lines: read as written, within bounds, or refused.

The digits are 0 to 9 and nothing is skipped: no underscores, no spaces, no digits of other scripts,
which Python's own readers take.  Lengths are looked at before any arithmetic is done.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from .errors import ModelError

#: Digits of a decimal, and the size of its exponent; longer integers are written in hexadecimal.
DIGITS = 4300
#: Hexadecimal digits of an integer, which are read in linear time.
HEXADECIMAL_DIGITS = 2**20
#: Bits of a vector over one denominator (128 MB): a million numbers of a thousand bits.
VECTOR_BITS = 2**30

_INTEGER = r"(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_QUOTIENT = re.compile(rf"([+-]?)({_INTEGER})(?:/({_INTEGER}))?")
_DECIMAL = re.compile(r"[+-]?(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


def shortened(text: str) -> str:
    """A text as it is quoted in a message."""
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}... ({len(text)} characters)"


def parse_rational(text: str, where: str) -> Fraction:
    """The rational that a text writes: ``3``, ``-3/4``, ``0.75``, ``7.5e-1`` or ``0xff/0x100``.

    Raises ValueError, naming `where`, for anything else and for more than `DIGITS` digits,
    `HEXADECIMAL_DIGITS` in hexadecimal, or a larger exponent.
    """
    if found := _QUOTIENT.fullmatch(text):
        top, bottom = (_integer(part, text, where) for part in (found[2], found[3] or "1"))
        if bottom:
            return Fraction(-top if found[1] == "-" else top, bottom)
    elif found := _DECIMAL.fullmatch(text):
        return _decimal(found, where)
    raise ValueError(
        f'{where} is {shortened(text)}, not a rational; write "p/q" with a nonzero q '
        'or a decimal such as "0.25", in the digits 0 to 9'
    )


def _decimal(found: re.Match[str], where: str) -> Fraction:
    places, power = found[2] or "", found[3] or "0"
    digits = len(found[1]) + len(places)
    if digits > DIGITS or len(power) > 6 or abs(int(power)) > DIGITS:
        raise _too_long(found[0], where)
    return Fraction(found[0])


def _integer(digits: str, text: str, where: str) -> int:
    hexadecimal = digits[:2] in ("0x", "0X")
    if len(digits) > (HEXADECIMAL_DIGITS if hexadecimal else DIGITS):
        raise _too_long(text, where)
    return int(digits, 16 if hexadecimal else 10)


def _too_long(text: str, where: str) -> ValueError:
    return ValueError(
        f"{where} is {shortened(text)}; a number may have {DIGITS} digits and an exponent up to "
        f"{DIGITS}, write a longer integer in hexadecimal (0x..., up to {HEXADECIMAL_DIGITS} "
        "digits) or take another unit"
    )


def bounded_denominator(values: Sequence[Fraction], where: str) -> int:
    """The least common denominator.

    Raises ModelError, naming `where`, when the numbers over it would fill more than `VECTOR_BITS`.
    """
    bottom = 1
    for denominator in {value.denominator for value in values}:
        bottom = math.lcm(bottom, denominator)
        if bottom.bit_length() * len(values) > VECTOR_BITS:
            raise ModelError(
                f"{where} has {len(values)} numbers whose common denominator has more than "
                f"{bottom.bit_length()} bits; round them to denominators that have more in common"
            )
    return bottom


class Written(str):
    """A decimal of a JSON file, as it is written there."""


def strict_json(
    text: str, name: str = "the text", read_float: Callable[[str], Any] = Written
) -> Any:
    """JSON without repeated keys, NaN or infinities; decimals as `read_float` reads them.

    Raises ModelError saying what is wrong, in which line.
    """

    def number(digits: str) -> int:
        if len(digits) > DIGITS:
            raise ModelError(f"{name} {_too_long(digits, 'holds a number that')}")
        return int(digits)

    def decimal(digits: str) -> Any:
        value = read_float(digits)
        if isinstance(value, float) and not math.isfinite(value):
            raise ModelError(f"{name} holds {digits[:60]}, which is beyond all floats")
        return value

    def constant(word: str) -> None:
        raise ModelError(f"{name} holds {word}; every number must be finite")

    try:
        return json.loads(
            text,
            parse_int=number,
            parse_float=decimal,
            parse_constant=constant,
            object_pairs_hook=partial(_without_repeats, name),
        )
    except json.JSONDecodeError as problem:
        raise ModelError(
            f"{name} is not complete JSON: {problem.msg} at line {problem.lineno}, column "
            f"{problem.colno}; write it again"
        ) from problem
    except RecursionError as problem:
        raise ModelError(f"{name} is nested too deeply; write it again") from problem


def _without_repeats(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ModelError(f"{name} has the key {shortened(twice)} twice; leave one out")
    return found
