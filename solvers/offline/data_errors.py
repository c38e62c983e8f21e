"""How far data and finite classes are from what an offline learner would like: exact suprema."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..cmdp.policies import Policy
from ..sequences import objects
from .critics import bellman_error, rational_residual, relative_value
from .problems import OfflineProblem, Signal, rationals, to_python


def data_errors(
    truth: OfflineProblem, data: OfflineProblem, policies: Sequence[Policy], signal: Signal
) -> tuple[Fraction, Fraction]:
    """The largest differences of L and E under mu and D, over a class (F or G) and policies."""
    members = truth.rewards if signal == "reward" else truth.costs
    pairs = [(policy, f) for policy in policies for f in members]
    return (
        max(abs(relative_value(truth, *one) - relative_value(data, *one)) for one in pairs),
        max(
            abs(bellman_error(truth, *one, signal) - bellman_error(data, *one, signal))
            for one in pairs
        ),
    )


def unrealised(problem: OfflineProblem, policies: Sequence[Policy], signal: Signal) -> Fraction:
    """epsilon_1: for the worst of these policies, the best member's largest mean squared residual
    under the occupancies of all of them (Assumption 3.2; 0 where the class has every Q)."""
    members = problem.rewards if signal == "reward" else problem.costs
    laws = [rationals(problem.occupancy(policy)) for policy in policies]

    def worst(policy: Policy, function: Sequence[Fraction]) -> Fraction:
        squares = rational_residual(problem, policy, function, signal) ** 2
        return to_python(max((law * squares).sum() for law in laws))

    return max(min(worst(policy, f) for f in members) for policy in policies)


def largest_weight_norm(problem: OfflineProblem) -> Fraction:
    """The largest E_mu w^2 over W: the square of the paper's C (Assumption 3.6)."""
    return max(Fraction((problem.law * objects(w) ** 2).sum()) for w in problem.weights)
