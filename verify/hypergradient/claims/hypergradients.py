"""Claims on the leader's hypergradient.

In rationals against dual numbers; in balls against difference quotients: by the mean value theorem
(J(h) - J(-h))/2h is the derivative somewhere in [-h, h], so a formula that is right has a value on
that interval, enclosed as a whole, which the quotient cannot be apart from, and one that is wrong
is told apart as soon as h is small enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

import flint
import numpy as np

from holdfast.solvers.hypergradient import balls
from holdfast.solvers.hypergradient import exact_traces as traces
from holdfast.solvers.hypergradient.balls import Array, Point, covariances
from holdfast.theory import Eq, Quantity, Relation
from holdfast.theory.hypergradient import hypergradients as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw, PhiloxDraw
from ...binding.values import Ball, Values
from ..families import points as families
from ..landmarks.extremal import constant, patient
from ..oracles.duals import derivatives
from ..oracles.episodes import expected

wrong = Quantity("wrong", "what a wrong variant has in the place of the indirect sum")
Variant = Callable[[Point], Any]


def _parts(point: Point) -> dict[Quantity, Any]:
    """Both terms and all centrings."""
    V, Q = balls.leader_values(point)
    dV, dQ = balls.follower_gradients(point)
    A, dA, visits, mean = Q - V[:, None], dQ - dV[:, None], balls.occupancy(point), balls.mean

    def summed(values: Array) -> Any:
        return (visits * values).sum()

    def total(first: Array, second: Array) -> Any:
        return summed(mean(point.policy, first * second))

    apart = mean(point.policy, Q) * mean(point.policy, dQ)
    return {
        theory.direct: balls.direct(point),
        theory.indirect: total(A, dQ),
        theory.advantages: total(Q, dA),
        theory.both: total(A, dA),
        theory.visited: summed(mean(point.policy, Q * dQ) - apart),
        theory.uncentred: total(Q, dQ),
        theory.means: summed(V * dV),
    }


def leader_discount(point: Point) -> Any:
    """The covariances with dQ_F summed up by the leader's discount."""
    return covariances(point, discount=point.leader_discount)


def _suffixes(point: Point, **options: Any) -> Any:
    return expected(
        point, partial(traces.suffix_sum, point, balls.leader_advantages(point), **options)
    )


TRACES: Mapping[str, Variant] = {
    "undiscounted": partial(_suffixes, outer=1),
    "late": partial(_suffixes, late=True),
    "leader-trace": lambda point: _suffixes(point, inner=point.leader_discount),
}
"""Wrong variants of the estimate: no gamma_L^t, suffixes from t + 1 on, a trace by gamma_L."""


def _witness(direct: Quantity, variant: Variant, **options: bool) -> Iterator[Values]:
    """Values of a wrong variant on drawn models."""
    for index in range(20):
        point = families.point(PhiloxDraw("witness", index), **options)
        yield {
            theory.dJ: derivatives(point).objective,
            direct: balls.direct(point),
            wrong: variant(point),
            theory.beta: point.temperature,
        }


def _variant(
    name: str, why: str, direct: Quantity, variant: Variant, **options: bool
) -> NamedMutant:
    relation = Eq(theory.dJ, direct + wrong / theory.beta)
    return NamedMutant(name, relation, why, partial(_witness, direct, variant, **options))


def _instead(indirect: Any) -> Relation:
    return Eq(theory.dJ, theory.direct + indirect)


_IN_TERMS = (
    NamedMutant("BC-T3-uncentred", _instead(theory.uncentred / theory.beta), "Q_L dQ_F"),
    NamedMutant("BC-T3-sign", _instead(-theory.indirect / theory.beta), "the other sign"),
    NamedMutant("BC-T3-no-beta", _instead(theory.indirect), "no temperature"),
    NamedMutant("BC-T3-half", _instead(theory.indirect / (2 * theory.beta)), "half of it"),
    NamedMutant("BC-T3-direct", Eq(theory.dJ, theory.direct), "the direct term alone"),
)


@claim(
    theory.boltzmann,
    over=families.points(),
    mutants=(
        *_IN_TERMS,
        _variant("BC-T3-leader", "gamma_L inside dQ_F", theory.direct, leader_discount),
    ),
)
def boltzmann(case: Point) -> Iterator[Values]:
    derivative = derivatives(case).objective
    yield {theory.dJ: derivative, **_parts(case), theory.beta: case.temperature}


_WEIGHT = 4
"""Difference quotients in up to 4096 bits take as long as so many exact models."""


@claim(
    theory.boltzmann,
    over=replace(families.points().along(families.rewards), weight=_WEIGHT),
    tag="differences",
    mutants=_IN_TERMS,
)
def boltzmann_differences(case: Point, rewards: Array) -> Iterator[Values]:
    """Follower's rewards are rational, its policy is not."""

    @cache
    def found(precision: int) -> dict[Quantity, flint.arb]:
        step = flint.arb(2) ** (-precision // 2)
        around = balls.enclosed(case, rewards, flint.arb(0, step))
        return {theory.dJ: balls.difference_quotient(case, rewards, step), **_parts(around)}

    def ball(quantity: Quantity) -> Ball:
        return Ball(lambda: found(flint.ctx.prec)[quantity])

    names = theory.boltzmann.quantities - {theory.beta}
    yield {theory.beta: case.temperature, **{name: ball(name) for name in names}}


@claim(
    theory.unbiased,
    over=families.points(forward=True),
    mutants=tuple(
        _variant(f"BC-T4-{name}", name, theory.sampled_direct, variant, forward=True)
        for name, variant in TRACES.items()
    ),
)
def unbiased(case: Point) -> Iterator[Values]:
    """All trajectories, with their probabilities."""
    values, _ = balls.leader_values(case)
    trace = partial(traces.trace_sum, case, balls.leader_advantages(case))
    yield {
        theory.dJ: derivatives(case).objective,
        theory.sampled_direct: expected(case, partial(traces.direct_sum, case, values)),
        theory.traced: expected(case, trace),
        theory.suffixes: _suffixes(case),
        theory.beta: case.temperature,
    }


def _terms(draw: Draw, case: Point) -> int:
    return draw.integer(0, 4)


@claim(
    theory.truncation,
    over=families.points()
    .along(_terms)
    .with_landmarks(
        constant=lambda: (*constant(), 2),
        patient=lambda: (*patient(), 1),
        whole=lambda: (*patient(), 0),
    ),
)
def truncation(case: Point, terms: int) -> Iterator[Values]:
    immediate = balls.immediate(case)
    cut = immediate * 0
    for _ in range(terms):
        ahead = np.einsum("xby,y->xb", case.transitions, balls.mean(case.policy, cut))
        cut = immediate + case.follower_discount * ahead
    yield {
        theory.dQ: balls.follower_gradients(case)[1][0, 0],
        theory.dQ_cut: cut[0, 0],
        theory.m: terms,
        theory.G: abs(immediate).max(),
        theory.gamma_F: case.follower_discount,
    }


@claim(theory.shaping, over=families.SHAPED)
def shaping(case: Point) -> Iterator[Values]:
    moved = abs(derivatives(case).policy).max()
    yield {theory.dg: moved, theory.indirect: covariances(case)}
