"""Infinite futures computed a second time, slowly and plainly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from holdfast.solvers import CMDP, Policy, from_arrays, policy_return, value_of
from holdfast.solvers.chance import ChanceProblem, least_eventual_risk
from holdfast.solvers.exact import Vector
from holdfast.solvers.models.arrays import assemble

from ..families.problems import sent
from .laws import arrivals


def stitched(problem: ChanceProblem, level: Fraction) -> CMDP:
    """The infinite problem with its first T steps laid out: (time, flag, state), then the states.

    A first visit at time t + 1 costs gamma^-t, so that the discounted cost is the joint chance.
    """
    model, size, steps = problem.model, problem.model.n_states, problem.horizon
    reward, counts = model.reward_vector().fractions(), model.action_counts.tolist()
    rows: list[dict[int, int]] = []
    costs: list[Fraction] = []
    hits = arrivals(problem).fractions()
    for time in range(steps):
        for flag in (0, 1):
            for k in range(model.n_choices):
                rows.append(_moved(problem, k, time, flag))
                costs.append(Fraction(0) if flag else hits[k] / model.discount**time)
    base = 2 * size * steps
    for k in range(model.n_choices):
        rows.append({base + t: w for t, w in model.weighted_row(k).items()})
        costs.append(Fraction(0))
    layers = 2 * steps + 1
    return assemble(
        counts=counts * layers,
        actions=model.actions.tolist() * layers,
        rows=rows,
        reward=list(reward) * layers,
        costs=[costs],
        budgets=[level],
        discount=model.discount,
        initial=[*model.initial.tolist(), *[0] * (size * (layers - 1))],
    )


def _moved(problem: ChanceProblem, choice: int, time: int, flag: int) -> dict[int, int]:
    size = problem.model.n_states
    after = 2 * size * (time + 1)
    last = time == problem.horizon - 1
    return {
        after + t + (0 if last else size * int(flag or t in problem.unsafe)): w
        for t, w in problem.model.weighted_row(choice).items()
    }


def discounted_hit(problem: ChanceProblem, policy: Policy) -> Fraction:
    """E[gamma^tau] from safe states, on the model whose unsafe states cost nothing and stay."""
    model = sent(problem.model, {s: s for s in problem.unsafe})
    cost = arrivals(problem, model.discount).fractions()
    owner = model.choice_states.tolist()
    kept = [Fraction(0) if s in problem.unsafe else c for s, c in zip(owner, cost, strict=True)]
    return policy_return(model, policy, Vector.of(kept))


def eventual_risk(problem: ChanceProblem, policy: Policy) -> Fraction:
    """The chance of ever meeting an unsafe state under a stationary policy.

    That of the model in which the policy is the only choice.
    """
    model = problem.model
    rows = []
    for a, b in pairwise(model.choice_start.tolist()):
        row = [Fraction(0)] * model.n_states
        for k in range(a, b):
            for t, p in model.transition_row(k):
                row[t] += policy.probabilities[k] * p
        rows.append([row])
    initial = list(model.initial_vector().fractions())
    chain = from_arrays(rows, [[0]] * model.n_states, initial=initial, discount=Fraction(1, 2))
    return value_of(chain, least_eventual_risk(chain, problem.unsafe).risks)
