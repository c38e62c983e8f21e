"""Enclosures of real numbers, comparisons of them, and the verdicts that others base on these."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import partialmethod
from operator import add, mul, sub, truediv
from typing import NoReturn

from .documents import array
from .exact import effort, format_rational, rational, require, show, size, spend


class _NoTruthValue(Enum):
    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self} has no truth value: write `answer is {type(self).__name__}.NAME`")


class Comparison(_NoTruthValue):
    """What two enclosures say about a relation between the numbers inside them."""

    TRUE = "true of every pair of numbers in the enclosures"
    FALSE = "false of every pair of numbers in the enclosures"
    UNKNOWN = "undecided, for the enclosures overlap: narrow them, as by more precision"


class Verdict(_NoTruthValue):
    """What an examination of a statement found; the value says what it means or what to do."""

    HOLDS = "not refuted on the models examined; this is no proof for all models"
    AGREES = "both sides of an identity agree to so many bits: evidence, no proof or refutation"
    TIGHT = "not refuted, and attained with equality on a model that is kept as witness"
    VIOLATED = "false on a concrete model: read the counterexample, then repair the statement"
    UNDECIDED = "the enclosures overlap: raise the precision or the sample size"
    VACUOUS = (
        "not stronger than what holds trivially, or no model met the assumptions; widen the family"
    )
    OUT_OF_SCOPE = "the statement does not apply to this model: check its assumptions"


@dataclass(frozen=True, slots=True, repr=False)
class Enclosure:
    """A real number in [lo, hi], except with probability `alpha`; arithmetic adds the alphas."""

    lo: Fraction
    hi: Fraction
    alpha: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        parts = self.lo, self.hi, self.alpha
        valid = all(isinstance(x, Fraction) for x in parts) and self.lo <= self.hi
        require(valid and 0 <= self.alpha <= 1, " needs Fractions lo <= hi, 0 <= alpha <= 1", parts)

    @classmethod
    def exact(cls, value: Fraction | int) -> "Enclosure":
        """The enclosure that knows the number."""
        number = value + Fraction(0)
        return cls(number, number)

    def __str__(self) -> str:
        return "..".join(map(format_rational, dict.fromkeys((self.lo, self.hi))))

    def __repr__(self) -> str:
        """Short, and of numbers of any length: Python refuses to write long ones as decimals."""
        return f"Enclosure({show(self)}, alpha={show(self.alpha)})"

    def bits(self) -> int:
        """Of the longer end."""
        return max(size(self.lo), size(self.hi))

    def combine(self, operation: Callable[..., Fraction], other: "Enclosure") -> "Enclosure":
        """Of operation(x, y), for an operation that is monotone in each argument."""
        pairs = [(a, b) for a in {self.lo, self.hi} for b in {other.lo, other.hi}]
        spend(4 + 3 * len(pairs) * effort(self.bits(), other.bits()))
        ends = [operation(a, b) for a, b in pairs]
        return Enclosure(min(ends), max(ends), min(Fraction(1), self.alpha + other.alpha))

    __add__, __sub__ = partialmethod(combine, add), partialmethod(combine, sub)
    __mul__ = partialmethod(combine, mul)

    def __truediv__(self, other: "Enclosure") -> "Enclosure":
        require(other.lo > 0 or other.hi < 0, "division by what may be zero", other)
        return self.combine(truediv, other)

    def __neg__(self) -> "Enclosure":
        return Enclosure(-self.hi, -self.lo, self.alpha)

    def __abs__(self) -> "Enclosure":
        return Enclosure(max(Fraction(0), self.lo, -self.hi), max(-self.lo, self.hi), self.alpha)

    def contains(self, other: "Enclosure") -> bool:
        """Whether the interval of the other lies within this one."""
        spend(2 * effort(self.bits(), other.bits()))
        return self.lo <= other.lo and other.hi <= self.hi

    def must_contain(self, other: "Enclosure", what: str) -> None:
        """Raise unless this claimed enclosure contains the one found."""
        require(self.contains(other), f"{show(self)} is not the {what}", other)


def compare(left: Enclosure, operator: str, right: Enclosure) -> Comparison:
    """Is `left operator right`? Wrong with at most the sum of the two alphas."""
    spend(4 * effort(left.bits(), right.bits()))
    low, below = left.hi <= right.lo, left.hi < right.lo
    high, above = left.lo >= right.hi, left.lo > right.hi
    answers = {"<=": (low, above), "<": (below, high), ">=": (high, below), ">": (above, low)}
    answers |= {"==": (low and high, below or above), "!=": (below or above, low and high)}
    require(operator in answers, f"operator is none of {' '.join(answers)}", operator)
    always, never = answers[operator]
    return Comparison.TRUE if always else Comparison.FALSE if never else Comparison.UNKNOWN


def claimed(value: object) -> Enclosure:
    """A number claimed exactly as "p/q", or within ["lo", "hi"]."""
    ends = value if isinstance(value, list | tuple) else [value, value]
    return Enclosure(*array(rational, 2)(ends))
