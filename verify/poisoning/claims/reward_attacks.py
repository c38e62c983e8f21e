"""Claims on the attack itself: the convex program that it comes to, and how it reads literally."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.rewards.exact_loss import (
    gradient,
    logistic,
    probabilities,
    unseen_rewards,
)
from holdfast.solvers.poisoning.rewards.separability import separation
from holdfast.theory.poisoning import least_cost as poisoning_least_cost
from holdfast.theory.poisoning import reward_attacks as theory
from holdfast.theory.poisoning import reward_learning

from ...binding.claims import claim
from ...binding.family import Case
from ...binding.proofs import Proved, calculated
from ...binding.values import ClaimError, Values
from ...kernel import format_rational
from ..families.answers import Answers, answers
from ..families.rewards import single
from ..families.taught_rewards import Attack, attacks, separated, teach
from .least_cost import least_cost, proved
from .reward_learning import proved_separable, squares

_ZERO = Fraction(0)


def _policy(case: Answers, shift: tuple[int, ...]) -> list[Fraction]:
    """pi ~ pi_ref 2^(score + shift)."""
    known = zip(case.reference, case.scores, shift, strict=True)
    weights = [chance * Fraction(2) ** (score + added) for chance, score, added in known]
    return [weight / sum(weights) for weight in weights]


@claim(
    theory.same_policy,
    over=answers()
    .with_landmarks(
        hot=lambda: (Answers((Fraction(1, 2),) * 2, (1, 0), 2, (5, 5)),),
        rare=lambda: (Answers((Fraction(1, 100), Fraction(99, 100)), (3, -3), 1, (0, 0)),),
    )
    .with_controls(prompt_only=answers(prompt_only=False)),
)
def same_policy(case: Answers) -> Iterator[Values]:
    """Of the first two answers; the implicit reward is that of the shifted reward's policy."""
    policy = _policy(case, (0,) * len(case.scores))
    shifted = _policy(case, case.shift)
    first, second = (
        (new / old) ** case.temperature
        for new, old in zip(shifted[:2], case.reference[:2], strict=True)
    )
    gaps = (abs(a - b) for a, b in zip(policy, shifted, strict=True))
    yield {
        theory.policy_shift: sum(gaps, _ZERO) / 2,
        theory.p_reward: logistic(case.temperature * (case.scores[0] - case.scores[1])),
        theory.p_implicit: first / (first + second),
    }


def policy_gap(problem: FlipProblem, reward: Vector, answers: tuple[Vector, ...]) -> Fraction:
    """The largest total variation, over two answers of the reference probability 1/2 each, between
    the policy of the reward and those of rewards with the same scores on the training pairs."""
    largest = _ZERO
    for shift in unseen_rewards(problem):
        for answer in answers:
            unit = answer.denominator
            one = answer.dot(reward.numerators, reward.denominator)
            two = one + unit * answer.dot(shift.numerators, shift.denominator)
            gap = abs(logistic(_whole(one)) - logistic(_whole(two)))
            largest = max(largest, gap)
    return largest


def _whole(score: Fraction) -> int:
    if score.denominator != 1:
        raise ClaimError(f"an answer scores {score} log 2, no whole multiple")
    return score.numerator


def _soft_target() -> Case:
    """One pair, sure: the target's 1/3 costs 2/3."""
    problem = single(1, 1, 1)
    return (Attack(teach(problem, [-1], _ZERO, _ZERO), (Vector((1,)),)),)


@claim(
    theory.reformulation,
    over=attacks()
    .with_landmarks(
        **{
            "one pair": _soft_target,
            "opposite": lambda: (
                Attack(
                    teach(FlipProblem.of([[1, -1]], 1, 1), [2], _ZERO, Fraction(1)), (Vector((3,)),)
                ),
            ),
            "dependent": lambda: (
                Attack(
                    teach(FlipProblem.of([[1, 2], [2, 4]], 1, 1), [1, -2], _ZERO, _ZERO),
                    (Vector((1, 2)),),
                ),
            ),
        }
    )
    .with_controls(coverage=attacks(covered=False), attained=attacks(attained=False)),
)
def reformulation(case: Attack) -> Iterator[Values]:
    """The attack's own program asks for the moments of the probabilities that the target's reward
    gives; where labels without a minimiser count, benign labels that are separated cost nothing."""
    problem, reward = case.taught.problem, case.taught.reward
    if squares(gradient(problem, problem.target, reward)):
        raise ClaimError("the reward does not minimise the loss of the target labels")
    cheapest_labels = solve_flips(problem)
    attack = least_cost(problem.with_target(probabilities(problem, reward)))
    if not case.attained and separation(problem, problem.benign).separable:
        attack = calculated(_ZERO, "0")
    yield {
        theory.cost_attack: attack,
        poisoning_least_cost.cost: proved(cheapest_labels),
        theory.slope: squares(gradient(problem, cheapest_labels.labels, reward)),
        theory.policy_gap: policy_gap(problem, reward, case.answers),
    }


def cost_of_labels(problem: FlipProblem, labels: Vector) -> Proved:
    """The l1 cost of labels, written out."""
    value = _ZERO
    tree: list[Any] = ["add", "0"]
    pairs = zip(problem.multiplicities, labels.fractions(), problem.benign.fractions(), strict=True)
    for weight, label, benign in pairs:
        value += weight * abs(label - benign)
        gap = ["abs", ["add", format_rational(label), format_rational(-benign)]]
        tree.append(["mul", format_rational(weight), gap])
    return calculated(value, tree)


@claim(
    theory.literal_attack,
    over=separated().with_landmarks(
        **{
            "one pair": lambda: (teach(single(1, 1, 1), [-1], _ZERO, _ZERO).problem,),
            "two pairs": lambda: (
                teach(FlipProblem.of([[1, 0], [0, 1]], 1, 1), [-1, -2], _ZERO, _ZERO).problem,
            ),
        }
    ),
    witness="one pair",
)
def literal_attack(problem: FlipProblem) -> Iterator[Values]:
    """The labels are the benign ones, which cost 0 and are separated."""
    yield {
        theory.cost_labels: cost_of_labels(problem, problem.benign),
        reward_learning.separable: proved_separable(separation(problem, problem.benign)),
        poisoning_least_cost.cost: least_cost(problem),
    }
