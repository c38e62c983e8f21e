"""Claims on label flips where the features are trained too: one equation in place of n."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Abs

from holdfast.solvers.poisoning import FlipProblem, one_direction
from holdfast.theory import Eq
from holdfast.theory.poisoning import adaptive as theory
from holdfast.theory.poisoning import least_cost as poisoning_least_cost

from ...binding.claims import NamedMutant, claim
from ...binding.family import Case
from ...binding.values import Values
from ..families.flips import TrainedFeatures, collapsed, reward, tabular
from ..landmarks import boxed, saving, single, tabular_promise
from .least_cost import least_cost, problems


def under_one_equation(problem: FlipProblem, scores: tuple[Fraction, ...]) -> FlipProblem:
    """The same pairs with the scores for their one feature."""
    return problem.with_features([scores])


def _own_rows(problem: FlipProblem) -> Case:
    return problem, problem.features[0].fractions()


@claim(
    theory.one_direction,
    over=problems()
    .along(reward)
    .with_landmarks(
        **{
            "heavy, its own row": lambda: _own_rows(single(2)),
            "boxed, its own row": lambda: _own_rows(boxed()),
            "saving, its own row": lambda: _own_rows(saving()),
        }
    ),
    mutants=(
        NamedMutant(
            "T6-no-capacity",
            Eq(theory.greedy * theory.a_largest, Abs(theory.gap)),
            "the cost is abs(a.d) over the largest abs(a_i): the box is ignored",
        ),
    ),
)
def one_equation(problem: FlipProblem, scores: tuple[Fraction, ...]) -> Iterator[Values]:
    found = one_direction(problem, scores)
    yield {
        theory.cost_one: least_cost(under_one_equation(problem, scores)),
        theory.greedy: found.value,
        theory.a_largest: max(map(abs, scores)),
        theory.gap: found.gap,
        poisoning_least_cost.cost: least_cost(problem),
    }


@claim(
    theory.expressive,
    over=collapsed().with_controls(expressive=tabular()),
)
def expressive(trained: TrainedFeatures) -> Iterator[Values]:
    yield {
        theory.cost_trained: least_cost(trained.problem),
        theory.cost_one: least_cost(under_one_equation(trained.problem, trained.scores)),
    }


@claim(
    theory.joint_argmin,
    over=tabular().with_landmarks(promise=lambda: (tabular_promise(),)),
    witness="promise",
)
def joint_argmin(trained: TrainedFeatures) -> Iterator[Values]:
    """The joint minimiser scores pair i logit theta_i, one feature a pair, so that the target's
    scores need the target's labels: with those features, the least cost is that of d."""
    yield from expressive.evaluate(trained)
