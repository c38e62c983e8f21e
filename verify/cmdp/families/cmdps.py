"""Families of constrained MDPs, their policies and their neighbours.

Models have up to `max_states` states and three actions; all data are small integers over small
denominators, so that a counterexample can be read.  Kinds: generic, deterministic transitions,
absorbing states, unreachable states, duplicated actions, ties.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import lcm

from holdfast.solvers import (
    CMDP,
    Policy,
    most_feasible,
    policy_iteration,
    policy_return,
    value_of,
)
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.models.rows import transition_arrays

from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope

KINDS = ("generic", "deterministic", "absorbing", "unreachable", "duplicate", "ties")
DISCOUNTS = (Fraction(1, 2), Fraction(0), Fraction(9, 10), Fraction(99, 100))
FRACTIONS = (Fraction(0), Fraction(1, 2), Fraction(1, 7), Fraction(6, 7), Fraction(1))
MAX_STATES = 4
"""Discounts, shares of the way between two costs, and sizes of drawn models.  Both limits of a
discount occur, and a share of 0 or 1 is a kink of the value function.  More states make every claim
slower and a counterexample harder to read; with fewer than three no state can be passed by."""


def cmdps(
    *,
    constraints: tuple[int, int] = (1, 2),
    slater: bool = False,
    feasible: bool | None = True,
    bounded_reward: bool = False,
) -> Family:
    """Constrained MDPs, feasible with exactly placed budgets, or infeasible.

    constraints: least and largest number of costs; slater: every budget has positive slack;
    feasible: False for budgets that no policy meets, None for budgets of zero; bounded_reward:
    rewards are non-negative.
    """

    def base(draw: Draw) -> CMDP:
        model = skeleton(draw, draw.integer(*constraints), 0 if bounded_reward else -2)
        if feasible is None:
            return model
        return with_budgets(draw, model, slater=slater, feasible=feasible)

    def adopt(model: object) -> CMDP:
        if not isinstance(model, CMDP):
            raise OutOfScope(f"speaks of constrained MDPs, not of {type(model).__name__}")
        if model.discount == 1:
            raise OutOfScope("speaks of discounted sums without end, and the discount is 1")
        return _adopted(model, constraints, slater, feasible, bounded_reward)

    low, high = constraints
    name = (
        "infeasible CMDPs"
        if feasible is False
        else "CMDPs with Slater slack"
        if slater
        else "CMDPs"
    )
    return Family(f"{name}, {low} to {high} costs", base, adopt=adopt)


def skeleton(draw: Draw, n_costs: int, lowest_reward: int, *, least_states: int = 1) -> CMDP:
    """A model with zero budgets, of a drawn kind."""
    kind = draw.choice(KINDS)
    size = draw.integer(least_states, MAX_STATES)
    counts = [draw.integer(1, 3) for _ in range(size)]
    reachable = max(1, size - 1) if kind == "unreachable" else size
    rows = _rows(draw, kind, counts, reachable)
    top = 1 if kind == "ties" else 5
    reward, *costs = (
        _function(draw, len(rows), lowest, top)
        for lowest in (max(lowest_reward, -top), *[0] * n_costs)
    )
    if kind == "duplicate":
        counts, rows, reward, costs = _duplicated(counts, rows, reward, costs)
    discount = draw.choice(DISCOUNTS)
    return assemble(
        counts=counts,
        rows=rows,
        reward=reward,
        costs=costs,
        budgets=[Fraction(0)] * n_costs,
        discount=discount,
        initial=_initial(draw, size, reachable),
        notes=(f"drawn, kind {kind}",),
    )


def _rows(draw: Draw, kind: str, counts: list[int], reachable: int) -> list[dict[int, int]]:
    """The rows of all choices; reachable states lead to none of the others."""
    return [
        _row(draw, kind, s, reachable if s < reachable else len(counts))
        for s, count in enumerate(counts)
        for _ in range(count)
    ]


def _function(draw: Draw, size: int, lowest: int, top: int) -> list[Fraction]:
    return [Fraction(draw.integer(lowest, top)) for _ in range(size)]


def _row(draw: Draw, kind: str, state: int, size: int) -> dict[int, int]:
    """One transition row as {successor: weight}."""
    if kind == "deterministic":
        return {draw.integer(0, size - 1): 1}
    if kind == "absorbing" and draw.integer(0, 2) == 0:
        return {state: 1}
    weights = {t: draw.growing(0, 4) for t in range(size)}
    kept = {t: w for t, w in weights.items() if w}
    return kept or {state: 1}


def _initial(draw: Draw, size: int, reachable: int) -> list[int]:
    """A point mass, the uniform law or any law on the reachable states."""
    shape = draw.choice(("point", "uniform", "any"))
    if shape == "point":
        chosen = draw.integer(0, reachable - 1)
        return [int(s == chosen) for s in range(size)]
    weights = [1 if shape == "uniform" else draw.growing(0, 3) for _ in range(reachable)]
    weights = weights if any(weights) else [1] * reachable
    return weights + [0] * (size - reachable)


def _duplicated(
    counts: list[int],
    rows: list[dict[int, int]],
    reward: list[Fraction],
    costs: list[list[Fraction]],
) -> tuple[list[int], list[dict[int, int]], list[Fraction], list[list[Fraction]]]:
    """State 0's first action once more."""
    twice = [0, *range(len(rows))]
    return (
        [counts[0] + 1, *counts[1:]],
        [rows[k] for k in twice],
        [reward[k] for k in twice],
        [[cost[k] for k in twice] for cost in costs],
    )


def with_budgets(draw: Draw, model: CMDP, *, slater: bool, feasible: bool) -> CMDP:
    """Budgets placed exactly between the least costs and those of the best reward.

    Fractions 0 and 1 of the way are kinks of the value function; `slater` leaves out 0.
    """
    if not model.n_constraints:
        return model
    if model.n_constraints == 1:
        cheapest = policy_iteration(model, ("cost", 0), maximise=False)
        costs = [value_of(model, cheapest.values)]
    else:
        costs = [-slack for slack in most_feasible(model).slacks]
    if not feasible:
        least = max(costs)
        return model.with_budgets(*(least - Fraction(draw.integer(1, 7), 7) for _ in costs))
    greedy = policy_iteration(model).policy(model)
    budgets = []
    for i, low in enumerate(costs):
        room = policy_return(model, greedy, ("cost", i)) - low
        share = draw.choice(FRACTIONS[1:] if slater else FRACTIONS)
        budgets.append(low + share * (room if room > 0 else 1))
    return model.with_budgets(*budgets)


def _adopted(
    model: CMDP,
    constraints: tuple[int, int],
    slater: bool,
    feasible: bool | None,
    bounded: bool,
) -> CMDP:
    low, high = constraints
    if high == 0 and model.n_constraints:
        model = model.with_costs([], [])
    _check_costs(model.n_constraints, low, high)
    if bounded and min(model.reward.tolist()) < 0:
        raise OutOfScope("needs non-negative rewards")
    if model.n_constraints and (slater or feasible is False):
        _check_slack(most_feasible(model).slack, slater, feasible)
    return model


def _check_costs(number: int, low: int, high: int) -> None:
    if number < low:
        raise OutOfScope(f"needs at least {low} cost, the model has {number}")
    if high == 1 and number > 1:
        raise OutOfScope(f"needs exactly one cost, the model has {number}")


def _check_slack(slack: Fraction, slater: bool, feasible: bool | None) -> None:
    if feasible is False and slack >= 0:
        raise OutOfScope("speaks of infeasible budgets, and these are feasible")
    if slater and slack <= 0:
        raise OutOfScope(f"needs Slater slack; the greatest uniform slack here is {slack}")


def policy(draw: Draw, model: CMDP, *_: object) -> Policy:
    """A policy with small rational probabilities; often deterministic in a state."""
    return _policy(draw, model, [0] * model.n_choices)


def covering_policy(draw: Draw, model: CMDP, other: Policy, *_: object) -> Policy:
    """A policy that takes every action the other takes."""
    return _policy(draw, model, [int(p > 0) for p in other.probabilities])


def nearby_policy(draw: Draw, model: CMDP, other: Policy, *_: object) -> Policy:
    """A policy a fraction of the way from the other one to any; at times all of the way."""
    way, end = Fraction(1, draw.choice((1, 64, 256, 1024))), policy(draw, model)
    pairs = zip(other.probabilities, end.probabilities, strict=True)
    return Policy(tuple(p + way * (q - p) for p, q in pairs))


def deterministic_policy(draw: Draw, model: CMDP, *_: object) -> Policy:
    """One choice a state."""
    start = model.choice_start.tolist()
    pairs = pairwise(start)
    return Policy.of_choices(model, [draw.integer(a, b - 1) for a, b in pairs])


def _policy(draw: Draw, model: CMDP, least: list[int]) -> Policy:
    start = model.choice_start.tolist()
    probabilities: list[Fraction] = []
    for first, last in pairwise(start):
        weights = [draw.growing(least[k], 3) for k in range(first, last)]
        weights = weights if any(weights) else [1, *weights[1:]]
        total = sum(weights)
        probabilities += [Fraction(weight, total) for weight in weights]
    return Policy(tuple(probabilities))


def baseline(draw: Draw, model: CMDP, *_: object) -> tuple[int, ...]:
    """A function on the states, with small integer values."""
    return tuple(draw.integer(-3, 3) for _ in range(model.n_states))


def share(draw: Draw, *_: object) -> Fraction:
    """A number in [0, 1]."""
    return Fraction(draw.integer(0, 12), 12)


def budget_step(draw: Draw, model: CMDP, *_: object) -> tuple[Fraction, ...]:
    """A non-negative increase of every budget."""
    return tuple(Fraction(draw.integer(0, 8), 4) for _ in range(model.n_constraints))


def neighbour(draw: Draw, model: CMDP, *_: object) -> CMDP:
    """A model with the same choices and other transitions, near or far."""
    away = draw.growing(0, 1)
    scale = 0 if away == 1 else 12 * max(1, away)
    rows = [
        _mixed(draw, model, dict(model.transition_row(k)), scale) for k in range(model.n_choices)
    ]
    return replace(model, **transition_arrays(rows))


def _mixed(draw: Draw, model: CMDP, own: dict[int, Fraction], scale: int) -> dict[int, int]:
    """Weights of a row: its own, scaled, and drawn ones on the first six states."""
    weights = {t: draw.integer(0, 3) for t in range(min(model.n_states, 6))}
    mixed = {t: scale * own.get(t, Fraction(0)) + weights.get(t, 0) for t in own.keys() | weights}
    kept = {t: w for t, w in sorted(mixed.items()) if w} or own
    common = lcm(*(weight.denominator for weight in kept.values()))
    return {t: int(w * common) for t, w in kept.items()}
