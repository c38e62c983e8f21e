"""Whether a theorem implies a variant of one of its parts: a proof, from domains and other parts.

Write slack for what the larger side of the part exceeds the smaller one by.  The variant follows
where its slack is at least m times that of the part, m >= 0 (m > 0 where equality is excluded), by
a rational function with non-negative coefficients in non-negative variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import sympy

from holdfast.theory import Domain, Quantity, Relation, Sign

_SHARES = tuple(map(sympy.Rational, ("1", "11/10", "2", "9/10", "0")))
"""The m that are tried: a constant of the mutant is a tenth off, a term twice there, or gone."""
_POINTS = tuple(map(sympy.Rational, ("1/3", "-1/50", "20", "-2")))
"""Where a proof is not tried if it must fail; real variables take the sign of the point."""
Powers = dict[tuple[sympy.Expr, sympy.Expr], sympy.Integer]


def implied(original: Relation, variant: Relation, facts: Sequence[Relation] = ()) -> bool:
    """Whether the original provably implies the variant, by the domains of the quantities.

    facts: what is known besides, such as the other parts of the theorem.
    """
    if original.sign is not variant.sign:
        return False
    if original.sign in (Sign.EQ, Sign.NE):
        quotient = (variant.left - variant.right) / (original.left - original.right)
        (read,) = _readings(quotient)
        seen = {value for value in (_at(read, point) for point in _POINTS) if value.is_Rational}
        if len(seen) > 1:  # no constant
            return False
        quotient = sympy.cancel(quotient)
        return bool(quotient.is_Rational and quotient != 0)
    (small, large), (new_small, new_large) = _oriented(original), _oriented(variant)
    if small == new_small and (_below(large, new_large) or _least_below(large, new_large)):
        return True
    shares = _SHARES[:-1] if variant.sign in (Sign.LT, Sign.GT) else _SHARES
    slacks = large - small, new_large - new_small
    return any(_exceeds(pair, shares) for pair in _written(*slacks, facts))


def _oriented(relation: Relation) -> tuple[sympy.Expr, sympy.Expr]:
    if relation.sign in (Sign.LE, Sign.LT):
        return relation.left, relation.right
    return relation.right, relation.left


def _written(
    slack: sympy.Expr, new: sympy.Expr, facts: Iterable[Relation]
) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Both slacks as they are, with the facts put in, and with abs(x) as x or -x and a rest."""
    yield slack, new
    known = list(_excesses(facts))
    for quantity, expression in reversed(known):
        slack, new = (side.xreplace({quantity: expression}) for side in (slack, new))
    if known:
        yield slack, new
    for sign in (1, -1) if slack.has(sympy.Abs) else ():
        yield _unfolded(slack, sign), _unfolded(new, sign)


def _excesses(facts: Iterable[Relation]) -> Iterator[tuple[Quantity, sympy.Expr]]:
    """x = e + (something not negative) for a fact x >= e, and x = e - it for x <= e."""
    done: set[Quantity] = set()
    for index, fact in enumerate(facts):
        if fact.sign in (Sign.EQ, Sign.NE):
            continue
        excess = sympy.Symbol(f"excess_{index}", nonnegative=True)
        small, large = _oriented(fact)
        for side, other, more in ((large, small, excess), (small, large, -excess)):
            free = isinstance(side, Quantity) and side not in done
            if free and side not in other.free_symbols:
                done.add(side)
                yield side, other + more
                break


def _unfolded(expression: sympy.Expr, sign: int) -> sympy.Expr:
    return expression.replace(
        sympy.Abs, lambda x: sign * x + sympy.Symbol(f"fold_{x}", nonnegative=True)
    )


# -- signs -----------------------------------------------------------------------------------------
def _exceeds(slacks: tuple[sympy.Expr, sympy.Expr], shares: Iterable[sympy.Rational]) -> bool:
    """Whether the second slack is at least m times the first, for one of the shares m."""
    slack, new = _readings(*slacks)
    values = [(_at(slack, point), _at(new, point)) for point in _POINTS]
    return any(
        not any((b - share * a).is_negative for a, b in values)
        and all(map(_same_sign, _quotient(new - share * slack)))
        for share in shares
    )


@cache
def _nonnegative(expression: sympy.Expr) -> bool:
    return _exceeds((sympy.Integer(0), expression), _SHARES[:1])


def _quotient(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    return map(sympy.expand, sympy.fraction(sympy.together(expression)))


def _at(expression: sympy.Expr, point: sympy.Rational) -> sympy.Expr:
    """The expression where its variables are near a point: cheaper than any proof."""
    near = {True: abs(point), None: point}
    return expression.xreplace(
        {
            symbol: near[symbol.is_nonnegative] * (sum(map(ord, symbol.name)) % 7 + 2)
            for symbol in expression.free_symbols
        }
    )


def _same_sign(polynomial: sympy.Expr) -> bool:
    variables = sorted(polynomial.free_symbols, key=str)
    if not variables:
        return bool(polynomial >= 0)
    if any(not variable.is_nonnegative for variable in variables):
        return False
    try:
        coefficients = sympy.Poly(polynomial, *variables).coeffs()
    except sympy.PolynomialError:
        return False
    return all(bool(coefficient >= 0) for coefficient in coefficients)


# -- every quantity as a function of variables that are not negative -------------------------------
def _readings(*expressions: sympy.Expr) -> Iterator[sympy.Expr]:
    """Expressions in variables u >= 0; what is no rational function is a variable of its own."""
    least: Powers = {}
    for power in (p for e in expressions for p in e.atoms(sympy.Pow) if p.exp.free_symbols):
        steps, symbolic = power.exp.as_coeff_Add()
        key = power.base, symbolic
        least[key] = min(steps, least.get(key, steps))
    for expression in expressions:
        plain = _rational(expression, least)
        yield plain.xreplace({symbol: _parametrised(symbol) for symbol in plain.free_symbols})


def _parametrised(symbol: sympy.Symbol) -> sympy.Expr:
    """The numbers of a domain as a rational function of u >= 0 (up to its limit)."""
    if not isinstance(symbol, Quantity):
        return symbol if symbol.is_nonnegative else sympy.Symbol(f"real_{symbol}", real=True)
    if symbol.domain is Domain.REAL:
        return sympy.Symbol(f"real_{symbol.name}", real=True)
    u = sympy.Symbol(f"u_{symbol.name}", nonnegative=True)
    if symbol.domain in (Domain.DISCOUNT, Domain.PROBABILITY):
        return u / (1 + u)
    return 1 + u if symbol.domain is Domain.TRIALS else u


def _rational(node: sympy.Expr, least: Powers) -> sympy.Expr:
    if not node.free_symbols or not node.args:
        return node
    if isinstance(node, sympy.Abs | sympy.exp):
        return _variable("positive", node)
    if isinstance(node, sympy.Pow):
        return _power(node.base, node.exp, least)
    return node.func(*(_rational(argument, least) for argument in node.args))


def _variable(kind: str, *of: object) -> sympy.Symbol:
    return sympy.Symbol(f"{kind}_{'_'.join(map(str, of))}", nonnegative=True)


def _power(base: sympy.Expr, exponent: sympy.Expr, least: Powers) -> sympy.Expr:
    """Squares, roots and powers with a symbol above as variables of their own.

    Of z^(T - 1) and z^T the smaller power is the variable, and the other one is z times as much.
    """
    if exponent.is_Integer:
        return _integer_power(base, exponent, least)
    if exponent.is_Rational:
        return (int(_trials(base)) + _variable("root", base, exponent.q)) ** exponent.p
    if base.is_Integer and base >= 1 and _trials(exponent):
        return base + _variable("power", base, exponent)
    return _symbolic_power(base, exponent, least) if _nonnegative(base) else base**exponent


def _integer_power(base: sympy.Expr, exponent: sympy.Integer, least: Powers) -> sympy.Expr:
    if exponent.is_even and base.is_Add and not _nonnegative(base):
        return _variable("square", base, exponent)
    return _rational(base, least) ** exponent


def _symbolic_power(base: sympy.Expr, exponent: sympy.Expr, least: Powers) -> sympy.Expr:
    steps, symbolic = exponent.as_coeff_Add()
    first = least.get((base, symbolic), steps)
    whole = (steps - first).is_Integer
    smaller = _variable("power", base, symbolic, first if whole else steps)
    return smaller * _rational(base, least) ** (steps - first) if whole else smaller


def _trials(node: sympy.Expr) -> bool:
    return isinstance(node, Quantity) and node.domain is Domain.TRIALS


# -- what differs within a function ----------------------------------------------------------------
def _below(lower: sympy.Expr, upper: sympy.Expr) -> bool:
    """Whether c exp(x) <= c exp(y), by x <= y and c >= 0."""
    c, x = _exponential(lower)
    d, y = _exponential(upper)
    return x != 0 and c == d and _nonnegative(c) and _nonnegative(y - x)


def _exponential(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """(c, x) with term = c exp(x); x = 0 if there is no exponential factor."""
    factors = sympy.Mul.make_args(term)
    exponent = sum((f.args[0] for f in factors if isinstance(f, sympy.exp)), sympy.Integer(0))
    return sympy.Mul(*(f for f in factors if not isinstance(f, sympy.exp))), exponent


def _least_below(lower: sympy.Expr, upper: sympy.Expr) -> bool:
    """Whether Min(...) <= the other, each argument of which is at least one of the first."""
    return isinstance(lower, sympy.Min) and all(
        any(_nonnegative(more - less) for less in lower.args)
        for more in (upper.args if isinstance(upper, sympy.Min) else (upper,))
    )
