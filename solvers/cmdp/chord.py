"""The chord method: one constraint solved exactly by policy iteration alone, without the LP.

v(d) is the concave envelope of the (cost, reward) pairs of deterministic policies.  Start from a
reward-optimal and a cost-minimal policy; the slope of their chord is a trial multiplier; maximise
J_r - lambda J_c; stop when the chord's own value is attained, else replace one end.  At the end
both policies are lambda-optimal, and so is every policy choosing state by state between them, so a
walk from one to the other finds two policies that differ in a single state and bracket the budget.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ..errors import ModelError
from ..exact import Vector
from ..limits import Limits
from ..models.cmdp import CMDP
from ..programs.chord import close_chord
from ..solution import ExactValue, Status
from .improvement import OptimalValues, advantages, policy_iteration
from .policies import Policy, evaluate_choices, lagrangian, occupancy_of, value_of
from .solution import Solution, infeasibility_certificate

_GENEROUS = Limits()


class WithPoint:
    """What has a reward and a cost, and so a place in the plane."""

    __slots__ = ()
    reward: Fraction
    cost: Fraction

    @property
    def point(self) -> tuple[Fraction, Fraction]:
        """(cost, reward)."""
        return self.cost, self.reward


@dataclass(frozen=True, slots=True)
class Endpoint(WithPoint):
    """A deterministic policy (one choice a state) with its exact reward and cost."""

    choices: tuple[int, ...]
    reward: Fraction
    cost: Fraction


@dataclass(frozen=True, slots=True, repr=False)
class ChordSolution(ExactValue):
    """The exact answer of the chord method.

    Attributes:
        value: J_r*, UN-normalised; None when infeasible.
        multiplier: the slope lambda* at the budget (at a kink, one of an interval).
        low, high: lambda*-optimal deterministic policies with low.cost <= budget <= high.cost that
            differ in at most one state (equal when no randomisation is needed).
        weight: the share of ``high`` when one of the two is drawn once per episode.
        policy: the stationary policy with the same occupancy: randomised in at most one state.
        minimum_cost: the least cost of any policy; given when infeasible.
        rounds: trial multipliers.
    """

    status: Status
    model: CMDP
    value: Fraction | None = None
    multiplier: Fraction = Fraction(0)
    low: Endpoint | None = None
    high: Endpoint | None = None
    weight: Fraction = Fraction(0)
    policy: Policy | None = None
    minimum_cost: Fraction | None = None
    rounds: int = 0

    @property
    def statistics(self) -> dict[str, Any]:
        """The method and its rounds."""
        return {"method": "chord over exact policy iteration", "rounds": self.rounds}

    def certificate(self) -> dict[str, Any]:
        """A document of kind "cmdp-optimum" or "cmdp-infeasible"."""
        model, slope = self.model, self.multiplier
        if self.policy is None:
            least = policy_iteration(model, ("cost", 0), maximise=False).values
            return infeasibility_certificate(model, least, (Fraction(1),))
        values = policy_iteration(model, lagrangian(model, [slope])).values
        rho = occupancy_of(model, self.policy)
        return Solution(self.status, model, (slope,), values, self.value, rho).certificate()


def solve_by_chord(model: CMDP, limits: Limits = _GENEROUS) -> ChordSolution:
    """The exact optimum for one constraint.

    Raises ModelError unless the model has exactly one, and LimitReachedError when the time is up.
    """
    if model.n_constraints != 1:
        raise ModelError(
            f"the model has {model.n_constraints} constraints; the chord method takes "
            "exactly one, use solve"
        )
    budget, allowance = model.budgets[0], limits.started()
    high = _endpoint(model, policy_iteration(model, allowance=allowance).choices)
    if high.cost <= budget:
        policy = Policy.of_choices(model, high.choices)
        return ChordSolution(Status.EXACT, model, high.reward, low=high, high=high, policy=policy)
    cheapest = policy_iteration(model, ("cost", 0), maximise=False, allowance=allowance)
    low = _endpoint(model, cheapest.choices)
    if low.cost > budget:
        return ChordSolution(Status.INFEASIBLE, model, low=low, minimum_cost=low.cost)
    found: list[OptimalValues] = []

    def best(slope: Fraction, start: Endpoint) -> tuple[Endpoint, Endpoint]:
        function = lagrangian(model, [slope])
        found.append(policy_iteration(model, function, start=start.choices, allowance=allowance))
        end = _endpoint(model, found[-1].choices)
        return end, end

    slope, low, high = close_chord(low, high, budget, best)
    low, high = _everywhere_optimal(model, lagrangian(model, [slope]), found[-1], low, high)
    return replace(_walk(model, low, high, slope), rounds=len(found))


def mixed_at(budget: Fraction, low: WithPoint, high: WithPoint) -> tuple[Fraction, Fraction]:
    """The share of ``high`` in the mixture whose cost is the budget, and its reward."""
    weight = (budget - low.cost) / (high.cost - low.cost)
    return weight, low.reward + weight * (high.reward - low.reward)


def _endpoint(model: CMDP, choices: tuple[int, ...]) -> Endpoint:
    return Endpoint(
        tuple(choices),
        value_of(model, evaluate_choices(model, choices)),
        value_of(model, evaluate_choices(model, choices, ("cost", 0))),
    )


def _everywhere_optimal(
    model: CMDP, function: Vector, best: OptimalValues, low: Endpoint, high: Endpoint
) -> tuple[Endpoint, Endpoint]:
    """Both ends with lambda-optimal choices also in the states that they do not reach.

    An end is lambda-optimal from the initial law only; a poor choice in a state it never visits
    would spoil the policies between the two ends.
    """
    scores = advantages(model, best.values, function)

    def optimal(end: Endpoint) -> Endpoint:
        pairs = zip(end.choices, best.choices, strict=True)
        return replace(end, choices=tuple(other if scores[own] else own for own, other in pairs))

    return optimal(low), optimal(high)


def _walk(model: CMDP, low: Endpoint, high: Endpoint, slope: Fraction) -> ChordSolution:
    budget = model.budgets[0]
    before, pairs = low, zip(low.choices, high.choices, strict=True)
    for state in (s for s, (own, other) in enumerate(pairs) if own != other):
        choices = list(before.choices)
        choices[state] = high.choices[state]
        after = _endpoint(model, tuple(choices))
        if after.cost > budget:
            return _randomised(model, before, after, state, slope)
        before = after
    raise AssertionError(f"the walk ended at cost {before.cost}, below the budget {budget}")


def _randomised(
    model: CMDP, low: Endpoint, high: Endpoint, state: int, slope: Fraction
) -> ChordSolution:
    weight, value = mixed_at(model.budgets[0], low, high)
    a, b = low.choices[state], high.choices[state]
    visits_low = occupancy_of(model, Policy.of_choices(model, low.choices))[a]
    visits_high = occupancy_of(model, Policy.of_choices(model, high.choices))[b]
    share = weight * visits_high / (weight * visits_high + (1 - weight) * visits_low)
    probabilities = list(Policy.of_choices(model, low.choices).probabilities)
    probabilities[a], probabilities[b] = 1 - share, share
    policy = Policy(tuple(probabilities))
    return ChordSolution(Status.EXACT, model, value, slope, low, high, weight, policy)
