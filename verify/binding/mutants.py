"""Deliberately false variants of a theorem, read off the tree of its relation.

A mutant changes one thing: a constant by a tenth, a sign, an exponent by one, a dropped term or
factor, a lost absolute value or maximum.  Each must be refuted on some model; the exceptions are
mutants that the theorem itself implies, which `implied` proves, and those that a claim lists with a
reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import sympy

from holdfast.theory import Relation, Theorem

from .implied import implied

_LESS, _MORE = sympy.Rational(9, 10), sympy.Rational(11, 10)
"""A constant wrong by a tenth should be noticed.  A smaller change survives wherever a bound is not
nearly attained on drawn models; twice the constant would be noticed by checks too weak to trust."""
_NOT_A_NUMBER = (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I)
_WITHOUT_COEFFICIENT = (sympy.exp, sympy.log, sympy.Max, sympy.Min)
"""Functions whose arguments have a coefficient of their own, written or not."""
Path = tuple[int, ...]


@dataclass(frozen=True)
class Mutant:
    """A variant of part number `part` of a theorem; name: the variant itself, in plain text."""

    part: int
    relation: Relation
    theorem: Theorem
    name: str

    @cached_property
    def implied(self) -> bool:
        """Whether the theorem implies it.  Slow where it does not: ask of what nothing refutes."""
        original = self.theorem.parts[self.part]
        facts = [other for other in self.theorem.parts if other is not original]
        return implied(original, self.relation, [*facts, *self.theorem.known])


@cache
def derive(theorem: Theorem) -> tuple[Mutant, ...]:
    """All one-change variants of the theorem, without repetitions."""
    found: dict[str, Mutant] = {}
    for index, part in enumerate(theorem.parts):
        for relation in _variants(part):
            name = str(relation)
            if relation != part and relation.quantities and name not in found:
                found[name] = Mutant(index, relation, theorem, name)
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
