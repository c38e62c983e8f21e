"""Numbers on the command lines of ``poison`` and ``poison-synthetic``: strict, and bounded."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import click

from ...terminal.options import refuse_repeated

COUNT_LIMIT = 10**9
"""Of a number of features, pairs or copies: far more than fits into memory."""
_LONGEST = 1000
"""Characters of a list of numbers, or of a share."""
_SHARE = re.compile(r"[0-9]+(/[0-9]+|\.[0-9]*)?|\.[0-9]+|[0-9.]+e-?[0-9]{1,2}")


def whole_numbers(text: str, name: str) -> tuple[int, ...]:
    """``8,32`` as numbers in order; raises click.BadParameter."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch("[0-9]+", part) for part in parts) or len(text) > _LONGEST:
        raise click.BadParameter(f"{name} {_cut(text)}: write whole numbers such as 8,32,128")
    numbers = sorted(map(int, parts))
    if numbers[0] < 1:
        raise click.BadParameter(f"{name} {_cut(text)}: {numbers[0]} is below 1")
    if numbers[-1] > COUNT_LIMIT:
        raise click.BadParameter(
            f"{name} {_cut(text)}: {_cut(str(numbers[-1]))} is above {COUNT_LIMIT:,}"
        )
    refuse_repeated(numbers, name)
    return tuple(numbers)


def share(text: str, name: str) -> Fraction:
    """``1/20``, ``0.05`` or ``5e-2``, above 0 and at most 1, exact; raises click.BadParameter."""
    word = text.strip()
    try:
        value = Fraction(word) if len(word) < _LONGEST and _SHARE.fullmatch(word) else None
    except (ValueError, ZeroDivisionError):
        value = None
    if value is None:
        raise click.BadParameter(
            f"{name} is {_cut(text)}; write a rational number such as 3/4 or 0.75"
        )
    if not 0 < value <= 1:
        raise click.BadParameter(
            f"{name} is {_cut(word)}; give a share of the pairs, above 0 and at most 1"
        )
    return value


class Positive(click.ParamType):
    """A finite number above zero, or from zero where `zero`, in the digits 0 to 9."""

    name = "float"

    def __init__(self, zero: bool = False) -> None:
        self.zero = zero

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number; fails with the value and what is right."""
        text = str(value).strip()
        right = re.fullmatch(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,4})?", text.lower())
        number = float(text) if right else math.nan
        if not (math.isfinite(number) and (number > 0 or (self.zero and number == 0))):
            low = "zero or more" if self.zero else "above zero"
            self.fail(
                f"{_cut(text)} is not a finite number {low}; write one such as 0.001", param, ctx
            )
        return number


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}... ({len(text)} characters)")
