"""Numbers about a given policy, each with its certificate: returns, and risks of windows.

The kernel takes the return of a policy from the model and the policy in the document, and the risk
of a window from the model, its unsafe states and its horizon, which it unrolls itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from holdfast.solvers import CMDP, Policy, Vector, evaluate
from holdfast.solvers.chance.horizon.problem import ChanceProblem
from holdfast.solvers.chance.horizon.unrolling import unroll
from holdfast.solvers.chance.windows.problem import WindowProblem, window_risks
from holdfast.solvers.cmdp.policies import value_of

from .binding.proofs import FORMAT, Proved, calculated
from .kernel import format_rational


def proved_return(
    model: CMDP, acting: Policy, function: Sequence[Fraction] | None = None
) -> Proved:
    """The return of the reward, or of another function of the K choices, with its certificate."""
    vector = model.reward_vector() if function is None else Vector.of(function)
    values = evaluate(model, acting, vector)
    found = value_of(model, values)

    def document() -> dict[str, Any]:
        return {
            **_policy_value(model.to_dict(), acting.probabilities, values),
            "function": {"values": vector.to_json()},
            "value": format_rational(found),
        }

    return Proved(found, document)


def return_within_budgets(model: CMDP, acting: Policy) -> Proved:
    """The return of a policy; the certificate also says that it meets every budget.

    Where it does not, the kernel rejects the certificate.
    """
    values = evaluate(model, acting)
    found = value_of(model, values)

    def document() -> dict[str, Any]:
        costs = [evaluate(model, acting, ("cost", i)) for i in range(model.n_constraints)]
        part = {
            "weight": "1",
            "policy": [format_rational(p) for p in acting.probabilities],
            "reward_values": values.to_json(),
            "cost_values": [cost.to_json() for cost in costs],
        }
        return {
            "format": FORMAT,
            "kind": "mixture",
            "model": model.to_dict(),
            "components": [part],
            "value": format_rational(found),
        }

    return Proved(found, document)


def start_risk(problem: WindowProblem, acting: Policy) -> Proved:
    """The risk of the T steps from the initial law: the probability that one of them is unsafe, or,
    where the problem is additive, how many of them are expected to be."""
    start = problem.model.initial_vector().fractions()
    risks = window_risks(problem, acting)
    found = sum((p * r for p, r in zip(start, risks, strict=True)), Fraction(0))

    def document() -> dict[str, Any]:
        charge = Fraction(int(problem.additive))
        window = ChanceProblem(problem.model, problem.unsafe, problem.window, charge=charge)
        unrolled = unroll(window, problem.level)
        layers = window.horizon * window.levels
        lifted = Policy((*acting.probabilities * layers, Fraction(1)))
        values = evaluate(unrolled, lifted, ("cost", 0))
        return {
            **_policy_value(window.to_dict(problem.level), lifted.probabilities, values),
            "function": ["cost", 0],
            "value": format_rational(found),
        }

    return Proved(found, document)


def start_safety(problem: WindowProblem, acting: Policy) -> Proved:
    """F, one less the risk: the probability that the T steps from the initial law are safe."""
    risk = start_risk(problem, acting)
    return calculated(1 - risk, ["add", "1", ["neg", ["symbol", "risk"]]], risk=risk)


def _policy_value(model: Any, probabilities: Sequence[Fraction], values: Vector) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "policy-value",
        "model": model,
        "policy": [format_rational(p) for p in probabilities],
        "values": values.to_json(),
    }
