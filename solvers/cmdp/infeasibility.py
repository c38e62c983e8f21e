"""Infeasible budgets: the policy that misses them least, and the proof that none meets them.

The slack program maximises t subject to <c_i, rho> + t <= d_i.  Its optimum t* is the uniform slack
of the most feasible policy; t* < 0 means that every budget must be raised by -t*.  Its dual is a
scalarised MDP: lambda >= 0 with sum 1 and a function W with
W(s) <= sum_i lambda_i c_i(s, a) + gamma P W for all choices, so that every policy has scalarised
cost at least mu.W, while the budgets allow only lambda.d = mu.W + t*.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..errors import ModelError
from ..exact import Vector
from ..limits import Allowance, Limits
from ..models.cmdp import CMDP
from ..programs.program import LinearStatistics
from ..solution import Status
from .exact_columns import ColumnSearch, Mixture
from .improvement import greedy_choices, policy_iteration
from .occupancy import attempt, conditioned, occupancy_program, policy_basis
from .policies import Policy, negated, policy_return, scalarised_cost
from .solution import Solution

_GENEROUS = Limits()


@dataclass(frozen=True, slots=True)
class MostFeasible:
    """The policy of greatest uniform slack.

    Attributes:
        slack: t*, the greatest t with J_{c_i} + t <= d_i for all i; negative when infeasible.
        slacks: d_i - J_{c_i}(policy), each at least ``slack``.
        policy: attains them.
        reward: J_r(policy), UN-normalised.
        multipliers: lambda (m), non-negative with sum one.
        values: W (S), the least scalarised cost from each state.
    """

    slack: Fraction
    slacks: tuple[Fraction, ...]
    policy: Policy
    reward: Fraction
    multipliers: tuple[Fraction, ...]
    values: Vector


@dataclass(frozen=True, slots=True)
class GreatestSlack:
    """t*, the occupancy (K) that attains it, lambda (m) and W (S) that prove it, and statistics."""

    value: Fraction
    occupancy: Vector
    multipliers: tuple[Fraction, ...]
    values: Vector
    statistics: dict[str, Any]


def greatest_slack(model: CMDP, allowance: Allowance) -> GreatestSlack:
    """The slack program, solved as ``solve`` does: by HiGHS's basis, pivots, or exact policies.

    Raises ModelError without constraints, and LimitReachedError.
    """
    _check_constrained(model)
    built, record = occupancy_program(model, slack=True), LinearStatistics()
    fallback = policy_basis(model, model.choice_start[:-1].tolist(), slack=True)
    answer = attempt(built.program, fallback, record, allowance)
    if answer is None:
        search = ColumnSearch(model, allowance)
        best = search.greatest_slack()
        assert best is not None
        return by_columns(search, best, record.proposal)
    assert answer.primal is not None and answer.dual is not None and answer.value is not None
    dual_values, multipliers = built.dual(answer.dual)
    cost = scalarised_cost(model, multipliers)
    # Where rho does not visit, the dual is only a bound: make it the least cost everywhere.
    start = greedy_choices(model, dual_values, negated(cost))
    values = policy_iteration(model, cost, maximise=False, start=start).values
    rho = built.occupancy(answer.primal)
    return GreatestSlack(answer.value, rho, multipliers, values, answer.summary())


def _check_constrained(model: CMDP) -> None:
    if not model.n_constraints:
        raise ModelError(
            "the model has no constraint, so every policy is feasible; add a cost and a budget"
        )


def by_columns(search: ColumnSearch, best: Mixture, proposal: str) -> GreatestSlack:
    """What exact policy iteration found."""
    statistics = {"method": search.method(proposal), "proposal": proposal}
    return GreatestSlack(
        best.value, best.occupancy, best.multipliers, negated(best.values), statistics
    )


def most_feasible(model: CMDP, limits: Limits = _GENEROUS) -> MostFeasible:
    """The policy maximising min_i (d_i - J_{c_i}).

    Raises ModelError without constraints, and LimitReachedError.
    """
    best = greatest_slack(model, limits.started())
    cost = scalarised_cost(model, best.multipliers)
    greedy = greedy_choices(model, negated(best.values), negated(cost))
    policy = conditioned(model, best.occupancy, greedy)
    slacks = tuple(
        budget - policy_return(model, policy, ("cost", i)) for i, budget in enumerate(model.budgets)
    )
    reward = policy_return(model, policy)
    return MostFeasible(best.value, slacks, policy, reward, best.multipliers, best.values)


def infeasible_solution(model: CMDP, limits: Limits = _GENEROUS) -> Solution:
    """The certificate of an infeasible model and its least uniform relaxation.

    Raises ModelError when the model is feasible after all, and LimitReachedError.
    """
    best = greatest_slack(model, limits.started())
    if best.value >= 0:
        raise ModelError(f"the model is feasible with uniform slack {best.value}; use solve")
    return infeasible(model, best)


def infeasible(
    model: CMDP, best: GreatestSlack, earlier: LinearStatistics | None = None
) -> Solution:
    """The answer when the greatest slack is negative, after an ``earlier`` attempt to solve."""
    statistics = dict(best.statistics)
    if earlier is not None:
        statistics["first phase"] = {
            "proposal": earlier.proposal,
            "pivots": earlier.pivots,
            "seconds": dict(earlier.seconds),
        }
    return Solution(
        Status.INFEASIBLE,
        model,
        best.multipliers,
        best.values,
        relaxation=-best.value,
        statistics=statistics,
    )
