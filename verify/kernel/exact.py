"""What is known of numbers: rationals read from JSON text, vectors, enclosures, verdicts."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import lcm
from typing import Any, NoReturn

Parser = Callable[[Any], Any]
_INTEGER = r"-?(?:0x[0-9a-fA-F]+|[0-9]+)"
_RATIONAL = rf"{_INTEGER}(?:/(?!-|(?:0x)?0+$){_INTEGER})?"

class Rejected(ValueError):
    """A document fails here: `reason` says where and why, `value` is the text of what was found."""
    def __init__(self, reason: str, value: object) -> None:
        self.reason, self.value = reason, show(value)
        super().__init__(f"{self.reason}: {self.value}")

def require(condition: bool, reason: str, value: object) -> None:
    """Raise Rejected unless the condition holds."""
    if not condition:
        raise Rejected(reason, value)

def format_rational(value: Fraction | int) -> str:
    """Text that `parse_rational` reads back exactly; hexadecimal beyond 3300 bits."""
    parts = [str(n) if n.bit_length() <= 3300 else hex(n) for n in value.as_integer_ratio()]
    return parts[0] if parts[1] == "1" else "/".join(parts)

def show(value: object) -> str:
    """Text of a value for a message: in full when short, else its beginning and its length."""
    text = format_rational(value) if isinstance(value, Fraction) else str(value)
    return text if len(text) <= 200 else f"{text[:160]}... ({len(text)} characters)"

def parse_integer(value: Any) -> int:
    """An int, or text like "-12" or "0x1f"."""
    if type(value) is not int and not (isinstance(value, str) and re.fullmatch(_INTEGER, value)):
        raise Rejected(" is not an integer", value)
    return value if type(value) is int else int(value, 16 if "x" in value else 10)

def parse_rational(value: Any) -> Fraction:
    """The Fraction written "p" or "p/q" with q > 0; text only, so no float can slip in."""
    if not (isinstance(value, str) and re.fullmatch(_RATIONAL, value)):
        raise Rejected(' is not a rational string "p/q" with q > 0 (floats are refused)', value)
    return Fraction(*map(parse_integer, value.split("/")))

def located(where: str, parse: Parser, value: object) -> Any:
    """parse(value), with `where` put before the reason of a rejection."""
    try:
        return parse(value)
    except Rejected as error:
        raise Rejected(where + error.reason, error.value) from None

def array(parse: Parser, length: int | None = None) -> Parser:
    """Parser of JSON arrays of such entries."""
    def parse_array(value: Any) -> list[Any]:
        fits = isinstance(value, list | tuple) and length in (None, len(value))
        require(fits, f" is not an array of {'' if length is None else length} entries", value)
        return [located(f"[{i}]", parse, entry) for i, entry in enumerate(value)]
    return parse_array

def record(**parsers: Parser) -> Parser:
    """Parser of JSON objects with these fields and perhaps `notes`, which are never read."""
    def parse_record(value: Any) -> list[Any]:
        require(isinstance(value, dict), " is not an object", value)
        wrong = sorted(map(str, (value.keys() - {"notes"}) ^ parsers.keys()))
        require(not wrong, " lacks or must not have the keys", wrong)
        return [located(f".{key}", parse, value[key]) for key, parse in parsers.items()]
    return parse_record

@dataclass(frozen=True, slots=True)
class Vector:
    """The rationals numerators[i] / denominator, with one positive denominator."""
    numerators: list[int]
    denominator: int = 1
    def __getitem__(self, index: int) -> Fraction:
        return Fraction(self.numerators[index], self.denominator)
    def dot(self, other: "Vector") -> Fraction:
        """Exact inner product."""
        total = sum(a * b for a, b in zip(self.numerators, other.numerators, strict=True))
        return Fraction(total, self.denominator * other.denominator)
    def check(self, name: str, length: int, sign: int = 0, total: int | None = None) -> None:
        """Raise unless there are `length` entries, >= 0 if sign is 1, with sum total if given."""
        found, summed = len(self.numerators), sum(self.numerators)
        require(found == length, f"{name} must have {length} entries, found", found)
        for i, n in enumerate(self.numerators):
            if sign * n < 0:
                raise Rejected(f"{name}[{i}] is negative", self[i])
        if total is not None and summed != total * self.denominator:
            raise Rejected(f"{name} has sum", Fraction(summed, self.denominator))

def vector(numbers: list[Fraction]) -> Vector:
    """The numbers over their least common denominator."""
    common = lcm(*(x.denominator for x in numbers))
    return Vector([x.numerator * (common // x.denominator) for x in numbers], common)

def parse_vector(value: object) -> Vector:
    """["p/q", ...] or {"denominator": "D", "numerators": ["n", ...]}."""
    if not isinstance(value, dict):
        return vector(array(parse_rational)(value))
    common, numerators = record(denominator=parse_integer, numerators=array(parse_integer))(value)
    require(common > 0, ".denominator is not positive", common)
    return Vector(numerators, common)

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
    TIGHT = "not refuted, and attained with equality on a model that is kept as witness"
    VIOLATED = "false on a concrete model: read the counterexample, then repair the statement"
    UNDECIDED = "the enclosures overlap: raise the precision or the sample size"
    VACUOUS = "no model met the assumptions: widen the family or weaken the assumptions"
    OUT_OF_SCOPE = "the statement does not apply to this model: check its assumptions"

@dataclass(frozen=True, slots=True)
class Enclosure:
    """A real number in [lo, hi], except with probability `alpha`; arithmetic adds the alphas."""
    lo: Fraction
    hi: Fraction
    alpha: Fraction = Fraction(0)
    def __post_init__(self) -> None:
        parts = self.lo, self.hi, self.alpha
        require(all(isinstance(x, Fraction) for x in parts), " needs Fractions, not", parts)
        require(self.lo <= self.hi, " needs lo <= hi, not", f"{show(self.lo)}..{show(self.hi)}")
        require(0 <= self.alpha <= 1, " needs alpha in [0, 1], not", self.alpha)
    @classmethod
    def exact(cls, value: Fraction | int) -> "Enclosure":
        """The enclosure that knows the number."""
        return cls(value + Fraction(0), value + Fraction(0))
    @property
    def width(self) -> Fraction:
        """hi - lo."""
        return self.hi - self.lo
    @property
    def is_exact(self) -> bool:
        """One number, known for certain."""
        return self.lo == self.hi and self.alpha == 0
    def __str__(self) -> str:
        low, high = format_rational(self.lo), format_rational(self.hi)
        return low if low == high else f"{low}..{high}"
    def hull(self, other: "Enclosure", *candidates: Fraction) -> "Enclosure":
        """Of the candidates, with the alphas of both."""
        alpha = min(Fraction(1), self.alpha + other.alpha)
        return Enclosure(min(candidates), max(candidates), alpha)
    def __add__(self, other: "Enclosure") -> "Enclosure":
        return self.hull(other, self.lo + other.lo, self.hi + other.hi)
    def __neg__(self) -> "Enclosure":
        return Enclosure(-self.hi, -self.lo, self.alpha)
    def __sub__(self, other: "Enclosure") -> "Enclosure":
        return self + -other
    def __mul__(self, other: "Enclosure") -> "Enclosure":
        pairs = {(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)}
        return self.hull(other, *(a * b for a, b in pairs))
    def __truediv__(self, other: "Enclosure") -> "Enclosure":
        require(other.lo > 0 or other.hi < 0, "division by what may be zero", other)
        return self * Enclosure(1 / other.hi, 1 / other.lo, other.alpha)
    def __abs__(self) -> "Enclosure":
        return Enclosure(max(Fraction(0), self.lo, -self.hi), max(-self.lo, self.hi), self.alpha)
    def must_contain(self, found: "Enclosure", what: str) -> None:
        """Raise unless this claimed enclosure contains the one found."""
        inside = self.lo <= found.lo and found.hi <= self.hi
        require(inside, f"the value claimed, {self}, does not contain the {what}", found)

def compare(left: Enclosure, operator: str, right: Enclosure) -> Comparison:
    """Is `left operator right`? Wrong with at most the sum of the two alphas."""
    at_most, above = left.hi <= right.lo, left.lo > right.hi
    at_least, below = right.hi <= left.lo, right.lo > left.hi
    same = left.lo == left.hi == right.lo == right.hi
    answers = {"<=": (at_most, above), ">": (above, at_most), ">=": (at_least, below)}
    answers |= {"<": (below, at_least), "==": (same, above or below), "!=": (above or below, same)}
    require(operator in answers, f"operator is none of {' '.join(answers)}", operator)
    always, never = answers[operator]
    return Comparison.TRUE if always else Comparison.FALSE if never else Comparison.UNKNOWN

def parse_value(value: object) -> Enclosure:
    """A number claimed exactly as "p/q", or within ["lo", "hi"]."""
    ends = array(parse_rational, 2)(value) if isinstance(value, list) else [parse_rational(value)] * 2
    return Enclosure(*ends)
