"""Plans in a learned model behind a guardian, and what the log certifies of them, term by term.

`learned` has the model and the inequalities.  Values are UN-normalised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ..cmdp.improvement import policy_iteration
from ..cmdp.policies import Policy, evaluate, negated, occupancy_of, value_of
from ..cmdp.solving import solve
from ..errors import ModelError
from ..exact import Vector
from ..limits import Limits
from ..models.cmdp import CMDP
from ..sequences import Array
from ..solution import Status
from .learned import OUTSIDE, Learned, Range
from .logs import Log
from .robust import least_value

_GENEROUS = Limits()


@dataclass(frozen=True)
class Plan:
    """A policy of a learned model, and what the log certifies of it, term by term.

    Attributes:
        learned: the model; policy, occupancy: over its choices.
        values: <rho, mean> for the reward and each cost (1 + m).
        means: what is lost since means are estimated; inside: what more since transitions are, on
            the support; outside: what more since nothing is known beyond it.  Each 1 + m.
        exits: V_g, the occupancy outside of the support.
    """

    learned: Learned
    policy: Policy
    occupancy: Vector
    values: tuple[Fraction, ...]
    means: tuple[Fraction, ...]
    inside: tuple[Fraction, ...]
    outside: tuple[Fraction, ...]
    exits: Fraction

    def bound(self, index: int) -> Fraction:
        """The certified lower bound on the true return (0), or upper bound on a true cost."""
        loss = self.means[index] + self.inside[index] + self.outside[index]
        return self.values[index] + (loss if index else -loss)

    def uniform_error(self, index: int) -> Fraction:
        """B_q(V_g) of OG-A, by the largest error on the support in place of those on the way."""
        model, width = self.learned.model, self.learned.ranges[index].width
        pairs = zip(self.learned.variation, self.learned.outside.tolist(), strict=True)
        worst = max((u for u, outside in pairs if not outside), default=Fraction(0))
        return model.discount * width * (worst / (1 - model.discount) + self.exits)

    def concentrability(self) -> Fraction:
        """The largest ratio of (1 - gamma) rho to the share of a supported pair in the log."""
        log, model = self.learned.log, self.learned.model
        visits, labels = log.visits.tolist(), model.actions.tolist()
        ratios = (
            x * (1 - model.discount) * log.steps / visits[s][a]
            for x, s, a in zip(
                self.occupancy.fractions(), model.choice_states.tolist(), labels, strict=True
            )
            if x and a != OUTSIDE and s < len(visits)
        )
        return max(ratios, default=Fraction(0))

    def probabilities(self, available: Array | None = None) -> list[list[Fraction]]:
        """[S][A], of the states and actions of the log.

        What is outside goes to the most visited action that is not supported (or, where all are,
        to any): the bounds hold whatever it is.  available: bool[S, A], default all.
        """
        log, model = self.learned.log, self.learned.model
        may = np.ones(log.visits.shape, dtype=bool) if available is None else available.copy()
        at, labels = model.choice_states.tolist(), model.actions.tolist()
        order = np.where(may, log.visits, -2)
        for s, a in zip(at, labels, strict=True):
            if a != OUTSIDE and s < len(order) and order[s, a] >= 0:
                order[s, a] = -1
        beyond = order.argmax(axis=1).tolist()
        found = [[Fraction(0)] * len(log.actions) for _ in log.states]
        for s, a, p in zip(at, labels, self.policy.probabilities, strict=True):
            if s < len(found):
                found[s][beyond[s] if a == OUTSIDE else a] += p
        return found

    def in_model(self, truth: CMDP) -> Policy:
        """The policy in a model whose states and actions have the codes of the log.

        In states that the log lacks it takes the first choice.
        """
        log, start = self.learned.log, truth.choice_start.tolist()
        places = {code: i for i, code in enumerate(log.actions.tolist())}
        available = np.zeros(log.visits.shape, dtype=bool)
        rows = dict(zip(log.states.tolist(), range(len(log.states)), strict=True))
        labels = truth.actions.tolist()
        for code, s in rows.items():
            for k in range(start[code], start[code + 1]):
                if labels[k] in places:
                    available[s, places[labels[k]]] = True
        chances, found = self.probabilities(available), [Fraction(0)] * truth.n_choices
        for code in range(truth.n_states):
            own = range(start[code], start[code + 1])
            for k in own:
                if code in rows and labels[k] in places:
                    found[k] = chances[rows[code]][places[labels[k]]]
            if not any(found[k] for k in own):
                found[start[code]] = Fraction(1)
        return Policy.of(truth, found)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why there is no plan: what is least by itself, of exits and of each (bound on a) cost."""

    exits: Fraction
    costs: tuple[Fraction, ...]


def plan(
    known: Learned, limit: Fraction | None, *, certified: bool = False, limits: Limits = _GENEROUS
) -> Plan | Obstacle:
    """The best policy of the model within the budgets, and within `limit` of exits if not None.

    certified: pessimistic rewards and costs in place of means, each less what an error of the
    transitions can do, by the width of the values of the plan without that.  Raises ModelError
    when the time is not enough.
    """
    model = known.model
    costs = [model.cost_vector(i) for i in range(model.n_constraints)]
    reward = model.reward_vector()
    if certified:
        first = plan(known, limit, limits=limits)
        if isinstance(first, Obstacle):
            return first
        reward, *costs = (
            known.penalised(i, _width(known.model, first.policy, one))
            for i, one in enumerate([reward, *costs])
        )
    rows = [*costs, known.exits] if limit is not None else costs
    budgets = [*model.budgets, limit] if limit is not None else list(model.budgets)
    found = solve(model.with_reward(reward).with_costs(rows, budgets), limits)
    if found.status is Status.UNDECIDED:
        raise ModelError(
            f"the plan of {model.n_states} states was not found within {limits.seconds:g} s; give "
            "more time, or merge states"
        )
    if found.policy is None:
        least = [
            value_of(model, policy_iteration(model, row, maximise=False).values)
            for row in (known.exits, *costs)
        ]
        return Obstacle(least[0], tuple(least[1:]))
    return certify(known, found.policy)


def _width(model: CMDP, policy: Policy, function: Vector) -> Fraction:
    """Between the least and the greatest value of a state."""
    values = evaluate(model, policy, function)
    return Fraction(max(values.numerators) - min(values.numerators), values.denominator)


def certify(known: Learned, policy: Policy) -> Plan:
    """What the log certifies of any policy of the model."""
    model, rho = known.model, occupancy_of(known.model, policy)
    exits = rho.dot(known.exits.numerators)
    terms = [_terms(known, policy, rho, index) for index in range(model.n_constraints + 1)]
    values, means, inside, outside = zip(*terms, strict=True)
    return Plan(known, policy, rho, values, means, inside, outside, exits)


def _terms(
    known: Learned, policy: Policy, rho: Vector, index: int
) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """The value in the model, and the three terms between it and the bound."""
    model, bound = known.model, known.bounds[index]
    mean = model.cost_vector(index - 1) if index else model.reward_vector()
    low, high = known.ranges[index].returns
    least = bound if index == 0 else negated(bound)  # of a cost the most, by its negation
    floor = None if known.complete else (low if index == 0 else -high)
    supported = [
        Fraction(0) if one else u
        for u, one in zip(known.variation, known.outside.tolist(), strict=True)
    ]
    value = rho.dot(mean.numerators, mean.denominator)
    reached = [value if index == 0 else -value, rho.dot(least.numerators, least.denominator)]
    reached += [
        least_value(model, policy, least, variation, floor)
        for variation in (supported, known.variation)
    ]
    first, second, third = (a - b for a, b in pairwise(reached))
    return value, first, second, third


def behaviour(
    log: Log, ranges: Sequence[Range], failure: Fraction
) -> tuple[tuple[float, float, float], ...]:
    """(mean, low, high) of the discounted return and of each cost of the logging policy.

    Hoeffding's inequality over the E episodes, for all of them at once.  Returns of episodes that
    were cut are those up to the cut.
    """
    episodes, size = log.returns.shape
    away = math.sqrt(math.log(2 * size / float(failure)) / (2 * episodes))
    found = []
    for i, mean in enumerate(log.returns.mean(axis=0).tolist()):
        low, high = map(float, ranges[i].returns)
        width = (high - low) * away
        found.append((mean, max(low, mean - width), min(high, mean + width)))
    return tuple(found)


def often_taken(log: Log, share: Fraction) -> Array:
    """bool[S, A], the pairs whose action has at least this share of the visits of their state.

    It guards actions and not states, as behaviour-constrained methods do: a baseline.
    """
    visits = log.visits
    often: Array = visits >= float(share) * visits.sum(axis=1, keepdims=True)
    return often & (visits > 0)
