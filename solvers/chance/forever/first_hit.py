"""Discounted reward with a risk that is judged from the start: a first window, or a fading hit.

*First window*: the joint chance over the first T steps only; afterwards nothing is constrained, so
the problem ends after T steps in the unconstrained optimum.

*First hit*: E[gamma^tau] <= level for the time tau of the first visit to an unsafe state.  The flag
makes it an ordinary constrained MDP with one cost, so a stationary policy of (flag, state) is
optimal that randomises at most once; and Pr(tau <= T) <= gamma^-T level for every T (Markov).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...cmdp.improvement import policy_iteration
from ...cmdp.solution import Solution
from ...cmdp.solving import solve as solve_cmdp
from ...exact import Rational
from ...models.checks import check_discounted
from ...models.cmdp import CMDP
from ...sequences import listed
from ...solution import ExactValue, Status
from ..horizon.dynamics import Dynamics
from ..horizon.evaluation import Cell, evaluate_table
from ..horizon.problem import ChanceProblem
from .flagged import FlaggedModel, arrival_risks, flagged_model


def first_window(
    model: CMDP,
    unsafe: Sequence[int],
    horizon: int,
    *,
    counts_start: bool = False,
    charge: Fraction = Fraction(0),
    reward_after_violation: bool = True,
) -> ChanceProblem:
    """The infinite-horizon problem whose first ``horizon`` steps are constrained, for `solve`.

    Its value is that of the whole infinite discounted future.  Without reward after a violation,
    one inside the window forfeits everything after it; later ones forfeit nothing.  Raises
    ModelError when the discount is 1.
    """
    check_discounted(model)
    return ChanceProblem(
        model,
        tuple(listed(unsafe, "unsafe", ordered=False)),
        horizon,
        counts_start,
        charge,
        reward_after_violation,
        policy_iteration(model).values,
    )


@dataclass(frozen=True, eq=False, repr=False)
class FirstHitSolution(ExactValue):
    """The exact optimum under E[gamma^tau] <= level.

    Attributes:
        solution: of the flagged model, with its certificate; policy and occupancy are over its
            choices.
        flagged: that model, with the choices of the original that its own stand for.
        value: UN-normalised; None when infeasible.
        risk: E[gamma^tau] of the policy.
        minimum_risk: the least E[gamma^tau]; given when infeasible.
    """

    problem: ChanceProblem
    level: Fraction
    solution: Solution
    flagged: FlaggedModel = field(repr=False)
    value: Fraction | None = None
    risk: Fraction | None = None
    minimum_risk: Fraction | None = None

    @property
    def status(self) -> Status:
        """EXACT or INFEASIBLE."""
        return self.solution.status

    @property
    def statistics(self) -> dict[str, Any]:
        """Those of the flagged model's solution."""
        return self.solution.statistics

    def certificate(self) -> dict[str, Any]:
        """A document of kind "cmdp-optimum" or "cmdp-infeasible" about the flagged model."""
        return self.solution.certificate()

    def chance_bound(self, horizon: int) -> Fraction:
        """gamma^-T level (at most 1): no policy that meets the level visits sooner more often."""
        scaled = self.level
        for _ in range(horizon):
            if scaled >= self.problem.model.discount:
                return Fraction(1)
            scaled /= self.problem.model.discount
        return scaled

    def chance_within(self, horizon: int) -> Fraction:
        """Pr(tau <= T) of the optimal policy, exactly; ValueError when there is none."""
        if self.solution.policy is None:
            raise ValueError(f"there is no policy: the least risk is {self.minimum_risk}")
        dynamics = Dynamics.of(replace(self.problem, horizon=horizon))
        table = np.zeros((horizon, 2, dynamics.model.n_states), dtype=np.int64)
        mixed: dict[Cell, dict[int, Fraction]] = {}
        laws = self._laws(self.solution.policy.probabilities)
        for (flag, state), law in laws.items():
            table[:, flag, state] = next(iter(law))
            if len(law) > 1:
                mixed.update({(t, flag, state): law for t in range(horizon)})
        return evaluate_table(dynamics, table, mixed)[1]

    def _laws(
        self, probabilities: Sequence[Fraction]
    ) -> dict[tuple[int, int], dict[int, Fraction]]:
        laws: dict[tuple[int, int], dict[int, Fraction]] = {}
        owners = self.flagged.model.choice_states.tolist()
        for owner, choice, p in zip(
            owners, self.flagged.choices.tolist(), probabilities, strict=True
        ):
            if p:
                laws.setdefault(divmod(owner, self.flagged.n_states), {})[choice] = p
        return laws


def solve_first_hit(
    model: CMDP,
    unsafe: Sequence[int],
    level: Rational | float,
    *,
    counts_start: bool = False,
    reward_after_violation: bool = True,
) -> FirstHitSolution:
    """The exact optimum under E[gamma^tau] <= level, tau >= 1 (or >= 0 if the start counts).

    Raises ModelError for a level outside [0, 1), bad unsafe states and a discount of 1.
    """
    problem = ChanceProblem(
        model,
        tuple(listed(unsafe, "unsafe", ordered=False)),
        1,
        counts_start,
        reward_after_violation=reward_after_violation,
    )
    bound = problem.checked_level(level)
    flagged = flagged_model(problem)
    hits = arrival_risks(problem)
    before = flagged.model.choice_states < flagged.n_states
    cost = [
        model.discount * hits[k] if first else Fraction(0)
        for k, first in zip(flagged.choices.tolist(), before.tolist(), strict=True)
    ]
    budget = bound - problem.start_risk
    priced = replace(flagged, model=flagged.model.with_costs([cost], [budget]))
    solution = solve_cmdp(priced.model)
    if solution.occupancy is None:
        assert solution.relaxation is not None
        least = bound + solution.relaxation
        return FirstHitSolution(problem, bound, solution, priced, minimum_risk=least)
    spent = sum(
        (c * p for c, p in zip(cost, solution.occupancy.fractions(), strict=True)), Fraction(0)
    )
    risk = problem.start_risk + spent
    return FirstHitSolution(problem, bound, solution, priced, solution.value, risk)
