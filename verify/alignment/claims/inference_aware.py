"""Claims on inference-aware alignment, over all groups, in rationals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod

import flint
import numpy as np

from holdfast.solvers.alignment.best_of_n import best_value, first_variation, smoothness
from holdfast.solvers.alignment.inference_aware import unbiased_derivative
from holdfast.solvers.alignment.tilts import ready
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq
from holdfast.theory.alignment import inference_aware as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ...hypergradient.families.points import laws
from ..families import choices as families
from ..families.choices import Choice
from ..together import together


def _point(draw: Draw) -> tuple[Fraction, int]:
    """A response in (0, 1), and N."""
    return Fraction(draw.integer(1, 19), 20), draw.integer(2, 8)


def _balance(y: Fraction, N: int, power: Fraction) -> Values:
    def sides() -> tuple[flint.arb, flint.arb]:
        up, down = (number(one) ** number(power) for one in (y, 1 - y))
        F = up / (up + down)
        one = N * number(y) * (1 - F) ** (N - 1), N * number(1 - y) * F ** (N - 1)
        return one[0] / sum(one), one[1] / sum(one)

    return {theory.rising: Ball(lambda: sides()[0]), theory.falling: Ball(lambda: sides()[1])}


def _one_over_N() -> Iterator[Values]:
    yield _balance(Fraction(1, 5), 3, Fraction(1, 3))


@claim(
    theory.uniform_response,
    over=Family("responses in [0, 1]", _point),
    mutants=(
        NamedMutant("M21-one-over-N", theory.uniform_response.relation, "a = 1/N", _one_over_N),
    ),
)
def two_goals(case: tuple[Fraction, int]) -> Iterator[Values]:
    y, N = case
    yield _balance(y, N, Fraction(1, N - 1))


def _size(draw: Draw, case: Choice) -> int:
    return case.n + draw.integer(0, 4 - case.n)


_GROUPS = families.choices(most=3, responses=3).along(_size)


@claim(theory.unbiased, over=_GROUPS)
def unbiased(case: Choice, M: int) -> Iterator[Values]:
    means = [Fraction(0)] * 2
    for y in (0, 1):
        for others in product(range(len(case.policy)), repeat=M - 1):
            paid = unbiased_derivative(case.rewards[[y, *others]], case.n)[0]
            means[y] += paid * prod(case.policy[list(others)])
    slope = first_variation(case.policy, case.rewards, case.n)
    yield {theory.derivative: means[0] - means[1], theory.slope: slope[0] - slope[1]}


@claim(
    theory.baseline,
    over=_GROUPS,
    mutants=(
        NamedMutant("M19-one", Eq(theory.update, (1 - 1 / theory.M) * theory.gradient), "1 - 1/M"),
    ),
)
def baseline(case: Choice, M: int) -> Iterator[Values]:
    update = Fraction(0)
    for group in product(range(len(case.policy)), repeat=M):
        paid = unbiased_derivative(case.rewards[list(group)], case.n)
        paid = paid - paid.sum() / M
        score = [(y == 0) - case.policy[0] for y in group]
        update += prod(case.policy[list(group)]) * sum(map(lambda a, b: a * b, paid, score)) / M
    slope = first_variation(case.policy, case.rewards, case.n)
    gradient = case.policy[0] * (slope[0] - (case.policy * slope).sum())
    yield {theory.update: update, theory.gradient: gradient, theory.n: case.n, theory.M: M}


Descent = tuple[Array, Array, Array, int, int, Fraction]


def _descent(draw: Draw) -> Descent:
    """Reference, another policy, rewards, n, T, temperature; two rewards differ."""
    Y = draw.integer(2, 3)
    reference, other = laws(draw, 1, Y, least=1)[0], laws(draw, 1, Y, least=1)[0]
    rewards = [Fraction(0), Fraction(1), Fraction(draw.integer(-2, 4), 2)][:Y]
    heat = Fraction(draw.choice((2, 1, 20, 200)), 10)
    return (
        reference, other, np.array(rewards), draw.integer(2, 4), draw.integer(1, 4), heat
    )  # fmt: skip


def _descend(case: Descent, share: int = 1, *, plain: bool = False) -> Values:
    """From the reference, with the constant divided by `share`; plain: by the rewards alone."""
    reference, other, rewards, n, T, heat = case
    L = smoothness(rewards.max() - rewards.min(), n)

    def loss(policy: Array) -> flint.arb:
        far = (policy * (np.log(policy) - np.log(ready(reference)))).sum()
        return number(heat) * far - best_value(policy, ready(rewards), n)

    def found() -> dict[object, flint.arb]:
        start, policy = ready(reference), ready(reference)
        used = number(L) / share
        for _ in range(T):
            slope = ready(rewards) if plain else first_variation(policy, ready(rewards), n)
            logs = slope + number(heat) * np.log(start) + used * np.log(policy)
            policy = np.exp(logs / (number(heat) + used))
            policy = policy / policy.sum()
        goal = ready(other)
        far = (goal * (np.log(goal) - np.log(start))).sum()
        return {theory.gap: loss(policy) - loss(goal), theory.far: far}

    growth = ((L / share + heat) / (L / share)) ** T - 1
    together_found = together(found, theory.gap, theory.far)
    if (reference == other).all():
        together_found = {theory.gap: together_found[theory.gap], theory.far: 0}
    return {theory.beta: heat, theory.growth: growth, **together_found}


def _two(reference: Fraction, other: Fraction, n: int, T: int) -> Descent:
    """Rewards 0 and 1, the lower with these probabilities, temperature 1/5."""
    laws_of = [np.array([low, 1 - low]) for low in (reference, other)]
    rewards = np.array([Fraction(0), Fraction(1)])
    return laws_of[0], laws_of[1], rewards, n, T, Fraction(1, 5)


def _plain() -> Iterator[Values]:
    yield _descend(_two(Fraction(1, 2), Fraction(2, 5), 3, 4), plain=True)


def _tenth() -> Iterator[Values]:
    yield _descend(_two(Fraction(3, 4), Fraction(1, 3), 4, 1), 10)


@claim(
    theory.rate,
    over=Family("best of n of two or three rewards", _descent),
    mutants=(
        NamedMutant("IAMA-plain-reward", theory.rate.relation, "by the rewards alone", _plain),
        NamedMutant("IAMA-tenth", theory.rate.relation, "a tenth of the constant", _tenth),
    ),
)
def rate(case: Descent) -> Iterator[Values]:
    yield _descend(case)
