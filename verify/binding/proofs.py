"""Numbers that carry their proofs: a claim may yield one, and a counterexample then embeds it.

The kernel takes a number with a certificate from the certificate, not from us: the report on the
counterexample counts it as proved, any other as given.  What is proved is a property of the program
or model that the certificate embeds: the optimum of a linear program whose rows a solver wrote
down, the return of a policy.  That the program is the one that the statement means is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..kernel import format_rational

Document = Mapping[str, Any]
FORMAT = "holdfast-certificate/1"


class Proved(Fraction):
    """A rational with a certificate of it, made when asked for.

    document: returns a certificate that proves this number from nothing given, such as one of kind
    ``linear-program-optimum``.  Arithmetic and copies by pickling give plain Fractions.
    """

    __slots__ = ("document",)
    document: Callable[[], Document]

    def __new__(cls, value: Fraction | int, document: Callable[[], Document]) -> Proved:
        """The number, with what makes its certificate."""
        number = super().__new__(cls, value)
        number.document = document
        return number

    def __reduce__(self) -> tuple[type[Fraction], tuple[int, int]]:
        return Fraction, (self.numerator, self.denominator)

    def __copy__(self) -> Proved:
        return self

    def __deepcopy__(self, memo: Any) -> Proved:
        return self


def calculated(value: Fraction | int, expression: Any, **parts: Proved) -> Proved:
    """A number that an expression in the kernel's language has, in symbols that are proved."""

    def document() -> dict[str, Any]:
        return {
            "format": FORMAT,
            "kind": "enclosure",
            "expression": expression,
            "values": {name: {"certificate": part.document()} for name, part in parts.items()},
            "lo": format_rational(Fraction(value)),
            "hi": format_rational(Fraction(value)),
        }

    return Proved(value, document)


def largest(documents: Sequence[Document], value: Fraction) -> dict[str, Any]:
    """That `value` is the largest optimum of the linear programs of some certificates.

    Certificates of infeasible programs prove that these have no optimum; they are kept in the
    notes, where the kernel does not look.
    """
    optima = [one for one in documents if one["kind"] == "linear-program-optimum"]
    names = [f"V{i}" for i in range(len(optima))]
    return {
        "format": FORMAT,
        "kind": "enclosure",
        "expression": ["max", *(["symbol", name] for name in names)],
        "values": {name: {"certificate": one} for name, one in zip(names, optima, strict=True)},
        "lo": format_rational(value),
        "hi": format_rational(value),
        "notes": {"infeasible": [one for one in documents if one not in optima]},
    }
