"""The envelope of deterministic policies: every kink of the optimal value as a function of risk.

Between two kinks one trial multiplier, the slope of their chord, either proves that no policy is
above the chord or finds one or two kinks above it.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...errors import ModelError
from ...limits import Limits
from ...programs.chord import height_above, slope_between
from .chord import solve_dynamics
from .dynamics import Dynamics
from .faces import Faces
from .problem import ChanceProblem
from .solution import TimedPolicy

_GENEROUS = Limits()


@dataclass(frozen=True, eq=False)
class Frontier:
    """Kinks from the least risk to the risk of the reward's optimum.

    Attributes:
        points: deterministic policies at kinks, by increasing risk and value.
        complete: whether these are all; if not, the envelope may be higher between some of them.
        edges: for each pair of neighbours, whether no policy is above their chord for certain.
        statistics: exact passes, seconds of each stage, bits of the denominators.
    """

    points: tuple[TimedPolicy, ...]
    complete: bool
    edges: tuple[bool, ...]
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def kinks(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """(risk, value) of the points."""
        return tuple(policy.point for policy in self.points)

    def value_at(self, level: Fraction) -> Fraction | None:
        """The best mixture of the points at a level, the optimum where its edge is proved.

        None below the least risk.
        """
        place = bisect_left([point.risk for point in self.points], level)
        if place == len(self.points):
            return self.points[-1].value
        after = self.points[place]
        if after.risk == level:
            return after.value
        if not place:
            return None
        before = self.points[place - 1]
        return before.value + slope_between(before, after) * (level - before.risk)


def frontier(
    problem: ChanceProblem, *, most: int | None = None, limits: Limits = _GENEROUS
) -> Frontier:
    """The kinks, or at least ``most`` of them when there are more; ``complete`` says which.

    The chord with most room above it is refined first, so that few points show the shape.  Raises
    ModelError unless ``most`` is at least 2, and LimitReachedError when the time is up.
    """
    if most is not None and most < 2:
        raise ModelError(f"most is {most}; a frontier needs at least its two ends")
    dynamics = Dynamics.of(problem)
    faces = Faces.of(dynamics, limits)
    least = faces.safest(faces.least_risk()[1])
    low = solve_dynamics(dynamics, least.risk, faces.allowance.left).safer
    assert low is not None
    high = faces.at(Fraction(0)).safer
    return _Refinement(faces, most).run(low, high)


class _Refinement:
    """Chords still to be examined, the widest first."""

    def __init__(self, faces: Faces, most: int | None) -> None:
        self.faces, self.most = faces, most
        self.points: dict[Fraction, TimedPolicy] = {}
        self.proved: set[Fraction] = set()
        self.queue: list[tuple[float, int, TimedPolicy, TimedPolicy]] = []
        self.pushed = 0

    def run(self, low: TimedPolicy, high: TimedPolicy) -> Frontier:
        """All kinks between two of them."""
        self.points = {low.risk: low, high.risk: high}
        self._push(low, high)
        while self.queue and (self.most is None or len(self.points) < self.most):
            *_, one, other = heapq.heappop(self.queue)
            self._examine(one, other)
        ordered = tuple(self.points[risk] for risk in sorted(self.points))
        return Frontier(
            ordered,
            not self.queue,
            tuple(point.risk in self.proved for point in ordered[:-1]),
            self.faces.statistics("frontier over exact backward induction"),
        )

    def _examine(self, low: TimedPolicy, high: TimedPolicy) -> None:
        face = self.faces.at(slope_between(low, high))
        safer, bolder = face.safer, face.bolder
        if not height_above(safer, face.multiplier, low):
            self.proved.add(low.risk)
            return
        self.points[safer.risk] = safer
        if bolder.risk > safer.risk:
            self.points[bolder.risk] = bolder
            self.proved.add(safer.risk)
        self._push(low, safer)
        self._push(bolder, high)

    def _push(self, low: TimedPolicy, high: TimedPolicy) -> None:
        if low.risk < high.risk:
            area = _logarithm(high.risk - low.risk) + _logarithm(high.value - low.value)
            self.pushed += 1
            heapq.heappush(self.queue, (-area, self.pushed, low, high))


def _logarithm(value: Fraction) -> float:
    """Of a positive number, also of one beyond all floats."""
    return math.log2(value.numerator) - math.log2(value.denominator)
