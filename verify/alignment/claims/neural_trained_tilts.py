"""The same claims on trained policies, whose law over all responses is known exactly.

The mutants say that the policy is as near to what a wrong algorithm leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import exp

from holdfast.solvers.neural.parts.training import Training
from holdfast.theory import Le, Quantity, Relation
from holdfast.theory.alignment import trained_tilts as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families.trained import GROUPS, STAGES, grouped, staged
from . import trained_tilts


def _near(distance: Quantity) -> Relation:
    """Within the bound of the right algorithm."""
    bound = theory.first + theory.share * theory.second
    return Le(1 + distance, (1 - distance) * exp(bound / 2))


@claim(
    theory.stepwise,
    over=STAGES,
    tag="neural",
    mutants=(
        NamedMutant("M1", _near(theory.cold), "stage 2 at beta in place of beta/lambda"),
        NamedMutant("M1-reference", _near(theory.stale), "stage 2 relative to the start"),
    ),
)
def stepwise(training: Training) -> Iterator[Values]:
    """The outcome, and a merge of logits half way to it."""
    for share in (Fraction(1), Fraction(1, 2)):
        yield from trained_tilts.stepwise.evaluate(staged(training, share))


@claim(
    theory.lacking,
    over=GROUPS,
    tag="neural",
    mutants=(
        NamedMutant(
            "M9",
            Le(2 * theory.beta * theory.other**2, theory.lacks),
            "the fixed point of the other baseline (1 in place of 1 - 1/G, or the reverse), of "
            "costs that are not rectified, or of rewards in place of the best of n",
        ),
    ),
)
def lacking(training: Training) -> Iterator[Values]:
    yield from trained_tilts.lacking.evaluate(grouped(training))
