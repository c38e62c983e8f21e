"""Relations between quantities, kept exactly as they were written.

A `Relation` holds two sympy expressions and the sign between them.  It is not a sympy relational,
because those evaluate: ``sympy.Le(x, x)`` is ``True``, and a claim that sympy has decided is a
claim that nobody checks any more.  Here LaTeX, evaluation and mutants all read the same two trees.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter

from .quantities import Quantity


class Sign(Enum):
    """The sign between the two sides; the value is its plain-text form."""

    LE = "<="
    LT = "<"
    GE = ">="
    GT = ">"
    EQ = "=="
    NE = "!="

    @property
    def latex(self) -> str:
        """The sign in LaTeX."""
        return {
            "<=": r"\le",
            "<": "<",
            ">=": r"\ge",
            ">": ">",
            "==": "=",
            "!=": r"\ne",
        }[self.value]


class PlusFirst:
    """Makes a printer of sympy write ``a - b`` rather than ``-b + a``."""

    def _as_ordered_terms(self, expr: sympy.Add, order: object = None) -> list[sympy.Expr]:
        del order
        return sorted(expr.args, key=lambda term: bool(term.could_extract_minus_sign()))


class _Latex(PlusFirst, LatexPrinter):  # type: ignore[misc]
    """Our LaTeX."""


@dataclass(frozen=True, slots=True)
class Relation:
    """``left sign right``, unevaluated.

    Raises
    ------
    TypeError: if a side is a sympy Boolean or holds a plain `sympy.Symbol` instead of a `Quantity`.
    """

    left: sympy.Expr
    sign: Sign
    right: sympy.Expr

    def __post_init__(self) -> None:
        for side in (self.left, self.right):
            if not isinstance(side, sympy.Expr):
                raise TypeError(f"a side of a relation must be an expression, got {side!r}")
            for symbol in side.free_symbols:
                if not isinstance(symbol, Quantity):
                    raise TypeError(
                        f"{symbol!r} is a bare symbol; write Quantity({str(symbol)!r}, meaning)"
                    )

    @property
    def quantities(self) -> frozenset[Quantity]:
        """All quantities on either side."""
        return frozenset(self.left.free_symbols | self.right.free_symbols)

    def to_latex(self) -> str:
        """The relation in LaTeX, as it is kept: nothing is expanded, cancelled or moved across."""
        printer = _Latex({"mul_symbol": r" \, "})
        return f" {self.sign.latex} ".join(map(printer.doprint, (self.left, self.right)))

    def __str__(self) -> str:
        return f"{self.left} {self.sign.value} {self.right}"


def _relation(left: Any, sign: Sign, right: Any) -> Relation:
    return Relation(sympy.sympify(left), sign, sympy.sympify(right))


def Le(left: Any, right: Any) -> Relation:
    """``left <= right``."""
    return _relation(left, Sign.LE, right)


def Lt(left: Any, right: Any) -> Relation:
    """``left < right``."""
    return _relation(left, Sign.LT, right)


def Ge(left: Any, right: Any) -> Relation:
    """``left >= right``."""
    return _relation(left, Sign.GE, right)


def Gt(left: Any, right: Any) -> Relation:
    """``left > right``."""
    return _relation(left, Sign.GT, right)


def Eq(left: Any, right: Any) -> Relation:
    """``left == right``, exactly."""
    return _relation(left, Sign.EQ, right)


def Ne(left: Any, right: Any) -> Relation:
    """``left != right``."""
    return _relation(left, Sign.NE, right)


@dataclass(frozen=True, slots=True)
class Both:
    """A conjunction of relations, checked part by part; a chain ``a <= b <= c`` is two parts."""

    parts: tuple[Relation, ...]

    def __init__(self, *parts: Relation) -> None:
        if len(parts) < 2:
            raise ValueError(f"a conjunction needs at least two relations, got {len(parts)}")
        object.__setattr__(self, "parts", parts)

    @property
    def quantities(self) -> frozenset[Quantity]:
        """All quantities of all parts."""
        return union(part.quantities for part in self.parts)

    def to_latex(self) -> str:
        """The parts in LaTeX, side by side."""
        return r",\quad ".join(part.to_latex() for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(str(part) for part in self.parts)


def union(sets: Iterable[frozenset[Quantity]]) -> frozenset[Quantity]:
    """The union of sets of quantities."""
    return frozenset().union(*sets)
