"""Models of the zoo for the solver tests, and a plain check of certificates in Fractions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from holdfast.solvers import CMDP
from holdfast.solvers.models.formats.document import model_from_document

from ..zoo.cmdps import random_model, two_states


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
