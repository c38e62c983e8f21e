"""Controllers of a multiplier, as pure state machines: a state and a cost give the next state.

::

    fixed    lambda_k = lambda_0
    ascent   lambda_{k+1} = clip(lambda_k + eta (e_k - d), 0, cap),  e_k = rho e_{k-1} + (1-rho) J_k
    PID      lambda_{k+1} = clip(K_P (J_k - d) + K_I I_k + K_D D_k, 0, cap),
             I_k = {I_{k-1} + J_k - d}_+,   D_k = {J_k - J_{k-1}}_+

with J_k the cost that was measured in update k and d its limit.  Ascent is the float twin of
`solvers.cmdp.dual_ascent.ascend`.  PID is that of Stooke, Achiam and Abbeel 2020 (arXiv:2007.03964,
algorithm 2): the gain of the integral stands outside of it, the proportional part may be negative,
and the derivative only brakes.  With K_P = K_D = 0 it is the ascent with eta = K_I without average.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

from ...errors import ModelError


@dataclass(frozen=True, slots=True)
class ControllerState:
    """Plain numbers.

    multiplier: lambda; average: e, of an ascent; integral: I, and previous: J, of a PID.
    """

    multiplier: float
    average: float = 0.0
    integral: float = 0.0
    previous: float = 0.0

    def to_json(self) -> dict[str, float]:
        """Names and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> ControllerState:
        """What `to_json` made; ModelError on anything else."""
        names = [field.name for field in fields(cls)]
        if not isinstance(data, dict) or sorted(data) != sorted(names):
            raise ModelError(f"a controller's state has {', '.join(names)}; this is {data!r}")
        for name, value in data.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ModelError(f"{name} of a controller's state is {value!r}, which is no number")
            _finite(value, name)
        return cls(**{name: float(data[name]) for name in names})


@dataclass(frozen=True, slots=True)
class Fixed:
    """The multiplier stays as it is, at least 0."""

    multiplier: float

    def __post_init__(self) -> None:
        _not_negative(self, "multiplier")

    def first(self) -> ControllerState:
        """The state before any cost."""
        return ControllerState(self.multiplier)

    def step(self, state: ControllerState, cost: float) -> ControllerState:
        """The same state; ModelError when the cost is NaN or infinite."""
        _finite(cost, "the measured cost")
        return state


@dataclass(frozen=True, slots=True)
class Ascent:
    """Projected dual ascent.

    Attributes:
        limit: d.  step_size: eta > 0.  start: lambda_0 >= 0.  cap: the largest multiplier.
        memory: rho in [0, 1), 0 for no averaging.  start_average: e_{-1}.
    """

    limit: float
    step_size: float
    start: float = 0.0
    cap: float = math.inf
    memory: float = 0.0
    start_average: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(self, "step_size", "start", "cap")
        _finite(self.limit, "limit")
        if self.step_size == 0:
            raise ModelError("step_size is 0, so that the multiplier never moves; take Fixed")
        if not 0 <= self.memory < 1:
            raise ModelError(f"memory is {self.memory}; it must lie in [0, 1)")

    def first(self) -> ControllerState:
        """The state before any cost."""
        return ControllerState(min(self.start, self.cap), average=self.start_average)

    def step(self, state: ControllerState, cost: float) -> ControllerState:
        """The state after an update whose cost was measured."""
        _finite(cost, "the measured cost")
        average = self.memory * state.average + (1 - self.memory) * cost
        moved = state.multiplier + self.step_size * (average - self.limit)
        return ControllerState(_clipped(moved, self.cap), average=average)


@dataclass(frozen=True, slots=True)
class PID:
    """Proportional, integral and derivative control of the multiplier.

    Attributes:
        limit: d.  proportional, integral, derivative: the gains K_P, K_I, K_D, not all zero.
        start: lambda_0, which is kept by starting the integral at lambda_0 / K_I.
        cap: the largest multiplier; it does not stop the integral.
    """

    limit: float
    proportional: float
    integral: float
    derivative: float
    start: float = 0.0
    cap: float = math.inf

    def __post_init__(self) -> None:
        _not_negative(self, "proportional", "integral", "derivative", "start", "cap")
        _finite(self.limit, "limit")
        if not (self.proportional or self.integral or self.derivative):
            raise ModelError("all gains of the PID are 0, so that the multiplier is; take Fixed")
        if self.start and not self.integral:
            raise ModelError(
                f"start is {self.start}, but with an integral gain of 0 nothing keeps it; give a "
                "gain, or start 0"
            )

    def first(self) -> ControllerState:
        """The state before any cost; the cost before the first is 0, as in the paper."""
        kept = self.start / self.integral if self.integral else 0.0
        return ControllerState(min(self.start, self.cap), integral=kept)

    def step(self, state: ControllerState, cost: float) -> ControllerState:
        """The state after an update whose cost was measured."""
        _finite(cost, "the measured cost")
        excess = cost - self.limit
        integral = max(state.integral + excess, 0.0)
        rise = max(cost - state.previous, 0.0)
        moved = self.proportional * excess + self.integral * integral + self.derivative * rise
        return ControllerState(_clipped(moved, self.cap), integral=integral, previous=cost)


Controller: TypeAlias = Fixed | Ascent | PID


def _clipped(value: float, cap: float) -> float:
    return min(max(value, 0.0), cap)


def _finite(value: float, name: str) -> None:
    if not math.isfinite(value):
        raise ModelError(f"{name} is {value}; it must be finite")


def _not_negative(record: Any, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not value >= 0:
            raise ModelError(f"{name} is {value}; it must be at least 0")
