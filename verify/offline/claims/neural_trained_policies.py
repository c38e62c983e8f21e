"""Claims on policies that were trained offline and online, each on runs of five seeds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb

from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.parts.worlds import circle
from holdfast.theory import Ge, Le
from holdfast.theory.offline import trained_policies as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Ball, Values
from ..families.trained import (
    ALIGNED,
    ASCENT,
    PID,
    UNPENALISED,
    WSAC,
    cloned,
    fresh,
    recorded,
    result,
)


@claim(
    theory.cheaper,
    over=WSAC.with_controls(penalised=UNPENALISED),
    tag="neural",
    mutants=(
        NamedMutant(
            "as the data",
            Ge(theory.J_c, theory.J_c_data),
            "the penalty has no effect beyond the data's own cost",
        ),
    ),
)
def cheaper(of: Training) -> Iterator[Values]:
    """Fresh episodes of the network and of the controllers."""
    yield {theory.J_c: fresh(of)[1], theory.J_c_data: recorded(of)[1]}


@claim(
    theory.better,
    over=WSAC,
    tag="neural",
    mutants=(
        NamedMutant(
            "no more", Le(theory.J_r, theory.J_clone), "critics add nothing to the cloned policy"
        ),
    ),
)
def better(of: Training) -> Iterator[Values]:
    """Fresh episodes of both."""
    yield {theory.J_r: fresh(of)[0], theory.J_clone: fresh(cloned(of))[0]}


@claim(
    theory.aligned,
    over=ALIGNED,
    tag="neural",
    mutants=(
        NamedMutant(
            "no lift", Ge(theory.rho_before, theory.rho_after), "critics ranked as well before"
        ),
    ),
)
def aligned(of: Training) -> Iterator[Values]:
    """Both critics, at recorded and at drawn actions."""
    ranks = result(of).numbers["ranks"]
    for kind in ("rewards, recorded", "rewards, drawn", "costs, recorded", "costs, drawn"):
        before, after = (ranks[f"{kind} {when}"] for when in ("before", "after"))
        yield {theory.rho_before: _correlation(*before), theory.rho_after: _correlation(*after)}


def _correlation(products: int, found: int, true: int) -> Ball:
    return Ball(lambda: arb(products) / arb(found * true).sqrt())


@claim(theory.speed_limit, over=ASCENT.with_controls(ascent=PID), tag="neural")
def speed_limit(of: Training) -> Iterator[Values]:
    """After each iteration, from the multipliers that the run kept."""
    options = of.options
    online = [line for line in result(of).lines if "multiplier" in line]
    for k, line in enumerate(online, start=1):
        yield {
            theory.lam: Fraction(line["multiplier"]),
            theory.lam_start: Fraction(options.multiplier),
            theory.updates: Fraction(k),
            theory.eta: Fraction(2**-6),
            theory.limit: Fraction(options.limit),
            theory.dearest: Fraction(circle.STEPS),
        }
