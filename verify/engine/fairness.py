"""Why it is fair to call a statement false: what is printed, and how the counterexample meets it.

The theorem lists the assumptions and definitions of its source; the claim's witness yields the
values of the counterexample.  They have to violate the theorem and to obey each relation that is
said to show something.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from holdfast.theory import Relation

from ..binding.claims import Claim
from ..binding.description import value_text
from ..binding.family import Case
from ..binding.values import ClaimError, Value, checked
from ..kernel import Verdict
from .comparison import CompiledRelation
from .evaluation import environment
from .ledger import Ledger

_UNMET = (Verdict.VIOLATED, Verdict.UNDECIDED)
_LONGEST = 60
"""Characters of an exact number that is shown as it is; the finding has every digit."""


@dataclass(frozen=True, slots=True)
class Met:
    """One printed thing: its text, how it is met, and the numbers that show it, or nothing."""

    text: str
    met: str
    shown: str = ""


def why_fair(claim: Claim) -> tuple[Met, ...]:
    """The list for a false theorem; empty for any other, and for a claim on trained networks, which
    meets it again: the counterexample that is shown is that of the exact claim.

    Raises
    ------
    ClaimError: if the theorem has no list or the claim no witness, if the witness does not violate
        the theorem, or if one of its values does not meet what is printed.
    """
    theorem = claim.theorem
    if not theorem.standing.is_false or claim.trained:
        return ()
    if theorem.refutation is None or not claim.witness:
        raise ClaimError(f"{claim.name} is said to be false without a list of what is printed")
    values = _values(claim, claim.family.landmark(claim.witness))
    if not any(CompiledRelation(part).refutes(values) for part in theorem.parts):
        raise ClaimError(f"{claim.name}: the witness {_named(values)} does not violate it")
    return tuple(
        Met(one.text, one.met, _shown(claim, one.shown, values) if one.shown else "")
        for one in theorem.refutation.printed
    )


def numbers_of(claim: Claim, case: Case) -> tuple[Met, ...]:
    """The list for another counterexample: what is printed, and its own numbers; how it meets each
    is said of the witness alone, and so are relations between the witness's own numbers."""
    if claim.theorem.refutation is None:
        return ()
    values = _values(claim, case)
    return tuple(
        Met(one.text, "", _used(one.shown, values, one.here) if one.shown else "")
        for one in claim.theorem.refutation.printed
    )


def unmet(claim: Claim, case: Case) -> str:
    """The first relation that is printed, or shows what is, and is not known to hold on a case;
    empty where all do, and for a claim without such a list."""
    theorem = claim.theorem
    if not theorem.standing.is_false or theorem.refutation is None or claim.trained:
        return ""
    values = _values(claim, case)
    for one in theorem.refutation.printed:
        if one.shown and not one.here and not _holds(one.shown, values):
            return _used(one.shown, values)
    return ""


def _values(claim: Claim, case: Case) -> dict[str, Value]:
    values = dict(next(iter(claim.evaluate(*case))))
    if claim.shows is not None:
        values |= claim.shows(*case)
    return environment(checked(claim.name, frozenset(values), values), Ledger(), 0)[0]


def _shown(claim: Claim, relation: Relation, values: dict[str, Value]) -> str:
    missing = {quantity.name for quantity in relation.quantities} - values.keys()
    if missing:
        raise ClaimError(f"{claim.name}: the witness has no value of {', '.join(sorted(missing))}")
    if not _holds(relation, values):
        raise ClaimError(f"{claim.name}: {relation} is not met by the witness {_named(values)}")
    return _used(relation, values)


def _holds(relation: Relation, values: dict[str, Value]) -> bool:
    return CompiledRelation(relation).examine(values).verdict not in _UNMET


def _used(relation: Relation, values: dict[str, Value], numbers_alone: bool = False) -> str:
    used = {quantity.name: values[quantity.name] for quantity in relation.quantities}
    return _named(used) if numbers_alone else f"{relation}: {_named(used)}"


def _named(values: dict[str, Value]) -> str:
    return ", ".join(f"{name} = {brief(value)}" for name, value in sorted(values.items()))


def brief(value: Value) -> str:
    """A value for a row of a list: of a long fraction twelve digits, and that it is one."""
    text = value_text(value)
    if len(text) <= _LONGEST or not isinstance(value, int | Fraction):
        return text
    about = Context(prec=12).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"about {about.normalize()} (exact, with {len(text)} characters)"
