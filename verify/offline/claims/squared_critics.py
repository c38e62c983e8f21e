"""Critics with squared Bellman errors, the form of ATAC, against any covered reference."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from holdfast.solvers import Policy
from holdfast.solvers.offline.critics import critic, squared_box_critic
from holdfast.solvers.offline.problems import Function, OfflineProblem, concentrability
from holdfast.theory import Le
from holdfast.theory.offline import coverage
from holdfast.theory.offline import squared_critics as theory

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from ..families import problems as families
from ..landmarks import extremal

HALF = Fraction(1, 2)
_DRAWN = families.member, families.positive_weight


@claim(
    theory.squared,
    over=families.problems()
    .along(*_DRAWN)
    .with_landmarks(
        gain=lambda: extremal.squares("3/4", "1/4"),
        loss=lambda: extremal.squares("1/4", "3/4"),
        light=lambda: extremal.squares(1, 0, beta=HALF),
        rare=lambda: extremal.squares("3/4", "1/4", mu=HALF / 2),
    )
    .with_controls(
        realisable=families.problems(realisable=False).along(*_DRAWN)
    ),
    mutants=(
        NamedMutant("WS-12", Le(theory.lost_ref, theory.shown_ref), "no term in beta"),
    ),
)  # fmt: skip
def squared(case: OfflineProblem, policy: Policy, beta: Fraction) -> Iterator[Values]:
    yield _shown(case, policy, beta, critic(case, policy, "reward", beta, "squared"))


@claim(
    theory.squared,
    over=families.problems(others=1).along(*_DRAWN),
    tag="boxes",
    mutants=(
        NamedMutant("WS-12", Le(theory.lost_ref, theory.shown_ref), "no term in beta"),
    ),
)  # fmt: skip
def squared_boxes(case: OfflineProblem, policy: Policy, beta: Fraction) -> Iterator[Values]:
    """Critics over all functions in range: less is lost by what the program may have left."""
    f, _, left = squared_box_critic(case, policy, "reward", beta)
    yield _shown(case, policy, beta, f, left)


def _shown(
    case: OfflineProblem, policy: Policy, beta: Fraction, f: Function, left: Fraction = Fraction(0)
) -> Values:
    reference = case.reference
    gap = case.under(f, reference) - case.under(f, policy)
    return {
        theory.lost_ref: case.normalised_return(reference, "reward")
        - case.normalised_return(policy, "reward")
        - left,
        theory.shown_ref: (case.by_state(case.occupancy(reference)) * gap).sum(),
        coverage.chi: concentrability(case.occupancy(reference), case.law)[2],
        theory.beta_2: beta,
    }
