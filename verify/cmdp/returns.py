"""Numbers about a given policy, each with its certificate: returns, and risks of windows.

The kernel takes the return of a policy from the model and the policy in the document, and the risk
of a window from the model, its unsafe states and its horizon, which it unrolls itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from holdfast.solvers import CMDP, Policy, Vector, evaluate
from holdfast.solvers.cmdp.policies import value_of

from ..binding.proofs import FORMAT, Proved
from ..kernel import format_rational


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


def _policy_value(model: Any, probabilities: Sequence[Fraction], values: Vector) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "policy-value",
        "model": model,
        "policy": [format_rational(p) for p in probabilities],
        "values": values.to_json(),
    }
