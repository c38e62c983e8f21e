"""All trajectories of a tiny point whose episodes visit no state twice, with probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from holdfast.solvers.hypergradient.balls import Point
from holdfast.solvers.hypergradient.exact_traces import END, Step


def episodes(point: Point) -> Iterator[tuple[Fraction, tuple[Step, ...]]]:
    """(probability, trajectory); the probabilities sum to 1."""
    for state, chance in enumerate(point.initial):
        if chance:
            yield from _continued(point, chance, (), state)


def _continued(
    point: Point, chance: Fraction, past: tuple[Step, ...], state: int
) -> Iterator[tuple[Fraction, tuple[Step, ...]]]:
    for action, taken in enumerate(point.policy[state]):
        row = point.transitions[state, action].tolist()
        for to, probability in [*enumerate(row), (END, 1 - sum(row))]:
            if probability:
                steps = (*past, (state, action, to))
                reached = chance * taken * probability
                if to == END:
                    yield reached, steps
                else:
                    yield from _continued(point, reached, steps, to)


def expected(point: Point, estimate: Callable[[tuple[Step, ...]], Any]) -> Any:
    """The expectation of a function of the trajectory."""
    return sum((chance * estimate(steps) for chance, steps in episodes(point)), Fraction(0))
