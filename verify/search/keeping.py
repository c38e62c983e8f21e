"""What a hunt leaves behind: its extremal cases made smaller, with their limits, for the corpus.

Main definitions: `Extremal`, `extremal`, `keep`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..binding import corpus
from ..binding.claims import Claim
from ..binding.corpus import Kept
from ..binding.description import describe, value_text
from ..binding.family import Case
from ..binding.values import ClaimError
from .counterexample import Observation, Refuter
from .hunt import Hunt, Peak, score
from .limits import Limit, at, limit_of
from .shrink import shrink

_EXAMPLES, _SECONDS = 1000, 10.0
"""Effort for a smaller case of the same ratio: more makes few smaller, and each hunt longer."""
_READABLE, _NEAR = (1000, 10**6), 0.99
"""n of the case that is kept where the ratio rises with n, the first at which it has come near to
its limit: a larger one is harder to read."""


@dataclass(frozen=True, slots=True)
class Extremal:
    """The smallest case of a ratio that was found, and what the ratio tends to around it."""

    peak: Peak
    limit: Limit | None

    @property
    def ratio(self) -> str:
        """Exact where both sides are rational and a corpus takes it, else with ten digits."""
        outcome = self.peak.observation.outcome
        assert outcome.quotient is not None
        exact = value_text(outcome.quotient) if outcome.is_rational else ""
        return exact if corpus.RATIO.fullmatch(exact) else f"{outcome.ratio:.10f}"


def extremal(claim: Claim, peak: Peak) -> Extremal:
    """The peak made smaller while its ratio stays, with the limit along cases like it."""
    limit = limit_of(claim, peak)
    if limit is not None:
        line = (at(claim, peak, limit.places, n) for n in _READABLE)
        near = (one for one in line if one is not None and one.score >= _NEAR * limit.value)
        peak = next(near, peak)
    small = _smaller(claim, peak)
    return Extremal(small, None if limit is None else limit_of(claim, small) or limit)


def _smaller(claim: Claim, peak: Peak) -> Peak:
    part, refuter = peak.observation.part, Refuter(claim)

    def judge(case: Case) -> Observation | None:
        seen = (one for one in refuter.observe(case) if one.part == part)
        return next((one for one in seen if score(one.outcome) >= peak.score), None)

    found = shrink(claim, peak.trace, examples=_EXAMPLES, seconds=_SECONDS, judge=judge)
    if found is None:
        return peak
    return replace(peak, observation=found.observation, trace=found.trace)


def extremals(claim: Claim, found: Hunt) -> tuple[Extremal, ...]:
    """Those of the parts of which a ratio was seen; an equality has none, nor have two zeros."""
    telling = (one for one in found.best if one.ratio is not None and one.score > -math.inf)
    return tuple(extremal(claim, peak) for peak in telling)


def keep(claim: Claim, found: Hunt, cases: Iterable[Extremal]) -> Path:
    """Write the cases into the corpus, unless what it has of a part still checks and is as tight.

    Raises
    ------
    ClaimError: if the file that is there is damaged; OSError: if it cannot be written.
    """
    best = {one.part: one for one in corpus.read(claim) if _checks(claim, one)}
    for case in cases:
        seen = case.peak.observation
        new = Kept(
            part=seen.part,
            trace=case.peak.trace,
            case=describe(seen.case),
            ratio=case.ratio,
            models=found.models,
            seed=found.seed,
            limit=case.limit.constant if case.limit else "",
            along=case.limit.along if case.limit else "",
        )
        old = best.get(seen.part)
        if old is None or Fraction(new.ratio) > Fraction(old.ratio):
            best[seen.part] = new
    return corpus.write(claim, [best[part] for part in sorted(best)])


def check(claim: Claim, kept: Kept) -> Observation:
    """What is seen on a kept case; raises ClaimError, with the file, if it no longer checks."""
    seen = [one for one in Refuter(claim).observe(kept.draw(claim)) if one.part == kept.part]
    kept.confirm(claim, (one.outcome.ratio for one in seen))
    return max(seen, key=lambda one: score(one.outcome))


def _checks(claim: Claim, kept: Kept) -> bool:
    try:
        return score(check(claim, kept).outcome) > -math.inf
    except ClaimError:
        return False
