"""Claims on updates from groups: expectations over all groups, and over all sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment import groups as solver
from holdfast.solvers.alignment.autoregressive import History, LanguageTable, soft_bellman
from holdfast.solvers.alignment.best_of_n import levels
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import divergence, ready, tilt
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.sequences import Array
from holdfast.theory import Eq, Quantity
from holdfast.theory.alignment import group_updates as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Values
from ...hypergradient.families.points import numbers
from ...hypergradient.oracles.duals import line
from ..families import problems as families
from ..families.sequences import Sequences, another, direction, sequences
from ..landmarks import group_updates as landmarks
from ..together import together

Balls = Mapping[Quantity, flint.arb]


def _direction(draw: Draw, case: Problem, *_: object) -> Array:
    """Of the logits."""
    return numbers(draw, case.reference.shape[1])


def _size(draw: Draw, *_: object) -> int:
    return draw.integer(2, 4)


_ONE_PROMPT = families.problems(prompts=1)
_POLICIES = _ONE_PROMPT.along(families.policy, _direction, _size)


def _moved(policy: Array, along: Array) -> Array:
    """How the probabilities move along a direction of logits, in dual numbers."""
    weights = policy * np.exp(line(along * 0, along))
    found = weights / weights.sum()
    return np.array([one.slope for one in found], dtype=object)


@claim(theory.leave_one_out, over=_POLICIES)
def leave_one_out(case: Problem, policy: Array, along: Array, size: int) -> Iterator[Values]:
    law, rewards = policy[0], case.rewards[0]
    moved = _moved(law, along)

    def found() -> Balls:
        ratios = np.log(ready(law) / ready(case.reference[0]))
        balanced = ready(rewards) - number(case.temperature) * ratios
        update = solver.expected_update(ready(law), balanced, size, baseline="leave-one-out")
        return {
            theory.estimate_kl: (ready(along) * update).sum(),
            theory.gradient_kl: (ready(moved) * ratios).sum(),
        }

    update = solver.expected_update(law, rewards, size, baseline="leave-one-out")
    yield {
        theory.estimate: (along * update).sum(),
        theory.gradient: (moved * rewards).sum(),
        theory.beta: case.temperature,
        **together(found, theory.estimate_kl, theory.gradient_kl),
    }


def _share(draw: Draw, *_: object) -> Fraction:
    return draw.choice(tuple(Fraction(k, 12) for k in (12, 6, 8, 9, 18)))


_FACTOR = 1 - 1 / theory.G


@claim(
    theory.fixed_point,
    over=_ONE_PROMPT.along(_direction, _size, _share),
    mutants=(
        NamedMutant("M9-one", Eq(theory.s * theory.push, theory.pull), "1 for 1 - 1/G"),
        NamedMutant(
            "M9-ratio",
            Eq(theory.s * theory.push, (theory.G - 1) / (theory.G + 1) * theory.pull),
            "(G - 1)/(G + 1)",
        ),
    ),
)
def fixed_point(case: Problem, along: Array, size: int, share: Fraction) -> Iterator[Values]:
    def found() -> Balls:
        policy = tilt(case.reference, share * case.rewards, case.temperature)[0]
        update = solver.expected_update(policy, ready(case.rewards[0]), size)
        pulled = solver.reverse_gradient(policy, case.reference[0])
        return {
            theory.push: (ready(along) * update).sum(),
            theory.pull: number(case.temperature) * (ready(along) * pulled).sum(),
        }

    yield {theory.s: share, theory.G: size, **together(found, theory.push, theory.pull)}


_PROPORTIONAL = Eq(theory.at_y * theory.gradient_other, theory.at_other * theory.gradient_y)


def _three_rewards() -> Iterator[Values]:
    policy, rewards = landmarks.three_rewards()

    def found() -> Balls:
        update = solver.expected_update(policy, rewards, 2, scaled=True)
        return {theory.at_y: update[0], theory.at_other: update[2]}

    gradient = solver.gradient(policy, rewards)
    yield {
        theory.gradient_y: gradient[0],
        theory.gradient_other: gradient[2],
        **together(found, theory.at_y, theory.at_other),
    }


@claim(
    theory.pairs,
    over=_ONE_PROMPT.along(families.policy),
    mutants=(
        NamedMutant(
            "GR3-proportional", _PROPORTIONAL, "in the gradient's direction", _three_rewards
        ),
    ),
)
def pairs(case: Problem, policy: Array) -> Iterator[Values]:
    below, upto = levels(policy[0], case.rewards[0])

    def found() -> Balls:
        return {theory.at_y: solver.expected_update(policy[0], case.rewards[0], 2, scaled=True)[0]}

    yield {
        theory.pi: policy[0, 0],
        theory.F: upto[0],
        theory.F_below: below[0],
        **together(found, theory.at_y),
    }


@claim(
    theory.estimators,
    over=_ONE_PROMPT.along(families.policy, _direction),
    mutants=(NamedMutant("M10-k3", Eq(theory.k3_loss, theory.gradient_kl), "k3 pulls along KL"),),
)
def estimators(case: Problem, policy: Array, along: Array) -> Iterator[Values]:
    law, reference = policy[0], case.reference[0]
    moved = _moved(law, along)

    def slope(estimator: str, ratio: bool) -> flint.arb:
        found = solver.estimator_gradient(law, reference, estimator, ratio=ratio)
        return (ready(along) * found).sum()

    def found() -> Balls:
        k3 = solver.estimates(law, reference, "k3")
        return {
            theory.mean_k3: (ready(law) * k3).sum(),
            theory.KL: divergence(case.prompt_law, policy, case.reference),
            theory.gradient_kl: (ready(moved) * np.log(ready(law) / ready(reference))).sum(),
            theory.k1_loss: slope("k1", False),
            theory.k2_loss: slope("k2", False),
            theory.k3_loss: slope("k3", False),
            theory.k1_ratio: slope("k1", True),
            theory.k3_ratio: slope("k3", True),
        }

    names = theory.estimators.quantities - {theory.forward}
    yield {theory.forward: -(reference * moved / law).sum(), **together(found, *names)}


Direction = Mapping[History, list[Fraction]]


def _dot(along: Direction, gradient: Mapping[History, Array]) -> Any:
    pairs_ = ((along[h], gradient[h]) for h in gradient)
    return sum((number(a) * b for row, column in pairs_ for a, b in zip(row, column, strict=True)))


def _tokens(table: LanguageTable, reference: LanguageTable, along: Direction) -> Any:
    """sum over histories of their probability times the gradient of their KL."""
    reached = {h: number(table.probability(h) if h else Fraction(1)) for h in table.histories}
    return _dot(along, {
        h: reached[h] * solver.reverse_gradient(table.laws[h], reference.laws[h])
        for h in table.histories
    })  # fmt: skip


def _future(table: LanguageTable, reference: LanguageTable, along: Direction) -> Any:
    later = {}
    for one in table.sequences:
        parts = solver.token_divergences(table, reference, one)
        later[one] = [sum(parts[t + 1 :], flint.arb(0)) for t in range(len(one))]
    return _dot(along, solver.score_weighted(table, later))


def _of_sequences(table: LanguageTable, values: Mapping[History, Any], along: Direction) -> Any:
    """The gradient of the mean of numbers of sequences, that do not move."""
    same = {one: [values[one]] * len(one) for one in table.sequences}
    return _dot(along, solver.score_weighted(table, same))


def _in_balls(table: LanguageTable) -> LanguageTable:
    laws = {h: ready(law) for h, law in table.laws.items()}
    return LanguageTable(laws, table.vocabulary, table.horizon, table.end)


_LONG = sequences(2)


@claim(
    theory.token_kl,
    over=_LONG.along(another, direction),
    mutants=(NamedMutant("M11-tokens", Eq(theory.gradient_kl, theory.tokens), "tokens alone"),),
)
def token_kl(case: Sequences, table: LanguageTable, along: Direction) -> Iterator[Values]:
    def found() -> Balls:
        policy, reference = _in_balls(table), _in_balls(case.reference)
        ratios = {
            one: (policy.probability(one) / reference.probability(one)).log()
            for one in policy.sequences
        }
        return {
            theory.gradient_kl: _of_sequences(policy, ratios, along),
            theory.tokens: _tokens(policy, reference, along),
            theory.future: _future(policy, reference, along),
        }

    yield {**together(found, *theory.token_kl.quantities)}


@claim(
    theory.token_fixed_point,
    over=_LONG.along(direction),
    mutants=(NamedMutant("M11-fixed", Eq(theory.update, 0), "the tilt is a fixed point"),),
)
def token_fixed_point(case: Sequences, along: Direction) -> Iterator[Values]:
    def found() -> Balls:
        policy, values = soft_bellman(case.reference, case.rewards, case.temperature)
        reference = _in_balls(case.reference)
        tokens = _tokens(policy, reference, along)
        rising = _of_sequences(policy, values, along)
        return {
            theory.update: rising - number(case.temperature) * tokens,
            theory.future: _future(policy, reference, along),
        }

    yield {theory.beta: case.temperature, **together(found, theory.update, theory.future)}
