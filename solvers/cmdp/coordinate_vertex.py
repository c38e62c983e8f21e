"""Reducing a stationary policy to two actions a state, with two discounts and one cost.

For a state s, let a run end at the first return to s.  With N_q(a) the discounted sum of q over one
run that starts with action a, and D_q(a) = 1 - E[gamma_q^(return time)] > 0, the value of q as a
function of p = pi(.|s) is ``a_q + b_q <p, N_q> / <p, D_q>`` with b_q >= 0: linear-fractional.  Its
maximum over a simplex cut by one half-space sits at a vertex, with at most two positive entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import flint

from ..models.cmdp import CMDP
from .policies import Policy

Row = tuple[Fraction, ...]


def reduce_policy(model: CMDP, policy: Policy, cost_discount: Fraction) -> Policy:
    """A policy with at most two actions a state, no worse in the reward nor in cost 0.

    The reward is discounted by the model's discount, the cost by `cost_discount`, both from the
    model's initial law.  Raises IndexError if the model has no cost.
    """
    for state in range(model.n_states):
        policy = _reduce_state(model, policy, state, cost_discount)
    return policy


def _reduce_state(model: CMDP, policy: Policy, state: int, cost_discount: Fraction) -> Policy:
    first, last = model.choice_start.tolist()[state : state + 2]
    row = policy.probabilities[first:last]
    if sum(1 for p in row if p) <= 1:
        return policy
    n_r, d_r = _renewal(model, policy, state, model.reward_vector().fractions(), model.discount)
    n_c, d_c = _renewal(model, policy, state, model.cost_vector(0).fractions(), cost_discount)
    cost = _dot(row, n_c) / _dot(row, d_c)
    excess = tuple(n - cost * d for n, d in zip(n_c, d_c, strict=True))  # <p, excess> <= 0
    best = max(_vertices(excess), key=lambda p: _dot(p, n_r) / _dot(p, d_r))
    probabilities = list(policy.probabilities)
    probabilities[first:last] = best
    return Policy(tuple(probabilities))


def _vertices(excess: Row) -> Iterator[Row]:
    """The vertices of {p in the simplex: <p, excess> <= 0}."""
    size = len(excess)
    for a, e in enumerate(excess):
        if e <= 0:
            yield _row(size, {a: Fraction(1)})
    for a, b in combinations(range(size), 2):
        if excess[a] * excess[b] < 0:
            weight = excess[b] / (excess[b] - excess[a])
            yield _row(size, {a: weight, b: 1 - weight})


def _row(size: int, entries: dict[int, Fraction]) -> Row:
    return tuple(entries.get(a, Fraction(0)) for a in range(size))


def _renewal(
    model: CMDP, policy: Policy, state: int, values: Row, discount: Fraction
) -> tuple[Row, Row]:
    """N(a) and D(a) for the actions of a state, by one linear solve over the other states."""
    others = [t for t in range(model.n_states) if t != state]
    place = {t: i for i, t in enumerate(others)}
    n = len(others)
    matrix, right = flint.fmpq_mat(n, n), flint.fmpq_mat(n, 2)
    start = model.choice_start.tolist()
    for t, i in place.items():
        coefficients, sums = [Fraction(0)] * n, [Fraction(0)] * 2
        coefficients[i] = Fraction(1)
        for k in range(start[t], start[t + 1]):
            p = policy.probabilities[k]
            sums[0] += p * values[k]
            for successor, q in model.transition_row(k):
                if successor == state:
                    sums[1] += discount * p * q
                else:
                    coefficients[place[successor]] -= discount * p * q
        for j, value in enumerate(coefficients):
            matrix[i, j] = flint.fmpq(value.numerator, value.denominator)
        for j, value in enumerate(sums):
            right[i, j] = flint.fmpq(value.numerator, value.denominator)
    solved = matrix.solve(right) if n else right
    ahead = {t: [_fraction(solved[i, j]) for j in range(2)] for t, i in place.items()}
    ahead[state] = [Fraction(0), Fraction(1)]
    sums_of_runs, returns = [], []
    for k in range(start[state], start[state + 1]):
        row = model.transition_row(k)
        sums_of_runs.append(values[k] + discount * sum(p * ahead[t][0] for t, p in row))
        returns.append(1 - discount * sum(p * ahead[t][1] for t, p in row))
    return tuple(sums_of_runs), tuple(returns)


def _fraction(number: flint.fmpq) -> Fraction:
    return Fraction(int(number.p), int(number.q))


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))
