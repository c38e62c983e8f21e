"""The tightness hunt: which case of the family comes closest to breaking the theorem?

Random starts, then a local search over the integers that draw a case; after each, one around the
best case so far, with growing integers beyond the range of drawn models.  Every case is evaluated
exactly; floats only order candidates.  A violation ends the hunt and is shrunk.  (Differential
evolution of scipy on the same integers came less far on three of six statements, and about as far
on the others, so it is not here.)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Protocol

from holdfast.theory import Sign

from ..binding.claims import Claim
from ..binding.description import describe
from ..binding.draws import FAR, Draw, PhiloxDraw, VectorDraw, philox
from ..binding.family import Case, OutOfScope
from ..binding.values import ClaimError
from ..campaign.schedule import Budget
from ..engine.comparison import Outcome
from ..kernel import Verdict
from .counterexample import Observation, Refuter
from .moves import moved
from .shrink import Shrunk, shrink

Progress = Callable[[int, float | None], None]

DEFAULT_BUDGET = Budget(models=2000)

_VIOLATION = "violation, shrunk"
"""The note under which a corpus keeps a violation.  No hunt begins there: it would end at once."""

_SAMPLES = 6
"""Random cases looked at before each local search, which starts from the best of them.  More find
better starts and leave fewer searches; with one, a search begins anywhere."""

_AT_THE_TOP = 6
"""Moves without improvement before a local search ends where the bound is attained, or where the
score cannot improve at all: there only a violation is left to be found, as likely elsewhere."""


class Kept(Protocol):
    """A case in a corpus."""

    @property
    def trace(self) -> Sequence[int]:
        """The integers that draw it."""

    @property
    def note(self) -> str:
        """What it was kept for."""


class Corpus(Protocol):
    """Where extremal cases are kept, such as a store."""

    def corpus(self, claim: str) -> Iterable[Kept]:
        """The cases of a claim."""

    def keep(
        self, claim: str, trace: Sequence[int], ratio: float | None, case: Any, note: str
    ) -> object:
        """Add a case, described as plain data, under the trace that draws it."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The case that came closest to breaking one part of a theorem.

    observation: the case, the values and both sides; trace: draws the case, by ``VectorDraw``;
    score: what the search maximises, see `score`; seconds: from the start until it was found.
    """

    observation: Observation
    trace: tuple[int, ...]
    score: float
    seconds: float = field(default=0.0, compare=False)

    @property
    def ratio(self) -> float | None:
        """Smaller over larger side, 1 where the bound is attained; for people."""
        return self.observation.outcome.ratio


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a hunt came to.

    best: for each part of the theorem that was observed, its extremal case; violation: the shrunk
    violation that ended the hunt; models: cases evaluated; telling: those of them on which the
    theorem said more than is true without it; undecided: those on which the two sides could not be
    told apart; outside: those that it does not speak of; restarts: local searches begun from random
    cases; kept: local searches begun, before these, from cases that the corpus held;
    seconds: until the violation or the end of the budget.  Shrinking is not counted.
    """

    claim: str
    seed: int
    best: tuple[Peak, ...]
    violation: Shrunk | None
    models: int
    telling: int
    undecided: int
    outside: int
    restarts: int
    kept: int
    seconds: float


def hunt(
    claim: Claim,
    *,
    seed: int = 0,
    budget: Budget = DEFAULT_BUDGET,
    corpus: Corpus | None = None,
    progress: Progress | None = None,
) -> Hunt:
    """Search the family of a claim for the case on which its theorem is tightest.

    Parameters
    ----------
    budget: how many cases to evaluate, or for how long; with a number of cases the hunt follows
        from the seed alone.
    corpus: the extremal cases that it holds of the claim are searched around first, but not its
        violations; it then keeps the extremal case of each part, and the violation.
    progress: called after each case with the number of cases and the best ratio so far.

    Raises
    ------
    ClaimError: if the claim is faulty on a case, or its cases are training runs.
    """
    if claim.trained:
        raise ClaimError(
            f"{claim.name} is about trained networks, and a hunt would train one for each model "
            f"that it tries; holdfast verify '{claim.name}' --budget 3 trains and judges three"
        )
    hunter = _Hunter(claim, seed, budget, progress)
    held = () if corpus is None else corpus.corpus(claim.name)
    known = [tuple(kept.trace) for kept in held if kept.note != _VIOLATION]
    try:
        hunter.run(known)
    except _Spent:
        pass
    except _Violated as end:
        hunter.stop()
        hunter.violation = shrink(claim, end.trace)
        if hunter.violation is None:
            raise ClaimError(
                f"{claim.name}: the claim is not a function of its case: it is violated on the "
                f"case that the integers {list(end.trace)} draw, and then no more"
            ) from None
    result = hunter.result()
    for peak in result.best:
        hunter.confirm(peak.observation, peak.trace)
    if corpus is not None:
        _keep(corpus, result)
    return result


def score(outcome: Outcome) -> float:
    """How close to breaking: the ratio, else minus the slack over the size of the sides.

    Sides that are equal for a reason without the theorem score least, and so do two zeros, known or
    as far as computed: these attain every homogeneous bound and say nothing.  An equality has
    nothing to approach and scores zero.
    """
    if outcome.sign in (Sign.EQ, Sign.NE):
        return 0.0
    sides = outcome.left, outcome.right
    if all(side.lo <= 0 <= side.hi for side in sides):
        return -math.inf
    if outcome.verdict is Verdict.VACUOUS and outcome.left == outcome.right:
        return -math.inf
    if outcome.ratio is not None:
        return outcome.ratio
    if outcome.slack is None:
        return -math.inf
    size = sum(abs(side.lo) for side in sides)
    return -abs(outcome.slack) / float(1 + size)


def _keep(corpus: Corpus, result: Hunt) -> None:
    for peak in result.best:
        seen = peak.observation
        note = f"hunt, part {seen.part}, seed {result.seed}, {result.models} models"
        corpus.keep(result.claim, peak.trace, peak.ratio, describe(seen.case), note)
    if result.violation is not None:
        shrunk = result.violation
        ratio = shrunk.observation.outcome.ratio
        corpus.keep(result.claim, shrunk.trace, ratio, describe(shrunk.case), _VIOLATION)


class _Spent(Exception):
    """The budget is spent."""


class _Violated(Exception):
    """The theorem fails on the case that this trace draws."""

    def __init__(self, trace: tuple[int, ...]) -> None:
        super().__init__(str(trace))
        self.trace = trace


class _Hunter:
    """The state of one hunt."""

    def __init__(self, claim: Claim, seed: int, budget: Budget, progress: Progress | None) -> None:
        self._claim, self._seed, self._progress = claim, seed, progress
        self._refuter = Refuter(claim)
        self._limit = math.inf if budget.models is None else budget.models
        self._start, self._end = time.monotonic(), 0.0
        self._deadline = math.inf if budget.seconds is None else self._start + budget.seconds
        self._best: dict[int, Peak] = {}
        self._parts = claim.theorem.parts
        self._targets = [
            index for index, part in enumerate(self._parts) if part.sign not in (Sign.EQ, Sign.NE)
        ] or [0]
        self._models = self._telling = self._undecided = self._outside = 0
        self._searches = self._restarts = self._kept = 0
        self.violation: Shrunk | None = None

    def run(self, known: Iterable[Sequence[int]]) -> None:
        """Search until the budget is spent or the theorem is violated."""
        targets = cycle(self._targets)
        for trace in known:
            self._kept += 1
            self._climb(next(targets), FAR, VectorDraw(trace))
        for target in targets:
            self._restarts += 1
            starts = (self._random(number) for number in range(_SAMPLES))
            self._climb(target, 1, *starts)
            if target in self._best:
                self._climb(target, FAR, VectorDraw(self._best[target].trace))

    def confirm(self, seen: Observation, trace: Sequence[int]) -> None:
        """See that the case which the trace draws has the values seen, or raise ClaimError."""
        self._refuter.confirm(seen, lambda: self._claim.draw(VectorDraw(trace)))

    def stop(self) -> None:
        """Stop the clock."""
        self._end = time.monotonic()

    def result(self) -> Hunt:
        """What has been found."""
        best = tuple(self._best[part] for part in sorted(self._best))
        elapsed = (self._end or time.monotonic()) - self._start
        return Hunt(
            self._claim.name,
            self._seed,
            best,
            self.violation,
            self._models,
            self._telling,
            self._undecided,
            self._outside,
            self._restarts,
            self._kept,
            elapsed,
        )

    def _random(self, number: int) -> Draw:
        return PhiloxDraw("hunt", self._seed, self._claim.name, self._searches, number)

    def _climb(self, target: int, reach: int, *starts: Draw) -> None:
        """Local search from the best of the starts, on a part of the theorem; reach: how far beyond
        their usual range growing integers may go."""
        generator = philox("moves", self._seed, self._claim.name, self._searches)
        self._searches += 1
        height, here = max(
            (
                (self._evaluate(draw, self._case(draw)).get(target, -math.inf), draw)
                for draw in starts
            ),
            key=lambda pair: pair[0],
        )
        top = 0.0 if self._parts[target].sign in (Sign.EQ, Sign.NE) else 1.0
        # long enough to try each integer a few times: twice as long leaves half as many searches
        patience = stale = 40 + 4 * len(here.trace) if height < top else _AT_THE_TOP
        while stale > 0:
            stale -= 1
            draw = VectorDraw(moved(here, generator), reach)
            case = self._case(draw)
            if draw.trace == here.trace:
                continue
            reached = self._evaluate(draw, case).get(target, -math.inf)
            if reached > height:
                stale = patience if reached < top else _AT_THE_TOP
            if reached >= height:
                height, here = reached, draw

    def _case(self, draw: Draw) -> Case | None:
        """What the family draws, None where it says that this is out of its scope."""
        try:
            return self._claim.draw(draw)
        except OutOfScope:
            return None

    def _evaluate(self, draw: Draw, case: Case | None) -> dict[int, float]:
        """The best score of each part on the case; remembers the extremal ones."""
        if self._models >= self._limit or time.monotonic() > self._deadline:
            raise _Spent
        self._models += 1
        scores: dict[int, float] = {}
        verdicts: set[Verdict] = set()
        for seen in self._refuter.observe(case) if case is not None else ():
            verdicts.add(seen.outcome.verdict)
            if seen.outcome.verdict is Verdict.VIOLATED:
                self._telling += 1
                self.confirm(seen, draw.trace)
                raise _Violated(tuple(draw.trace))
            reached = score(seen.outcome)
            scores[seen.part] = max(reached, scores.get(seen.part, reached))
            elapsed = time.monotonic() - self._start
            self._remember(Peak(seen, tuple(draw.trace), reached, elapsed))
        self._telling += bool(verdicts - {Verdict.VACUOUS})
        self._undecided += Verdict.UNDECIDED in verdicts
        self._outside += not verdicts
        if self._progress is not None:
            ratios = [one.ratio for one in self._best.values() if one.ratio is not None]
            self._progress(self._models, max(ratios, default=None))
        return scores

    def _remember(self, found: Peak) -> None:
        """Keep the higher score; of equal scores the shorter trace."""
        part = found.observation.part
        old = self._best.get(part)
        if old is None or (found.score, -len(found.trace)) > (old.score, -len(old.trace)):
            self._best[part] = found
