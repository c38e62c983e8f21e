"""Claims on what a reward learns from labels: exact, where pairs score multiples of log 2."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Abs

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem
from holdfast.solvers.poisoning.flips.closed_forms import size
from holdfast.solvers.poisoning.rewards.exact_loss import (
    descend,
    gradient,
    label_moments,
    loss_difference,
)
from holdfast.solvers.poisoning.rewards.separability import Separation, interior_labels, separation
from holdfast.theory import Ge, Le, Quantity
from holdfast.theory.poisoning import reward_learning as theory

from ...binding.claims import NamedMutant, claim
from ...binding.family import Case
from ...binding.proofs import Proved
from ...binding.values import ClaimError, Values
from ..families.rewards import labelled, single, whole_reward
from ..families.taught_rewards import Taught, cheapest, other_labels, start, taught

_ZERO = Fraction(0)
_ITERATIONS = 8
"""Steps of a descent in fractions, whose digits grow with every step: enough to leave the start."""


def squares(left: Vector, right: Vector | None = None) -> Fraction:
    """The squared Euclidean norm of a vector, or of the difference of two."""
    if right is None:
        return size(left, "l2")
    pairs = zip(left.fractions(), right.fractions(), strict=True)
    return size(Vector.of(a - b for a, b in pairs), "l2")


def proved_separable(found: Separation) -> Proved:
    """1 if labels are separated, else 0."""
    return Proved(Fraction(int(found.separable)), found.certificate)


# -- existence -----------------------------------------------------------------------------------
def _ordered() -> Case:
    """Two pairs on one line that a reward gets right."""
    return (FlipProblem.of([[1, -2]], [1, 0], 1),)


def _partly() -> Case:
    """The first pair is free, and the others contradict each other: separated all the same."""
    return (FlipProblem.of([[1, 0, 0], [0, 1, 1]], [1, 1, 0], 1),)


def _soft_between() -> Case:
    """A soft label where the direction of the hard one has to vanish: not separated."""
    return (FlipProblem.of([[1, 1]], [1, Fraction(1, 2)], 1),)


@claim(
    theory.existence,
    over=labelled().with_landmarks(
        ordered=_ordered,
        partly=_partly,
        **{
            "soft between": _soft_between,
            "opposite": lambda: (FlipProblem.of([[1, -1]], 1, 0),),
            "no difference": lambda: (FlipProblem.of([[0]], 1, 0),),
        },
    ),
)
def existence(problem: FlipProblem) -> Iterator[Values]:
    for labels in (problem.benign, problem.target):
        inside = interior_labels(problem, labels)
        if inside.value is None:
            raise ClaimError(f"no optimum: {inside.status.value}")
        yield {
            theory.separable: proved_separable(separation(problem, labels)),
            theory.interior: Proved(inside.value, inside.certificate),
        }


# -- the sufficient statistic --------------------------------------------------------------------
label_gap = Quantity("label_gap", "sum of abs(theta_i - theta'_i)")


def _long_pair() -> Iterator[Values]:
    """phi = 20 and labels 1/10 apart: at the reward log 2 the losses differ by 2 log 2."""
    problem = single(20, Fraction(1, 10), 0)
    gap = loss_difference(problem, Vector((1,)), problem.benign, problem.target)
    yield {theory.loss_gap: gap, label_gap: Fraction(1, 10)}


def _opposite_pairs() -> Iterator[Values]:
    """Two opposite pairs, both won or both lost: all labels differ, and the loss does not."""
    problem = FlipProblem.of([[1, -1]], 1, 0)
    gap = loss_difference(problem, Vector((1,)), problem.benign, problem.target)
    yield {theory.loss_gap: gap, label_gap: Fraction(2)}


@claim(
    theory.sufficient_statistic,
    over=labelled()
    .along(whole_reward)
    .with_landmarks(
        opposite=lambda: (FlipProblem.of([[1, -1]], 1, 0), Vector((3,))),
        weighted=lambda: (FlipProblem.of([[1, 2]], 1, 0, [3, Fraction(1, 2)]), Vector((1,))),
    ),
    mutants=(
        NamedMutant(
            "L0-close",
            Le(Abs(theory.loss_gap), label_gap),
            "labels that are close teach much the same",
            _long_pair,
        ),
        NamedMutant(
            "L0-far",
            Ge(Abs(theory.loss_gap), label_gap / 100),
            "labels that are far apart teach something else",
            _opposite_pairs,
        ),
    ),
)
def sufficient_statistic(problem: FlipProblem, reward: Vector) -> Iterator[Values]:
    labels, other = problem.benign, problem.target
    seen, changed = (label_moments(problem, each).fractions() for each in (labels, other))
    moments = Vector.of(a - b for a, b in zip(seen, changed, strict=True))
    multiple = problem.scores(moments.fractions()).denominator
    along = Vector.of(multiple * value for value in moments.fractions())
    yield {
        theory.loss_gap: loss_difference(problem, reward, labels, other),
        theory.moment_score: moments.dot(reward.numerators, reward.denominator),
        theory.gap_along: loss_difference(problem, along, labels, other),
        theory.moment_squares: squares(moments),
        theory.multiple: multiple,
    }


# -- training ------------------------------------------------------------------------------------
def _free_to_undo() -> Case:
    """Both opposite pairs are flipped, so that the moments stay: nothing has to change."""
    problem = FlipProblem.of([[1, -1]], 1, 0)
    return Taught(problem, Vector((0,)), Fraction(1)), problem.benign, Vector((2,))


@claim(
    theory.same_training,
    over=taught(ridged=True)
    .along(cheapest, start)
    .with_landmarks(opposite=_free_to_undo)
    .with_controls(moments=taught(ridged=True).along(other_labels, start)),
)
def same_training(case: Taught, other: Vector, begin: Vector) -> Iterator[Values]:
    """The grid of the fixed-point descent is as coarse as whole scores need."""
    problem, labels = case.problem, case.problem.target
    grid = max(row.denominator for row in problem.features)
    first, second = (
        [begin, *descend(problem, each, begin, Fraction(grid), grid, _ITERATIONS)]
        for each in (labels, other)
    )
    if squares(gradient(problem, labels, case.reward, case.ridge)):
        raise ClaimError("the reward does not minimise the ridge loss of the target labels")
    yield {
        theory.gradient_gap: max(
            squares(gradient(problem, labels, r), gradient(problem, other, r)) for r in first
        ),
        theory.path_gap: max(
            max(abs(x - y) for x, y in zip(a.fractions(), b.fractions(), strict=True))
            for a, b in zip(first, second, strict=True)
        ),
        theory.ridge_slope: squares(gradient(problem, other, case.reward, case.ridge)),
    }
