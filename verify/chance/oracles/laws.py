"""Laws of visits and of arrivals, carried forward step by step in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from holdfast.solvers import Policy, policy_return
from holdfast.solvers.chance.horizon.problem import ChanceProblem
from holdfast.solvers.exact import Vector

from ...binding.family import OutOfScope

_LONGEST = 60
"""States up to which an infinite discounted sum is solved for, or a constrained problem.  Both are
solved in fractions, in cubic time: twice as many states take eight times as long or more."""


def arrivals(problem: ChanceProblem, weight: Fraction | int = 1) -> Vector:
    """For each choice, `weight` times the probability that the next state is unsafe."""
    model = problem.model
    return Vector.of(
        weight * sum((p for t, p in model.transition_row(k) if t in problem.unsafe), Fraction(0))
        for k in range(model.n_choices)
    )


def visits(problem: ChanceProblem, policy: Policy) -> list[Fraction]:
    """The law of N, the number of unsafe states among s_1, ..., s_T: Pr(N = 0), ..., Pr(N = T).

    The joint law of state and count is carried forward under the stationary policy.
    """
    model, steps = problem.model, problem.horizon
    moves: list[dict[int, Fraction]] = [{} for _ in range(model.n_states)]
    for k, s in enumerate(model.choice_states.tolist()):
        if policy.probabilities[k]:
            for t, p in model.transition_row(k):
                moves[s][t] = moves[s].get(t, Fraction(0)) + policy.probabilities[k] * p
    law = {(s, 0): p for s, p in enumerate(model.initial_vector().fractions()) if p}
    for _ in range(steps):
        ahead: dict[tuple[int, int], Fraction] = {}
        for (s, n), mass in law.items():
            for t, p in moves[s].items():
                cell = t, n + (t in problem.unsafe)
                ahead[cell] = ahead.get(cell, Fraction(0)) + mass * p
        law = ahead
    totals = [Fraction(0)] * (steps + 1)
    for (_, n), mass in law.items():
        totals[n] += mass
    return totals


def charged(law: Sequence[Fraction], charge: Fraction) -> Fraction:
    """E sum_{j <= N} z^(j-1); 0^0 is 1."""
    total, paid = Fraction(0), Fraction(0)
    for n, mass in enumerate(law):
        if n:
            paid += charge ** (n - 1)
        total += mass * paid
    return total


def joint_and_sum(problem: ChanceProblem, policy: Policy) -> tuple[Fraction, Fraction]:
    """(J_T, B)."""
    law = visits(problem, policy)
    return 1 - law[0], sum((n * mass for n, mass in enumerate(law)), Fraction(0))


def discounted(problem: ChanceProblem, policy: Policy, discount: Fraction) -> Fraction:
    """H, over all times i >= 1, under the stationary policy."""
    model = problem.model
    if model.n_states > _LONGEST:
        raise OutOfScope(f"an infinite sum over {model.n_states} states; done up to {_LONGEST}")
    return policy_return(model.with_discount(discount), policy, arrivals(problem, discount))
