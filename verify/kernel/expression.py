"""Enclosures of JSON expressions, exact where rational; relations refuted, numbers enclosed.

E is "p/q" | ["symbol", name] | ["add" | "mul" | "max" | "min", E...] | ["div", E, E] |
["pow", E, n] | ["neg" | "abs" | "exp" | "log" | "sqrt", E].
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from math import isqrt
from typing import Any

from .certificate import Checker, Report, check, checker
from .exact import (
    Comparison,
    Enclosure,
    Rejected,
    array,
    compare,
    located,
    parse_integer,
    parse_rational,
    parse_value,
    record,
    require,
)

_LARGEST_EXPONENT, _LARGEST_POWER = 2**16, 2**22  # the second in bits
Bounds = tuple[Fraction, Fraction]
Known = dict[str, tuple[Enclosure, int]]  # of each symbol; 1 if a certificate inside proves it

def _down(x: Fraction, bits: int) -> Fraction:
    """A dyadic number at most x, with about `bits` significant bits."""
    unit = Fraction(2) ** (abs(x.numerator).bit_length() - x.denominator.bit_length() - bits)
    return x // unit * unit

def _up(x: Fraction, bits: int) -> Fraction:
    return -_down(-x, bits)

def exp_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= exp(x) <= hi, by exp(x) = exp(t)^(2^m) with t = x / 2^m in [0, 2^-8]."""
    if x < 0:
        low, high = exp_bounds(min(-x, Fraction(_LARGEST_EXPONENT)), bits)
        return (1 / high if -x <= _LARGEST_EXPONENT else Fraction(0)), 1 / low
    require(x <= _LARGEST_EXPONENT, f"exp of a number above {_LARGEST_EXPONENT}", x)
    halvings = int(x).bit_length() + 8
    places, t = bits + halvings + 16, x / 2**halvings
    low, high = Fraction(1), Fraction(2)  # from n on, the terms are t^n/n! times a sum in [1, 2]
    for n in range(bits // 8 + 4, 0, -1):
        low, high = _down(1 + t * low / n, places), _up(1 + t * high / n, places)
    for _ in range(halvings):
        low, high = _down(low * low, places), _up(high * high, places)
    return low, high

def _twice_atanh(z: Fraction, bits: int) -> Bounds:
    """Bounds on 2 sum z^n / n over odd n = log((1 + z) / (1 - z)) for z in [0, 1/3]."""
    low, high = Fraction(0), Fraction(9, 8)  # from n on, the terms are z^n times a sum in [0, 9/8]
    for n in range(bits // 3 * 2 + 9, 0, -2):
        low, high = (round_(Fraction(1, n) + z * z * s, bits) for s, round_ in ((low, _down), (high, _up)))
    return 2 * z * low, 2 * z * high

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

_BOUNDS: dict[str, Callable[[Fraction, int], Bounds]] = {
    "exp": exp_bounds, "log": log_bounds, "sqrt": sqrt_bounds}
_FOLDS: dict[str, Callable[[Enclosure, Enclosure], Enclosure]] = {
    "add": Enclosure.__add__, "mul": Enclosure.__mul__, "div": Enclosure.__truediv__,
    "max": lambda a, b: a.hull(b, max(a.lo, b.lo), max(a.hi, b.hi)),
    "min": lambda a, b: a.hull(b, min(a.lo, b.lo), min(a.hi, b.hi))}

def evaluate_expression(node: Any, values: Mapping[str, Enclosure], bits: int = 128) -> Enclosure:
    """Enclosure of a JSON expression, exact unless exp, log or sqrt of a non-square is involved.

    Raises Rejected; the alphas of all occurrences of symbols add up.
    """
    match node:
        case str():
            return Enclosure.exact(parse_rational(node))
        case ["symbol", str(name)]:
            require(name in values, "no value is given for the symbol", name)
            return values[name]
        case ["pow", base, exponent]:
            result = _power(evaluate_expression(base, values, bits), parse_integer(exponent))
        case ["neg" | "abs" | "exp" | "log" | "sqrt" as head, part]:
            inner = evaluate_expression(part, values, bits)
            if head in _BOUNDS:
                low, high = _BOUNDS[head](inner.lo, bits)[0], _BOUNDS[head](inner.hi, bits)[1]
                result = Enclosure(low, high, inner.alpha)
            else:
                result = -inner if head == "neg" else abs(inner)
        case ["add" | "mul" | "max" | "min" as head, _, *_] | ["div" as head, _, _]:
            result = reduce(_FOLDS[head], (evaluate_expression(e, values, bits) for e in node[1:]))
        case _:
            raise Rejected("not an expression", node)
    low, high = result.lo, result.hi
    return result if low == high else Enclosure(_down(low, bits), _up(high, bits), result.alpha)

def _parse_symbol(value: Any) -> tuple[Enclosure, int]:
    if "certificate" in value:
        report = check(record(certificate=lambda document: document)(value)[0])
        if report.enclosure is None:
            raise Rejected(" has a certificate that proves no number", report.steps[-1])
        return report.enclosure, 1
    ends = dict.fromkeys(["lo", "hi", "alpha"] if "alpha" in value else ["lo", "hi"], parse_rational)
    found = record(value=parse_value)(value)[0] if "value" in value else Enclosure(*record(**ends)(value))
    return found, 0

def _parse_symbols(value: Any) -> Known:
    return {name: located(f".{name}", _parse_symbol, spec) for name, spec in value.items()}

def _refine(expressions: list[Any], known: Known) -> Iterator[list[Enclosure]]:
    values = {name: found for name, (found, _) in known.items()}
    for bits in (64, 128, 256, 512, 1024, 2048, 4096):
        try:
            yield [evaluate_expression(expression, values, bits) for expression in expressions]
        except Rejected:  # such as a division by an enclosure of a number that is not quite zero
            if bits == 4096:
                raise

def _report(text: str, found: Enclosure, known: Known) -> Report:
    proved = sum(count for _, count in known.values())
    return Report(text, found, proved, len(known) - proved)

@checker("counterexample", relation=array(lambda part: part, 3), values=_parse_symbols)
def _counterexample(relation: Any, known: Known) -> Checker:
    yield "relation is false"
    operator, *sides = relation
    for left, right in _refine(sides, known):
        answer = compare(left, operator, right)
        if answer is Comparison.FALSE:
            return _report(f"{left} {operator} {right} is false", left - right, known)
        if answer is Comparison.TRUE:
            break
    raise Rejected(f"{operator} is {answer.value}; left minus right side", left - right)

@checker("enclosure", expression=lambda value: value, values=_parse_symbols, lo=parse_rational,
         hi=parse_rational)
def _enclosure(expression: Any, known: Known, *ends: Fraction) -> Checker:
    yield "lo and hi enclose the expression"
    claim = Enclosure(*ends)
    for (found,) in _refine([expression], known):
        if claim.lo <= found.lo and found.hi <= claim.hi:
            break
    claim.must_contain(found, "expression")
    return _report(f"the expression is in {claim}", Enclosure(*ends, found.alpha), known)
