"""The least chance of ever visiting an unsafe state, exactly, and the choices that attain it.

It is the least solution q of ``q(s) = min_a sum_t P(t|s,a) (1 if t is unsafe else q(t))``.  There
may be greater ones, for a loop may promise itself anything.  So states from which some policy is
safe for ever are found in the graph first; elsewhere every policy ends in them or in an unsafe
state (or else it could stay safe), the equation has one solution, and policy iteration finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ...exact import Vector, common_denominator, solve_integer_system
from ...models.cmdp import CMDP, IntegerArray
from ...sequences import listed
from ..horizon.problem import ChanceProblem
from .flagged import arrival_risks

Going: TypeAlias = Mapping[int, Sequence[tuple[int, Fraction]]]
"""For each choice the open states it leads to, with their probabilities."""


@dataclass(frozen=True, eq=False)
class LeastRisk:
    """q and the choices that attain it.

    risks: the least chance, over the states (S), of a visit after leaving them; allowed: bool[K],
    choices such that any policy made of them has risk q.
    """

    risks: Vector
    allowed: IntegerArray


def least_eventual_risk(model: CMDP, unsafe: Sequence[int]) -> LeastRisk:
    """The least chance of ever arriving in an unsafe state, from each state, exactly."""
    problem = ChanceProblem(model, tuple(listed(unsafe, "unsafe", ordered=False)), 1)
    safe_choices = _safe_for_ever(problem)
    safe_states = np.logical_or.reduceat(safe_choices, model.choice_start[:-1])
    open_states = np.flatnonzero(~safe_states).tolist()
    own = np.flatnonzero(~safe_states[model.choice_states]).tolist()
    going = {
        k: [
            (t, p)
            for t, p in model.transition_row(k)
            if not safe_states[t] and t not in problem.unsafe
        ]
        for k in own
    }
    hits = arrival_risks(problem)
    risks = _policy_iteration(problem, open_states, going, hits)
    allowed = safe_choices.copy()
    for k in own:
        allowed[k] = _risk(k, going, hits, risks) == risks[int(model.choice_states[k])]
    return LeastRisk(Vector.of(risks), allowed)


def _risk(
    choice: int, going: Going, hits: Sequence[Fraction], risks: Sequence[Fraction]
) -> Fraction:
    """Of a choice: a hit now, or one later."""
    return hits[choice] + sum((p * risks[t] for t, p in going[choice]), Fraction(0))


def _safe_for_ever(problem: ChanceProblem) -> IntegerArray:
    """bool[K]: after these choices some policy never arrives in an unsafe state."""
    model = problem.model
    inside = np.ones(model.n_states, dtype=bool)
    while True:
        good = (inside & ~problem.is_unsafe)[model.successors]
        choices = np.logical_and.reduceat(good, model.indptr[:-1])
        kept = np.logical_or.reduceat(choices, model.choice_start[:-1])
        if (kept == inside).all():
            return np.asarray(choices)
        inside = kept


def _policy_iteration(
    problem: ChanceProblem,
    states: list[int],
    going: Going,
    hits: Sequence[Fraction],
) -> list[Fraction]:
    """The least chances of a hit; every policy leaves ``states`` for good."""
    chosen = {s: min(problem.choices(s), key=hits.__getitem__) for s in states}
    while True:
        risks = _evaluated(problem.model.n_states, states, chosen, going, hits)
        better = {}
        for s in states:
            scores = {k: _risk(k, going, hits, risks) for k in problem.choices(s)}
            best = min(scores, key=scores.__getitem__)
            if scores[best] < risks[s]:
                better[s] = best
        if not better:
            return risks
        chosen.update(better)


def _evaluated(
    size: int,
    states: list[int],
    chosen: dict[int, int],
    going: Going,
    hits: Sequence[Fraction],
) -> list[Fraction]:
    risks = [Fraction(0)] * size
    if not states:
        return risks
    place = {s: i for i, s in enumerate(states)}
    rows, right = [], []
    for s in states:
        row = [Fraction(0)] * (len(states) + 1)
        row[place[s]] += 1
        for t, p in going[chosen[s]]:
            row[place[t]] -= p
        row[-1] = hits[chosen[s]]
        scaled, _ = common_denominator(row)
        right.append(scaled.pop())
        rows.append(scaled)
    solved = solve_integer_system(rows, right)
    for s in states:
        risks[s] = solved[place[s]]
    return risks
