"""The stationary model that remembers whether an unsafe state was visited: states (flag, s).

State f S + s is state s with flag f; the flag rises on the first arrival in an unsafe state.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...models.arrays import assemble
from ...models.checks import check_discounted
from ...models.cmdp import CMDP, IntegerArray
from ..horizon.problem import ChanceProblem


@dataclass(frozen=True, eq=False)
class FlaggedModel:
    """A model of 2 S states and, for each of its choices, the choice of the model it stands for."""

    model: CMDP
    choices: IntegerArray

    @property
    def n_states(self) -> int:
        """S, the states without flag; they come first."""
        return self.model.n_states // 2


def flagged_model(problem: ChanceProblem, allowed: IntegerArray | None = None) -> FlaggedModel:
    """The flagged model of a problem, without its horizon and level.

    allowed: bool[K], the choices kept before the flag rises (at least one a state).  Raises
    ModelError when the discount is 1.
    """
    check_discounted(problem.model)
    model, size = problem.model, problem.model.n_states
    keep = np.ones(model.n_choices, dtype=bool) if allowed is None else allowed
    kept = np.concatenate([np.flatnonzero(keep), np.arange(model.n_choices)])
    flags = np.repeat([0, 1], [int(keep.sum()), model.n_choices])
    reward = model.reward_vector().fractions()
    owners = flags * size + model.choice_states[kept]
    decisions = list(zip(flags.tolist(), kept.tolist(), strict=True))
    built = assemble(
        counts=np.bincount(owners, minlength=2 * size),
        actions=model.actions[kept].tolist(),
        rows=[_flagged_row(problem, flag, k) for flag, k in decisions],
        reward=[reward[k] if problem.earns(flag) else Fraction(0) for flag, k in decisions],
        discount=model.discount,
        initial=_flagged_start(problem),
    )
    return FlaggedModel(built, kept)


def _flagged_row(problem: ChanceProblem, flag: int, choice: int) -> dict[int, int]:
    """Weights of the successors of a choice that is taken with this flag."""
    size = problem.model.n_states
    row = problem.model.weighted_row(choice)
    return {(flag or t in problem.unsafe) * size + t: weight for t, weight in row.items()}


def _flagged_start(problem: ChanceProblem) -> list[int]:
    size = problem.model.n_states
    initial = [0] * (2 * size)
    for s, mass in enumerate(problem.model.initial.tolist()):
        initial[(problem.counts_start and s in problem.unsafe) * size + s] = mass
    return initial


def arrival_risks(problem: ChanceProblem) -> tuple[Fraction, ...]:
    """For each choice (K) the chance that the next state is unsafe."""
    model = problem.model
    return tuple(
        sum((p for t, p in model.transition_row(k) if t in problem.unsafe), Fraction(0))
        for k in range(model.n_choices)
    )
