"""Risks of windows under a given policy, each with its certificate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from holdfast.solvers import Policy, evaluate
from holdfast.solvers.chance.horizon.problem import ChanceProblem
from holdfast.solvers.chance.horizon.unrolling import unroll
from holdfast.solvers.chance.windows.problem import WindowProblem, window_risks

from ..binding.proofs import Proved, calculated
from ..cmdp.returns import _policy_value
from ..kernel import format_rational


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
