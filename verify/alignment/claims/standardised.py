"""Claims on HIPO's scores prompt by prompt: balls where deviations are, rationals elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import flint

from holdfast.solvers.alignment.hipo import constrained_vertex
from holdfast.solvers.alignment.problems import Problem
from holdfast.theory import Eq, Ge, Le, Quantity
from holdfast.theory.alignment import standardised as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families.primal_dual import least_dual
from ..families.standardised import EACH, RESTS, Rest, deviation
from ..landmarks import standardised as landmarks
from ..together import together


@claim(
    theory.own_rates,
    over=RESTS.with_landmarks(tenth=lambda: (landmarks.tenth(),)),
    mutants=(
        NamedMutant("H5-one-rate", Eq(theory.own_lam, theory.lam), "one exchange rate for all"),
        NamedMutant("H5-optimal", Le(theory.lost, 0), "where it rests is the optimum"),
    ),
)
def own_rates(case: Rest) -> Iterator[Values]:
    """The second prompt."""

    def found() -> Mapping[Quantity, flint.arb]:
        own_lam, own_beta = case.own()
        return {
            theory.own_lam: own_lam,
            theory.own_beta: own_beta,
            theory.sigma_u: deviation(case.policy, case.rewards()[1]),
            theory.sigma_s: deviation(case.policy, case.system),
            theory.lost: case.lost(),
        }

    given = {theory.lam: case.multiplier, theory.beta: case.temperature}
    yield {**given, **together(found, *(theory.own_rates.quantities - given.keys()))}


@claim(
    theory.each_prompt,
    over=EACH.with_landmarks(
        between=lambda: landmarks.between(),
        apart=lambda: landmarks.apart(),
    ),
    mutants=(
        NamedMutant("H8-one-response", Le(theory.most, 1), "one response a prompt suffices"),
        NamedMutant(
            "H8-free", Ge(theory.J_each, theory.J_average), "a level a prompt costs nothing"
        ),
    ),
)
def each_prompt(case: Problem, levels: Any) -> Iterator[Values]:
    """Prompt by prompt."""
    ones = [slice(x, x + 1) for x in range(len(levels))]
    rows = [(case.rewards[x], case.safety[x]) for x in ones]
    unit = case.prompt_law[:1] * 0 + 1
    found = [
        constrained_vertex(Problem(unit, case.reference[x], *row, Fraction(1)), level)
        for x, row, level in zip(ones, rows, levels, strict=True)
    ]
    duals = [least_dual(unit, *row, level) for row, level in zip(rows, levels, strict=True)]
    yield {
        theory.most: max(int((one.policy > 0).sum()) for one in found),
        theory.worst: min(one.system - level for one, level in zip(found, levels, strict=True)),
        theory.J_each: sum(p * one.user for p, one in zip(case.prompt_law, found, strict=True)),
        theory.dual_each: sum(p * one for p, one in zip(case.prompt_law, duals, strict=True)),
        theory.J_average: constrained_vertex(case, (case.prompt_law * levels).sum()).user,
    }
