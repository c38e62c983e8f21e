"""Claims on what it costs to poison preference labels: duality, the lower bound, the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import (
    FlipProblem,
    FlipSolution,
    lower_bound,
    projection,
    solve_flips,
    solve_unboxed_flips,
)
from holdfast.solvers.poisoning import mixture as mixtures
from holdfast.solvers.poisoning.flips.closed_forms import size
from holdfast.theory import Eq, Ge, Le, Quantity
from holdfast.theory.poisoning import least_cost as theory

from ...binding.claims import NamedMutant, claim
from ...binding.family import Case, Family
from ...binding.proofs import Proved, calculated
from ...binding.values import Values
from ..families.flips import flips, multiplier
from ..landmarks import PROBLEMS, boxed, saving, single, with_best

_ZERO = Fraction(0)


def landmarks(**others: Callable[[], Case]) -> dict[str, Callable[[], Case]]:
    """The problems of all statements, and others."""

    def case(make: Callable[[], FlipProblem]) -> Callable[[], Case]:
        return lambda: (make(),)

    return {name: case(make) for name, make in PROBLEMS.items()} | others


def problems() -> Family:
    """Label-flip problems with their landmarks."""
    return flips().with_landmarks(**landmarks())


def proved(found: FlipSolution) -> Proved:
    """The least cost in l1 or l-infinity; the program's optimum is minus it."""
    optimum = Proved(-found.value, found.certificate)
    return calculated(found.value, ["mul", "-1", ["symbol", "V"]], V=optimum)


def least_cost(problem: FlipProblem) -> Proved:
    """The least cost in l1."""
    return proved(solve_flips(problem))


def distance(problem: FlipProblem, norm: str = "l1") -> Fraction:
    """What the target's own changes cost; in l2 squared."""
    return size(problem.displacement, norm)


# -- duality
def charge(
    problem: FlipProblem, y: Vector, ups: Vector | None = None, downs: Vector | None = None
) -> Fraction:
    """Sum of up_i (t_i - 1)_+ + down_i (-t_i - 1)_+ with t = Phi^T y."""
    rooms = zip(
        problem.scores(y.fractions()).fractions(),
        (ups or problem.room_up).fractions(),
        (downs or problem.room_down).fractions(),
        strict=True,
    )
    parts = (up * max(_ZERO, t - 1) + down * max(_ZERO, -t - 1) for t, up, down in rooms)
    return sum(parts, _ZERO)


def gain(problem: FlipProblem, y: Vector) -> Fraction:
    """y.Phi d."""
    pairs = zip(y.fractions(), problem.moment.fractions(), strict=True)
    return sum((a * b for a, b in pairs), _ZERO)


_SWAPPED = Quantity("charge_swapped", "charge of the box with theta_O and 1 - theta_O exchanged")


def swapped_box(problem: FlipProblem, y: Vector) -> Values:
    """The values of the false dual at y."""
    return {
        theory.cost: least_cost(problem),
        theory.gain: gain(problem, y),
        _SWAPPED: charge(problem, y, problem.room_down, problem.room_up),
    }


SWAPPED_BOX = NamedMutant(
    "T1d-swapped",
    Le(theory.gain - _SWAPPED, theory.cost),
    "the box charges (1 - theta_O) where a label falls and theta_O where it rises",
    lambda: iter([swapped_box(*with_best(boxed()))]),
)
NO_CHARGE = NamedMutant(
    "T1d-dropped", Le(theory.gain, theory.cost), "every y bounds the cost without the box terms"
)


@claim(
    theory.duality,
    over=problems()
    .along(multiplier)
    .with_landmarks(
        **{
            "boxed, best y": lambda: with_best(boxed()),
            "saving, best y": lambda: with_best(saving()),
            "single, a rising y": lambda: (single(), Vector((2,))),
        }
    ),
    mutants=(NO_CHARGE, SWAPPED_BOX),
)
def duality(problem: FlipProblem, y: Vector) -> Iterator[Values]:
    best = solve_flips(problem)
    yield {
        theory.cost: proved(best),
        theory.gain_best: gain(problem, best.dual),
        theory.charge_best: charge(problem, best.dual),
        theory.gain: gain(problem, y),
        theory.charge: charge(problem, y),
    }


# -- closed forms
_P_MEAN = Quantity("p_mean", "mean of abs(p_i)")
_D_SQUARES = Quantity("d_squares", "sum of d_i^2")
_D_LARGEST = Quantity("d_largest", "largest abs(d_i)")


def mean_for_largest(problem: FlipProblem) -> Values:
    """The values of the lower bound with the mean for the largest entry."""
    p = projection(problem)
    return {
        theory.cost: least_cost(problem),
        theory.p_squares: size(p, "l2"),
        _P_MEAN: size(p, "l1") / problem.n_pairs,
    }


def unprojected(problem: FlipProblem) -> Values:
    """The values of the lower bound with d for p."""
    return {
        theory.cost: least_cost(problem),
        _D_SQUARES: distance(problem, "l2"),
        _D_LARGEST: distance(problem, "linf"),
    }


def _times(factor: Fraction | int) -> NamedMutant:
    name = {Fraction(3, 2): "T2-half-more", 2: "T2-twice"}[factor]
    relation = Ge(theory.cost * theory.p_largest, factor * theory.p_squares)
    return NamedMutant(name, relation, f"the lower bound times {factor}")


@claim(
    theory.lower_bound,
    over=problems(),
    mutants=(
        _times(Fraction(3, 2)),
        _times(2),
        NamedMutant(
            "T2-tight",
            Eq(theory.cost * theory.p_largest, theory.p_squares),
            "the lower bound is attained",
        ),
        NamedMutant(
            "T2-mean",
            Ge(theory.cost * _P_MEAN, theory.p_squares),
            "the mean of abs(p_i) for the largest",
            lambda: iter([mean_for_largest(saving())]),
        ),
        NamedMutant(
            "T2-distance",
            Ge(theory.cost * _D_LARGEST, _D_SQUARES),
            "the target's changes for their projection",
            lambda: iter([unprojected(saving())]),
        ),
    ),
)
def lower(problem: FlipProblem) -> Iterator[Values]:
    p = projection(problem)
    yield {
        theory.cost: least_cost(problem),
        theory.cost_squared: solve_flips(problem, "l2").value,
        theory.cost_largest: proved(solve_flips(problem, "linf")),
        theory.p_squares: size(p, "l2"),
        theory.p_largest: size(p, "linf"),
        theory.p_sum: size(p, "l1"),
    }


UNBOXED = NamedMutant(
    "T1d-unboxed", Eq(theory.cost, theory.unboxed), "the dual without the box is exact"
)


@claim(theory.chain, over=problems(), mutants=(UNBOXED,))
def chain(problem: FlipProblem) -> Iterator[Values]:
    mixed = mixtures(problem)
    yield {
        theory.lower: lower_bound(problem),
        theory.unboxed: proved(solve_unboxed_flips(problem)),
        theory.cost: least_cost(problem),
        theory.tighter: mixed.tighter_bound(),
        theory.upper: mixed.upper_bound(),
        theory.distance: distance(problem),
    }
