"""Counterexamples: values at which a theorem is false, as text for people and as a certificate.

Main definitions: `Refuter` puts a claim's theorem to a case, `Observation` is what it saw,
`certify` writes a violation down as a document that the kernel checks without us, and
`certify_witness` what refutes a named mutant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint

from holdfast.solvers import CMDP
from holdfast.solvers.whole_files import write_text
from holdfast.theory import Quantity, Relation

from ..binding import balls
from ..binding.claims import Claim, NamedMutant
from ..binding.description import (
    decimal_text,
    describe,
    digest,
    is_exactly,
    model_of,
    value_text,
)
from ..binding.family import Case, OutOfScope
from ..binding.proofs import FORMAT, Proved
from ..binding.values import Ball, ClaimError, Count, Mean, Value, is_known
from ..engine import expressions
from ..engine.comparison import CompiledRelation, Outcome
from ..engine.evaluation import claim_values, confirm, environment
from ..engine.fairness import numbers_of, unmet, why_fair
from ..engine.ledger import Ledger
from ..kernel import Enclosure, Report, Verdict, check, format_rational

PRECISIONS = (256, 1024, 4096)
"""Bits at which balls are written down; the next is tried where the kernel cannot decide.  More
bits at first would make every certificate longer."""

_LONGEST = 2000
"""Characters of a part of a case that a terminal shows, about half a screen."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One part of a theorem at one set of values of a case.

    claim, case; part: index of the relation in the theorem's conjunction; values: symbol -> value;
    outcome: both sides and the verdict; repeat: how many sets of values the claim had yielded.
    """

    claim: Claim
    case: Case
    part: int
    values: Mapping[str, Value]
    outcome: Outcome
    repeat: int = 0

    @property
    def relation(self) -> Relation:
        """The relation that was put to the test."""
        return self.claim.theorem.parts[self.part]

    def lines(self) -> list[str]:
        """What a person reads: the relation, both sides, the quantities, the case."""
        meanings = {q.name: q.meaning for q in self.claim.theorem.quantities}
        rows = [(f"{name} = {_shown(value)}", meanings[name]) for name, value in self._used()]
        width = max(len(text) for text, _ in rows)
        return [
            f"{self.claim.name}, {_WORDS[self.outcome.verdict]}: {self.relation}",
            f"  left side   {_shown(self.outcome.left)}",
            f"  right side  {_shown(self.outcome.right)}",
            "where",
            *(f"  {text:<{width}}  {meaning}" for text, meaning in rows),
            f"on the case {digest(self.case)}",
            *(f"  {line}" for part in self.case for line in _part_lines(part)),
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _used(self) -> list[tuple[str, Value]]:
        names = sorted(quantity.name for quantity in self.relation.quantities)
        return [(name, self.values[name]) for name in names]


_WORDS = {
    Verdict.VIOLATED: "violated",
    Verdict.TIGHT: "attained",
    Verdict.HOLDS: "not refuted",
    Verdict.AGREES: "equal as far as computed",
    Verdict.UNDECIDED: "UNDECIDED, the two sides cannot be told apart",
    Verdict.VACUOUS: "nothing tested",
}


class Refuter:
    """Puts the theorem of a claim to cases, without its mutants and without keeping records.

    ledger: charged for values that are counts of trials, one test after the other.
    """

    def __init__(self, claim: Claim, ledger: Ledger | None = None) -> None:
        self.claim = claim
        self._ledger, self._tests = ledger or Ledger(), 0
        theorem = claim.theorem
        self._parts = [CompiledRelation(part, theorem.trivial) for part in theorem.parts]

    def observe(self, case: Case) -> Iterator[Observation]:
        """Every part at every set of values that the claim yields on the case; nothing on a case
        that is out of its scope.

        Raises
        ------
        ClaimError: if the claim raises, or its values do not fit the theorem.
        """
        for repeat, values in enumerate(self._values(case)):
            named, _ = environment(values, self._ledger, self._tests)
            self._tests += 1
            for part, relation in enumerate(self._parts):
                try:
                    outcome = relation.examine(named)
                except (expressions.Undefined, expressions.Undetermined) as error:
                    where = f"{self.claim.name} on a case: {relation.relation}"
                    raise ClaimError(f"{where} is undefined: {error}") from error
                yield Observation(self.claim, case, part, named, outcome, repeat)

    def _values(self, case: Case) -> Iterator[dict[Quantity, Value]]:
        with suppress(OutOfScope):
            yield from claim_values(self.claim, "a case", case)

    def confirm(self, seen: Observation, make: Callable[[], Case]) -> None:
        """See that the observation's values are those of its case, made again by `make`.

        Raises
        ------
        ClaimError: if they are not, see `engine.confirm`.
        """
        drawn = {name for name, value in seen.values.items() if isinstance(value, Enclosure)}
        shown = {name: value_text(seen.values[name]) for name in seen.values.keys() - drawn}
        confirm(self.claim, "a case", seen.case, make, {seen.repeat: shown})

    def refute(self, case: Case) -> Observation | None:
        """The first violation on the case, or None, also where the case does not meet what the
        source of a false statement prints; raises as `observe` does."""
        seen = self.observe(case)
        found = next((one for one in seen if one.outcome.verdict is Verdict.VIOLATED), None)
        return None if found is None or unmet(self.claim, case) else found


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate with the kernel's report on it.

    name: of the file it goes to, ``<label>-<digest>.json``.
    """

    document: Mapping[str, Any]
    report: Report
    name: str

    def write(self, directory: Path) -> Path:
        """Write the document into the directory, which is made where missing; returns its path."""
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.document, indent=1, allow_nan=False) + "\n"
        return write_text(directory / self.name, text)


def certify(claim: Claim, case: Case, part: int, values: Mapping[str, Value]) -> Certified:
    """The document that says: at these values this part of the theorem is false.

    Exact values are written as they are, balls as intervals, narrower ones where the kernel cannot
    decide on the wider.  Numbers that carry a proof (`Proved`) embed it; the others are "given":
    there the certificate proves the arithmetic, and holds the case, so that anyone can compute the
    values again.  A proof is of the program or model that it embeds; that this is the one of the
    case is ours to get right, and can be seen from the case as well.  The report says whether it
    was accepted, and how many were proved and given.

    Raises
    ------
    KeyError: if a quantity of the relation has no value.
    """
    relation = claim.theorem.parts[part]
    used = {quantity.name: values[quantity.name] for quantity in relation.quantities}
    label = claim.name.replace("/", "-").replace("#", "-")
    name = f"{label}-{digest(case)}.json"
    return _certified(relation, used, _notes(claim, case, part, used), name)


def certify_witness(mutant: NamedMutant) -> Certified:
    """The document that says: at the first values of its witness, a named mutant is false.

    Raises
    ------
    ValueError: if the mutant has no witness of its own, or that yields nothing.
    """
    values = next(iter(mutant.witness()), None) if mutant.witness is not None else None
    if values is None:
        raise ValueError(f"{mutant.name} has no witness to certify; drawn models refute it")
    notes = {"mutant": mutant.name, "why": mutant.why, "statement": str(mutant.relation)}
    used = {quantity.name: value for quantity, value in values.items()}
    return _certified(mutant.relation, used, notes, f"{mutant.name}.json")


def _certified(
    relation: Relation, used: Mapping[str, Value], notes: Mapping[str, Any], name: str
) -> Certified:
    for precision in PRECISIONS:
        document = {
            "format": FORMAT,
            "kind": "counterexample",
            "relation": [
                relation.sign.value,
                expressions.to_kernel(relation.left),
                expressions.to_kernel(relation.right),
            ],
            "values": {name: _written(used[name], precision) for name in sorted(used)},
            "notes": notes,
        }
        report = check(document)
        if report.accepted or not any(isinstance(value, Ball) for value in used.values()):
            break
    return Certified(document, report, name)


def _notes(claim: Claim, case: Case, part: int, values: Mapping[str, Value]) -> dict[str, Any]:
    """What the kernel does not read: whose relation this is, and the case itself."""
    alpha = sum((v.alpha for v in values.values() if isinstance(v, Enclosure)), Fraction(0))
    return {
        "claim": claim.name,
        **_printed(claim, case),
        "part": part,
        "statement": str(claim.theorem.parts[part]),
        "digest": digest(case),
        "case": describe(case),
        "alpha": format_rational(alpha),
    }


def _printed(claim: Claim, case: Case) -> dict[str, Any]:
    """For a false statement, what its source prints and how the case meets it."""
    if not claim.theorem.standing.is_false or claim.trained or not claim.witness:
        return {}
    witness = digest(case) == digest(claim.family.landmark(claim.witness))
    found = why_fair(claim) if witness else numbers_of(claim, case)
    return {"printed": [asdict(one) for one in found]}


def _written(value: Value, precision: int) -> dict[str, Any]:
    if isinstance(value, Count | Mean):
        raise TypeError(f"{value!r} is of samples; certify the interval that was made of it")
    if isinstance(value, Proved):
        return {"certificate": value.document()}
    if isinstance(value, int | Fraction):
        return {"value": format_rational(value)}
    if isinstance(value, Enclosure):
        ends = value.lo, value.hi
        alpha = {"alpha": format_rational(value.alpha)} if value.alpha else {}
    else:
        alpha = {}
        with flint.ctx.workprec(precision):
            ends = balls.from_arb(value.compute())
    return {"lo": format_rational(ends[0]), "hi": format_rational(ends[1]), **alpha}


def _shown(value: Value) -> str:
    """The value in full, with a decimal beside it where it is no integer."""
    if isinstance(value, Enclosure):
        if not is_known(value):
            low = decimal_text(value.lo, 10, ROUND_FLOOR)
            return f"between {low} and {decimal_text(value.hi, 10, ROUND_CEILING)}"
        value = value.lo
    text = value_text(value)
    if isinstance(value, Fraction) and value.denominator != 1:
        near = decimal_text(value, 10)
        about = "" if is_exactly(near, value) else "about "
        return f"{_shortened(text)} ({about}{near})"
    return _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def _part_lines(part: Any) -> list[str]:
    """One part of a case; a constrained MDP is written out pair by pair, also within a problem."""
    model = model_of(part)
    if model is part:
        return _model_lines(model)
    described = describe(part)
    if model is not None:
        others = (f"{k} {value}" for k, value in described.items() if k not in ("kind", "model"))
        return [f"{described.get('kind')}: {', '.join(others)}", *_model_lines(model)]
    text = described if isinstance(described, str) else json.dumps(described)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}... ({len(text)} characters)"
    return text.splitlines() or [""]


def _model_lines(model: CMDP) -> list[str]:
    lines = [
        f"constrained MDP, {model.n_states} states, discount {format_rational(model.discount)}, "
        f"initial law {_entries(model.initial_vector().fractions())}, "
        f"budgets {_entries(model.budgets)}"
    ]
    if model.n_choices > _LONGEST // 20:
        return [*lines, f"{model.n_choices} state-action pairs, too many to list"]
    rewards = model.reward_vector().fractions()
    costs = [model.cost_vector(i).fractions() for i in range(model.n_constraints)]
    for k, (state, action) in enumerate(zip(model.choice_states, model.actions, strict=True)):
        targets = ", ".join(f"{t} ({format_rational(p)})" for t, p in model.transition_row(k))
        paid = "".join(f", cost {format_rational(cost[k])}" for cost in costs)
        reward = format_rational(rewards[k])
        lines.append(f"state {state}, action {action}: to {targets}; reward {reward}{paid}")
    return lines


def _entries(vector: Iterable[Fraction]) -> str:
    return "(" + ", ".join(map(format_rational, vector)) + ")"
