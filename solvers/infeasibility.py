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

from .cmdp import CMDP, ModelError
from .exact import Vector, format_rational
from .improvement import greedy_choices, policy_iteration
from .linear_program import LinearSolution, LinearStatistics, solve_linear_program
from .occupancy import (
    Solution,
    Status,
    occupancy_program,
    policy_basis,
    statistics_of,
)
from .policies import Policy, policy_return


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


def _slack_solution(model: CMDP) -> tuple[LinearSolution, Vector, tuple[Fraction, ...], Vector]:
    """The solved slack program with its occupancy, multipliers and scalarised cost values."""
    if not model.n_constraints:
        raise ModelError(
            "the model has no constraint, so every policy is feasible; add a cost and a budget"
        )
    built = occupancy_program(model, slack=True)
    first = model.choice_start[:-1].tolist()
    fallback = policy_basis(model, first)
    # The slack columns shift the unit columns by two.
    answer = solve_linear_program(
        built.program, fallback=[j + 2 if j >= model.n_choices else j for j in fallback]
    )
    assert answer.dual is not None
    _, multipliers = built.dual(answer.dual)
    cost = scalarised_cost(model, multipliers)
    rho = built.occupancy(answer)
    dual_values, _ = built.dual(answer.dual)
    negated = Vector(tuple(-c for c in cost.numerators), cost.denominator)
    # Where rho does not visit, the dual is only a bound: make it the least cost everywhere.
    best = policy_iteration(
        model, cost, maximise=False, start=greedy_choices(model, dual_values, negated)
    )
    return answer, rho, multipliers, best.values


def scalarised_cost(model: CMDP, multipliers: tuple[Fraction, ...]) -> Vector:
    """sum_i lambda_i c_i over the choices."""
    rows = [model.cost_vector(i) for i in range(model.n_constraints)]
    return Vector.of(
        sum((weight * row[k] for weight, row in zip(multipliers, rows, strict=True)), Fraction(0))
        for k in range(model.n_choices)
    )


def most_feasible(model: CMDP) -> MostFeasible:
    """The policy maximising min_i (d_i - J_{c_i}); ModelError when there is none."""
    answer, rho, multipliers, values = _slack_solution(model)
    policy = _policy_of(model, rho, multipliers, values)
    slacks = tuple(
        budget - policy_return(model, policy, ("cost", i)) for i, budget in enumerate(model.budgets)
    )
    assert answer.value is not None
    return MostFeasible(
        answer.value, slacks, policy, policy_return(model, policy), multipliers, values
    )


def _policy_of(
    model: CMDP, rho: Vector, multipliers: tuple[Fraction, ...], values: Vector
) -> Policy:
    start, mass = model.choice_start.tolist(), rho.numerators
    cost = scalarised_cost(model, multipliers)
    negated = Vector(tuple(-c for c in cost.numerators), cost.denominator)
    least = Vector(tuple(-v for v in values.numerators), values.denominator)
    greedy = greedy_choices(model, least, negated)
    probabilities = [Fraction(0)] * model.n_choices
    for s in range(model.n_states):
        total = sum(mass[start[s] : start[s + 1]])
        if not total:
            probabilities[greedy[s]] = Fraction(1)
            continue
        for k in range(start[s], start[s + 1]):
            probabilities[k] = Fraction(mass[k], total)
    return Policy(tuple(probabilities))


def infeasible_solution(model: CMDP, earlier: LinearStatistics | None = None) -> Solution:
    """The Farkas certificate of an infeasible model and its least uniform relaxation.

    Raises ModelError when the model is feasible after all.
    """
    answer, _, multipliers, values = _slack_solution(model)
    assert answer.value is not None
    if answer.value >= 0:
        raise ModelError(f"the model is feasible with uniform slack {answer.value}; use solve")
    statistics = statistics_of(answer)
    if earlier is not None:
        statistics["first phase"] = {
            "proposal": earlier.proposal,
            "pivots": earlier.pivots,
            "seconds": dict(earlier.seconds),
        }
    return Solution(
        Status.INFEASIBLE,
        model,
        multipliers,
        values,
        relaxation=-answer.value,
        certificate=infeasibility_certificate(model, values, multipliers),
        statistics=statistics,
    )


def infeasibility_certificate(
    model: CMDP, values: Vector, multipliers: tuple[Fraction, ...]
) -> dict[str, Any]:
    """A document of kind "cmdp-infeasible"."""
    return {
        "format": "holdfast-certificate/1",
        "kind": "cmdp-infeasible",
        "model": model.to_dict(),
        "values": values.to_json(),
        "multipliers": [format_rational(v) for v in multipliers],
    }
