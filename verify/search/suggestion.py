"""A sharper constant that nothing seen speaks against: a conjecture, and what would decide it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy

from holdfast.theory import Le, Relation, Sign

from ..binding import corpus, mutants
from ..binding.claims import Claim
from ..binding.draws import PhiloxDraw, VectorDraw
from ..binding.family import OutOfScope
from ..binding.values import Value
from ..engine.comparison import CompiledRelation
from ..engine.expressions import Undefined, Undetermined
from ..kernel import Verdict
from .counterexample import Observation, Refuter
from .hunt import Hunt, Peak, score
from .keeping import Extremal, check, extremals

NEAR = Fraction(99, 100)
"""The ratio that a hunt reaches where the constant is known to be the best: the rest is left to
families whose integers would have to grow beyond what is computed in no time."""
_ROOM = Fraction(1, 4)
"""A suggested constant lies above what was seen by at most this part of it, and of what is left
to 1."""
_DRAWN = 60
"""Drawn models that mutants are put to beside the extremal cases.  On more, fewer mutants are left
over that a few models more would refute; each takes as long as a model of the hunt."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested of one part of a theorem.

    extremal: the case that comes closest; factor: by which the larger side may be multiplied, as
    far as was seen, None where it is attained or comes as close as one likes; why: in a sentence;
    relation: the conjecture; at_ends: (place in the trace, value) of the integers of the extremal
    case at an end of their range, where the family stopped it and not the theorem; undecided: of
    the mutants of the conjecture, or of the part where there is none, those that are sharper on a
    case seen, and refuted by none; mutants: how many there are; cases: that they were put to.
    """

    extremal: Extremal
    factor: sympy.Expr | None
    why: str
    relation: Relation | None
    at_ends: tuple[tuple[int, int], ...]
    undecided: tuple[Relation, ...] = ()
    mutants: int = 0
    cases: int = 0


class Contradicted(Exception):
    """A case that no hunt is told of, or a drawn one, violates the theorem; holds what was seen."""

    def __init__(self, seen: Observation) -> None:
        super().__init__(str(seen))
        self.seen = seen


def suggest(claim: Claim, found: Hunt) -> tuple[Suggestion, ...]:
    """A suggestion for each part of which the two sides have a ratio, from a hunt, the corpus, the
    landmarks of the family, and drawn models.

    Raises
    ------
    Contradicted: if one of these violates the theorem; ClaimError: if the claim is faulty on it.
    """
    best = {one.peak.observation.part: one for one in extremals(claim, found)}
    seen = [one.peak.observation for one in best.values()] + [one.observation for one in found.best]
    for observation, trace in _known(claim, found):
        if observation.outcome.verdict is Verdict.VIOLATED:
            raise Contradicted(observation)
        seen.append(observation)
        other = Peak(observation, trace, score(observation.outcome))
        tells = other.ratio is not None and other.score > -math.inf
        if tells and (
            observation.part not in best or other.score > best[observation.part].peak.score
        ):
            best[observation.part] = Extremal(other, None)
    return tuple(
        _with_mutants(claim, _suggestion(claim, best[part]), seen) for part in sorted(best)
    )


def _known(claim: Claim, found: Hunt) -> Iterator[tuple[Observation, tuple[int, ...]]]:
    """What is seen on the corpus, the landmarks and drawn models, with the trace of the case; a
    landmark has none."""
    for kept in corpus.read(claim):
        yield check(claim, kept), kept.trace
    refuter = Refuter(claim)
    for name in claim.family.landmarks:
        with suppress(OutOfScope):
            yield from ((one, ()) for one in refuter.observe(claim.landmark(name)))
    for index in range(min(_DRAWN, found.models)):
        draw = PhiloxDraw(found.seed, claim.name, index)  # those of verify
        with suppress(OutOfScope):
            case = claim.draw(draw)
            yield from ((one, tuple(draw.trace)) for one in refuter.observe(case))


def _with_mutants(claim: Claim, one: Suggestion, seen: Sequence[Observation]) -> Suggestion:
    """With the mutants that would decide whether it can be sharpened otherwise."""
    part = one.extremal.peak.observation.part
    relation = claim.theorem.parts[part] if one.relation is None else one.relation
    derived = mutants.derive(replace(claim.theorem, relation=relation, sharp=()))
    cases = [observation.values for observation in seen if observation.part == part]
    room = [_slack(CompiledRelation(relation), values) for values in cases]
    undecided = (one.relation for one in derived if _decides(one.relation, cases, room))
    return replace(one, undecided=tuple(undecided), mutants=len(derived), cases=len(cases))


def _decides(relation: Relation, cases: Sequence[Mapping[str, Value]], room: list[float]) -> bool:
    """Whether no case refutes it, and it leaves less room than that on some."""
    compiled = CompiledRelation(relation)
    if any(compiled.refutes(values) for values in cases):
        return False
    return any(_slack(compiled, values) < old for values, old in zip(cases, room, strict=True))


def _slack(relation: CompiledRelation, values: Mapping[str, Value]) -> float:
    """Infinite where the relation says nothing."""
    with suppress(Undefined, Undetermined):
        slack = relation.examine(values).slack
        return math.inf if slack is None else slack
    return math.inf


def _suggestion(claim: Claim, case: Extremal) -> Suggestion:
    seen, limit = case.peak.observation, case.limit
    outcome = seen.outcome
    ratio, ends = outcome.quotient, _at_ends(claim, case.peak)
    assert ratio is not None
    if ratio == 1 or outcome.ratio == 1.0:
        return Suggestion(
            case, None, "the two sides are equal there: no smaller factor is possible", None, ends
        )
    if limit is not None and limit.constant == "1":
        why = (
            "as far as it was followed, the ratio tends to 1; if it goes on so, no smaller factor "
            f"is possible: {limit.along}"
        )
        return Suggestion(case, None, why, None, ends)
    if ratio > NEAR:
        why = f"less than {100 * (1 - NEAR)} percent is left, too little to suggest a factor from"
        return Suggestion(case, None, why, None, ends)
    negative = outcome.left.hi < 0
    factor = sympy.sympify(limit.constant) if limit and _is_named(limit.constant, ratio) else None
    why = f"{factor} is what the ratio tends to: {limit.along}" if limit else ""
    if factor is None:
        simple = simplest(ratio, ratio + min(ratio, 1 - ratio) * _ROOM)
        factor = sympy.Rational(simple.numerator, simple.denominator)
        why = f"{factor} is the simplest fraction that is not below the largest ratio, and near it"
    return Suggestion(case, factor, why, sharper(seen.relation, factor, negative), ends)


def _is_named(constant: str, least: Fraction) -> bool:
    return not constant.startswith("about") and least <= float(sympy.sympify(constant)) < 1


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The rational of the least denominator in [low, high], of numbers that are not negative."""
    whole = Fraction(math.ceil(low))
    if whole <= high:
        return whole
    return whole - 1 + 1 / simplest(1 / (high - whole + 1), 1 / (low - whole + 1))


def sharper(relation: Relation, factor: sympy.Expr, negative: bool) -> Relation:
    """The inequality with the side that is farther from zero multiplied by the factor: the larger
    one, or the smaller one where both are negative."""
    small, large = relation.left, relation.right
    if relation.sign in (Sign.GE, Sign.GT):
        small, large = large, small
    return Le(factor * small, large) if negative else Le(small, factor * large)


def _at_ends(claim: Claim, peak: Peak) -> tuple[tuple[int, int], ...]:
    if not peak.trace:
        return ()
    draw = VectorDraw(peak.trace)
    claim.draw(draw)
    pairs: Sequence[tuple[int, tuple[int, int]]] = list(zip(draw.trace, draw.bounds, strict=True))
    return tuple((k, value) for k, (value, (_, hi)) in enumerate(pairs) if value == hi and hi > 1)
