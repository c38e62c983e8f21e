"""Exact numbers: how a rejection is worded, what work is allowed, rationals as text, vectors.

Nothing here or anywhere in the kernel is a float.
"""

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, TypeVar

T = TypeVar("T")
_INTEGER = r"-?(?:0x[0-9a-fA-F]+|[0-9]+)"
_RATIONAL = re.compile(rf"{_INTEGER}(?:/(?!-|(?:0x)?0+$){_INTEGER})?")


class Rejected(ValueError):
    """A document fails here: `reason` says where and why, `value` is the text of what was found."""

    def __init__(self, reason: str, value: object) -> None:
        self.reason, self.value = printable(reason), show(value)
        super().__init__(f"{self.reason}: {self.value}")


def require(condition: object, reason: str, value: object) -> None:
    """Raise Rejected unless the condition is true."""
    if not condition:
        raise Rejected(reason, value)


def printable(text: str) -> str:
    r"""The text with control characters, surrogates and the like written as escapes (\x1b)."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def show(value: object) -> str:
    """One printable line of text of a value for a message, cut when long."""
    try:
        exact = isinstance(value, int | Fraction) and not isinstance(value, bool)
        text = format_rational(value) if exact else str(value)  # type: ignore[arg-type]
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__} too large to show"
    cut = text if len(text) <= 200 else f"{text[:160]}... ({len(text)} characters)"
    return printable(cut)


# Work: what is charged before it is done, so that a document cannot stall whoever checks it.

_account: ContextVar[list[int] | None] = ContextVar("work that may still be done", default=None)


def with_allowance(units: int, function: Callable[[], T]) -> T:
    """What the function returns, which may spend so many units of work."""
    context = copy_context()
    context.run(_account.set, [units])
    return context.run(function)


def spend(units: int) -> None:
    """Charge work before it is done; raise if that is more than is left. A grant is negative."""
    account = _account.get()
    if account is not None:
        require(
            units <= account[0],
            " needs more work than is allowed (check --budget allows more), units",
            units,
        )
        account[0] -= units


def effort(bits: int, others: int) -> int:
    """Units of work of one product, sum or greatest common divisor of integers so long.

    A unit is about a microsecond: a step of Python, a pass over 2,000 bits, or a share of the
    greatest common divisor of two long integers, which takes quadratic time.
    """
    return 1 + (bits + others >> 11) + (bits * others >> 20)


def size(number: Fraction) -> int:
    """Bits of numerator and denominator together."""
    return number.numerator.bit_length() + number.denominator.bit_length()


# Rationals as text


def format_rational(value: Fraction | int) -> str:
    """Text that `rational` reads back exactly; hexadecimal beyond 3300 bits."""
    parts = [str(n) if n.bit_length() <= 3300 else hex(n) for n in value.as_integer_ratio()]
    return parts[0] if parts[1] == "1" else "/".join(parts)


def integer(value: Any) -> int:
    """An int that is no bool, or text like "-12" or "0x1f" with at most 4300 decimals."""
    if type(value) is int:
        return value
    require(isinstance(value, str) and re.fullmatch(_INTEGER, value), " is not an integer", value)
    if "x" in value:
        return int(value, 16)
    require(len(value) <= 4300, " is long and slow to read, write it as 0x...", value)
    return int(value)


def rational(value: Any) -> Fraction:
    """The Fraction written "p" or "p/q" with q > 0; text only, so no float can slip in."""
    require(isinstance(value, str) and _RATIONAL.fullmatch(value), ' is not "p/q" text', value)
    parts = [integer(part) for part in value.split("/")]
    spend(effort(parts[0].bit_length(), parts[-1].bit_length()))
    return Fraction(*parts)


# Vectors


@dataclass(frozen=True, slots=True)
class Vector:
    """The rationals numerators[i] / denominator, with one positive denominator."""

    numerators: list[int]
    denominator: int = 1

    def __len__(self) -> int:
        return len(self.numerators)

    def __getitem__(self, index: int) -> Fraction:
        return Fraction(self.numerators[index], self.denominator)

    def dot(self, other: "Vector") -> Fraction:
        """The sum of products; both must have the same length."""
        scale, bits = self.denominator * other.denominator, longest(self.numerators)
        other_bits = longest(other.numerators)
        spend(len(self) * effort(bits, other_bits))
        total = sum(a * b for a, b in zip(self.numerators, other.numerators, strict=True))
        spend(effort(bits + other_bits, scale.bit_length()))
        return Fraction(total, scale)

    def require_length(self, name: str, length: int) -> None:
        """Raise unless there are so many entries."""
        require(len(self) == length, f"{name} must have {length} entries, found", len(self))

    def require_positive(self, name: str) -> None:
        """Raise if an entry is negative."""
        for i, numerator in enumerate(self.numerators):
            if numerator < 0:
                raise Rejected(f"{name}[{i}] is negative", self[i])

    def require_distribution(self, name: str) -> None:
        """Raise unless no entry is negative and all sum to 1."""
        self.require_positive(name)
        total = sum(self.numerators)
        require(total == self.denominator, f"{name} has sum", Fraction(total, self.denominator))


def longest(integers: Iterable[int]) -> int:
    """Bits of the longest of some integers."""
    return max(map(int.bit_length, integers), default=0)


def least(numbers: list[Fraction]) -> Fraction:
    """The smallest, 0 of none."""
    bits = longest(x.denominator for x in numbers)
    spend(len(numbers) * effort(longest(x.numerator for x in numbers), bits))
    return min(numbers, default=Fraction(0))


def common_multiple(denominators: Iterable[int]) -> int:
    """The least one of positive integers, 1 of none; each step is charged, for it may be long."""
    common = 1
    for denominator in {*denominators}:
        spend(2 * effort(common.bit_length(), denominator.bit_length()))
        common = lcm(common, denominator)
    return common


def common_vector(numbers: list[Fraction]) -> Vector:
    """The numbers over their least common denominator."""
    common = common_multiple(x.denominator for x in numbers)
    spend(2 * len(numbers) * effort(common.bit_length(), max(map(size, numbers), default=0)))
    return Vector([x.numerator * (common // x.denominator) for x in numbers], common)


def stack(top: Vector, bottom: Vector) -> Vector:
    """The entries of both, over a common denominator."""
    common = common_multiple([top.denominator, bottom.denominator])
    bits = longest(top.numerators + bottom.numerators)
    spend((len(top) + len(bottom)) * effort(common.bit_length(), bits))
    scaled = [n * (common // v.denominator) for v in (top, bottom) for n in v.numerators]
    return Vector(scaled, common)
