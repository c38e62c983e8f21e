"""What noisy steps of descent do, over all signs of the noise."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment.inference_aware import (
    enclose,
    minimize,
)
from holdfast.solvers.alignment.tilts import ready
from holdfast.solvers.sequences import Array
from holdfast.theory.alignment import inference_aware as theory

from ..binding.values import Values
from ..hypergradient.families.points import array
from .families.goals import Noisy
from .together import together


def far(policy: Array, other: Array) -> Any:
    """KL(policy | other) in balls."""
    return (policy * (np.log(policy) - np.log(other))).sum()


def half_span(values: Array) -> Fraction:
    """Half of the largest less the smallest value."""
    found: Fraction = (values.max() - values.min()) / 2
    return found


def inexact(case: Noisy, first: int = 1) -> Values:
    """The mean over iterates from `first` on, all signs, against the enclosed optimum."""
    goal, T = case.goal, len(case.errors)
    L, about = goal.certified(), minimize(goal)
    w = (L + goal.temperature / 2) / L
    shares = array([w**t for t in range(T)])
    shares = shares / shares.sum()

    def losses(errors: tuple[int, ...], residuals: tuple[int, ...]) -> flint.arb:
        found, policy = [], ready(case.start)
        for t, (sign, other) in enumerate(zip(errors, residuals, strict=True)):
            found.append(policy)
            off = sign * case.errors[t] + other * case.residuals[t]
            policy = goal.step(policy, L, goal.variation(policy) + ready(off))
        used = [*found, policy][first:][:T]
        return (ready(shares) * np.array([goal.loss(one) for one in used])).sum()

    def found() -> dict[Any, flint.arb]:
        best, least = enclose(goal, about)
        paths = [losses(*signs) for signs in case.paths()]
        return {
            theory.mean_gap: sum(paths) / len(paths) - least,
            theory.far: far(best, ready(case.start)),
        }

    return {
        theory.beta: goal.temperature,
        theory.half: w**T - 1,
        theory.error: max(half_span(one) ** 2 for one in case.errors),
        theory.residual: max(half_span(one) ** 2 for one in case.residuals),
        **together(found, theory.mean_gap, theory.far),
    }
