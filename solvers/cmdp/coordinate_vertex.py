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
from .policies import Policy, mean_next

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
    if sum(map(bool, row)) <= 1:
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
    """N(a) and D(a) for the actions of a state."""
    sums, returns = _until_return(model, policy, state, values, discount)
    choices = range(*model.choice_start.tolist()[state : state + 2])
    return (
        tuple(values[k] + discount * mean_next(model, k, sums) for k in choices),
        tuple(1 - discount * mean_next(model, k, returns) for k in choices),
    )


def _until_return(
    model: CMDP, policy: Policy, state: int, values: Row, discount: Fraction
) -> list[Row]:
    """From each state: the discounted sum before a state is reached, and E[discount^time] of that.

    One linear system, in which that state itself has the sum 0 and the time 0.
    """
    size = model.n_states
    matrix = [[Fraction(int(s == t)) for t in range(size)] for s in range(size)]
    right = [[Fraction(0), Fraction(int(s == state))] for s in range(size)]
    for k, s in enumerate(model.choice_states.tolist()):
        if s != state:
            p = policy.probabilities[k]
            right[s][0] += p * values[k]
            for t, q in model.transition_row(k):
                matrix[s][t] -= discount * p * q
    solved = _flint(matrix).solve(_flint(right)).transpose().tolist()
    return [tuple(Fraction(int(v.p), int(v.q)) for v in row) for row in solved]


def _flint(rows: Sequence[Sequence[Fraction]]) -> flint.fmpq_mat:
    return flint.fmpq_mat([[flint.fmpq(v.numerator, v.denominator) for v in row] for row in rows])


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))
