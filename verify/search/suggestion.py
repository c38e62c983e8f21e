"""A sharper constant that nothing seen speaks against: a conjecture, and what would decide it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy

from holdfast.theory import Le, Relation, Sign

from ..binding import corpus
from ..binding.claims import Claim
from ..binding.draws import VectorDraw
from .counterexample import Observation, Refuter
from .hunt import Hunt, Peak, score
from .keeping import Extremal, check, extremals

NEAR = Fraction(99, 100)
"""The ratio that a hunt reaches where the constant is known to be the best: the rest is left to
families whose integers would have to grow beyond what is computed in no time."""
_ROOM = Fraction(1, 4)
"""A suggested constant lies above what was seen by at most this part of what is left to 1."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested of one part of a theorem.

    extremal: the case that comes closest; factor: by which the larger side may be multiplied, as
    far as was seen, None where it is attained or comes as close as one likes; why: in a sentence;
    relation: the conjecture; at_ends: (place in the trace, value) of the integers of the extremal
    case at an end of their range, where the family stopped it and not the theorem.
    """

    extremal: Extremal
    factor: sympy.Expr | None
    why: str
    relation: Relation | None
    at_ends: tuple[tuple[int, int], ...]


def suggest(claim: Claim, found: Hunt) -> tuple[Suggestion, ...]:
    """A suggestion for each part of which the two sides have a ratio, from a hunt, the corpus and
    the landmarks of the family."""
    best = {one.peak.observation.part: one for one in extremals(claim, found)}
    for other in _known(claim):
        part = other.observation.part
        if part not in best or other.score > best[part].peak.score:
            best[part] = Extremal(other, None)
    return tuple(_suggestion(claim, best[part]) for part in sorted(best))


def _known(claim: Claim) -> list[Peak]:
    """The cases of the corpus and the landmarks; a landmark has no trace."""
    seen: list[tuple[Observation, tuple[int, ...]]] = []
    seen += [(check(claim, kept), kept.trace) for kept in corpus.read(claim)]
    for name in claim.family.landmarks:
        case = claim.family.landmark(name)
        seen += [(one, ()) for one in Refuter(claim).observe(case)]
    known = [Peak(one, trace, score(one.outcome)) for one, trace in seen]
    return [one for one in known if one.ratio is not None and one.score > -math.inf]


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
        simple = simplest(ratio, ratio + (1 - ratio) * _ROOM)
        factor = sympy.Rational(simple.numerator, simple.denominator)
        why = f"{factor} is the simplest fraction that is not below the largest ratio, and near it"
    return Suggestion(case, factor, why, sharper(seen.relation, factor, negative), ends)


def _is_named(constant: str, least: Fraction) -> bool:
    return not constant.startswith("about") and least <= float(sympy.sympify(constant)) < 1


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The rational of the least denominator in [low, high]."""
    bottom = 1
    while math.ceil(low * bottom) > high * bottom:
        bottom += 1
    return Fraction(math.ceil(low * bottom), bottom)


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
    claim.family.draw(draw)
    pairs: Sequence[tuple[int, tuple[int, int]]] = list(zip(draw.trace, draw.bounds, strict=True))
    return tuple((k, value) for k, (value, (_, hi)) in enumerate(pairs) if value == hi and hi > 1)
