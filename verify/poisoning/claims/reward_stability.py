"""Claims on how far a learnt reward moves with the labels, in enclosures of ridge minimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import flint

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, round_labels
from holdfast.solvers.poisoning.rewards.enclosed import dot, enclose_gradient, enclose_reward
from holdfast.solvers.poisoning.rewards.exact_loss import label_moments
from holdfast.theory import Le
from holdfast.theory.poisoning import reward_stability as theory
from holdfast.theory.poisoning import vertices

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, OutOfScope
from ...binding.values import Ball, Value, Values
from ..families.rewards import answer, copies, labelled, ridge, single, temperature, vertex_labels
from .reward_learning import squares

_TINY = Fraction(1, 1000)
"""A feature so small that the loss is nearly flat: bounds that forget curvature are false there."""


def minimisers_apart(
    problem: FlipProblem, labels: Vector, other: Vector, strength: Fraction
) -> Callable[[], list[flint.arb]]:
    """The difference (n) of the ridge minimisers of two labellings, for any precision."""
    known: dict[int, list[flint.arb]] = {}

    def difference() -> list[flint.arb]:
        precision = flint.ctx.prec
        if precision not in known:
            one, two = (
                enclose_reward(problem, each, ridge=strength).reward for each in (labels, other)
            )
            known[precision] = [a - b for a, b in zip(one, two, strict=True)]
        return known[precision]

    return difference


def _distance(difference: Callable[[], list[flint.arb]]) -> Ball:
    def compute() -> flint.arb:
        found = difference()
        total = dot(found, found)
        return total.sqrt() if total > 0 else total.abs_upper().sqrt().union(flint.arb(0))

    return Ball(compute)


def root(number: Fraction) -> Ball:
    """The square root of a rational."""
    return Ball(lambda: to_arb(number).sqrt())


def moment_squares(problem: FlipProblem) -> Fraction:
    """The squared norm of the moments between benign and target labels, if they differ."""
    found = squares(label_moments(problem, problem.benign), label_moments(problem, problem.target))
    if not found:
        raise OutOfScope("both labellings have the same moments, so the same minimiser exactly")
    return found


def _flat(feature: Fraction | int, strength: Fraction | int, *rest: object) -> Case:
    """One pair whose label goes from 1 to 0: the distance is phi/(lambda + O(phi^2))."""
    return (single(feature, 1, 0), Fraction(strength), *rest)


def _half() -> Iterator[Values]:
    (problem, strength) = _flat(_TINY, 1)
    yield from stability.evaluate(problem, strength)


@claim(
    theory.stability,
    over=labelled()
    .along(ridge)
    .with_landmarks(
        flat=lambda: _flat(_TINY, Fraction(1, 100)),
        stiff=lambda: _flat(_TINY, 10),
        long=lambda: _flat(4, 1000),
    ),
    mutants=(
        NamedMutant(
            "X3-half",
            Le(theory.distance, theory.moment_gap / (2 * theory.ridge)),
            "half the constant is enough",
            _half,
        ),
    ),
)
def stability(problem: FlipProblem, strength: Fraction) -> Iterator[Values]:
    apart = minimisers_apart(problem, problem.benign, problem.target, strength)
    yield {
        theory.distance: _distance(apart),
        theory.moment_gap: root(moment_squares(problem)),
        theory.ridge: strength,
    }


@claim(
    theory.policy_stability,
    over=labelled()
    .along(ridge, temperature, answer)
    .with_landmarks(
        flat=lambda: _flat(_TINY, Fraction(1, 100), Fraction(1, 3), Vector((2,))),
        long=lambda: _flat(4, 1000, Fraction(3), Vector((3,))),
        short=lambda: _flat(4, 1000, Fraction(3), Vector((1,), 3)),
    ),
)
def policy_stability(
    problem: FlipProblem, strength: Fraction, heat: Fraction, between: Vector
) -> Iterator[Values]:
    """The reference policy drops out of the difference of log-ratios."""
    apart = minimisers_apart(problem, problem.benign, problem.target, strength)

    def gap() -> flint.arb:
        return abs(dot([to_arb(x) for x in between.fractions()], apart())) / to_arb(heat)

    yield {
        theory.log_ratio_gap: Ball(gap),
        theory.length: root(squares(between)),
        theory.moment_gap: root(moment_squares(problem)),
        theory.ridge: strength,
        theory.tau: heat,
    }


def _quarters(pairs: int, strength: Fraction | int) -> Case:
    """Labels 1/4 that two copies round to 1/2, all the same way."""
    problem = single(_TINY, 1, 0, pairs)
    return problem, Vector((1,) * pairs, 4), 2, Fraction(strength)


@claim(
    theory.rounding_stability,
    over=labelled()
    .along(vertex_labels, copies, ridge)
    .with_landmarks(
        one=lambda: _quarters(1, Fraction(1, 100)),
        two=lambda: _quarters(2, 10),
    ),
)
def rounding_stability(
    problem: FlipProblem, labels: Vector, m: int, strength: Fraction
) -> Iterator[Values]:
    rounded = round_labels(problem, labels, m)
    apart = minimisers_apart(problem, labels, rounded, strength)
    rho = problem.multiplicities
    distance: Value = Fraction(0) if rounded == labels else _distance(apart)
    yield {
        theory.distance: distance,
        theory.n_moved: sum((label * m).denominator != 1 for label in labels.fractions()),
        theory.longest: max(
            w**2 * sum(x**2 for x in phi) for w, phi in zip(rho, problem.columns(), strict=True)
        ),
        vertices.m_copies: m,
        theory.ridge: strength,
    }


def any_reward(draw: Draw, problem: FlipProblem, *_: object) -> Vector:
    """A reward of small rationals, which nothing has learnt."""
    return Vector(tuple(draw.integer(-3, 3) for _ in problem.features), draw.choice((1, 2, 8)))


def nearness_values(
    problem: FlipProblem, strength: Fraction, first: Vector, second: Vector
) -> Values:
    """Both sides for two rewards; the first goes with the benign labels, the second with the
    target's."""
    pairs = zip(first.fractions(), second.fractions(), strict=True)
    apart = sum(((a - b) ** 2 for a, b in pairs), Fraction(0))
    moments = squares(
        label_moments(problem, problem.benign), label_moments(problem, problem.target)
    )

    def slope(labels: Vector, reward: Vector) -> Ball:
        return _distance(lambda: enclose_gradient(problem, labels, reward, ridge=strength))

    return {
        theory.distance_heads: root(apart) if apart else Fraction(0),
        theory.moment_distance: root(moments) if moments else Fraction(0),
        theory.slope_first: slope(problem.benign, first),
        theory.slope_second: slope(problem.target, second),
        theory.ridge: strength,
    }


def _learnt(strength: Fraction) -> Case:
    """A flat loss at nearly its minimisers, phi/2 lambda and minus that: only moments are left."""
    middle = _TINY / (2 * strength)
    return single(_TINY, 1, 0), strength, Vector.of([middle]), Vector.of([-middle])


def _unlearnt(first: int, second: int, strength: Fraction) -> Case:
    """The same labels and a flat loss: only the gradient of the reward that is not 0 is left."""
    return single(_TINY, 1, 1), strength, Vector((first,)), Vector((second,))


@claim(
    theory.nearness,
    over=labelled()
    .along(ridge, any_reward, any_reward)
    .with_landmarks(
        learnt=lambda: _learnt(Fraction(1, 100)),
        first=lambda: _unlearnt(3, 0, Fraction(10)),
        second=lambda: _unlearnt(0, 3, Fraction(1, 2)),
    ),
    mutants=(
        NamedMutant(
            "as if learnt",
            Le(theory.distance_heads, theory.moment_distance / theory.ridge),
            "rewards that were not trained to the end are as near as minimisers",
        ),
    ),
)
def nearness(
    problem: FlipProblem, strength: Fraction, first: Vector, second: Vector
) -> Iterator[Values]:
    yield nearness_values(problem, strength, first, second)
