"""Shrinking: from the integers that drew a case to the smallest one within reach that is as good,
a violation or one of no smaller ratio.

The trace is handed to Hypothesis as an example from its database, one integer choice for each
integer drawn, and Hypothesis reuses and shrinks it.  Whatever it says, only what is found violating
here counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..binding.claims import Claim
from ..binding.draws import FAR, Draw, HypothesisDraw, VectorDraw
from ..binding.family import Case
from ..binding.values import ClaimError
from .counterexample import Observation, Refuter

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

Size = tuple[int, int]
Judge = Callable[[Case], Observation | None]
"""What is kept while a case shrinks: the observation that shows it on a case, or None."""

_LONGEST_BLOCK = 6
"""Integers that a squeeze leaves out at most, about a row of a model: longer blocks are tried in
vain, shorter ones cannot take out a row at once."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A violation, or extremal case, that could not be made smaller within the effort allowed.

    observation: the case, the values and both sides; trace: the integers that draw the case, read
    back by ``VectorDraw(trace)``; size, before: (number of integers, sum of their distances from
    the simplest ones) after and before shrinking; examined: cases looked at on the way.
    """

    observation: Observation
    trace: tuple[int, ...]
    size: Size
    before: Size
    examined: int

    @property
    def case(self) -> Case:
        """The shrunk case."""
        return self.observation.case


def shrink(
    claim: Claim,
    trace: Sequence[int],
    *,
    examples: int = 3000,
    seconds: float = 60.0,
    judge: Judge | None = None,
) -> Shrunk | None:
    """The smallest violation reached from the trace of a violating draw, or the smallest case of
    which the judge says that it will do.

    The result depends on the claim and the trace alone, unless the time runs out first; it is never
    larger than the start.  To shrink on a user's own model, bind the claim to ``family.on(model)``.

    Parameters
    ----------
    examples: how many cases to look at; seconds: how long, the start not counted; judge: what
    counts in the place of a violation.

    Returns
    -------
    None if the case drawn from the trace does not count.

    Raises
    ------
    ClaimError: if the claim is not a function of its case, or its cases are training runs.
    """
    if claim.trained:
        raise ClaimError(f"{claim.name} is about trained networks, which cannot be shrunk")
    refuter = Refuter(claim)
    search = _Search(claim, judge or refuter.refute, examples)
    if not search.counts(VectorDraw(trace)):
        return None
    before = search.best_size
    search.deadline = time.monotonic() + seconds
    last = None
    while last != search.best:
        last = search.best
        # Nothing that Hypothesis raises counts, least of all the SkipTest with which it says that
        # it ran nothing: a test runner would take the violation for a skipped test.
        with suppress(_Enough, Exception):
            _pursue(search)
        with suppress(_Enough):
            _squeeze(search)
    found = search.judge(claim.draw(VectorDraw(search.best)))
    if found is None:
        raise ClaimError(
            f"{claim.name}: the claim is not a function of its case: what was seen on the case "
            f"that the integers {list(search.best)} draw is not seen on the same case made again"
        )
    refuter.confirm(found, lambda: claim.draw(VectorDraw(search.best)))
    return Shrunk(found, search.best, search.best_size, before, search.examined)


def _pursue(search: _Search) -> None:
    """Let Hypothesis shrink; the search remembers what it saw.

    `hypothesis.find` would do but for its `random`, which switches the database off; put together
    by hand, the settings outermost, a test can have both a seed and a database.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, strategies

    def examine(data: Any) -> None:
        if search.counts(HypothesisDraw(data, FAR)):
            raise _Found

    profile = settings(
        database=_start_from(search.best),
        phases=(Phase.reuse, Phase.shrink),
        max_examples=search.limit,
        deadline=None,
        derandomize=False,  # would switch the database off
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    profile(seed(0)(given(strategies.data())(examine)))()


def _squeeze(search: _Search) -> None:
    """Lower one integer and leave out a block behind it, until no such step finds a smaller case.

    That is how a case loses a part whose size was drawn before it, which two changes at a distance
    must bring about together; Hypothesis rarely tries these.
    """
    last = None
    while last != search.best:
        last = search.best
        for trace in _squeezed(search.best, search.bounds):
            search.counts(VectorDraw(trace))
            if last != search.best:
                break


def _squeezed(
    trace: tuple[int, ...], bounds: tuple[tuple[int, int], ...]
) -> Iterator[tuple[int, ...]]:
    for at, (value, interval) in enumerate(zip(trace, bounds, strict=True)):
        simplest = _simplest(interval)
        step = value - 1 if value > simplest else value + 1
        for lower in dict.fromkeys((simplest, step)) if value != simplest else ():
            for start in range(at + 1, len(trace)):
                for end in range(start + 1, min(start + _LONGEST_BLOCK, len(trace)) + 1):
                    yield (*trace[:at], lower, *trace[at + 1 : start], *trace[end:])


def _start_from(trace: Sequence[int]) -> ExampleDatabase:
    """A database whose one example is the trace.

    The example is one integer too long: Hypothesis takes an exact one for shrunk already.
    """
    from hypothesis.database import ExampleDatabase, choices_to_bytes

    class OneExample(ExampleDatabase):
        fetched = False

        def fetch(self, key: bytes) -> Iterable[bytes]:
            first, self.fetched = not self.fetched, True
            return [choices_to_bytes((*trace, 0))] if first else []

        def save(self, key: bytes, value: bytes) -> None: ...

        def delete(self, key: bytes, value: bytes) -> None: ...

    return OneExample()


class _Found(Exception):
    """Tells Hypothesis that the case will do."""


class _Enough(BaseException):
    """The effort allowed is spent; Hypothesis lets it through, as it would an interrupt."""


class _Search:
    """The condition that Hypothesis minimises, with the smallest trace seen that meets it."""

    def __init__(self, claim: Claim, judge: Judge, limit: int) -> None:
        self._claim, self.judge = claim, judge
        self.limit, self.deadline, self.examined = limit, float("inf"), 0
        self.best: tuple[int, ...] = ()
        self.best_size: Size = (0, 0)
        self.bounds: tuple[tuple[int, int], ...] = ()
        self._rank: tuple[int, list[int]] | None = None

    def counts(self, draw: Draw) -> bool:
        """Whether the case drawn will do; remembers the smallest that does."""
        if self.examined >= self.limit or time.monotonic() > self.deadline:
            raise _Enough
        self.examined += 1
        try:
            found = self.judge(self._claim.draw(draw))
        except Exception:
            return False  # a case that the claim cannot digest is no counterexample
        if found is None:
            return False
        distances = [_distance(*pair) for pair in zip(draw.trace, draw.bounds, strict=True)]
        rank = len(distances), distances
        if self._rank is None or rank < self._rank:
            self._rank, self.best = rank, tuple(draw.trace)
            self.best_size = len(distances), sum(distances)
            self.bounds = tuple(draw.bounds)
        return True


def _simplest(bounds: tuple[int, int]) -> int:
    """The integer in the bounds that is nearest to zero."""
    lo, hi = bounds
    return min(max(0, lo), hi)


def _distance(value: int, bounds: tuple[int, int]) -> int:
    """From the simplest integer in the bounds."""
    return abs(value - _simplest(bounds))
