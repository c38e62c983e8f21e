"""What one step needs, on a trained network at every update."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.relative_budget.moments import exact_anti_concentration
from holdfast.theory.relative_budget import requirement as theory

from ...binding.claims import claim
from ...binding.values import Values
from ..families.processes import Budgeted
from ..families.trained import HORIZON, LOCKS, policies
from . import requirement

_KAPPAS = (Fraction(1, 100), Fraction(1, 4))


@claim(theory.universal, over=LOCKS, tag="neural")
def universal(training: Training) -> Iterator[Values]:
    for policy in policies(training):
        for kappa in _KAPPAS:
            # else the need is infinite, and nothing is said
            if exact_anti_concentration(policy, HORIZON, kappa):
                yield from requirement.universal.evaluate(Budgeted(policy, HORIZON, kappa))
