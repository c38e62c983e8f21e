"""Claims on mixtures of the target's changes and their projection, which bound the cost above."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Min

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, projection
from holdfast.solvers.poisoning import mixture as mixtures
from holdfast.solvers.poisoning.flips.closed_forms import size
from holdfast.theory import Eq, Le, Quantity
from holdfast.theory.poisoning import least_cost as poisoning_least_cost
from holdfast.theory.poisoning import mixtures as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families.flips import flips, share
from ..landmarks import boxed, line_only, outside, single
from .least_cost import distance, landmarks, least_cost, problems

_ZERO = Fraction(0)
_OUTSIDE_SWAPPED = Quantity(
    "outside_swapped", "by how much the mixture at b = alpha-bar/(alpha* + alpha-bar) is outside"
)
_LINE = Quantity("line", "least cost of d and of the mixture of the line search")


def overshoot(problem: FlipProblem, changes: Vector) -> Fraction:
    """By how much changes leave the box at most; negative inside.  Pairs of weight zero cannot
    move and do not count."""
    rooms = zip(
        changes.fractions(),
        problem.room_up.fractions(),
        problem.room_down.fractions(),
        strict=True,
    )
    return max((max(x - up, -down - x) for x, up, down in rooms if up or down), default=_ZERO)


def swapped_weights(problem: FlipProblem) -> Values:
    """By how much the mixture with the two weights exchanged leaves the box."""
    mixed = mixtures(problem)
    return {_OUTSIDE_SWAPPED: overshoot(problem, mixed.changes(1 - mixed.share))}


def projection_alone(problem: FlipProblem) -> Values:
    """The values of the upper bound with alpha-bar dropped."""
    return {
        poisoning_least_cost.cost: least_cost(problem),
        poisoning_least_cost.p_sum: size(projection(problem), "l1"),
    }


def line_alone(problem: FlipProblem) -> Values:
    """The bound of the line search without the share of the closed form, and the closed form."""
    mixed = mixtures(problem)
    found = size(mixed.changes(mixed.line_search), "l1")
    return {_LINE: min(found, distance(problem)), poisoning_least_cost.upper: mixed.upper_bound()}


HALF = NamedMutant(
    "T3-half",
    Le(poisoning_least_cost.cost, Min(theory.mixture, poisoning_least_cost.distance) / 2),
    "half of the upper bound",
)
TIGHT = NamedMutant(
    "T3-tight",
    Eq(poisoning_least_cost.cost, Min(theory.mixture, poisoning_least_cost.distance)),
    "the upper bound is attained",
)
PROJECTION = NamedMutant(
    "T3-projection",
    Le(poisoning_least_cost.cost, poisoning_least_cost.p_sum),
    "alpha-bar dropped: the projection alone is an upper bound",
    lambda: iter([projection_alone(boxed())]),
)
SWAPPED_WEIGHTS = NamedMutant(
    "T3-swapped",
    Le(_OUTSIDE_SWAPPED, 0),
    "the mixture with its two weights exchanged is in the box",
    lambda: iter([swapped_weights(outside())]),
)
LINE_ALONE = NamedMutant(
    "T3'-cheaper",
    Le(_LINE, poisoning_least_cost.upper),
    "the least feasible share of d is the cheapest",
    lambda: iter([line_alone(line_only())]),
)


@claim(
    theory.upper_bound,
    over=flips(hard=False).with_landmarks(**landmarks()),
    mutants=(HALF, TIGHT, PROJECTION, SWAPPED_WEIGHTS),
)
def upper(problem: FlipProblem) -> Iterator[Values]:
    mixed = mixtures(problem)
    yield {
        poisoning_least_cost.cost: least_cost(problem),
        theory.mixture: size(mixed.changes(mixed.share), "l1"),
        poisoning_least_cost.distance: distance(problem),
    }


@claim(
    theory.tighter_upper_bound,
    over=problems()
    .along(share)
    .with_landmarks(
        **{
            "outside, half way": lambda: (outside(), Fraction(1, 2)),
            "outside, the projection": lambda: (outside(), _ZERO),
            "heavy outside, the projection": lambda: (outside(8), _ZERO),
            "outside, the target": lambda: (outside(), Fraction(1)),
        }
    ),
    mutants=(LINE_ALONE,),
)
def tighter(problem: FlipProblem, part: Fraction) -> Iterator[Values]:
    mixed = mixtures(problem)
    found = mixed.changes(mixed.line_search)
    yield {
        poisoning_least_cost.cost: least_cost(problem),
        theory.cost_line: size(found, "l1"),
        theory.excess_line: max(_ZERO, overshoot(problem, found)),
        theory.share_line: mixed.line_search,
        theory.share: part,
        theory.outside: overshoot(problem, mixed.changes(part)),
        theory.worst: mixed.worst,
        theory.slack: mixed.slack,
    }


@claim(
    theory.hard_labels,
    over=flips(hard=True)
    .with_landmarks(single=lambda: (single(),), boxed=lambda: (boxed(),))
    .with_controls(hard=flips(hard=False)),
)
def hard_labels(problem: FlipProblem) -> Iterator[Values]:
    mixed = mixtures(problem)
    yield {
        theory.mixture: size(mixed.changes(mixed.share), "l1"),
        poisoning_least_cost.distance: distance(problem),
        theory.worst: mixed.worst,
    }
