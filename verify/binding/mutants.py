"""Deliberately false variants of a theorem, read off the tree of its relation.

A mutant changes one thing: a constant by a tenth, a sign, an exponent by one, a dropped term or
factor, a lost absolute value or maximum.  Each must be refuted on some model; the exceptions are
mutants that the theorem itself implies, which `implied` proves from the domains of the quantities,
and those that a claim lists with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import sympy

from holdfast.theory import Domain, Quantity, Relation, Sign, Theorem

_LESS, _MORE = sympy.Rational(9, 10), sympy.Rational(11, 10)
"""A constant wrong by a tenth should be noticed.  A smaller change survives wherever a bound is not
nearly attained on drawn models; twice the constant would be noticed by checks too weak to trust."""
_NOT_A_NUMBER = (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I)
_WITHOUT_COEFFICIENT = (sympy.exp, sympy.log, sympy.Max, sympy.Min)
"""Functions whose arguments have a coefficient of their own, written or not."""
_POINTS = (sympy.Rational(1, 3), sympy.Rational(1, 50), sympy.Integer(20))
"""A middling, a small and a large value, at which most false inequalities show before the proof."""
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A variant of part number `part` of a theorem; `implied` if the theorem implies it."""

    part: int
    relation: Relation
    implied: bool

    @property
    def name(self) -> str:
        """The variant itself, in plain text."""
        return str(self.relation)


@cache
def derive(theorem: Theorem) -> tuple[Mutant, ...]:
    """All one-change variants of the theorem, without repetitions."""
    found: dict[str, Mutant] = {}
    for index, part in enumerate(theorem.parts):
        for relation in _variants(part):
            if relation != part and relation.quantities:
                found.setdefault(str(relation), Mutant(index, relation, implied(part, relation)))
    return tuple(found.values())


def _variants(part: Relation) -> Iterator[Relation]:
    for side in _rewritten(part.left):
        yield Relation(side, part.sign, part.right)
    for side in _rewritten(part.right):
        yield Relation(part.left, part.sign, side)


def _rewritten(root: sympy.Expr) -> Iterator[sympy.Expr]:
    if not isinstance(root, sympy.Add) and root.free_symbols and _plain(root):
        yield _LESS * root
        yield _MORE * root
    for path, node, parent in _nodes(root, (), None):
        for replacement in _rewrites(node, parent, path):
            rewritten = _replace(root, path, replacement)
            if not rewritten.has(*_NOT_A_NUMBER):
                yield rewritten


def _nodes(
    node: sympy.Expr, path: Path, parent: sympy.Expr | None
) -> Iterator[tuple[Path, sympy.Expr, sympy.Expr | None]]:
    yield path, node, parent
    for index, child in enumerate(node.args):
        if not (isinstance(node, sympy.Pow) and index == 1 and child.is_Rational):
            yield from _nodes(child, (*path, index), node)


def _rewrites(node: sympy.Expr, parent: sympy.Expr | None, path: Path) -> Iterator[sympy.Expr]:
    in_sum = isinstance(parent, sympy.Add)
    if node.is_Rational and node not in (0, -1):
        yield from (node * _LESS, node * _MORE)
    if in_sum:
        yield from (sympy.Integer(0), -node)
    if _is_scaled(node, in_sum or isinstance(parent, _WITHOUT_COEFFICIENT)):
        yield from (node * _LESS, node * _MORE)
    if isinstance(parent, sympy.Mul) and isinstance(node, sympy.Symbol):
        yield sympy.Integer(1)
    if path != (1,):
        yield from _other_powers(node)
    if isinstance(node, sympy.Abs | sympy.Max | sympy.Min):
        yield from node.args


def _is_scaled(node: sympy.Expr, implicit: bool) -> bool:
    """Whether to change a coefficient of one that the formula has by implication."""
    return implicit and not node.is_Rational and _plain(node)


def _other_powers(node: sympy.Expr) -> Iterator[sympy.Expr]:
    if isinstance(node, sympy.Pow) and node.exp.is_Rational:
        steps = (1, -1) if node.exp.is_Integer else (sympy.Rational(1, 2),)
        yield from (node.base ** (node.exp + step) for step in steps)


def _plain(term: sympy.Expr) -> bool:
    """Without a rational coefficient of its own, which would be mutated anyway."""
    return term.as_coeff_Mul()[0] in (1, -1)


def _replace(root: sympy.Expr, path: Path, replacement: sympy.Expr) -> sympy.Expr:
    if not path:
        return replacement
    arguments = list(root.args)
    arguments[path[0]] = _replace(arguments[path[0]], path[1:], replacement)
    return root.func(*arguments)


def implied(original: Relation, variant: Relation) -> bool:
    """Whether the original provably implies the variant, by the domains of the quantities.

    True only with a proof: the variant's slack exceeds ``(1 + c)`` times the original's, for some
    c >= 0, by a rational function with non-negative coefficients in non-negative variables.
    """
    if original.sign in (Sign.EQ, Sign.NE):
        quotient = sympy.cancel((variant.left - variant.right) / (original.left - original.right))
        return bool(quotient.is_Rational and quotient != 0)
    (small, large), (new_small, new_large) = _oriented(original), _oriented(variant)
    if large == new_large and isinstance(small, sympy.Abs) and small.args[0] == new_small:
        return True
    if small == new_small and _below(large, new_large):
        return True
    slack, new_slack = large - small, new_large - new_small
    factors = (sympy.Integer(0), sympy.Rational(1, 10), sympy.Integer(1))
    return any(_nonnegative(new_slack - (1 + c) * slack) for c in factors)


def _oriented(relation: Relation) -> tuple[sympy.Expr, sympy.Expr]:
    if relation.sign in (Sign.LE, Sign.LT):
        return relation.left, relation.right
    return relation.right, relation.left


def _nonnegative(expression: sympy.Expr) -> bool:
    """A sufficient test: all coefficients of numerator and denominator have one sign."""
    expression = expression.replace(
        _is_root_or_positive, lambda node: sympy.Symbol(f"positive_{node}", nonnegative=True)
    )
    substitution = {symbol: _variable(symbol) for symbol in expression.free_symbols}
    if any(_negative(expression, substitution, point) for point in _POINTS):
        return False
    fraction = sympy.fraction(sympy.together(expression.subs(substitution)))
    return all(_same_sign(sympy.expand(part)) for part in fraction)


def _is_root_or_positive(node: sympy.Expr) -> bool:
    """Whether it is non-negative whatever its symbols are, and not rational in them."""
    root = isinstance(node, sympy.Pow) and node.exp == sympy.Rational(1, 2)
    return bool(node.free_symbols) and (root or isinstance(node, sympy.Abs | sympy.exp))


def _variable(symbol: sympy.Symbol) -> sympy.Expr:
    """The numbers that the symbol stands for, in terms of a non-negative or real variable."""
    if isinstance(symbol, Quantity) and symbol.domain is not Domain.REAL:
        return _parametrised(symbol.domain, sympy.Symbol(f"u_{symbol.name}", nonnegative=True))
    return symbol if symbol.is_nonnegative else sympy.Symbol(f"real_{symbol.name}", real=True)


def _negative(
    expression: sympy.Expr, substitution: dict[sympy.Expr, sympy.Expr], point: sympy.Rational
) -> bool:
    """Whether it is below 0 where the variables are near `point`: cheaper than any proof."""
    values = {}
    for index, symbol in enumerate(sorted(expression.free_symbols, key=str)):
        u = point * (index + 2)
        parametrised = substitution.get(symbol, symbol)
        values[symbol] = parametrised.xreplace(dict.fromkeys(parametrised.free_symbols, u))
    return bool(expression.xreplace(values).is_negative)


def _parametrised(domain: Domain, u: sympy.Symbol) -> sympy.Expr:
    """The numbers of a domain as a rational function of u >= 0 (up to its limit)."""
    if domain in (Domain.DISCOUNT, Domain.PROBABILITY):
        return u / (1 + u)
    return 1 + u if domain is Domain.TRIALS else u


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


def _below(lower: sympy.Expr, upper: sympy.Expr) -> bool:
    """Whether c exp(x) <= c exp(y), by x <= y and c >= 0; the case `_nonnegative` cannot see."""
    c, x = _exponential(lower)
    d, y = _exponential(upper)
    return x != 0 and c == d and _nonnegative(c) and _nonnegative(y - x)


def _exponential(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """(c, x) with term = c exp(x); x = 0 if there is no exponential factor."""
    factors = sympy.Mul.make_args(term)
    exponent = sum((f.args[0] for f in factors if isinstance(f, sympy.exp)), sympy.Integer(0))
    return sympy.Mul(*(f for f in factors if not isinstance(f, sympy.exp))), exponent
