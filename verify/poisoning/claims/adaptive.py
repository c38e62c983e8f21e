"""Claims on label flips where the features are trained too: one equation in place of n."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sympy import Abs

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, one_direction, solve_flips
from holdfast.theory import Eq
from holdfast.theory.poisoning import adaptive as theory
from holdfast.theory.poisoning import least_cost as poisoning_least_cost

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, Family
from ...binding.values import Values
from ..families.flips import TrainedFeatures, collapsed, reward, tabular
from ..families.rewards import small_labels
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


@dataclass(frozen=True, slots=True)
class OneLayer:
    """Pairs with inputs x_i, a trunk w and a head h: pair i scores h (w.x_i).

    inputs: N rows of d; problem: the pairs with their one feature w.x_i; cheapest: whether the
    cheapest labels are taught, or the benign ones.
    """

    inputs: tuple[tuple[int, ...], ...]
    trunk: tuple[int, ...]
    head: int
    problem: FlipProblem
    cheapest: bool = True

    @property
    def labels(self) -> Vector:
        return solve_flips(self.problem).labels if self.cheapest else self.problem.benign


def _layer(
    inputs: Sequence[Sequence[int]],
    trunk: Sequence[int],
    head: int,
    labels: tuple[Sequence[Fraction | int], Sequence[Fraction | int]],
) -> OneLayer:
    features = [sum(a * b for a, b in zip(trunk, row, strict=True)) for row in inputs]
    problem = FlipProblem.of([features], *labels)
    return OneLayer(tuple(map(tuple, inputs)), tuple(trunk), head, problem)


def _layers(draw: Draw) -> OneLayer:
    size, pairs = draw.integer(1, 3), draw.integer(2, 5)
    inputs = [[draw.integer(-2, 2) for _ in range(size)] for _ in range(pairs)]
    trunk = [draw.integer(1, 3) for _ in range(size)]
    labels = small_labels(draw, pairs), small_labels(draw, pairs)
    return _layer(inputs, trunk, draw.integer(1, 2), labels)


def _untaught(draw: Draw) -> OneLayer:
    return replace(_layers(draw), cheapest=False)


def two_inputs() -> tuple[OneLayer]:
    """Inputs (1, 0) and (0, 1), trunk (1, 2): the target flips the first pair, at the cost 1.

    The cheapest labels flip half of the second, whose feature is 2, at the cost 1/2; the moments of
    the inputs then differ by (1, -1/2), so that the trunk's gradients are apart by 1 + 1/4.
    """
    return (_layer([[1, 0], [0, 1]], [1, 2], 1, ([1, 1], [0, 1])),)


def _input_moments(layer: OneLayer) -> list[Fraction]:
    """Of the labels less the target's, one a coordinate of the inputs."""
    pairs = zip(layer.labels.fractions(),
                layer.problem.target.fractions(), strict=True)  # fmt: skip
    gaps = [cheap - target for cheap, target in pairs]
    return [
        sum((gap * row[k] for gap, row in zip(gaps, layer.inputs, strict=True)), Fraction(0))
        for k in range(len(layer.trunk))
    ]


def _head_gap(layer: OneLayer) -> Values:
    moments = zip(layer.trunk, _input_moments(layer), strict=True)
    return {theory.head_gap: sum((w * x for w, x in moments), Fraction(0)) ** 2}


@claim(
    theory.trained_trunk,
    over=Family("trunks of one layer", _layers)
    .with_landmarks(two=two_inputs)
    .with_controls(matched=Family("trunks of one layer taught the benign labels", _untaught)),
    witness="two",
    shows=_head_gap,
)
def trained_trunk(layer: OneLayer) -> Iterator[Values]:
    """sigma(u_i) drops out of the difference of the gradients, which is -h sum_i gap_i x_i."""
    moments = _input_moments(layer)
    yield {theory.trunk_gap: sum(((layer.head * x) ** 2 for x in moments), Fraction(0))}
