"""Sympy trees turned into evaluators: exact over the rationals, enclosing over arb balls.

Compiled once per relation, so that a claim evaluates thousands of times a second; the tree is
walked as it stands, and sympy is never asked to evaluate, simplify or decide anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

import flint
import sympy

from ..binding.balls import to_arb
from ..kernel import format_rational

Environment = Mapping[str, Any]
Evaluator = Callable[[Environment], Any]


class Irrational(Exception):
    """The expression has no rational value here; use balls."""


class Undetermined(Exception):
    """No finite enclosure was found: the expression may have a value here, or none."""


class Undefined(Exception):
    """The expression has no value here: a division by zero, a root or logarithm out of range."""


def exact(expression: sympy.Expr) -> Evaluator:
    """An evaluator over Fractions; raises Irrational or Undefined when called."""
    return _compile(expression, _EXACT)


def ball(expression: sympy.Expr) -> Evaluator:
    """An evaluator over rationals and arb balls at the current working precision.

    Rationals stay rational until they meet a ball, and zero times a ball is zero, so equality can
    be decided wherever the irrational part drops out.
    """
    return _compile(expression, _MIXED)


def to_kernel(expression: sympy.Expr) -> Any:
    """The tree in the expression language of the kernel's certificates."""
    match expression:
        case sympy.Symbol():
            return ["symbol", expression.name]
        case sympy.Rational():
            return format_rational(Fraction(int(expression.p), int(expression.q)))
        case sympy.Pow():
            return _power_to_kernel(expression)
    names = {sympy.Add: "add", sympy.Mul: "mul", sympy.Max: "max", sympy.Min: "min"}
    names |= {sympy.Abs: "abs", sympy.exp: "exp", sympy.log: "log"}
    return [names[expression.func], *map(to_kernel, expression.args)]


def _power_to_kernel(expression: sympy.Pow) -> Any:
    base, exponent = expression.args
    if exponent.is_Integer:
        return ["pow", to_kernel(base), int(exponent)]
    if abs(exponent) == sympy.Rational(1, 2):
        root = ["sqrt", to_kernel(base)]
        return root if exponent > 0 else ["div", "1", root]
    return ["exp", ["mul", to_kernel(exponent), ["log", to_kernel(base)]]]


def _compile(
    expression: sympy.Expr, operations: Mapping[Any, Callable[[list[Any]], Any]]
) -> Evaluator:
    if isinstance(expression, sympy.Symbol):
        name = expression.name
        return lambda environment: environment[name]
    if isinstance(expression, sympy.Rational):
        rational = Fraction(int(expression.p), int(expression.q))
        return lambda _: rational
    operation = operations.get(expression.func)
    if operation is None:
        raise TypeError(
            f"cannot evaluate {expression.func.__name__} in {expression}; relations may use "
            "+, *, powers, exp, log, sqrt, Abs, Max and Min"
        )
    arguments = [_compile(argument, operations) for argument in expression.args]
    return lambda environment: operation([argument(environment) for argument in arguments])


def _exact_power(arguments: list[Fraction]) -> Fraction:
    base, exponent = arguments
    if exponent < 0 and base == 0:
        raise Undefined("division by zero")
    if base in (0, 1) and exponent > 0:
        return base
    if exponent.denominator == 1:
        return base**exponent.numerator
    if exponent.denominator == 2:
        if base < 0:
            raise Undefined(f"root of {base}")
        top, bottom = math.isqrt(base.numerator), math.isqrt(base.denominator)
        if top * top == base.numerator and bottom * bottom == base.denominator:
            return Fraction(top, bottom) ** exponent.numerator
    raise Irrational


def _exact_exp(arguments: list[Fraction]) -> Fraction:
    if arguments[0] == 0:
        return Fraction(1)
    raise Irrational


def _exact_log(arguments: list[Fraction]) -> Fraction:
    if arguments[0] == 1:
        return Fraction(0)
    if arguments[0] <= 0:
        raise Undefined(f"logarithm of {arguments[0]}")
    raise Irrational


def _whole_power(base: flint.arb, exponent: int) -> flint.arb:
    """As flint's, which is NaN for a ball about 0 itself, such as a difference of equal numbers."""
    if exponent <= 0 or base.is_exact() or base.mid() != 0:
        return base**exponent
    size = base.abs_upper() ** exponent
    return (-size if exponent % 2 else flint.arb(0)).union(size)


def _ball_power(arguments: list[flint.arb]) -> flint.arb:
    base, exponent = arguments
    whole = exponent.unique_fmpz() if exponent.is_exact() else None
    if whole is not None and exponent.is_integer():
        return _whole_power(base, int(whole))
    if 2 * exponent == 1:
        return base.sqrt()
    return base**exponent


_EXACT: dict[Any, Callable[[list[Any]], Any]] = {
    sympy.Add: lambda a: sum(a[1:], a[0]),
    sympy.Mul: lambda a: reduce(lambda x, y: x * y, a),
    sympy.Pow: _exact_power,
    sympy.Max: max,
    sympy.Min: min,
    sympy.Abs: lambda a: abs(a[0]),
    sympy.exp: _exact_exp,
    sympy.log: _exact_log,
}
_BALL: dict[Any, Callable[[list[Any]], Any]] = {
    sympy.Add: _EXACT[sympy.Add],
    sympy.Mul: _EXACT[sympy.Mul],
    sympy.Pow: _ball_power,
    sympy.Max: lambda a: reduce(lambda x, y: x.max(y), a),
    sympy.Min: lambda a: reduce(lambda x, y: x.min(y), a),
    sympy.Abs: lambda a: abs(a[0]),
    sympy.exp: lambda a: a[0].exp(),
    sympy.log: lambda a: a[0].log(),
}


def _vanishes(factors: list[Any]) -> bool:
    """An exact zero among factors that all have a finite value."""
    rational = [factor for factor in factors if isinstance(factor, Fraction)]
    balls = [factor for factor in factors if not isinstance(factor, Fraction)]
    return any(factor == 0 for factor in rational) and all(ball.is_finite() for ball in balls)


def _mixed(function: Any) -> Callable[[list[Any]], Any]:
    exactly, enclosing = _EXACT[function], _BALL[function]

    def operation(arguments: list[Any]) -> Any:
        if all(isinstance(argument, Fraction) for argument in arguments):
            try:
                return exactly(arguments)
            except Irrational:
                pass
        elif function is sympy.Mul and _vanishes(arguments):
            return Fraction(0)
        balls = [to_arb(a) if isinstance(a, Fraction) else a for a in arguments]
        return enclosing(balls)

    return operation


_MIXED = {function: _mixed(function) for function in _EXACT}
