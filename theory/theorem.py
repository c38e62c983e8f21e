"""What a theorem is: assumptions, a relation between quantities, a source, and how far to trust it.

Main definitions: `Theorem`, `Assumption`, `Source`, `Provenance`, `Standing`, `Sharp`,
`Refutation`.
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
    DERIVED = "derived: ours"


class Standing(Enum):
    """What is believed of a statement; the value says it in words."""

    STANDS = "stands"
    OPEN = "open: not refuted, and no proof of it is known to us that is whole"
    REPAIRED = "repaired: ours, the source's version changed as named"
    REFUTED = "refuted: false as printed in the text that was read, by an exact counterexample"
    FALSE_AS_RECALLED = "false as recalled: the source was not read and may say something else"
    FALSE_UNPRINTED = "false, and printed nowhere: what a reader might take from the source"

    @property
    def is_false(self) -> bool:
        """Whether a counterexample is expected."""
        return self.name.startswith(("REFUTED", "FALSE"))


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
class Printed:
    """One thing that the source prints, an assumption or a definition, and how it is met.

    text: what is printed, in our words; met: how the counterexample meets it; shown: a relation
    between numbers of the counterexample that shows it, where numbers can.  It must hold for every
    counterexample, and a case where it fails is none; here: unless it is of this one alone.
    """

    text: str
    met: str
    shown: Relation | None = None
    here: bool = False


@dataclass(frozen=True, slots=True)
class Refutation:
    """Why it is fair to call a statement false.

    fidelity: which text was compared, when, and what of it was not legible; severity: whether the
    counterexample strikes where the source uses the statement, or at an edge only; printed: all
    assumptions and definitions of the statement, each with how the counterexample meets it.
    """

    fidelity: str
    severity: str
    printed: tuple[Printed, ...]


@dataclass(frozen=True, slots=True)
class Sharp:
    """That no smaller constant will do in one part of a statement.

    constant: as people name it, such as ``2``; why: where the two sides are equal, or along which
    models their ratio tends to one; part: index in the conjunction.
    """

    constant: str
    why: str
    part: int = 0


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
    known: parts of those that speak of the same quantities; with them more mutants are proved to
        be implied.  They are no part of the claim, which is faulty if one of them fails on a case.
    trivial: an upper bound that the smaller side obeys without any theorem; where the larger side
        is no better than it, the verdict is VACUOUS.
    remark: normalisation, what changed in a repair.
    sharp: the parts whose constant is known to be the best; a hunt comes to 0.99 on each.
    refutation: why it is fair to call the statement false, where its standing says so.

    Raises
    ------
    ValueError: on a malformed label, a relation without quantities, two quantities of one name, or
        a statement that is called refuted though its source was not read, or printed nowhere though
        it was read there.
    """

    label: str
    title: str
    relation: Relation | Both
    source: Source
    given: tuple[Assumption, ...] = ()
    proof: str = ""
    standing: Standing = Standing.STANDS
    uses: tuple[str, ...] = ()
    known: tuple[Relation, ...] = ()
    trivial: sympy.Expr | None = None
    remark: str = ""
    sharp: tuple[Sharp, ...] = ()
    refutation: Refutation | None = None
    parts: tuple[Relation, ...] = field(init=False)

    def __post_init__(self) -> None:
        area, slash, name = self.label.partition("/")
        if not (slash and area and name):
            raise ValueError(f"label {self.label!r} must read 'area/name'")
        parts = self.relation.parts if isinstance(self.relation, Both) else (self.relation,)
        object.__setattr__(self, "parts", parts)
        if not self.quantities:
            raise ValueError(f"{self.label}: {self.relation} has no quantity left to check")
        self._check_names()
        for one in self.sharp:
            if not 0 <= one.part < len(parts) or self.standing.is_false:
                raise ValueError(
                    f"{self.label}: part {one.part} is called sharp, and the statement is false or "
                    f"has no such part; its {len(parts)} parts are numbered from 0"
                )
        if self.standing is Standing.REFUTED and self.source.provenance is not Provenance.READ:
            raise ValueError(
                f"{self.label} is called refuted, but its source was not read (provenance "
                f"{self.source.provenance.name}); such a statement is false as recalled"
            )

        if (self.standing, self.source.provenance) == (Standing.FALSE_UNPRINTED, Provenance.READ):
            raise ValueError(
                f"{self.label} is said to be printed nowhere, and to be read in its source; give "
                "the provenance derived, or call it refuted"
            )

    def _check_names(self) -> None:
        names = [quantity.name for quantity in self.quantities]
        for name in sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"{self.label}: two different quantities are called {name!r}; values go by the "
                "name, so give each its own, or use one and the same quantity"
            )
        strange = sorted(q.name for one in self.known for q in one.quantities - self.quantities)
        if strange:
            raise ValueError(
                f"{self.label}: what is known speaks of {', '.join(strange)}, which the statement "
                "does not mention"
            )

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
