"""What is known of the optimum of a chance-constrained problem, and of its policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...errors import ModelError
from ...exact import Vector, format_rational
from ...models.cmdp import IntegerArray
from ...solution import ExactValue, Status
from .candidates import fixed, least_risk_choices, optimal_choices
from .dynamics import Dynamics
from .evaluation import Cell, forward
from .floats import FloatDynamics
from .induction import Induction
from .problem import ChanceProblem
from .unrolling import check_size, unroll_dynamics


@dataclass(frozen=True, eq=False)
class TimedPolicy:
    """A deterministic policy with its exact value and risk.

    choices: int[T, M, S], read only, the choice (numbered over the whole model) at each time,
    memory and state.  In cells that the policy does not reach it is some choice of the state.
    """

    choices: IntegerArray
    value: Fraction
    risk: Fraction

    def __post_init__(self) -> None:
        self.choices.setflags(write=False)

    @property
    def point(self) -> tuple[Fraction, Fraction]:
        """(risk, value)."""
        return self.risk, self.value


@dataclass(frozen=True, slots=True)
class RandomisedCell:
    """The one cell in which an optimal policy randomises between two choices.

    probability: that of ``bolder``.
    """

    time: int
    memory: int
    state: int
    safer: int
    bolder: int
    probability: Fraction

    @property
    def cell(self) -> Cell:
        """(time, memory, state)."""
        return self.time, self.memory, self.state

    @property
    def law(self) -> dict[int, Fraction]:
        """{choice: probability}."""
        return {self.safer: 1 - self.probability, self.bolder: self.probability}


@dataclass(frozen=True, eq=False, repr=False)
class ChanceSolution(ExactValue):
    """The exact optimum.

    Attributes:
        status: EXACT or INFEASIBLE.
        level: the bound on the risk.
        value: UN-normalised optimal reward; None when infeasible.
        risk: of the optimal policies below, at most the level.
        multiplier: slope of the optimal value in the level; at a kink one of an interval, 0 when
            the reward's optimum meets the level.
        safer, bolder: deterministic policies, optimal for the multiplier, with safer.risk <= level
            <= bolder.risk.  Those of the chord are consecutive kinks of the envelope, those of the
            flag program differ in ``cell`` only.  The same one when it alone is optimal.
        flip_probability: that of ``bolder`` when one of the two is drawn once an episode.
        policy, cell: the same optimum in a single policy, which follows the table ``policy`` except
            that it randomises in ``cell`` (None: nowhere).
        minimum_risk: the least risk of any policy; given when infeasible.
        dynamics: the layers that were solved.
        statistics: method, rounds, seconds of each stage, cells, bits of the denominators.
    """

    status: Status
    problem: ChanceProblem
    level: Fraction
    dynamics: Dynamics = field(repr=False)
    value: Fraction | None = None
    risk: Fraction | None = None
    multiplier: Fraction = Fraction(0)
    safer: TimedPolicy | None = field(default=None, repr=False)
    bolder: TimedPolicy | None = field(default=None, repr=False)
    flip_probability: Fraction = Fraction(0)
    policy: TimedPolicy | None = field(default=None, repr=False)
    cell: RandomisedCell | None = None
    minimum_risk: Fraction | None = None
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def mixed(self) -> dict[Cell, dict[int, Fraction]]:
        """Where ``policy`` randomises, as `evaluate_policy` takes it."""
        return {} if self.cell is None else {self.cell.cell: self.cell.law}

    def certificate(self) -> dict[str, Any]:
        """A document of kind "cmdp-optimum" or "cmdp-infeasible" that the kernel can check.

        Raises ModelError when it would be enormous.
        """
        return optimum_certificate(self)

    def mixture_certificate(self) -> dict[str, Any]:
        """A document of kind "mixture": the flip between ``safer`` and ``bolder`` and its value.

        Raises ModelError when it would be enormous, or when there is no policy.
        """
        return mixture_certificate(self)

    def explanation(self) -> str:
        """One sentence on the outcome; when infeasible, why, and what the least level is."""
        if self.status is Status.EXACT:
            assert self.value is not None and self.risk is not None
            value, risk, level = map(format_rational, (self.value, self.risk, self.level))
            return f"optimal value {value} at risk {risk} <= {level}"
        return self._why_infeasible()

    def _why_infeasible(self) -> str:
        assert self.minimum_risk is not None
        least, base, start = format_rational(self.minimum_risk), self.problem.start_risk, ""
        if base > self.level:
            state = next(s for s in self.problem.unsafe if self.problem.model.initial[s])
            alone = format_rational(base)
            start = f"start state {state} is unsafe, and an unsafe start alone risks {alone}; "
        remedy = f"raise it at least to {least}" if self.minimum_risk < 1 else "no level would help"
        return (
            f"{start}no policy has a risk below {least}, and the level is "
            f"{format_rational(self.level)}: {remedy}"
        )


def single_solution(
    dynamics: Dynamics, level: Fraction, policy: TimedPolicy, multiplier: Fraction
) -> ChanceSolution:
    """A deterministic policy is optimal."""
    return ChanceSolution(
        Status.EXACT,
        dynamics.problem,
        level,
        dynamics,
        policy.value,
        policy.risk,
        multiplier,
        policy,
        policy,
        policy=policy,
    )


def optimum_certificate(solution: ChanceSolution) -> dict[str, Any]:
    """A document of kind "cmdp-optimum", or "cmdp-infeasible" for an infeasible problem."""
    dynamics, multiplier = solution.dynamics, solution.multiplier
    check_size(dynamics)
    if solution.status is Status.INFEASIBLE:
        least, _ = least_risk_choices(FloatDynamics.of(dynamics), everywhere=True)
        return {
            **_header(solution, "cmdp-infeasible"),
            "values": _values(Induction(dynamics, least, None), 0, 1).to_json(),
            "multipliers": ["1"],
        }
    assert solution.value is not None
    candidates = optimal_choices(FloatDynamics.of(dynamics), multiplier, everywhere=True)
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
