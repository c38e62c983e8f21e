"""What is known of numbers: rationals and vectors read from JSON, enclosures, expressions.

Parsers of JSON are named by nouns. An expression is "p/q" | ["symbol", name] | ["div", E, E] |
["add" | "mul" | "max" | "min", E...] | ["pow", E, n] | ["neg" | "abs" | "exp" | "log" | "sqrt", E].
"""

# fmt: off
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import partialmethod, reduce
from math import isqrt, lcm
from operator import add, mul, sub, truediv
from typing import Any, NoReturn

Parser = Callable[[Any], Any]
Bounds = tuple[Fraction, Fraction]
_INTEGER = r"-?(?:0x[0-9a-fA-F]+|[0-9]+)"
_RATIONAL = re.compile(rf"{_INTEGER}(?:/(?!-|(?:0x)?0+$){_INTEGER})?")
_LARGEST_EXPONENT, _LARGEST_POWER = 2**20, 2**22  # the second in bits
anything: Parser = lambda value: value  # noqa: E731
class Rejected(ValueError):
    """A document fails here: `reason` says where and why, `value` is the text of what was found."""
    def __init__(self, reason: str, value: object) -> None:
        self.reason, self.value = reason, show(value)
        super().__init__(f"{self.reason}: {self.value}")
def require(condition: object, reason: str, value: object) -> None:
    if not condition:
        raise Rejected(reason, value)
def format_rational(value: Fraction | int) -> str:
    """Text that `rational` reads back exactly; hexadecimal beyond 3300 bits."""
    parts = [str(n) if n.bit_length() <= 3300 else hex(n) for n in value.as_integer_ratio()]
    return parts[0] if parts[1] == "1" else "/".join(parts)
def show(value: object) -> str:
    """Text of a value for a message, cut when long."""
    text = format_rational(value) if isinstance(value, Fraction) else str(value)
    return text if len(text) <= 200 else f"{text[:160]}... ({len(text)} characters)"
def integer(value: Any) -> int:
    """An int, or text like "-12" or "0x1f"."""
    if type(value) is int:
        return value
    require(isinstance(value, str) and re.fullmatch(_INTEGER, value), " is not an integer", value)
    return int(value, 16 if "x" in value else 10)
def rational(value: Any) -> Fraction:
    """The Fraction written "p" or "p/q" with q > 0; text only, so no float can slip in."""
    require(isinstance(value, str) and _RATIONAL.fullmatch(value), ' is not "p/q" text', value)
    return Fraction(*map(integer, value.split("/")))
def located(where: str, parse: Parser, value: object) -> Any:
    """parse(value), with `where` put before the reason of a rejection."""
    try:
        return parse(value)
    except Rejected as error:
        raise Rejected(where + error.reason, error.value) from None
def one_of(*words: object) -> Parser:
    def parse_word(value: object) -> object:
        require(value in words, f" is none of {', '.join(map(str, words))}", value)
        return value
    return parse_word
def array(parse: Parser, length: int | None = None) -> Parser:
    """Parser of JSON arrays of such entries."""
    def parse_array(value: Any) -> list[Any]:
        fits = isinstance(value, list | tuple) and length in (None, len(value))
        require(fits, " is not an array, or has not the length asked for", value)
        try:
            return [parse(entry) for entry in value]
        except Rejected:  # once more, slowly, to say where
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
        total = sum(a * b for a, b in zip(self.numerators, other.numerators, strict=True))
        return Fraction(total, self.denominator * other.denominator)
    def check(self, name: str, length: int, sign: int = 0, total: int | None = None) -> None:
        """Raise unless there are `length` entries, none negative if sign is 1, of this sum."""
        found = len(self.numerators)
        require(found == length, f"{name} must have {length} entries, found", found)
        if (low := next((i for i, n in enumerate(self.numerators) if sign * n < 0), -1)) >= 0:
            raise Rejected(f"{name}[{low}] is negative", self[low])
        if total is not None and sum(self.numerators) != total * self.denominator:
            raise Rejected(f"{name} has sum", Fraction(sum(self.numerators), self.denominator))
def common_vector(numbers: list[Fraction]) -> Vector:
    """The numbers over their least common denominator."""
    common = lcm(*(x.denominator for x in numbers))
    return Vector([x.numerator * (common // x.denominator) for x in numbers], common)
def vector(value: object) -> Vector:
    """["p/q", ...] or {"denominator": "D", "numerators": ["n", ...]}."""
    if not isinstance(value, dict):
        return common_vector(array(rational)(value))
    common, numerators = record(denominator=integer, numerators=array(integer))(value)
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
    AGREES = "both sides of an identity agree to so many bits: evidence, no proof or refutation"
    TIGHT = "not refuted, and attained with equality on a model that is kept as witness"
    VIOLATED = "false on a concrete model: read the counterexample, then repair the statement"
    UNDECIDED = "the enclosures overlap: raise the precision or the sample size"
    VACUOUS = "no more than is true without it, or no model met the assumptions: widen the family"
    OUT_OF_SCOPE = "the statement does not apply to this model: check its assumptions"
@dataclass(frozen=True, slots=True)
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
        return cls(value + Fraction(0), value + Fraction(0))
    def __str__(self) -> str:
        return "..".join(map(format_rational, dict.fromkeys((self.lo, self.hi))))
    def combine(self, operation: Callable[..., Fraction], other: "Enclosure") -> "Enclosure":
        """Of operation(x, y), for an operation that is monotone in each argument."""
        ends = [operation(a, b) for a in {self.lo, self.hi} for b in {other.lo, other.hi}]
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
    def must_contain(self, x: "Enclosure", what: str) -> None:
        """Raise unless this claimed enclosure contains the one found."""
        require(self.lo <= x.lo and x.hi <= self.hi, f"{show(self)} is not the {what}", x)
def compare(left: Enclosure, operator: str, right: Enclosure) -> Comparison:
    """Is `left operator right`? Wrong with at most the sum of the two alphas."""
    low, below = left.hi <= right.lo, left.hi < right.lo
    high, above = left.lo >= right.hi, left.lo > right.hi
    answers = {"<=": (low, above), "<": (below, high), ">=": (high, below), ">": (above, low)}
    answers |= {"==": (low and high, below or above), "!=": (below or above, low and high)}
    require(operator in answers, f"operator is none of {' '.join(answers)}", operator)
    always, never = answers[operator]
    return Comparison.TRUE if always else Comparison.FALSE if never else Comparison.UNKNOWN
def claim(value: object) -> Enclosure:
    """A number claimed exactly as "p/q", or within ["lo", "hi"]."""
    ends = value if isinstance(value, list | tuple) else [value, value]
    return Enclosure(*array(rational, 2)(ends))
def _down(x: Fraction, bits: int) -> Fraction:
    """A dyadic number at most x, with about `bits` significant bits."""
    unit = Fraction(2) ** (abs(x.numerator).bit_length() - x.denominator.bit_length() - bits)
    return x // unit * unit
def _up(x: Fraction, bits: int) -> Fraction:
    return -_down(-x, bits)
def exp_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= exp(x) <= hi, by exp(x) = exp(t)^(2^m) with t = x / 2^m in [0, 2^-8]."""
    require(abs(x) <= _LARGEST_EXPONENT, f"exp of a number beyond {_LARGEST_EXPONENT}", x)
    halvings = int(abs(x)).bit_length() + 8
    places, t = bits + halvings + 16, abs(x) / 2**halvings
    low, high = Fraction(1), Fraction(2 if x else 1)  # the rest from t^n/n! on, over t^n/n!
    for n in range(bits // 8 + 4, 0, -1):
        low, high = _down(1 + t * low / n, places), _up(1 + t * high / n, places)
    for _ in range(halvings):
        low, high = _down(low * low, places), _up(high * high, places)
    return (low, high) if x >= 0 else (1 / high, 1 / low)
def _twice_atanh(z: Fraction, bits: int) -> Bounds:
    """Bounds on 2 sum z^n / n over odd n = log((1 + z) / (1 - z)) for z in [0, 1/3]."""
    low, high = Fraction(0), Fraction(9, 8)  # the rest from z^n on, over z^n
    for one in (Fraction(1, n) for n in range(bits // 3 * 2 + 9, 0, -2)):
        low, high = _down(one + z * z * low, bits), _up(one + z * z * high, bits)
    return _down(2 * z * low, bits), _up(2 * z * high, bits)
def log_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= log(x) <= hi for x > 0, by log(2^k f) = k log 2 + log f with f in [1, 2)."""
    require(x > 0, "log of a number that is not positive", x)
    if x < 1:
        low, high = log_bounds(1 / x, bits)
        return -high, -low
    k = int(x).bit_length() - 1
    two = _twice_atanh(Fraction(1, 3), bits + 16)
    rest = _twice_atanh((x - 2**k) / (x + 2**k), bits + 16)
    return k * two[0] + rest[0], k * two[1] + rest[1]
def sqrt_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= sqrt(x) <= hi for x >= 0, exact on squares of rationals."""
    require(x >= 0, "sqrt of a negative number", x)
    root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    unit = 2 ** (bits + x.denominator.bit_length())
    floor = isqrt(int(x * unit * unit))
    return (root, root) if root * root == x else (Fraction(floor, unit), Fraction(floor + 1, unit))
def _power(base: Enclosure, exponent: int) -> Enclosure:
    size = max(n.bit_length() for x in (base.lo, base.hi) for n in x.as_integer_ratio())
    require(size * abs(exponent) <= _LARGEST_POWER, "power of too many bits, exponent", exponent)
    if exponent < 0:
        return Enclosure.exact(1) / _power(base, -exponent)
    base = abs(base) if exponent % 2 == 0 else base
    return Enclosure(base.lo**exponent, base.hi**exponent, base.alpha)
def _monotone(bounds: Callable[[Fraction, int], Bounds]) -> Callable[[int, Enclosure], Enclosure]:
    return lambda bits, x: Enclosure(bounds(x.lo, bits)[0], bounds(x.hi, bits)[1], x.alpha)
_OPERATIONS: dict[str, Callable[..., Enclosure]] = {
    "add": lambda bits, *parts: reduce(Enclosure.__add__, parts),
    "mul": lambda bits, *parts: reduce(Enclosure.__mul__, parts),
    "max": lambda bits, *parts: reduce(lambda a, b: a.combine(max, b), parts),
    "min": lambda bits, *parts: reduce(lambda a, b: a.combine(min, b), parts),
    "div": lambda bits, a, b: a / b, "neg": lambda bits, a: -a, "abs": lambda bits, a: abs(a),
    "exp": _monotone(exp_bounds), "log": _monotone(log_bounds), "sqrt": _monotone(sqrt_bounds)}

def evaluate_expression(node: Any, values: Mapping[str, Enclosure], bits: int = 128) -> Enclosure:
    """Exact but for exp, log, sqrt; alphas add up by occurrence. Raises ValueError, TypeError."""
    match node:
        case str():
            return Enclosure.exact(rational(node))
        case ["symbol", str(name)]:
            require(name in values, "no value is given for the symbol", name)
            return values[name]
        case ["pow", base, exponent]:
            return _power(evaluate_expression(base, values, bits), integer(exponent))
        case [str(head), *parts] if head in _OPERATIONS:
            return _OPERATIONS[head](bits, *(evaluate_expression(e, values, bits) for e in parts))
    raise Rejected("not an expression", node)
