"""What a theorem is: assumptions, a relation between quantities, a source, and how far to trust it.

Main definitions: `Theorem`, `Assumption`, `Source`, `Provenance`, `Standing`.
"""

from dataclasses import dataclass, field
from enum import Enum

import sympy

from .quantities import Quantity
from .relations import Both, Relation


class Provenance(Enum):
    """Where our wording of a statement comes from; the value says what that is worth."""

    READ = "read: the statement of the source itself"
    RECALLED = "recalled: from memory or a summary, unconfirmed"
    DERIVED = "derived: ours, with a proof"


class Standing(Enum):
    """What is believed of a statement; the value says it in words."""

    STANDS = "stands"
    REPAIRED = "repaired: ours, the source's version changed as named"
    REFUTED = "refuted as the source that was read has it, by an exact counterexample"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement is printed: the work, the place, and the provenance of our wording."""

    work: str
    place: str
    provenance: Provenance

    def __str__(self) -> str:
        return f"{self.work}, {self.place}" if self.place else self.work


@dataclass(frozen=True, slots=True)
class Assumption:
    """A hypothesis of a theorem: a short name, used by controls, and one sentence."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Theorem:
    """A statement that can be checked on a model.

    Parameters
    ----------
    label: unique, ``area/name``; what the command line and the store call it.
    title: one line in words.
    relation: what is claimed, between quantities; several parts are a conjunction.
    source: where it is printed, with provenance.
    given: the assumptions.
    proof: the idea in one or two sentences.
    standing: what is believed of it.
    uses: labels of the statements the proof rests on.
    trivial: an upper bound that the smaller side obeys without any theorem; where the larger side
        is no better than it, the verdict is VACUOUS.
    remark: normalisation, sharpness, what changed in a repair.
    """

    label: str
    title: str
    relation: Relation | Both
    source: Source
    given: tuple[Assumption, ...] = ()
    proof: str = ""
    standing: Standing = Standing.STANDS
    uses: tuple[str, ...] = ()
    trivial: sympy.Expr | None = None
    remark: str = ""
    parts: tuple[Relation, ...] = field(init=False)

    def __post_init__(self) -> None:
        area, slash, name = self.label.partition("/")
        if not (slash and area and name):
            raise ValueError(f"label {self.label!r} must read 'area/name'")
        parts = self.relation.parts if isinstance(self.relation, Both) else (self.relation,)
        object.__setattr__(self, "parts", parts)
        if not self.quantities:
            raise ValueError(f"{self.label}: {self.relation} has no quantity left to check")

    @property
    def quantities(self) -> frozenset[Quantity]:
        """The quantities a claim must yield values for."""
        extra = frozenset() if self.trivial is None else frozenset(self.trivial.free_symbols)
        return self.relation.quantities | extra

    def statement_latex(self) -> str:
        """The relation in LaTeX."""
        return self.relation.to_latex()

    def assumption(self, name: str) -> Assumption:
        """The assumption of that name; raises KeyError with the names there are."""
        for assumption in self.given:
            if assumption.name == name:
                return assumption
        names = ", ".join(a.name for a in self.given) or "none"
        raise KeyError(f"{self.label} has no assumption {name!r}; it has: {names}")
