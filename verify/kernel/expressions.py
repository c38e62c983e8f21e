"""Expressions: enclosures of what a formula is at given values.

An expression is "p/q" | ["symbol", name] | ["div", E, E] | ["pow", E, n] with an integer n |
["add" | "mul" | "max" | "min", E...] | ["neg" | "abs" | "exp" | "log" | "sqrt", E].
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from math import isqrt
from typing import Any

from .enclosures import Enclosure
from .exact import Rejected, effort, integer, rational, require, size, spend

Bounds = tuple[Fraction, Fraction]
LARGEST_EXPONENT = 2**20  # of exp and of powers, whose results have about as many bits
PRECISIONS = (64, 128, 256, 512, 1024, 2048, 4096)  # bits, one after the other


def _down(x: Fraction, bits: int) -> Fraction:
    """A dyadic number at most x, with about `bits` significant bits."""
    unit = Fraction(2) ** (abs(x.numerator).bit_length() - x.denominator.bit_length() - bits)
    return x // unit * unit


def _up(x: Fraction, bits: int) -> Fraction:
    return -_down(-x, bits)


def _charge_series(terms: int, bits: int, x: Fraction) -> None:
    """For so many terms of numbers of so many bits, and for rounding x to as many."""
    spend(20 * terms * effort(bits, bits) + 4 * effort(size(x), size(x)))


def exp_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= exp(x) <= hi, by exp(x) = exp(t)^(2^m) with t = x / 2^m in [0, 2^-8]."""
    require(abs(x) <= LARGEST_EXPONENT, f"exp of a number beyond {LARGEST_EXPONENT}", x)
    halvings = int(abs(x)).bit_length() + 8
    places, t = bits + halvings + 16, abs(x) / 2**halvings
    _charge_series(bits // 8 + 4 + halvings, places, t)
    spend(60 * (int(abs(x)) * 3 // 2 >> 11))  # of exp(x), which has 1.44 x bits before the point
    least, most = _down(t, places), _up(t, places)
    low, high = Fraction(1), Fraction(2 if x else 1)  # the rest from t^n/n! on, over t^n/n!
    for n in range(bits // 8 + 4, 0, -1):
        low, high = _down(1 + least * low / n, places), _up(1 + most * high / n, places)
    for _ in range(halvings):
        low, high = _down(low * low, places), _up(high * high, places)
    return (low, high) if x >= 0 else (1 / high, 1 / low)


def _twice_atanh(z: Fraction, bits: int) -> Bounds:
    """Bounds on 2 sum z^n / n over odd n = log((1 + z) / (1 - z)) for z in [0, 1/3]."""
    _charge_series(bits // 3 + 5, bits, z)
    least, most = _down(z, bits), _up(z, bits)
    low, high = Fraction(0), Fraction(9, 8)  # the rest from z^n on, over z^n
    for one in (Fraction(1, n) for n in range(bits // 3 * 2 + 9, 0, -2)):
        low, high = _down(one + least * least * low, bits), _up(one + most * most * high, bits)
    return _down(2 * least * low, bits), _up(2 * most * high, bits)


def log_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= log(x) <= hi for x > 0, by log(2^k f) = k log 2 + log f with f in [1, 2)."""
    require(x > 0, "log of a number that is not positive", x)
    if x < 1:
        low, high = log_bounds(1 / x, bits)
        return -high, -low
    spend(effort(size(x), size(x)) * 4)
    k = int(x).bit_length() - 1
    two = _twice_atanh(Fraction(1, 3), bits + 16)
    rest = _twice_atanh((x - 2**k) / (x + 2**k), bits + 16)
    return k * two[0] + rest[0], k * two[1] + rest[1]


def sqrt_bounds(x: Fraction, bits: int) -> Bounds:
    """lo <= sqrt(x) <= hi for x >= 0, exact on squares of rationals."""
    require(x >= 0, "sqrt of a negative number", x)
    spend(4 + 4 * effort(bits + 2 * size(x), bits + 2 * size(x)))
    root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    unit = 2 ** (bits + x.denominator.bit_length())
    floor = isqrt(int(x * unit * unit))
    return (root, root) if root * root == x else (Fraction(floor, unit), Fraction(floor + 1, unit))


def _power(base: Enclosure, exponent: int) -> Enclosure:
    bound = f"power with an exponent beyond {LARGEST_EXPONENT}"
    require(abs(exponent) <= LARGEST_EXPONENT, bound, exponent)
    if exponent < 0:
        return Enclosure.exact(1) / _power(base, -exponent)
    bits = base.bits() * exponent
    spend(4 + 2 * effort(bits, bits))
    base = abs(base) if exponent % 2 == 0 else base
    return Enclosure(base.lo**exponent, base.hi**exponent, base.alpha)


def _monotone(bounds: Callable[[Fraction, int], Bounds]) -> Callable[[int, Enclosure], Enclosure]:
    def enclose(bits: int, x: Enclosure) -> Enclosure:
        ends = {end: bounds(end, bits) for end in {x.lo, x.hi}}
        return Enclosure(ends[x.lo][0], ends[x.hi][1], x.alpha)

    return enclose


_OPERATIONS: dict[str, Callable[..., Enclosure]] = {
    "add": lambda bits, *parts: reduce(Enclosure.__add__, parts),
    "mul": lambda bits, *parts: reduce(Enclosure.__mul__, parts),
    "max": lambda bits, *parts: reduce(lambda a, b: a.combine(max, b), parts),
    "min": lambda bits, *parts: reduce(lambda a, b: a.combine(min, b), parts),
    "div": lambda bits, a, b: a / b,
    "neg": lambda bits, a: -a,
    "abs": lambda bits, a: abs(a),
    "exp": _monotone(exp_bounds),
    "log": _monotone(log_bounds),
    "sqrt": _monotone(sqrt_bounds),
}


def evaluate_expression(node: Any, values: Mapping[str, Enclosure], bits: int = 128) -> Enclosure:
    """Exact but for exp, log, sqrt; alphas add up by occurrence. Raises ValueError, TypeError."""
    spend(12)  # what a node takes, in microseconds
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


def refine(sides: list[Any], values: Mapping[str, Enclosure]) -> Iterator[list[Enclosure]]:
    """The enclosures of some expressions, narrower ones each time."""
    for bits in PRECISIONS:
        try:
            yield [evaluate_expression(side, values, bits) for side in sides]
        except Rejected:  # such as a division by an enclosure of a number that is not quite zero
            if bits == PRECISIONS[-1]:
                raise


def symbols(node: Any) -> set[str]:
    """The names of the symbols in an expression, or in several."""
    match node:
        case ["symbol", str(name)]:
            return {name}
        case list() | tuple():
            return set().union(*map(symbols, node))
    return set()
