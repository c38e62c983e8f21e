"""Claims on bounds: rational where policies are, balls where action values are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import Any

import flint
from sympy import exp

from holdfast.solvers.hypergradient import balls
from holdfast.solvers.hypergradient.balls import Array, Point, elementwise, number
from holdfast.theory import Le
from holdfast.theory.hypergradient import bounds as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.values import Ball, Values
from ..families import points as families
from ..families.points import MISJUDGED, Misjudged
from ..landmarks import extremal as landmarks
from ..oracles.duals import derivatives


def _range(values: Array) -> Any:
    return values.max(axis=-1) - values.min(axis=-1)


_TIGHT = families.points().with_landmarks(
    fair=landmarks.fair,
    patient_leader=landmarks.patient_leader,
    constant=landmarks.constant,
    patient=landmarks.patient,
)


@claim(
    theory.policy,
    over=_TIGHT,
    mutants=(
        NamedMutant(
            "BC-T6-policy", Le(theory.change, theory.range_dQ / (4 * theory.beta)), "1/(4 beta)"
        ),
    ),
)
def policy(case: Point) -> Iterator[Values]:
    _, action_values = balls.follower_gradients(case)
    yield {
        theory.change: abs(derivatives(case).policy[0]).sum(),
        theory.range_dQ: _range(action_values)[0],
        theory.beta: case.temperature,
    }


@claim(
    theory.indirect_term,
    over=_TIGHT,
    mutants=(
        NamedMutant(
            "BC-T6-eighth",
            Le(theory.size / theory.beta, theory.ranges / (8 * theory.beta)),
            "1/(8 beta)",
        ),
    ),
)
def indirect_term(case: Point) -> Iterator[Values]:
    first = _range(balls.leader_values(case)[1])
    second = _range(balls.follower_gradients(case)[1])
    yield {
        theory.size: abs(balls.covariances(case)),
        theory.ranges: (balls.occupancy(case) * first * second).sum(),
        theory.range_Q: first.max(),
        theory.largest: second.max(),
        theory.gamma_L: case.leader_discount,
        theory.beta: case.temperature,
    }


def _in_balls(case: Misjudged) -> tuple[Array, Array, flint.arb]:
    found = (elementwise(number, one) for one in (case.action_values, case.errors))
    return *found, number(case.temperature)


def _distance(case: Misjudged) -> flint.arb:
    values, errors, temperature = _in_balls(case)
    right, _ = balls.soft_maximum(values, temperature)
    misled, _ = balls.soft_maximum(values + errors, temperature)
    return abs(right - misled).sum()


@claim(
    theory.plug_in,
    over=MISJUDGED.with_landmarks(
        opposed=lambda: landmarks.opposed(Fraction(1)),
        slightly=lambda: landmarks.opposed(Fraction(1, 1000)),
        cold=lambda: landmarks.opposed(Fraction(1, 10), Fraction(1, 10)),
        hot=lambda: landmarks.opposed(Fraction(40), Fraction(10)),
    ),
    survivors={
        **dict.fromkeys(
            (
                "11*distance/10 <= exp(2*epsilon/beta) - 1",
                "distance <= exp(9*epsilon/(5*beta)) - 1",
                "distance <= exp(11*epsilon/(5*beta)) - 1",
            ),
            "true: the second part is sharper by a factor of nearly 2 or more",
        ),
        **dict.fromkeys(
            (
                "distance*(exp(9*epsilon/(10*beta)) + 1) <= 2*exp(epsilon/beta) - 2",
                "distance*(exp(epsilon/beta) + 1) <= 2*exp(11*epsilon/(10*beta)) - 2",
            ),
            "true: weaker, as epsilon >= 0",
        ),
    },
    mutants=(
        NamedMutant(
            "BC-T8-quarter",
            Le(theory.distance, exp(theory.epsilon / (2 * theory.beta)) - 1),
            "a quarter of the exponent",
        ),
    ),
)
def plug_in(case: Misjudged) -> Iterator[Values]:
    yield {
        theory.distance: Ball(lambda: _distance(case)),
        theory.epsilon: abs(case.errors).max(),
        theory.beta: case.temperature,
    }


@claim(
    theory.plug_in_gradient,
    over=families.points(rewards_only=True)
    .along(families.other_policy)
    .with_landmarks(
        rare=lambda: landmarks.rare(Fraction(1, 2)), hot=lambda: landmarks.rare(Fraction(3))
    ),
    survivors={"error <= worst/beta": "true: both hypergradients are at most half of that"},
    mutants=(
        NamedMutant(
            "BC-T8-square",
            Le(theory.error, theory.distance**2 * theory.worst / theory.beta),
            "of second order in the distance",
        ),
    ),
)
def plug_in_gradient(case: Point, other: Array) -> Iterator[Values]:
    plugged = replace(case, policy=other)
    patience, memory = (d / (1 - d) for d in (case.leader_discount, case.follower_discount))
    scale = (2 * (1 + patience) + memory) * (1 + patience) ** 2 * (1 + memory) / 4
    spread = _range(case.leader_rewards.ravel()) * _range(case.follower_slope.ravel())
    yield {
        theory.error: abs(balls.hypergradient(plugged) - balls.hypergradient(case)),
        theory.distance: abs(other - case.policy).sum(axis=1).max(),
        theory.worst: spread * scale,
        theory.beta: case.temperature,
    }


def _errors(draw: Draw, case: Point) -> Array:
    """Of the action values that the follower carries along."""
    return families.numbers(draw, *case.policy.shape)


def _step(draw: Draw, *_: object) -> Fraction:
    return Fraction(draw.integer(0, 8), 4)


def _backups(draw: Draw, *_: object) -> int:
    return draw.integer(0, 4)


def _largest(values: Array) -> flint.arb:
    return reduce(lambda a, b: a.max(b), [abs(one) for one in values.ravel()])


def _carried(case: Point, errors: Array, step: Fraction, backups: int) -> flint.arb:
    """The largest error of Q after backups at the point and a step of the leader."""
    ball, rewards = balls.in_balls(case), balls.implied_rewards(case)

    def backup(transitions: Array, values: Array, at: Fraction = Fraction(0)) -> Array:
        there = rewards + number(at) * ball.follower_slope
        return balls.backed_up(there, transitions, ball.follower_discount, values)

    carried = backup(ball.transitions, ball.values) + elementwise(number, errors)
    for _ in range(backups):
        carried = backup(ball.transitions, balls.soft_maximum(carried, ball.temperature)[1])
    after = balls.enclosed(case, rewards, step)
    return _largest(carried - backup(after.transitions, after.values, step))


_KEPT = theory.gamma_F**theory.K * theory.e
_LAG = theory.G_r * theory.step / (1 - theory.gamma_F)


@claim(
    theory.tracking,
    over=families.points(rewards_only=True)
    .along(_errors, _step, _backups)
    .with_landmarks(**landmarks.carried()),
    mutants=(
        NamedMutant("BC-T8-backups", Le(theory.e_next, _KEPT * theory.gamma_F + _LAG), "K + 1"),
        NamedMutant(
            "BC-T8-lipschitz",
            Le(theory.e_next, _KEPT + _LAG * (1 - theory.gamma_F) / 5),
            "a fifth of L_Q (1 - gamma_F)",
        ),
    ),
)
def tracking(case: Point, errors: Array, step: Fraction, backups: int) -> Iterator[Values]:
    yield {
        theory.e_next: Ball(lambda: _carried(case, errors, step, backups)),
        theory.e: abs(errors).max(),
        theory.K: backups,
        theory.step: step,
        theory.G_r: abs(case.follower_slope).max(),
        theory.gamma_F: case.follower_discount,
    }


def _gap(case: Misjudged) -> flint.arb:
    """V_Q less E_g (Q - beta log g)."""
    values, _, temperature = _in_balls(case)
    law = elementwise(number, case.policy)
    bonus = temperature * elementwise(lambda one: one.log(), law)
    return balls.soft_maximum(values, temperature)[1][0] - (law * (values - bonus)).sum()


def _divergence(case: Misjudged) -> flint.arb:
    values, _, temperature = _in_balls(case)
    law, (soft, _) = elementwise(number, case.policy), balls.soft_maximum(values, temperature)
    return (law * elementwise(lambda one: one.log(), law / soft)).sum()


@claim(theory.soft_gap, over=MISJUDGED)
def soft_gap(case: Misjudged) -> Iterator[Values]:
    yield {
        theory.gap: Ball(lambda: _gap(case)),
        theory.divergence: Ball(lambda: _divergence(case)),
        theory.beta: case.temperature,
    }
