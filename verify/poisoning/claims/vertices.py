"""Claims on label flips: numbers of features, vertices, rounding, thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Abs

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, round_labels, solve_flips
from holdfast.solvers.poisoning.flips.closed_forms import size
from holdfast.theory import Eq, Ge, Le, Lt, Quantity
from holdfast.theory.poisoning import least_cost as poisoning_least_cost
from holdfast.theory.poisoning import vertices as theory

from ...binding.claims import NamedMutant, claim
from ...binding.family import Case
from ...binding.values import Values
from ..families.flips import copies, flips, more_features, other_copies, thresholds
from ..landmarks import fewer, heavy_half, no_saving_above, quarter, single, spread, undecided
from .least_cost import distance, landmarks, least_cost, problems, proved


# -- more features
def _same_twice() -> Case:
    return single(), single()


_GROWING = problems().along(more_features).with_landmarks(same=_same_twice)


@claim(
    theory.monotone,
    over=_GROWING,
    mutants=(
        NamedMutant(
            "P4-reversed", Ge(theory.cost_fewer, theory.cost_more), "more features cost less"
        ),
    ),
)
def monotone(few: FlipProblem, more: FlipProblem) -> Iterator[Values]:
    yield {
        theory.cost_fewer: least_cost(few),
        theory.cost_more: least_cost(more),
        poisoning_least_cost.distance: distance(few),
    }


@claim(theory.monotone, over=_GROWING, tag="l2")
def monotone_l2(few: FlipProblem, more: FlipProblem) -> Iterator[Values]:
    """In squares."""
    yield {
        theory.cost_fewer: solve_flips(few, "l2").value,
        theory.cost_more: solve_flips(more, "l2").value,
        poisoning_least_cost.distance: distance(few, "l2"),
    }


@claim(theory.monotone, over=_GROWING, tag="l-infinity")
def monotone_largest(few: FlipProblem, more: FlipProblem) -> Iterator[Values]:
    yield {
        theory.cost_fewer: proved(solve_flips(few, "linf")),
        theory.cost_more: proved(solve_flips(more, "linf")),
        poisoning_least_cost.distance: distance(few, "linf"),
    }


@claim(
    theory.no_saving,
    over=flips(dependent=False)
    .with_landmarks(single=lambda: (single(),), fewer=lambda: (fewer(),))
    .with_controls(independent=flips()),
)
def no_saving(problem: FlipProblem) -> Iterator[Values]:
    yield {
        poisoning_least_cost.cost: least_cost(problem),
        poisoning_least_cost.distance: distance(problem),
    }


# -- vertices and rounding
@claim(
    theory.vertex,
    over=problems(),
    mutants=(
        NamedMutant(
            "X1-one-less", Le(theory.n_fractional, theory.rank - 1), "one fewer than the rank"
        ),
        NamedMutant("X1-integral", Eq(theory.n_fractional, 0), "the cheapest changes are flips"),
    ),
)
def vertex(problem: FlipProblem) -> Iterator[Values]:
    yield {theory.n_fractional: solve_flips(problem).n_fractional, theory.rank: problem.rank}


@claim(
    theory.rounding,
    over=flips()
    .with_landmarks(**landmarks())
    .along(copies)
    .with_landmarks(
        undecided=lambda: (undecided(), 1),
        spread=lambda: (spread(), 1),
        heavy=lambda: (heavy_half(), 1),
        heavier=lambda: (heavy_half(8), 1),
        quarter=lambda: (quarter(), 2),
    )
    .with_controls(grid=flips().along(other_copies)),
    survivors={
        Le(
            4 * theory.m_copies**2 * theory.residual, theory.n_fractional**3 * theory.longest
        ): "true: larger, k being 0 or at least 1",
    },
    mutants=(
        NamedMutant(
            "X2-quarter",
            Le(
                4 * theory.m_copies * Abs(theory.cost_rounded - poisoning_least_cost.cost),
                theory.n_fractional * theory.heaviest,
            ),
            "k/(4m) for the cost",
        ),
        NamedMutant(
            "X2-quarter-moments",
            Le(
                16 * theory.m_copies**2 * theory.residual,
                theory.n_fractional**2 * theory.longest,
            ),
            "k/(4m) for the moments",
        ),
    ),
)
def rounding(problem: FlipProblem, m: int) -> Iterator[Values]:
    best = solve_flips(problem)
    rounded = round_labels(problem, best.labels, m)
    changes = weighted_changes(problem, rounded.fractions(), problem.benign.fractions())
    moved = weighted_changes(problem, rounded.fractions(), best.labels.fractions())
    weights = problem.multiplicities
    columns = zip(problem.columns(), weights, strict=True)
    yield {
        poisoning_least_cost.cost: proved(best),
        theory.n_fractional: best.n_fractional,
        theory.m_copies: m,
        theory.residual: size(problem.moments(moved), "l2"),
        theory.longest: max(w * w * sum(x * x for x in column) for column, w in columns),
        theory.heaviest: max(weights),
        theory.cost_rounded: size(changes, "l1"),
    }


def weighted_changes(
    problem: FlipProblem, after: tuple[Fraction, ...], before: tuple[Fraction, ...]
) -> Vector:
    """rho_i (after_i - before_i)."""
    entries = zip(problem.multiplicities, after, before, strict=True)
    return Vector.of(w * (a - b) for w, a, b in entries)


# -- attacks that cannot be improved
_COST_MANY = Quantity("cost_many", "least cost where N > n")
_DISTANCE_MANY = Quantity("distance_many", "cost of the target's own changes where N > n")


def _many() -> Iterator[Values]:
    problem = no_saving_above()
    assert problem.n_pairs > problem.n_features
    yield {_COST_MANY: least_cost(problem), _DISTANCE_MANY: distance(problem)}


@claim(
    theory.threshold,
    over=thresholds()
    .with_landmarks(threshold=lambda: (no_saving_above(),))
    .with_controls(negative=thresholds(negative=False), truthful=thresholds(truthful=False)),
    mutants=(
        NamedMutant(
            "X4-always-saves",
            Lt(_COST_MANY, _DISTANCE_MANY),
            "with more pairs than features something is always saved",
            _many,
        ),
    ),
)
def threshold(problem: FlipProblem) -> Iterator[Values]:
    yield {
        poisoning_least_cost.cost: least_cost(problem),
        poisoning_least_cost.distance: distance(problem),
    }
