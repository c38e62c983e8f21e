"""The Bradley-Terry loss at rewards where it is rational: every pair scores a multiple of log 2.

    L(r; theta) = sum_i rho_i [softplus(r.phi_i) - theta_i r.phi_i].

A reward is measured in units of log 2, so that a pair of score k log 2 is won with probability
2^k/(1 + 2^k).  Gradients are then rational, and so are differences of losses in the same unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import compress

from flint import fmpz_mat

from ...errors import ModelError
from ...exact import Vector
from ..flips.problem import FlipProblem


def logistic(score: int) -> Fraction:
    """sigma(score log 2) = 2^score/(1 + 2^score)."""
    return Fraction(2**score, 1 + 2**score) if score >= 0 else Fraction(1, 1 + 2**-score)


def whole_scores(problem: FlipProblem, reward: Vector) -> tuple[int, ...]:
    """The score of each pair in units of log 2 (N).

    Raises ModelError naming the first that is no integer.
    """
    scores = problem.scores(reward.fractions()).fractions()
    for i, score in enumerate(scores):
        if score.denominator != 1:
            raise ModelError(
                f"pair {i} scores {score} log 2; exact probabilities need whole multiples, so "
                "multiply the reward by the denominators of the features"
            )
    return tuple(int(score) for score in scores)


def probabilities(problem: FlipProblem, reward: Vector) -> Vector:
    """sigma(r.phi_i) (N), what the reward itself would label the pairs."""
    return Vector.of(logistic(score) for score in whole_scores(problem, reward))


def label_moments(problem: FlipProblem, labels: Vector) -> Vector:
    """Phi D theta (n): all that the loss knows of the labels."""
    pairs = zip(problem.multiplicities, labels.fractions(), strict=True)
    return problem.moments(Vector.of(weight * label for weight, label in pairs))


def gradient(
    problem: FlipProblem, labels: Vector, reward: Vector, ridge: Fraction | int = 0
) -> Vector:
    """The gradient (n) of L(r; labels) + ridge/2 norm(r)^2; ridge is measured in 1/log 2."""
    chances = probabilities(problem, reward).fractions()
    pairs = zip(problem.multiplicities, chances, labels.fractions(), strict=True)
    slope = problem.moments(Vector.of(w * (chance - label) for w, chance, label in pairs))
    parts = zip(slope.fractions(), reward.fractions(), strict=True)
    return Vector.of(g + ridge * r for g, r in parts)


def loss_difference(
    problem: FlipProblem, reward: Vector, labels: Vector, other: Vector
) -> Fraction:
    """L(r; labels) - L(r; other) in units of log 2, from the likelihoods of copies of the data.

    With enough copies of each pair the labels are whole numbers of wins and losses, whose
    likelihood is a product of powers of rational probabilities.
    """
    weights = problem.multiplicities
    counts = [
        weight * label
        for each in (labels, other)
        for weight, label in zip(weights, each.fractions(), strict=True)
    ]
    copies = math.lcm(*(number.denominator for number in (*weights, *counts)))
    chances = probabilities(problem, reward).fractions()

    def likelihood(theta: Vector) -> Fraction:
        total = Fraction(1)
        for weight, label, chance in zip(weights, theta.fractions(), chances, strict=True):
            wins = copies * weight * label
            total *= chance ** int(wins) * (1 - chance) ** int(copies * weight - wins)
        return total

    return Fraction(binary_logarithm(likelihood(other) / likelihood(labels)), copies)


def binary_logarithm(number: Fraction) -> int:
    """log2 of a power of 2; raises ValueError for any other number."""
    top, bottom = number.numerator, number.denominator
    if top <= 0 or top & (top - 1) or bottom & (bottom - 1):
        raise ValueError(f"{number} is not a power of 2")
    return top.bit_length() - bottom.bit_length()


def descend(
    problem: FlipProblem, labels: Vector, start: Vector, step: Fraction, grid: int, iterations: int
) -> list[Vector]:
    """Full-batch gradient descent in fixed-point arithmetic: the rewards after each step.

    Each is rounded to multiples of `grid` log 2, ties to even ones; step is measured in log 2.
    """
    path, reward = [], start
    for _ in range(iterations):
        slope = gradient(problem, labels, reward).fractions()
        moved = (r - step * g for r, g in zip(reward.fractions(), slope, strict=True))
        reward = Vector(tuple(grid * round(value / grid) for value in moved))
        path.append(reward)
    return path


def unseen_rewards(problem: FlipProblem) -> tuple[Vector, ...]:
    """A basis of the rewards (n) that score every pair of positive weight 0, in integers without
    common factor: what can be added to a minimiser of the loss without a ridge."""
    used = [compress(row.numerators, problem.multiplicities) for row in problem.features]
    rows = [list(column) for column in zip(*used, strict=True)]
    space, size = fmpz_mat(rows or [[0] * len(used)]).nullspace()
    found = []
    for j in range(size):
        entries = [int(space[k, j]) * row.denominator for k, row in enumerate(problem.features)]
        found.append(_in_lowest_terms(entries))
    return tuple(found)


def _in_lowest_terms(entries: Sequence[int]) -> Vector:
    common = math.gcd(*entries)
    return Vector(tuple(value // common for value in entries))
