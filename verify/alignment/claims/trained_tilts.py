"""Claims on any policies, in the place of trained ones: values in balls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from operator import sub

import flint
import numpy as np

from holdfast.solvers.alignment.tilts import objective, ready, tilt
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.sequences import Array
from holdfast.theory import Quantity
from holdfast.theory.alignment import trained_tilts as theory

from ...binding.claims import claim
from ...binding.values import Values
from ..families.trained import Lacking, Staged, any_policies, any_stages
from ..together import together

Balls = Mapping[Quantity, flint.arb]


def variation(first: Array, second: Array) -> flint.arb:
    """Total variation of two laws [Y], in balls."""
    return sum((abs(one) for one in ready(first) - ready(second)), flint.arb(0)) / 2


def span(values: Array) -> flint.arb:
    """Largest less smallest ball."""
    high, low = values[0], values[0]
    for one in values[1:]:
        high, low = high.max(one), low.min(one)
    return high - low


@claim(theory.stepwise, over=any_stages)
def stepwise(case: Staged) -> Iterator[Values]:
    """Each prompt on its own."""
    problem, q = case.problem, case.share
    tilted, heat = problem.rewards, problem.temperature
    safe = case.multiplier * problem.safety

    def found(x: int) -> Balls:
        row = problem.reference[x : x + 1]
        pi = ready(case.first[x : x + 1]), ready(case.second[x : x + 1])
        merge = np.exp(number(1 - q) * np.log(pi[0]) + number(q) * np.log(pi[1]))
        law = (merge / merge.sum())[0]

        def at(f: Array) -> Array:
            return np.asarray(tilt(row, f[x : x + 1], heat)[0])

        return {
            theory.distance: variation(law, at(tilted + q * safe)),
            theory.cold: variation(law, at(tilted + q * problem.safety)),
            theory.stale: variation(law, at((1 - q) * tilted + q * safe)),
            theory.first: span(np.log(pi[0][0] / at(tilted))),
            theory.second: span(np.log(pi[1][0] / tilt(pi[0], safe[x : x + 1], heat)[0])),
            theory.second_cold: span(
                np.log(pi[1][0] / tilt(pi[0], problem.safety[x : x + 1], heat)[0])
            ),
            theory.second_stale: span(np.log(pi[1][0] / at(safe))),
        }

    balls = theory.stepwise.quantities - {theory.share}
    for x in range(len(problem.reference)):
        yield {**together(lambda x=x: found(x), *balls), theory.share: q}  # type: ignore[misc]


@claim(theory.lacking, over=any_policies)
def lacking(case: Lacking) -> Iterator[Values]:
    """Means over prompts."""
    problem, law, heat = case.problem, case.problem.prompt_law, case.problem.temperature

    def compared(f: Array) -> tuple[flint.arb, flint.arb]:
        best = tilt(problem.reference, f, heat)
        values = (objective(law, pi, problem.reference, f, heat) for pi in (best, case.policy))
        far = [variation(*both) for both in zip(case.policy, best, strict=True)]
        return sub(*values), (ready(law) * far).sum()

    def found() -> Balls:
        lacks, far = compared(problem.rewards)
        other_lacks, other = compared(case.other)
        return {
            theory.lacks: lacks, theory.far: far,
            theory.other_lacks: other_lacks, theory.other: other,
        }  # fmt: skip

    balls = theory.lacking.quantities - {theory.beta}
    yield {**together(found, *balls), theory.beta: Fraction(heat)}
