"""Rigorous bounds on the optimum of a large model, from floating-point proposals.

Values are quantised to a power of two and their residuals taken in exact integer arithmetic, so the
bounds hold whatever the floats were:

    upper:  mu.V + lambda.d + max_k res_+ / (1 - gamma)   for any V and lambda >= 0,
            with res = r - lambda c + gamma P V - V;
    lower:  a mixture of policies, each J_q in mu.V_q + [min res, max res] / (1 - gamma),
            with weights chosen from the upper cost bounds, so that it is certainly feasible.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from .cmdp import CMDP, ModelError
from .column_generation import Column, Proposal, propose_mixture
from .exact import Vector, format_rational
from .improvement import FloatModel, advantages
from .infeasibility import infeasibility_certificate, scalarised_cost
from .linear_program import LinearProgram, solve_linear_program
from .occupancy import Status
from .policies import Function, expected_next, function_vector, lagrangian, value_of

_QUANTUM = 2**50


@dataclass(frozen=True, slots=True)
class Component:
    """One deterministic policy of a mixture, with quantised values for the reward and each cost."""

    weight: Fraction
    choices: tuple[int, ...]
    reward_values: Vector
    cost_values: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class EnclosedSolution:
    """The optimum lies in [lower, upper]; the mixture is feasible and earns at least ``lower``.

    When infeasible, ``relaxation`` is a lower bound on the uniform budget increase needed, and
    the certificate is exact.
    """

    status: Status
    model: CMDP
    multipliers: tuple[Fraction, ...]
    values: Vector
    lower: Fraction | None = None
    upper: Fraction | None = None
    components: tuple[Component, ...] = ()
    relaxation: Fraction | None = None
    certificate: dict[str, Any] = field(default_factory=dict, repr=False)
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def width(self) -> Fraction | None:
        """upper - lower."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower


def enclose(model: CMDP) -> EnclosedSolution:
    """A rigorous enclosure of the optimum for any number of constraints.

    Raises ModelError when the floats cannot decide feasibility (the budgets lie within rounding of
    the least possible costs): use ``solve`` there.
    """
    since = time.perf_counter()
    proposal = propose_mixture(model)
    proposed = time.perf_counter()
    result = _feasible(model, proposal) if proposal.feasible else _infeasible(model, proposal)
    result.statistics.update(
        {
            "rounds": proposal.rounds,
            "seconds": {"float": proposed - since, "exact bounds": time.perf_counter() - proposed},
        }
    )
    return result


def quantised(values: np.ndarray[Any, Any]) -> Vector:
    """Floats rounded to multiples of 2^-50 (their common denominator)."""
    return Vector(tuple(round(v * _QUANTUM) for v in values.tolist()), _QUANTUM)


def upper_bound(model: CMDP, values: Vector, multipliers: Sequence[Fraction]) -> Fraction:
    """mu.V + lambda.d + (greatest Bellman residual of r - lambda c)_+ / (1 - gamma), exactly."""
    function = lagrangian(model, multipliers)
    worst = max(Fraction(0), _greatest_residual(model, values, function))
    return (
        value_of(model, values)
        + worst / (1 - model.discount)
        + sum(weight * d for weight, d in zip(multipliers, model.budgets, strict=True))
    )


def _greatest_residual(model: CMDP, values: Vector, function: Vector) -> Fraction:
    bottoms = model.denominators.tolist()
    scale = model.discount.denominator * values.denominator * function.denominator
    scores = advantages(model, values, function)
    best = 0
    for k, score in enumerate(scores):
        if score * bottoms[best] > scores[best] * bottoms[k]:
            best = k
    return Fraction(scores[best], bottoms[best] * scale)


def return_bounds(
    model: CMDP, choices: Sequence[int], values: Vector, function: Function
) -> tuple[Fraction, Fraction]:
    """J of a deterministic policy, enclosed through the residual of any values."""
    f = function_vector(model, function)
    bottoms = model.denominators.tolist()
    ahead = expected_next(model, values.numerators)
    top, bottom = model.discount.numerator, model.discount.denominator
    residuals = [
        Fraction(
            bottoms[k]
            * bottom
            * (values.denominator * f.numerators[k] - f.denominator * values.numerators[s])
            + top * f.denominator * ahead[k],
            bottoms[k],
        )
        for s, k in enumerate(choices)
    ]
    scale = bottom * values.denominator * f.denominator * (1 - model.discount)
    centre = value_of(model, values)
    return centre + min(residuals) / scale, centre + max(residuals) / scale


def _feasible(model: CMDP, proposal: Proposal) -> EnclosedSolution:
    floats = FloatModel.of(model)
    candidates = [_component(model, floats, column) for column in _useful(model, proposal)]
    rewards = [return_bounds(model, c.choices, c.reward_values, "reward")[0] for c in candidates]
    costs = [
        [return_bounds(model, c.choices, c.cost_values[i], ("cost", i))[1] for c in candidates]
        for i in range(model.n_constraints)
    ]
    rows: list[list[Fraction]] = [*costs, [Fraction(1)] * len(candidates)]
    program = LinearProgram.of(
        rewards, rows, ["<="] * model.n_constraints + ["="], [*model.budgets, 1]
    )
    answer = solve_linear_program(program)
    if answer.value is None or answer.primal is None:
        raise ModelError(
            "the budgets lie within rounding of the least possible costs, so floats "
            "cannot prove a policy feasible; use solve, which is exact"
        )
    components = tuple(
        Component(answer.primal[j], c.choices, c.reward_values, c.cost_values)
        for j, c in enumerate(candidates)
        if answer.primal[j]
    )
    multipliers = tuple(max(Fraction(0), weight) for weight in proposal.multipliers)
    values = quantised(proposal.values)
    upper = upper_bound(model, values, multipliers)
    return EnclosedSolution(
        Status.OPTIMAL,
        model,
        multipliers,
        values,
        answer.value,
        upper,
        components,
        certificate=_certificate(model, components, values, multipliers, (answer.value, upper)),
    )


def _useful(model: CMDP, proposal: Proposal) -> list[Column]:
    """The columns near the supporting line: the others would only slow the exact part down."""
    weights = [float(weight) for weight in proposal.multipliers]

    def score(column: Column) -> float:
        return column.reward - sum(w * c for w, c in zip(weights, column.costs, strict=True))

    ranked = sorted(proposal.columns, key=score, reverse=True)
    return ranked[: 3 * model.n_constraints + 1]


def _component(model: CMDP, floats: FloatModel, column: Column) -> Component:
    choices = np.array(column.choices)
    functions = [model.reward_vector(), *(model.cost_vector(i) for i in range(model.n_constraints))]
    values = [quantised(floats.values(choices, f.floats())) for f in functions]
    return Component(Fraction(0), column.choices, values[0], tuple(values[1:]))


def _infeasible(model: CMDP, proposal: Proposal) -> EnclosedSolution:
    total = sum(proposal.multipliers)
    if total <= 0:
        raise ModelError(
            "floats found no policy within the budgets and no proof that there is "
            "none; use solve, which is exact"
        )
    multipliers = tuple(max(Fraction(0), w) / total for w in proposal.multipliers)
    negated = scalarised_cost(model, multipliers)
    negated = Vector(tuple(-c for c in negated.numerators), negated.denominator)
    upper = quantised(proposal.values)
    shift = max(Fraction(0), _greatest_residual(model, upper, negated)) / (1 - model.discount)
    # W = -(V + shift) satisfies W <= lambda c + gamma P W exactly.
    values = Vector(
        tuple(
            -(v * shift.denominator + shift.numerator * upper.denominator) for v in upper.numerators
        ),
        upper.denominator * shift.denominator,
    )
    excess = value_of(model, values) - sum(
        w * d for w, d in zip(multipliers, model.budgets, strict=True)
    )
    if excess <= 0:
        raise ModelError(
            "the budgets lie within rounding of the least possible costs, so floats "
            "cannot decide feasibility; use solve, which is exact"
        )
    return EnclosedSolution(
        Status.INFEASIBLE,
        model,
        multipliers,
        values,
        relaxation=excess,
        certificate=infeasibility_certificate(model, values, multipliers),
    )


def _certificate(
    model: CMDP,
    components: Sequence[Component],
    values: Vector,
    multipliers: Sequence[Fraction],
    bounds: tuple[Fraction, Fraction],
) -> dict[str, Any]:
    return {
        "format": "holdfast-certificate/1",
        "kind": "cmdp-enclosure",
        "model": model.to_dict(),
        "mixture": {"components": [_component_document(model, c) for c in components]},
        "values": values.to_json(),
        "multipliers": [format_rational(v) for v in multipliers],
        "value": [format_rational(bound) for bound in bounds],
    }


def _component_document(model: CMDP, component: Component) -> dict[str, Any]:
    chosen = set(component.choices)
    return {
        "weight": format_rational(component.weight),
        "policy": {
            "denominator": "1",
            "numerators": ["1" if k in chosen else "0" for k in range(model.n_choices)],
        },
        "reward_values": component.reward_values.to_json(),
        "cost_values": [values.to_json() for values in component.cost_values],
    }
