"""The one shape of a solution in all pillars, and the one enumeration of how it ended."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable


class Status(enum.Enum):
    """What is known of an optimum; the value says what to do next.

    A linear program has a `LinearStatus` of its own: it is a tool below the pillars that is always
    decided exactly, and may be unbounded, which no pillar's question is.
    """

    EXACT = "proved optimal and exact: use value, which lower and upper equal"
    ENCLOSED = (
        "the optimum lies between lower and upper, no farther apart than asked for; ask for a "
        "smaller width to narrow them"
    )
    WIDE = "the bounds hold but are farther apart than asked for: the record says why"
    APPROXIMATE = (
        "optimal up to rounding, with no bound proved; enclose the optimum where a proof is needed"
    )
    INFEASIBLE = (
        "nothing meets every bound; the record says by how much they have to be raised at least"
    )
    UNATTAINED = (
        "there is no optimum, only values that come closer to one without end; add a bound or a "
        "ridge"
    )
    INTERRUPTED = "stopped by the user; the bounds hold as far as they are known by then"
    UNDECIDED = (
        "the limits were reached first; the bounds hold as far as they are known: allow more time "
        "or iterations, or enclose the optimum"
    )


@runtime_checkable
class Answer(Protocol):
    """The shape of a solution: what a caller may ask of any, whatever the problem."""

    @property
    def status(self) -> Status:
        """What is known, and what to do next."""

    @property
    def value(self) -> Fraction | float | None:
        """The optimum where it is known exactly, or else None."""

    @property
    def lower(self) -> Fraction | float | None:
        """A rigorous lower bound on the optimum; None where none is known."""

    @property
    def upper(self) -> Fraction | float | None:
        """A rigorous upper bound on the optimum; None where none is known."""

    @property
    def statistics(self) -> Mapping[str, Any]:
        """How it was found: the method, seconds of each stage, pivots, rounds."""

    def certificate(self) -> dict[str, Any]:
        """A document that the kernel checks, written on demand; ModelError where there is none."""


class Brief:
    """A record that is shown by its status and value, since its fractions may fill screens."""

    __slots__ = ()

    def __repr__(self) -> str:
        found: Any = self
        if found.lower is None and found.upper is None:
            known = "no value"
        elif found.lower == found.upper:
            known = f"value {short(found.lower)}"
        else:
            known = f"value between {short(found.lower)} and {short(found.upper)}"
        return f"<{type(self).__name__} {found.status.name}, {known}>"


def short(value: Fraction | float | None) -> str:
    """Six digits, of fractions beyond doubles as well."""
    if isinstance(value, Fraction):
        return f"{Decimal(value.numerator) / value.denominator:.6g}"
    return "nothing known" if value is None else f"{value:.6g}"


class Bounds(Brief):
    """The value of a record of bounds: where the two meet, or else None."""

    __slots__ = ()
    lower: Fraction | float | None
    upper: Fraction | float | None

    @property
    def value(self) -> Fraction | float | None:
        """The lower end, if it is the upper one too."""
        return self.lower if self.lower == self.upper else None


class ExactValue(Brief):
    """The bounds of a record whose ``value`` is exact; None where it has none."""

    __slots__ = ()
    value: Fraction | None

    @property
    def lower(self) -> Fraction | None:
        """The value itself."""
        return self.value

    @property
    def upper(self) -> Fraction | None:
        """The value itself."""
        return self.value
