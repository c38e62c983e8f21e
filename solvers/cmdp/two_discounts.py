"""One cost with a discount of its own: the exact optimum over all policies.

Reward and cost fade at different speeds, so what is best depends on the time: stationary policies
do not suffice (Feinberg and Shwartz 1996).  In the long run the slower of the two decides alone.
Hence for every multiplier a deterministic policy is optimal that follows a table for finitely many
steps and then one stationary policy, the *tail*: cheapest first and best among the cheapest if the
cost outlasts the reward, best first and cheapest among the best otherwise.  The step at which the
tail becomes optimal is found exactly, from its advantages; before it, backward induction; over the
multipliers, the chord method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from operator import mul
from typing import Any

import numpy as np

from ..errors import ModelError
from ..exact import Vector
from ..limits import Limits
from ..models.checks import check_discounted
from ..models.cmdp import CMDP
from ..programs.chord import close_chord
from ..solution import ExactValue, Status
from .chord import WithPoint, mixed_at, solve_by_chord
from .improvement import advantages, policy_iteration
from .policies import evaluate_choices, negated

_GENEROUS = Limits()
Key = Callable[[Fraction, Fraction], Any]
"""Orders choices by (reward, cost) to go."""

LONGEST = 2000
"""Steps within which the tail must have become optimal."""


@dataclass(frozen=True, slots=True)
class SwitchingPolicy(WithPoint):
    """Deterministic: ``steps[t][s]`` is the choice at time t, ``tail[s]`` that from then on.

    reward, cost: its exact returns, UN-normalised, each under its own discount.
    """

    steps: tuple[tuple[int, ...], ...]
    tail: tuple[int, ...]
    reward: Fraction
    cost: Fraction


@dataclass(frozen=True, slots=True, repr=False)
class TwoDiscountSolution(ExactValue):
    """The exact answer.

    Attributes:
        value: the largest J_r with J_c <= d over all policies, UN-normalised; None if infeasible.
        multiplier: lambda with value = max_pi J_r - lambda (J_c - d); None if the budget is the
            least cost, where there need not be one.
        low, high: optimal for lambda, low.cost <= d <= high.cost (equal where one is enough).
        weight: the share of ``high`` when one of the two is drawn once per episode.
        tail: choices that are optimal for lambda from time `switch` on; from then on every policy
            that is optimal for lambda has the returns of this one.
        switch: that time: `switch` free decisions and then the tail suffice for the value.
        minimum_cost: the least cost of any policy; given when infeasible.
    """

    status: Status
    model: CMDP
    cost_discount: Fraction
    value: Fraction | None = None
    multiplier: Fraction | None = None
    low: SwitchingPolicy | None = None
    high: SwitchingPolicy | None = None
    weight: Fraction = Fraction(0)
    tail: tuple[int, ...] = ()
    switch: int = 0
    minimum_cost: Fraction | None = None

    @property
    def statistics(self) -> dict[str, Any]:
        """The method and the steps before the tails."""
        return {"method": "chord over policies that switch to a tail", "switch": self.switch}

    def certificate(self) -> dict[str, Any]:
        """Raises ModelError: no kind of document has two discounts."""
        raise ModelError("an optimum under two discounts has no certificate; one discount has")


@dataclass(frozen=True, slots=True)
class Tail:
    """A stationary policy with its values over the states, each under its own discount."""

    choices: tuple[int, ...]
    reward: Vector
    cost: Vector


def solve_two_discounts(
    model: CMDP, cost_discount: Fraction, limits: Limits = _GENEROUS
) -> TwoDiscountSolution:
    """The exact optimum; the model's discount is the reward's.

    Raises ModelError unless the model has one cost and both discounts are in [0, 1), or if they are
    so close that the tail is not optimal within 2000 steps; LimitReachedError when the time is up
    first (the chord gains one step a round where one discount is tiny and the other nearly one).
    """
    _check(model, cost_discount)
    allowance = limits.started()
    if model.discount == cost_discount:
        return _same_discount(model)
    budget = model.budgets[0]
    best, cheapest = best_tail(model, cost_discount), cheapest_tail(model, cost_discount)
    high, low = _ends(model, cost_discount, best, cheapest)
    if high.cost <= budget:
        return _single(model, cost_discount, high, Fraction(0))
    if low.cost > budget:
        return TwoDiscountSolution(
            Status.INFEASIBLE, model, cost_discount, low=low, minimum_cost=low.cost
        )
    if low.cost == budget:
        return _single(model, cost_discount, low, None)
    tail = cheapest if model.discount < cost_discount else best

    def trial(slope: Fraction, _: SwitchingPolicy) -> tuple[SwitchingPolicy, SwitchingPolicy]:
        allowance.look()
        end = _best_for(model, cost_discount, tail, slope)
        return end, end

    slope, low, high = close_chord(low, high, budget, trial)
    weight, value = mixed_at(budget, low, high)
    switch = _settled(model, cost_discount, tail, slope)
    ends = low, high, weight, tail.choices, switch
    return TwoDiscountSolution(Status.EXACT, model, cost_discount, value, slope, *ends)


def _check(model: CMDP, cost_discount: Fraction) -> None:
    check_discounted(model)
    if model.n_constraints != 1:
        raise ModelError(
            f"the model has {model.n_constraints} constraints; two discounts take exactly one cost"
        )
    if not 0 <= cost_discount < 1:
        raise ModelError(f"the cost's discount is {cost_discount}; it must be in [0, 1)")


def best_tail(model: CMDP, cost_discount: Fraction) -> Tail:
    """The cheapest of the policies that are best for the reward from every state."""
    reward, cost = _signed(model)
    return _lexicographic(model, (reward, model.discount), (cost, cost_discount), cost_discount)


def cheapest_tail(model: CMDP, cost_discount: Fraction) -> Tail:
    """The best of the policies that are cheapest from every state."""
    reward, cost = _signed(model)
    return _lexicographic(model, (cost, cost_discount), (reward, model.discount), cost_discount)


def _signed(model: CMDP) -> tuple[Vector, Vector]:
    """Reward and negative cost: both to be maximised."""
    return model.reward_vector(), negated(model.cost_vector(0))


def _lexicographic(
    model: CMDP,
    first: tuple[Vector, Fraction],
    second: tuple[Vector, Fraction],
    cost_discount: Fraction,
) -> Tail:
    own = model.with_discount(first[1])
    values = policy_iteration(own, first[0]).values
    kept = [k for k, gain in enumerate(advantages(own, values, first[0])) if gain == 0]
    narrow = _restricted(model, kept).with_discount(second[1])
    function = Vector(tuple(second[0].numerators[k] for k in kept), second[0].denominator)
    choices = tuple(kept[k] for k in policy_iteration(narrow, function).choices)
    return Tail(
        choices,
        evaluate_choices(model, choices),
        evaluate_choices(model.with_discount(cost_discount), choices, ("cost", 0)),
    )


def _restricted(model: CMDP, kept: list[int]) -> CMDP:
    """The model with these choices only, at least one a state."""
    owners = model.choice_states[kept]
    rows = [slice(int(model.indptr[k]), int(model.indptr[k + 1])) for k in kept]
    return replace(
        model,
        choice_start=np.searchsorted(owners, np.arange(model.n_states + 1)).astype(np.int64),
        actions=model.actions[kept],
        indptr=np.cumsum([0, *(row.stop - row.start for row in rows)]),
        successors=np.concatenate([model.successors[row] for row in rows]),
        weights=np.concatenate([model.weights[row] for row in rows]),
        reward=model.reward[kept],
        costs=model.costs[:, kept],
    )


def _ends(
    model: CMDP, cost_discount: Fraction, best: Tail, cheapest: Tail
) -> tuple[SwitchingPolicy, SwitchingPolicy]:
    """The cheapest of the best policies and the best of the cheapest ones, from the initial law.

    What has discount zero matters only at time 0; from then on the other one decides.
    """
    high, low = (_followed_by(model, cost_discount, tail, []) for tail in (best, cheapest))
    if model.discount == 0:
        high = _followed_by(model, cost_discount, cheapest, [lambda gain, cost: (gain, -cost)])
    if cost_discount == 0:
        low = _followed_by(model, cost_discount, best, [lambda gain, cost: (-cost, gain)])
    return high, low


def _single(
    model: CMDP, cost_discount: Fraction, policy: SwitchingPolicy, multiplier: Fraction | None
) -> TwoDiscountSolution:
    known = policy.reward, multiplier, policy, policy
    return TwoDiscountSolution(
        Status.EXACT, model, cost_discount, *known, tail=policy.tail, switch=len(policy.steps)
    )


def _same_discount(model: CMDP) -> TwoDiscountSolution:
    found = solve_by_chord(model)
    low, high = (
        None if end is None else SwitchingPolicy((), end.choices, end.reward, end.cost)
        for end in (found.low, found.high)
    )
    return TwoDiscountSolution(
        found.status,
        model,
        model.discount,
        found.value,
        found.multiplier if found.value is not None else None,
        low,
        high,
        found.weight,
        () if found.high is None else found.high.choices,
        minimum_cost=found.minimum_cost,
    )


def _best_for(model: CMDP, cost_discount: Fraction, tail: Tail, slope: Fraction) -> SwitchingPolicy:
    """Maximises J_r - slope J_c over all policies, slope > 0."""
    switch = _settled(model, cost_discount, tail, slope)

    def at(time: int) -> Key:
        scales = model.discount**time, slope * cost_discount**time
        return lambda gain, cost: scales[0] * gain - scales[1] * cost

    return _followed_by(model, cost_discount, tail, [at(time) for time in range(switch)])


def _followed_by(
    model: CMDP, cost_discount: Fraction, tail: Tail, keys: Sequence[Key]
) -> SwitchingPolicy:
    """Backward induction: at time t the choice of largest key of (reward, cost) to go."""
    rows = list(map(model.transition_row, range(model.n_choices)))
    rewards, costs = model.reward_vector().fractions(), model.cost_vector(0).fractions()
    spans = list(pairwise(model.choice_start.tolist()))
    gains, paid = list(tail.reward.fractions()), list(tail.cost.fractions())
    steps: list[tuple[int, ...]] = []
    for key in reversed(keys):
        gained = _to_go(rewards, model.discount, rows, gains)
        spent = _to_go(costs, cost_discount, rows, paid)
        scores = list(map(key, gained, spent))
        chosen = tuple(max(range(*span), key=scores.__getitem__) for span in spans)
        gains, paid = [gained[k] for k in chosen], [spent[k] for k in chosen]
        steps.append(chosen)
    initial = model.initial_vector().fractions()
    reward, cost = (sum(map(mul, initial, ahead), Fraction(0)) for ahead in (gains, paid))
    return SwitchingPolicy(tuple(reversed(steps)), tail.choices, reward, cost)


def _settled(model: CMDP, cost_discount: Fraction, tail: Tail, slope: Fraction) -> int:
    """The first time from which no choice improves on the tail, or equals it at another cost.

    At time t choice k gains ``gamma_r^t A_r(k) - slope gamma_c^t A_c(k)`` over the tail.  By the
    choice of the tail this is less than zero from some t on, and stays so, or both terms are zero.
    """
    gains = _advantages(model, model.discount, model.reward_vector(), tail.reward)
    costs = _advantages(model, cost_discount, model.cost_vector(0), tail.cost)
    pairs = [(a, slope * c) for a, c in zip(gains, costs, strict=True)]
    for time in range(LONGEST + 1):
        scales = model.discount**time, cost_discount**time
        scaled = [(scales[0] * gain, scales[1] * cost) for gain, cost in pairs]
        if all(gain < cost or gain == cost == 0 for gain, cost in scaled):
            return time
    raise ModelError(
        f"the discounts {model.discount} and {cost_discount} are so close that the tail is not "
        f"optimal within {LONGEST} steps; use one discount, or finite_horizon for an enclosure"
    )


def _advantages(
    model: CMDP, discount: Fraction, function: Vector, values: Vector
) -> list[Fraction]:
    """Q(k) - V(s) of the function for each choice k."""
    rows, known = map(model.transition_row, range(model.n_choices)), values.fractions()
    ahead = _to_go(function.fractions(), discount, rows, known)
    return [q - known[s] for q, s in zip(ahead, model.choice_states.tolist(), strict=True)]


def _to_go(
    own: Sequence[Fraction],
    discount: Fraction,
    rows: Iterable[list[tuple[int, Fraction]]],
    ahead: Sequence[Fraction],
) -> list[Fraction]:
    """f(k) + discount * E V(t) for each choice k."""
    return [
        f + discount * sum(p * ahead[t] for t, p in row) for f, row in zip(own, rows, strict=True)
    ]
