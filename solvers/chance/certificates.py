"""Documents that prove the answers to the kernel, on the unrolled model (see `unrolling`)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..cmdp import ModelError
from ..exact import Vector, format_rational
from ..occupancy import Status
from .candidates import Screen, fixed
from .dynamics import Dynamics
from .evaluation import forward
from .induction import Induction
from .solution import ChanceSolution, TimedPolicy
from .unrolling import check_size, unroll_dynamics


def optimum_certificate(solution: ChanceSolution) -> dict[str, Any]:
    """A document of kind "cmdp-optimum", or "cmdp-infeasible" for an infeasible problem."""
    dynamics, multiplier = solution.dynamics, solution.multiplier
    check_size(dynamics)
    if solution.status is Status.INFEASIBLE:
        least, _ = Screen(dynamics).least_risk(everywhere=True)
        return {
            **_header(solution, "cmdp-infeasible"),
            "values": _values(Induction(dynamics, least, None), 0, 1).to_json(),
            "multipliers": ["1"],
        }
    assert solution.value is not None
    candidates = Screen(dynamics).optimal(multiplier, everywhere=True)
    return {
        **_header(solution, "cmdp-optimum"),
        "occupancy": _occupancy(solution).to_json(),
        "values": _values(Induction(dynamics, candidates, multiplier), 1, -multiplier).to_json(),
        "multipliers": [format_rational(multiplier)],
        "value": format_rational(solution.value),
    }


def mixture_certificate(solution: ChanceSolution) -> dict[str, Any]:
    """A document of kind "mixture": both ends of the flip, their weights and the value."""
    check_size(solution.dynamics)
    if solution.safer is None or solution.bolder is None or solution.value is None:
        raise ModelError(f"there is no policy to certify: {solution.explanation()}")
    flip = solution.flip_probability
    parts = [(1 - flip, solution.safer)]
    if flip:
        parts.append((flip, solution.bolder))
    return {
        **_header(solution, "mixture"),
        "components": [_component(solution.dynamics, weight, end) for weight, end in parts],
        "value": format_rational(solution.value),
    }


def _component(dynamics: Dynamics, weight: Fraction, policy: TimedPolicy) -> dict[str, Any]:
    candidates = fixed(policy.choices, dynamics.model.n_choices)
    block = dynamics.levels * dynamics.model.n_choices
    chosen = ["0"] * (dynamics.horizon * block + 1)
    for t, layer in enumerate(candidates.choices):
        for place in (t * block + layer).tolist():
            chosen[place] = "1"
    chosen[-1] = "1"
    induction = Induction(dynamics, candidates, None)
    return {
        "weight": format_rational(weight),
        "policy": {"denominator": "1", "numerators": chosen},
        "reward_values": _values(induction, 1, 0).to_json(),
        "cost_values": [_values(induction, 0, 1).to_json()],
    }


def _header(solution: ChanceSolution, kind: str) -> dict[str, Any]:
    dynamics, level = solution.dynamics, solution.level
    if dynamics.plain:
        model = solution.problem.to_dict(level)
    else:
        model = unroll_dynamics(dynamics, level).to_dict()
    return {"format": "holdfast-certificate/1", "kind": kind, "model": model}


def _values(induction: Induction, rewards: int, risks: Fraction | int) -> Vector:
    """2^t (rewards * value + risks * risk) over the unrolled states; the last state has 0."""
    top, bottom = Fraction(risks).as_integer_ratio()
    value_bottom = induction.value_bottom
    charge_bottom = induction.dynamics.charge_denominator
    parts: list[list[int]] = []
    for layer in induction.layers():
        values, spent = layer.packing.values(layer.packed), layer.packing.risks(layer.packed)
        mixed = values * (rewards * charge_bottom * bottom) + spent * (top * value_bottom)
        factor = (induction.scales[0] // induction.scales[layer.time]) << layer.time
        parts.append((mixed * factor).tolist())
    scale = induction.scales[0] * value_bottom * charge_bottom * bottom
    return Vector((*(v for part in reversed(parts) for v in part), 0), scale)


def _occupancy(solution: ChanceSolution) -> Vector:
    assert solution.policy is not None
    dynamics, table = solution.dynamics, solution.policy.choices
    count, size = dynamics.model.n_choices, dynamics.model.n_states
    block, horizon = dynamics.levels * count, dynamics.horizon
    layers = list(forward(dynamics, table, solution.mixed))
    common = layers[-1].scale
    result = [0] * (horizon * block + 1)
    for layer in layers:
        factor = (common // layer.scale) << (horizon - layer.time)
        places = layer.time * block + layer.cells // size * count + layer.choices
        for place, mass in zip(places.tolist(), layer.mass.tolist(), strict=True):
            result[place] += mass * factor
    result[-1] = 2 * common
    return Vector(tuple(result), common << horizon)
