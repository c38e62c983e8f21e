"""Quantities: the symbols of a theorem, with a meaning, a domain and a way of being typeset.

A quantity is a sympy symbol, so a formula written with quantities *is* the formula that is
printed, evaluated and mutated.  Two quantities are the same only if name, domain, LaTeX and
meaning agree; a domain is a promise that the engine checks on every value it is given.
"""

from enum import Enum
from fractions import Fraction
from typing import Any, ClassVar, Self

import sympy


class Domain(Enum):
    """Where the values of a quantity live; the value of the member is its description."""

    REAL = "any real number"
    NONNEGATIVE = "a real number >= 0"
    POSITIVE = "a real number > 0"
    DISCOUNT = "a real number in [0, 1)"
    PROBABILITY = "a real number in [0, 1]"
    COUNT = "an integer >= 0"
    TRIALS = "an integer >= 1"

    def contains(self, lower: Fraction, upper: Fraction) -> bool:
        """Whether a number known to lie in [lower, upper] can belong to the domain."""
        match self:
            case Domain.REAL:
                return True
            case Domain.NONNEGATIVE:
                return upper >= 0
            case Domain.POSITIVE:
                return upper > 0
            case Domain.DISCOUNT:
                return upper >= 0 and lower < 1
            case Domain.PROBABILITY:
                return upper >= 0 and lower <= 1
            case Domain.COUNT:
                return upper >= 0 and (lower != upper or lower.denominator == 1)
            case Domain.TRIALS:
                return upper >= 1 and (lower != upper or lower.denominator == 1)


def _upright(name: str) -> str:
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"


class Quantity(sympy.Symbol):  # type: ignore[misc]
    """A named real quantity of a theorem.

    Parameters
    ----------
    name: how the quantity is called in values, findings and certificates.
    meaning: one line in words, with its normalisation where it has one.
    domain: where its values live; checked by the engine.
    latex: how it is typeset; if empty, the name, upright where it is a word.
    program: the program or the set behind it, as LaTeX, where the meaning does not write it out.
    """

    __slots__: ClassVar[tuple[str, ...]] = ("domain", "latex", "meaning", "program")
    domain: Domain
    latex: str
    meaning: str
    program: str

    def __new__(
        cls,
        name: str,
        meaning: str,
        domain: Domain = Domain.REAL,
        latex: str = "",
        program: str = "",
    ) -> Self:
        """A symbol with these attributes, never one that sympy has kept under the same name."""
        symbol: Self = sympy.Symbol.__xnew__(cls, name, real=True)
        symbol.domain = domain
        symbol.latex = latex or _upright(name)
        symbol.meaning = meaning
        symbol.program = program
        return symbol

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.name, self.meaning, self.domain, self.latex, self.program), {}

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.name, self.meaning, self.domain.name, self.latex, self.program)

    def _latex(self, printer: object) -> str:
        del printer
        return self.latex
