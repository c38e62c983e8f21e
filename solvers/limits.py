"""How much an exact solution may cost before the next method takes over; and a stopwatch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace


class LimitReachedError(RuntimeError):
    """Nothing was decided within the limits; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Generous by default; they end what would run for hours.

    Attributes:
        seconds: of the whole; looked at between exact steps, each of which runs to its end.
        pivots: exact simplex pivots of the repair of one basis.
    """

    seconds: float = 3600.0
    pivots: int = 10_000

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"seconds is {self.seconds}; the limit must be positive")
        if self.pivots < 0:
            raise ValueError(f"pivots is {self.pivots}; the limit is a count")

    def started(self) -> Allowance:
        """The clock runs from now."""
        return Allowance(self)


@dataclass(slots=True)
class Allowance:
    """What is left of some limits.

    Attributes:
        since: when the clock started (perf_counter); pivots: made so far.
    """

    limits: Limits
    since: float = field(default_factory=time.perf_counter)
    pivots: int = 0

    @property
    def left(self) -> Limits:
        """The limits of what is done in the time that is left."""
        self.look()
        spent = time.perf_counter() - self.since
        return replace(self.limits, seconds=max(self.limits.seconds - spent, 1e-3))

    def look(self) -> None:
        """Raise LimitReachedError when the time is used up."""
        if time.perf_counter() - self.since > self.limits.seconds:
            raise LimitReachedError(
                f"not decided within {self.limits.seconds:g} seconds; allow more with --budget, in "
                "Python with Limits(seconds=...), or ask for an enclosure where there is one"
            )

    def pivot(self) -> None:
        """Count a pivot; raise LimitReachedError when it is one too many, or the time is up."""
        self.look()
        if self.pivots >= self.limits.pivots:
            raise LimitReachedError(
                f"not decided within {self.limits.pivots} exact pivots; allow more with "
                "Limits(pivots=...), or ask for an enclosure where there is one"
            )
        self.pivots += 1


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Add the seconds of a block to its stage."""
    since = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - since
