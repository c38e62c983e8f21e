"""The engine: runs one shard of a claim and says what was found and which mutants died.

A shard is a deterministic piece of work: everything in it follows from the claim, the seed and the
shard itself, so it can run in any process, in any order, and be run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from functools import partial
from typing import Any

from ..binding import corpus
from ..binding.claims import Claim, NamedMutant
from ..binding.description import digest, value_text
from ..binding.draws import PhiloxDraw
from ..binding.family import Case, OutOfScope
from ..binding.user_code import TooLong, blamed, limited
from ..binding.values import ClaimError, Count, Mean, Value, Values, checked
from ..kernel import Verdict
from .comparison import CompiledRelation, Outcome
from .evaluation import claim_values, confirm, environment, texts
from .expressions import Undefined, Undetermined
from .fairness import unmet
from .finding import Finding
from .ledger import Ledger


class Kind(Enum):
    """What a shard examines."""

    CORPUS = "the extremal cases that hunts found earlier"
    LANDMARKS = "the family's landmarks and the witnesses of named mutants"
    DRAWN = "models drawn from the family"
    CONTROL = "models that break one assumption, until the theorem fails on one"
    WORLD = "a model brought by the user"


@dataclass(frozen=True, slots=True)
class Shard:
    """A piece of a campaign.

    claim: name; kind: what is examined; index: number of its first case; size: number of cases;
    seed: of the run; name: of the assumption or the world; seconds: that a case may take, None for
    any number.
    """

    claim: str
    kind: Kind
    index: int
    size: int
    seed: int
    name: str = ""
    seconds: float | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Identifies the shard within a run."""
        return f"{self.claim}|{self.kind.name}|{self.name}|{self.index}|{self.size}"


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What a shard found.

    findings: one for each part of each set of values; kills: mutant name -> case that refuted it;
    models: cases on which something was examined; seconds: wall time; error: why the claim is
    faulty, or empty.
    """

    shard: Shard
    findings: tuple[Finding, ...]
    kills: dict[str, str] = field(default_factory=dict)
    models: int = 0
    seconds: float = 0.0
    error: str = ""


def run_shard(
    claim: Claim, shard: Shard, ledger: Ledger | None = None, world: Any = None
) -> ShardResult:
    """Examine the shard's cases; a claim that raises ends the shard with `error` set."""
    start = time.perf_counter()
    examiner = Examiner(claim, ledger or Ledger())
    error = ""
    try:
        if shard.kind is Kind.CONTROL:
            examiner.control(shard)
        else:
            for label, test, draw in _cases(claim, shard, world):
                before = len(examiner.findings)
                with limited(shard.seconds):
                    examiner.case(label, test, draw)
                if shard.kind is Kind.CORPUS:
                    _confirm_kept(claim, label, examiner.findings[before:])
                if shard.kind is Kind.DRAWN:
                    examiner.prune()
            if shard.kind is Kind.LANDMARKS:
                examiner.witnesses()
    except ClaimError as problem:
        error = str(problem)
    except TooLong as late:
        error = f"{claim.name}: a case {late}"
    seconds = time.perf_counter() - start
    found = tuple(examiner.findings)
    return ShardResult(shard, found, examiner.kills, examiner.models, seconds, error)


def named_case(claim: Claim, label: str) -> Case:
    """The case of a label such as ``landmark:G1`` or ``corpus:0``."""
    kind, _, name = label.partition(":")
    return _kept(claim, label).draw(claim) if kind == "corpus" else claim.family.landmark(name)


def _kept(claim: Claim, label: str) -> corpus.Kept:
    return corpus.read(claim)[int(label.partition(":")[2])]


def _confirm_kept(claim: Claim, label: str, found: Sequence[Finding]) -> None:
    kept = _kept(claim, label)
    kept.confirm(claim, (one.ratio for one in found if one.part == kept.part))


def drawn_case(claim: Claim, seed: int, index: int) -> tuple[PhiloxDraw, Case]:
    """Case number `index` of a claim under a seed, with the draw that made it."""
    draw = PhiloxDraw(seed, _source(claim), index)
    return draw, claim.family.draw(draw)


def _source(claim: Claim) -> str:
    """Names the stream of the claim's cases; claims on training runs have one for the family."""
    return claim.family.name if claim.trained else claim.name


def _cases(claim: Claim, shard: Shard, world: Any) -> Iterator[tuple[str, int, Callable[[], Case]]]:
    """(label, number of the case among those of the claim, how to make it)."""
    if shard.kind in (Kind.LANDMARKS, Kind.CORPUS):
        of_family = [f"landmark:{name}" for name in claim.family.landmarks]
        of_corpus = [f"corpus:{number}" for number in range(len(corpus.read(claim)))]
        wanted = of_family if shard.kind is Kind.LANDMARKS else of_corpus
        for number, label in enumerate(of_family + of_corpus):
            if label in wanted:
                yield label, 2 * number, partial(named_case, claim, label)
        return
    drawn = shard.kind is Kind.DRAWN
    name = _source(claim) if drawn else f"{claim.name}@{shard.name}"

    def make(index: int) -> Case:
        family = claim.family if drawn else claim.family.on(world)
        return family.draw(PhiloxDraw(shard.seed, name, index))

    for index in range(shard.index, shard.index + shard.size):
        label = f"drawn:{index}" if drawn else f"world:{shard.name}:{index}"
        yield label, 2 * index + 1, partial(make, index)


UNDEFINED = "undefined"
"""A side of a finding whose relation has no value, such as a division by zero."""

_TESTS_A_CASE = 16
"""Sets of values of one case that may be sampled, each an own test of the ledger.  With more, each
test gets less of the run's alpha, and its interval is wider, used or not."""


_BEFORE_PROOFS = 10
"""Models before mutants that nothing has refuted are asked whether the theorem implies them: most
of the false ones have fallen by then, and each of the others costs a comparison a model."""


class Examiner:
    """Examines cases of one claim, keeping the findings and the mutants still alive."""

    def __init__(self, claim: Claim, ledger: Ledger) -> None:
        theorem = claim.theorem
        self.claim, self.ledger = claim, ledger
        self.parts = [CompiledRelation(part, theorem.trivial) for part in theorem.parts]
        self.known = [(fact, CompiledRelation(fact)) for fact in theorem.known]
        self.alive = {
            mutant.name: CompiledRelation(mutant.relation)
            for mutant in claim.mutants
            if mutant.name not in claim.survivors
            and not (theorem.standing.is_false and mutant.implied)
        }
        for named in claim.named_mutants:
            if named.relation.quantities <= theorem.quantities:
                self.alive[named.name] = CompiledRelation(named.relation)
        self.findings: list[Finding] = []
        self.kills: dict[str, str] = {}
        self.models = 0
        self._confirmed = False
        self._pruned = False

    def prune(self) -> None:
        """Leave out mutants that the theorem implies: nothing can refute them.

        After a few cases, since a proof is tried in vain for what is false, and takes longer than
        most refutations.
        """
        if not self._pruned and self.models >= _BEFORE_PROOFS:
            self._pruned = True
            implied = {
                one.name for one in self.claim.mutants if one.name in self.alive and one.implied
            }
            self.alive = {name: one for name, one in self.alive.items() if name not in implied}

    def case(self, label: str, number: int, make: Callable[[], Case]) -> None:
        """Examine every set of values that the claim yields on a case."""
        before = len(self.findings)
        reason = "the claim yields nothing on this case"
        seen: dict[int, Values] = {}
        case: Case = ()
        try:
            case = self._made(label, make)
            mark = digest(case)
            for repeat, values in enumerate(claim_values(self.claim, label, case)):
                self._values(label, number, repeat, values, mark)
                seen[repeat] = values
        except OutOfScope as outside:
            reason = str(outside)
        if self._violated(before) and (condition := unmet(self.claim, case)):
            del self.findings[before:]
            reason = f"no counterexample: the source's condition {condition} is not met"
        if self._to_confirm(before):
            self._confirm(label, case, make, seen)
        if len(self.findings) > before:
            self.models += 1
        else:
            found = Finding(self.claim.name, label, 0, 0, Verdict.OUT_OF_SCOPE, note=reason)
            self.findings.append(found)

    def _confirm(
        self, label: str, case: Case, make: Callable[[], Case], seen: dict[int, Values]
    ) -> None:
        shown = {repeat: texts(values) for repeat, values in seen.items()}
        try:
            confirm(self.claim, label, case, partial(self._made, label, make), shown)
        except ClaimError:  # what fell before on this claim is no refutation either
            self.findings = [one for one in self.findings if one.verdict is not Verdict.VIOLATED]
            raise

    def _violated(self, before: int) -> bool:
        return any(found.verdict is Verdict.VIOLATED for found in self.findings[before:])

    def _to_confirm(self, before: int) -> bool:
        """Whether the findings from there on hold a violation that must be seen a second time; of
        a theorem known to be false, which falls on most cases, the first of a shard will do."""
        known = self.claim.theorem.standing.is_false and self._confirmed
        violated = self._violated(before)
        self._confirmed |= violated
        return violated and not known

    def _values(self, label: str, number: int, repeat: int, values: Values, mark: str) -> None:
        if repeat >= _TESTS_A_CASE and any(isinstance(v, Count | Mean) for v in values.values()):
            raise ClaimError(
                f"{self.claim.name} on {label}: more than {_TESTS_A_CASE} sets of samples; draw "
                "another case instead, so that each test has its own share of alpha"
            )
        named, alpha = environment(values, self.ledger, number * _TESTS_A_CASE + repeat)
        shown = {name: value_text(value) for name, value in named.items()}
        for fact, compiled in self.known:
            if compiled.refutes(named):
                raise ClaimError(
                    f"{self.claim.name} on {label}: {fact} is said to be known, and is false with "
                    f"{', '.join(f'{name} = {text}' for name, text in shown.items())}"
                )
        for part, relation in enumerate(self.parts):
            place = (self.claim.name, label, part, repeat)
            try:
                found = _finding(place, relation.examine(named), alpha, mark, shown)
            except (Undefined, Undetermined) as error:
                found = _valueless(place, error, mark, shown)
            self.findings.append(replace(found, grade="neural") if self.claim.trained else found)
        self._mutants(named, label)

    def control(self, shard: Shard) -> None:
        """Draw models that break an assumption until the theorem is violated on one."""
        family = self.claim.family.without(shard.name)
        for index in range(shard.size):
            self.models += 1
            label = f"without {shard.name}:{index}"
            draw = PhiloxDraw(shard.seed, self.claim.name, shard.name, index)
            with suppress(OutOfScope), limited(shard.seconds):
                case = self._made(label, partial(family.draw, draw))
                if self._falls(label, case, 2 * index * _TESTS_A_CASE):
                    self.kills[f"without {shard.name}"] = digest(case)
                    return

    def _falls(self, label: str, case: Case, test: int) -> bool:
        for values in claim_values(self.claim, label, case, domains=False):
            named, _ = environment(values, self.ledger, test)
            if any(relation.refutes(named) for relation in self.parts):
                return True
        return False

    def _made(self, label: str, make: Callable[[], Case]) -> Case:
        with blamed(f"{self.claim.name} on {label}: the family", self.claim.file):
            return make()

    def witnesses(self) -> None:
        """Evaluate the named mutants on their own witnesses."""
        for mutant in self.claim.named_mutants:
            if mutant.witness is not None and mutant.name not in self.kills:
                self._witness(mutant, mutant.witness)

    def _witness(self, mutant: NamedMutant, witness: Callable[[], Any]) -> None:
        relation = CompiledRelation(mutant.relation)
        with blamed(f"{self.claim.name}: the witness of {mutant.name}", self.claim.file):
            found = list(witness())
        for values in found:
            exact = checked(mutant.name, mutant.relation.quantities, values)
            if relation.refutes({quantity.name: value for quantity, value in exact.items()}):
                self.kills[mutant.name] = "witness"
                return

    def _mutants(self, named: dict[str, Value], label: str) -> None:
        dead = [name for name, relation in self.alive.items() if relation.refutes(named)]
        for name in dead:
            self.kills[name] = label
            del self.alive[name]


def _finding(
    place: tuple[str, str, int, int],
    outcome: Outcome,
    alpha: Fraction,
    mark: str,
    values: dict[str, str],
) -> Finding:
    return Finding(
        *place,
        outcome.verdict,
        left=str(outcome.left),
        right=str(outcome.right),
        slack=outcome.slack,
        ratio=outcome.ratio,
        grade=outcome.grade,
        alpha=str(alpha),
        digest=mark,
        values=values,
    )


def _valueless(
    place: tuple[str, str, int, int],
    error: Undefined | Undetermined,
    mark: str,
    values: dict[str, str],
) -> Finding:
    """A relation that has no value on a model that meets the assumptions is not true there; one
    that balls could not enclose is undecided."""
    certain = isinstance(error, Undefined)
    return Finding(
        *place,
        Verdict.VIOLATED if certain else Verdict.UNDECIDED,
        left=UNDEFINED,
        right=UNDEFINED,
        grade="exact" if certain else "ball",
        digest=mark,
        values=values,
        note=f"{'undefined' if certain else 'undetermined'}: {error}",
    )
