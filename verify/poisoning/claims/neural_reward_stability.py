"""How near trained rewards are: heads of a network whose trunk was frozen, as exact rationals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem
from holdfast.theory import Le
from holdfast.theory.poisoning import reward_stability as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families.trained import TrainedRewards, trained_rewards
from .reward_stability import nearness_values


@claim(
    theory.nearness,
    over=trained_rewards,
    tag="neural",
    mutants=(
        NamedMutant(
            "half of it",
            Le(
                theory.distance_heads,
                (theory.moment_distance + theory.slope_first + theory.slope_second)
                / (2 * theory.ridge),
            ),
            "trained rewards are twice as near",
        ),
    ),
)
def nearness(of: TrainedRewards) -> Iterator[Values]:
    """Each victim against the attack's, with the features of the trunk that both have."""
    cell, trained = of.obtained()
    features = trained.models["start"].features(cell.train)
    strength = Fraction(of.training.options.ridge)
    last = _reward(trained.models["attack"].reward)
    for name in ("clean", "least-cost", "rounded", "thinned"):
        labels = cell.labels[name], cell.labels["attack"]
        problem = FlipProblem.of(features, *labels, cell.weights)
        yield nearness_values(problem, strength, _reward(trained.models[name].reward), last)


def _reward(head: object) -> Vector:
    """The head (n), each float the rational that it is."""
    return Vector.of(list(map(float, head)))  # type: ignore[call-overload]
