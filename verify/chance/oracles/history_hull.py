"""The best of all history-dependent policies of a small chance problem, by hulls, not by a program.

For each (time, number of visits, state) the (risk, value) pairs that randomised history-dependent
policies attain from there form a convex polygon; its upper left boundary is all that an optimum
needs.  A choice adds up the boundaries of what may follow, a decision takes the hull of its
choices.  It shares no step with the solvers, which it checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from holdfast.solvers.chance.horizon.problem import ChanceProblem

Point = tuple[Fraction, Fraction]
Hull = list[Point]
"""(risk, value): risk and value increase, slopes decrease; the first has the least risk."""

_NOTHING: Point = (Fraction(0), Fraction(0))


def hull(points: Iterable[Point]) -> Hull:
    """The boundary of points, upwards and to the left."""
    kept: Hull = []
    for risk, value in sorted(points, key=lambda point: (point[0], -point[1])):
        if kept and value <= kept[-1][1]:
            continue
        while len(kept) > 1 and _turns_up(kept[-2], kept[-1], (risk, value)):
            kept.pop()
        kept.append((risk, value))
    return kept


def _turns_up(a: Point, b: Point, c: Point) -> bool:
    return (b[1] - a[1]) * (c[0] - b[0]) <= (c[1] - b[1]) * (b[0] - a[0])


def mixed(parts: Iterable[tuple[Fraction, Hull]], start: Point = _NOTHING) -> Hull:
    """The weighted sum of hulls: the steepest edges first."""
    risk, value = start
    edges: list[Point] = []
    for weight, part in parts:
        risk, value = risk + weight * part[0][0], value + weight * part[0][1]
        edges += [(weight * (b[0] - a[0]), weight * (b[1] - a[1])) for a, b in pairwise(part)]
    found = [(risk, value)]
    for across, up in sorted(edges, key=lambda edge: edge[1] / edge[0], reverse=True):
        risk, value = risk + across, value + up
        found.append((risk, value))
    return hull(found)


def value_at(points: Hull, level: Fraction) -> Fraction | None:
    """The height of the hull at a level; None below its least risk."""
    if level < points[0][0]:
        return None
    for (x, low), (y, high) in pairwise(points):
        if level <= y:
            return low + (level - x) / (y - x) * (high - low)
    return points[-1][1]


class HistoryHull:
    """The hulls of a problem, computed when asked for."""

    def __init__(self, problem: ChanceProblem) -> None:
        self.problem = problem
        self.known: dict[tuple[int, int, int], Hull] = {}
        self.rewards = problem.model.reward_vector().fractions()
        self.rows = [problem.model.transition_row(k) for k in range(problem.model.n_choices)]
        self.start = problem.model.choice_start.tolist()

    def whole(self) -> Hull:
        """That of the problem, from its initial law."""
        law = self.problem.model.initial_vector().fractions()
        counts = [
            int(self.problem.counts_start and s in self.problem.unsafe) for s in range(len(law))
        ]
        parts = [
            (p, self.cell(0, n, s)) for s, (n, p) in enumerate(zip(counts, law, strict=True)) if p
        ]
        return mixed(
            parts,
            (sum((p for n, p in zip(counts, law, strict=True) if n), Fraction(0)), Fraction(0)),
        )

    def cell(self, time: int, count: int, state: int) -> Hull:
        """What is still to come at a time, after a number of visits, from a state."""
        key = time, count, state
        if key not in self.known:
            choices = range(self.start[state], self.start[state + 1])
            self.known[key] = (
                [(Fraction(0), self._end(count, state))]
                if time == self.problem.horizon
                else hull(point for k in choices for point in self._choice(time, count, k))
            )
        return self.known[key]

    def _end(self, count: int, state: int) -> Fraction:
        terminal = self.problem.terminal
        return terminal[state] if terminal is not None and self._earns(count) else Fraction(0)

    def _earns(self, count: int) -> bool:
        return self.problem.reward_after_violation or count == 0

    def _choice(self, time: int, count: int, choice: int) -> Hull:
        problem = self.problem
        reward = self.rewards[choice] if self._earns(count) else Fraction(0)
        parts, risk = [], Fraction(0)
        for t, p in self.rows[choice]:
            hit = t in problem.unsafe
            risk += p * problem.charge**count if hit else 0
            parts.append((p, self.cell(time + 1, count + hit, t)))
        ahead = mixed(parts)
        return [(risk + x, reward + problem.model.discount * y) for x, y in ahead]
