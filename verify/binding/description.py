"""Cases as plain data: for digests, for reports and for the corpus."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import CMDP, Policy

from ..kernel import format_rational
from .values import Ball, Count, Mean, Value

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")
"""Of an object without a ``repr`` of its own: another one each time that the same case is made."""


def describe(thing: Any) -> Any:
    """A JSON document of a case or of any part of it; rationals become strings."""
    if hasattr(thing, "to_dict"):
        return thing.to_dict()
    if isinstance(thing, bool | str | None):
        return thing
    if isinstance(thing, int | Fraction):
        return format_rational(thing)
    if isinstance(thing, np.ndarray):
        return describe(thing.tolist())
    if isinstance(thing, tuple | list):
        return [describe(part) for part in thing]
    if is_dataclass(thing):
        return describe(_fields(thing))
    if isinstance(thing, Mapping):
        return {str(key): describe(value) for key, value in thing.items()}
    return _ADDRESS.sub("", repr(thing))


def _fields(thing: Any) -> dict[str, Any]:
    """What makes two of a kind equal: not the model that a policy knows."""
    return {part.name: getattr(thing, part.name) for part in fields(thing) if part.compare}


def model_of(part: Any) -> CMDP | None:
    """The part of a case itself if it is a constrained MDP, the model of a problem; or None.

    A policy knows its model, but is no problem.
    """
    found = None if isinstance(part, Policy) else getattr(part, "model", part)
    return found if isinstance(found, CMDP) else None


def digest(case: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a case's description."""
    parts = [getattr(part, "digest", None) or describe(part) for part in case]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def value_text(value: Value) -> str:
    """A value as the report and the store show it."""
    if isinstance(value, Ball):
        low = value.compute()
        return f"about {low.str(12, radius=False)}"
    if isinstance(value, Count):
        return f"{value.successes} of {value.trials}"
    if isinstance(value, Mean):
        middle = format_rational(value.total / value.samples)
        return f"mean {middle} of {value.samples}, squares {format_rational(value.squares)}"
    return format_rational(value) if isinstance(value, int | Fraction) else str(value)


def decimal_text(value: Fraction, digits: int, rounding: str = ROUND_HALF_EVEN) -> str:
    """A rational as a decimal of so many digits."""
    context = Context(prec=digits, rounding=rounding)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize()
    return f"{quotient:f}" if -5 <= quotient.adjusted() <= 9 else f"{quotient:e}"


def is_exactly(text: str, value: Fraction) -> bool:
    """Whether a decimal is the rational itself, and not rounded."""
    return Fraction(text) == value
