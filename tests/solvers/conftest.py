"""Shared models of the solver tests, and a plain check of certificates in Fractions."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers import CMDP, policy_iteration, policy_return, value_of
from holdfast.solvers.models.formats.document import model_from_document


def two_states(costs: list[list[int]], budgets: list[Any]) -> CMDP:
    """G1 without its cost: P(0,.) = [(1/2,1/2),(1,0)], P(1,.) = [(0,1),(1/2,1/2)], gamma = 1/2."""
    return CMDP(
        2,
        [0, 2, 4],
        [0, 1, 0, 1],
        [0, 2, 3, 4, 6],
        [0, 1, 0, 1, 0, 1],
        [1] * 6,
        [0, 2, 1, 3],
        1,
        costs if costs else _no_rows(4),
        (1,) * len(budgets),
        tuple(budgets),
        Fraction(1, 2),
        [1, 1],
    )


def _no_rows(width: int) -> Any:
    return np.empty((0, width), dtype=int)


def random_model(
    seed: int, *, states: int = 4, actions: int = 3, constraints: int = 1, kind: str = "generic"
) -> CMDP:
    """A small model with exact random data; ``kind`` adds ties, determinism or unreachable states.

    Budgets lie a random fraction of the way from each least cost to the cost of a reward-optimal
    policy (so that one constraint is always feasible).
    """
    rng = random.Random(f"{seed}/{states}/{actions}/{constraints}/{kind}")
    successors: list[int] = []
    weights: list[int] = []
    indptr, choices, start = [0], [], [0]
    for s in range(states):
        count = rng.randint(1, actions)
        choices += range(count)
        start.append(start[-1] + count)
        for _ in range(count):
            reach = range(states - 1) if kind == "unreachable" and s < states - 1 else range(states)
            width = 1 if kind == "deterministic" else rng.randint(1, min(3, len(reach)))
            successors += rng.sample(list(reach), width)
            weights += [rng.randint(1, 9) for _ in range(width)]
            indptr.append(len(successors))
    top = 1 if kind in ("deterministic", "ties") else 20
    size = len(choices)
    model = CMDP(
        states,
        start,
        choices,
        indptr,
        successors,
        weights,
        [rng.randint(-top, top) for _ in range(size)],
        7,
        [[rng.randint(-top, top) for _ in range(size)] for _ in range(constraints)]
        if constraints
        else _no_rows(size),
        (3,) * constraints,
        (0,) * constraints,
        rng.choice([Fraction(0), Fraction(1, 3), Fraction(9, 10), Fraction(99, 100)]),
        [1] + [0 if kind == "unreachable" else 1] * (states - 1),
    )
    best = policy_iteration(model).policy(model)
    budgets = []
    for i in range(constraints):
        least = value_of(model, policy_iteration(model, ("cost", i), maximise=False).values)
        share = Fraction(rng.randint(0, 8), 8)
        budgets.append(least + share * (policy_return(model, best, ("cost", i)) - least))
    return model.with_budgets(*budgets)


def check_certificate(document: dict[str, Any]) -> None:
    """Assert the defining inequalities of a "cmdp-optimum" or "cmdp-infeasible" in Fractions."""
    model = model_from_document(document["model"])
    values = _vector(document["values"])
    multipliers = [Fraction(v) for v in document["multipliers"]]
    owners = model.choice_states.tolist()
    ahead = [
        model.discount * sum(p * values[t] for t, p in model.transition_row(k))
        for k in range(model.n_choices)
    ]
    price = [
        sum((w * model.cost_vector(i)[k] for i, w in enumerate(multipliers)), Fraction(0))
        for k in range(model.n_choices)
    ]
    start = model.initial_vector()
    level = sum(start[s] * values[s] for s in range(model.n_states))
    allowed = sum((w * d for w, d in zip(multipliers, model.budgets, strict=True)), Fraction(0))
    assert min(multipliers, default=0) >= 0
    if document["kind"] == "cmdp-infeasible":
        assert sum(multipliers) == 1
        assert all(values[owners[k]] <= price[k] + ahead[k] for k in range(model.n_choices))
        assert level > allowed
        return
    assert document["kind"] == "cmdp-optimum"
    rho, reward = _vector(document["occupancy"]), model.reward_vector()
    flow = [-start[s] for s in range(model.n_states)]
    for k, mass in enumerate(rho):
        assert mass >= 0
        flow[owners[k]] += mass
        for t, p in model.transition_row(k):
            flow[t] -= model.discount * p * mass
    assert not any(flow)
    for i, budget in enumerate(model.budgets):
        cost = model.cost_vector(i)
        assert sum(cost[k] * mass for k, mass in enumerate(rho)) <= budget
    assert all(values[owners[k]] >= reward[k] - price[k] + ahead[k] for k in range(model.n_choices))
    assert sum(reward[k] * mass for k, mass in enumerate(rho)) == level + allowed
    assert level + allowed == Fraction(document["value"])


def _vector(document: dict[str, Any]) -> list[Fraction]:
    bottom = int(document["denominator"], 0)
    return [Fraction(int(n, 0), bottom) for n in document["numerators"]]


@pytest.fixture(name="two_states")
def _two_states() -> Callable[..., CMDP]:
    return two_states


@pytest.fixture(name="random_model")
def _random_model() -> Callable[..., CMDP]:
    return random_model


@pytest.fixture(name="check_certificate")
def _check_certificate() -> Callable[[dict[str, Any]], None]:
    return check_certificate
