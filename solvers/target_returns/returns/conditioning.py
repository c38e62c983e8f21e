"""Return-conditioned policies by exact dynamic programming over (time, state, remaining target).

    beta_z(a | t, s, c) = beta(a | t, s) Pr(return to come = c | s, a) / Pr(return to come = c | s)

where c is the target z less the rewards so far.  Where the denominator is 0, as with a negative
remaining target, beta itself acts.  Returns are UN-normalised sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from ...errors import ModelError
from ...exact import Rational
from .process import ReturnProcess, Units

Cell: TypeAlias = tuple[int, Units]
Policy: TypeAlias = Callable[[int, int, Units], Sequence[Fraction]]


@dataclass(frozen=True)
class ConditionedPolicy:
    """beta_z; called with (time, state, remaining target in units) it gives the law of actions.

    target: z in units of 1/scale; coverage: alpha_z = Pr(return = z) under the behaviour policy.
    """

    process: ReturnProcess
    target: Units
    coverage: Fraction

    def __call__(self, time: int, state: int, remaining: Units) -> tuple[Fraction, ...]:
        """The law on the actions in a state at a time with that much of the target left."""
        weights = self.process.behaviour[time][state]
        hits = [law.get(remaining, 0) for law in self.process.action_laws[time][state]]
        joint = [w * hit for w, hit in zip(weights, hits, strict=True)]
        if not any(joint):
            joint = list(weights)
        total = sum(joint)
        return tuple(Fraction(mass, total) for mass in joint)

    @cached_property
    def expected_return(self) -> tuple[Fraction, ...]:
        """J(beta_z), one number a coordinate."""
        return expected_return(self.process, self, self.target)


def return_conditioned(process: ReturnProcess, target: Sequence[Rational]) -> ConditionedPolicy:
    """The behaviour policy conditioned on a total return.

    Raises
    ------
    ModelError: if the behaviour policy never has this return, so that there is nothing to
        condition on.
    """
    units = process.in_units(target)
    weight = process.laws[0][process.start].get(units, 0)
    if not weight:
        raise ModelError(
            "no episode of the behaviour policy has the return "
            f"({', '.join(str(Fraction(x, process.scale)) for x in units)}), so the policy that "
            "is conditioned on it is not defined; return_law lists the returns that occur"
        )
    whole = (process.spread * process.chance) ** process.horizon
    return ConditionedPolicy(process, units, Fraction(weight, whole))


def occupancy(
    process: ReturnProcess, policy: Policy, target: Units
) -> tuple[dict[Cell, Fraction], ...]:
    """For each time, and for the end, the law of (state, remaining target) under a policy."""
    law: dict[Cell, Fraction] = {(process.start, target): Fraction(1)}
    found = [law]
    for t in range(process.horizon):
        ahead: dict[Cell, Fraction] = {}
        for (s, c), mass in law.items():
            for p, row in zip(policy(t, s, c), process.outcomes[s], strict=True):
                share = mass * p / process.chance
                for weight, rewards, state in row if share else ():
                    cell = state, tuple(map(int.__sub__, c, rewards))
                    ahead[cell] = ahead.get(cell, Fraction(0)) + weight * share
        law = ahead
        found.append(law)
    return tuple(found)


def expected_return(process: ReturnProcess, policy: Policy, target: Units) -> tuple[Fraction, ...]:
    """J, one number a coordinate: the target less what of it is expected to remain at the end."""
    end = occupancy(process, policy, target)[-1]
    return tuple(
        sum((mass * (z - c[i]) for (_, c), mass in end.items()), Fraction(0)) / process.scale
        for i, z in enumerate(target)
    )


def divergence_terms(
    process: ReturnProcess, policy: Policy, model: Policy, target: Units
) -> dict[Fraction, Fraction]:
    """{ratio: weight} with sum_t E KL(policy || model) = sum weight log(ratio), under the policy.

    Raises
    ------
    ModelError: if the model never takes an action that the policy takes.
    """
    terms: dict[Fraction, Fraction] = {}
    for t, law in enumerate(occupancy(process, policy, target)[:-1]):
        for (s, c), mass in law.items():
            for a, (p, q) in enumerate(zip(policy(t, s, c), model(t, s, c), strict=True)):
                if p and not q:
                    raise ModelError(
                        f"the model never takes action {a} in state {s} at time {t}, which the "
                        "policy takes; their divergence is infinite"
                    )
                if p and p != q:
                    terms[p / q] = terms.get(p / q, Fraction(0)) + mass * p
    return terms
