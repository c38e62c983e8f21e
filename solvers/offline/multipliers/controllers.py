"""Controllers of a multiplier, as pure state machines: a state and a cost give the next state.

::

    Fixed        lambda_k = lambda_0
    Ascent       lambda_{k+1} = clip(lambda_k + eta (m_k - d), 0, cap),
                 m_k = rho m_{k-1} + (1 - rho) J_k
    PID          lambda_{k+1} = clip(K_P e_k + K_I I_k + K_D D_k, 0, cap),  e_k = J_k - d,
                 I_k = {I_{k-1} + e_k}_+
    Omnisafe     lambda_{k+1} = clip(K_P p_k + I_k + K_D {s_k - s_{k-delay}}_+, 0, cap),
                 I_k = {I_{k-1} + K_I e_k}_+,  p and s averages of e and J that start at 0
    Adaptive     lambda_{k+1} = clip(K_P e_k + I_k + K_D {e_k - e_{k-1}}_+, 0, cap), moving gains
    Incremental  lambda_{k+1} = clip(lambda_k + K_P e_k + K_I sum e + K_D (e_k - e_{k-1}), 0, cap)

with J_k the cost that was measured in update k and d its limit.  Ascent is the float twin of
`solvers.cmdp.dual_ascent.ascend`; with K_P = K_D = 0 the PID is the ascent of step K_I.  Numbers
are floats, or Fractions, for which every update but those of Adaptive is exact.

PID is that of Stooke, Achiam and Abbeel 2020 (arXiv:2007.03964, algorithm 2) in three forms, as
far as their codes are known to us: "stooke" starts the cost before the first at 0, "fsrl" the
excess before the first at 0, and "osrl" also keeps only the positive part of the proportional term.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from ...errors import ModelError

Number: TypeAlias = Any  # a float or a Fraction
Form: TypeAlias = Literal["stooke", "fsrl", "osrl"]


@dataclass(frozen=True, slots=True)
class ControllerState:
    """Plain numbers.

    multiplier: lambda; average: the smoothed cost of an ascent, or excess of an Omnisafe; integral:
    I, the sum of excesses or their weighted sum; previous: cost or excess of the last update;
    stored: of an Omnisafe smoothed costs, oldest first, of an Adaptive its three gains.
    """

    multiplier: Number
    average: Number = 0
    integral: Number = 0
    previous: Number = 0
    stored: tuple[Number, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Names and numbers, as floats: the exactness of Fractions is lost."""
        state = asdict(self)
        stored = state.pop("stored")
        plain: dict[str, Any] = {name: float(value) for name, value in state.items()}
        return plain | ({"stored": [float(value) for value in stored]} if stored else {})

    @classmethod
    def from_json(cls, data: Any) -> ControllerState:
        """What `to_json` made; ModelError on anything else."""
        names = [field.name for field in fields(cls)][:-1]
        if not isinstance(data, dict) or sorted(set(data) - {"stored"}) != sorted(names):
            raise ModelError(f"a controller's state has {', '.join(names)}; this is {data!r}")
        stored = data.get("stored", [])
        if not isinstance(stored, list):
            raise ModelError(f"stored of a controller's state is {stored!r}; it must be a list")
        numbers = [(name, data[name]) for name in names] + [("stored", one) for one in stored]
        for name, value in numbers:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ModelError(f"{name} of a controller's state is {value!r}, which is no number")
            _finite(value, name)
        values = {name: float(data[name]) for name in names}
        return cls(**values, stored=tuple(map(float, stored)))


@dataclass(frozen=True, slots=True)
class Fixed:
    """The multiplier stays as it is, at least 0."""

    multiplier: Number

    def __post_init__(self) -> None:
        _not_negative(self, "multiplier")

    def first(self) -> ControllerState:
        """The state before any cost."""
        return ControllerState(self.multiplier)

    def step(self, state: ControllerState, cost: Number) -> ControllerState:
        """The same state; ModelError when the cost is NaN or infinite."""
        _finite(cost, "the measured cost")
        return state


@dataclass(frozen=True, slots=True)
class Ascent:
    """Projected dual ascent.

    Attributes:
        limit: d.  step_size: eta > 0.  start: lambda_0 >= 0.  cap: the largest multiplier.
        memory: rho in [0, 1), 0 for no averaging.  start_average: m_{-1}.
    """

    limit: Number
    step_size: Number
    start: Number = 0
    cap: Number = math.inf
    memory: Number = 0
    start_average: Number = 0

    def __post_init__(self) -> None:
        _not_negative(self, "step_size", "start", "cap")
        _finite(self.limit, "limit")
        if self.step_size == 0:
            raise ModelError("step_size is 0, so that the multiplier never moves; take Fixed")
        _share(self, "memory")

    def first(self) -> ControllerState:
        """The state before any cost."""
        return ControllerState(min(self.start, self.cap), average=self.start_average)

    def step(self, state: ControllerState, cost: Number) -> ControllerState:
        """The state after an update whose cost was measured."""
        _finite(cost, "the measured cost")
        average = _smoothed(self.memory, state.average, cost)
        moved = state.multiplier + self.step_size * (average - self.limit)
        return ControllerState(_clipped(moved, self.cap), average=average)


@dataclass(frozen=True, slots=True)
class PID:
    """Proportional, integral and derivative control of the multiplier, gain outside the integral.

    Attributes:
        limit: d.  proportional, integral, derivative: the gains K_P, K_I, K_D, not all zero.
        start: lambda_0, which is kept by starting the integral at lambda_0 / K_I.
        cap: the largest multiplier; it does not stop the integral.
        form: "stooke", "fsrl" or "osrl", see above.
        clipped: whether the integral stays at least 0; without it the integral winds up.
    """

    limit: Number
    proportional: Number
    integral: Number
    derivative: Number
    start: Number = 0
    cap: Number = math.inf
    form: Form = "stooke"
    clipped: bool = True

    def __post_init__(self) -> None:
        _gains(self)
        if self.form not in ("stooke", "fsrl", "osrl"):
            raise ModelError(f"form is {self.form!r}; there are stooke, fsrl and osrl")
        if self.start and not self.integral:
            raise ModelError(
                f"start is {self.start}, but with an integral gain of 0 nothing keeps it; give a "
                "gain, or start 0"
            )

    def first(self) -> ControllerState:
        """The state before any cost."""
        kept = self.start / self.integral if self.integral else 0
        return ControllerState(min(self.start, self.cap), integral=kept)

    def step(self, state: ControllerState, cost: Number) -> ControllerState:
        """The state after an update whose cost was measured."""
        _finite(cost, "the measured cost")
        excess = cost - self.limit
        integral = state.integral + excess
        integral = max(integral, 0) if self.clipped else integral
        watched = cost if self.form == "stooke" else excess
        rise = max(watched - state.previous, 0)
        now = max(excess, 0) if self.form == "osrl" else excess
        moved = self.proportional * now + self.integral * integral + self.derivative * rise
        return ControllerState(_clipped(moved, self.cap), integral=integral, previous=watched)


@dataclass(frozen=True, slots=True)
class Omnisafe:
    """The PID of omnisafe: smoothed proportional term and derivative, gain inside the integral.

    Attributes:
        memory, cost_memory: weights in [0, 1) of the past in the averages of excess and cost.
        delay: updates over which a rise of the smoothed cost is taken, at least 1.
        norm: "sum" has no cap; "difference" keeps integral and multiplier in [0, 1]; "none" has
            the cap.
        start: the first integral; the multiplier before any cost is 0.
    """

    limit: Number
    proportional: Number = 0.1
    integral: Number = 0.01
    derivative: Number = 0.01
    start: Number = 0
    cap: Number = 100
    memory: Number = 0.95
    cost_memory: Number = 0.95
    delay: int = 10
    norm: Literal["sum", "difference", "none"] = "sum"

    def __post_init__(self) -> None:
        _gains(self)
        _share(self, "memory", "cost_memory")
        if self.delay < 1:
            raise ModelError(f"delay is {self.delay}; it must be at least 1 update")
        if self.norm not in ("sum", "difference", "none"):
            raise ModelError(f"norm is {self.norm!r}; there are sum, difference and none")

    def first(self) -> ControllerState:
        """The state before any cost; both averages start at 0, whatever the limit is."""
        return ControllerState(0, integral=self.start, stored=(0,))

    def step(self, state: ControllerState, cost: Number) -> ControllerState:
        """The state after an update whose cost was measured."""
        _finite(cost, "the measured cost")
        excess, most = cost - self.limit, 1 if self.norm == "difference" else math.inf
        integral = _clipped(state.integral + self.integral * excess, most)
        average = _smoothed(self.memory, state.average, excess)
        smooth = _smoothed(self.cost_memory, state.previous, cost)
        rise = max(smooth - state.stored[0], 0)
        moved = self.proportional * average + integral + self.derivative * rise
        cap = self.cap if self.norm == "none" else most
        stored = (*state.stored, smooth)[-self.delay :]
        return ControllerState(_clipped(moved, cap), average, integral, smooth, stored)


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Gains that move with the excess (aPID): RECONSTRUCTED from descriptions of Marvel, whose own
    formula was not read.

    K_P <- clip(K_P (1 + a tanh(e/unit))), K_I <- clip(K_I (1 + b e/unit)) and K_D <- clip(K_D (1 +
    c (e - e')/unit)), each to its own box.  K_I stands inside the integral, so that a change of it
    does not make the multiplier jump.

    Attributes:
        rates: a, b, c >= 0.  unit: of an excess, such as the limit.
        boxes: (least, largest) gain of each; None for no clipping, which may leave every region
            of stability.
    """

    limit: Number
    proportional: Number
    integral: Number
    derivative: Number
    rates: tuple[Number, Number, Number]
    boxes: tuple[tuple[Number, Number], ...] | None
    start: Number = 0
    cap: Number = math.inf
    unit: Number = 1

    def __post_init__(self) -> None:
        _gains(self)
        if len(self.rates) != 3 or not all(0 <= rate < math.inf for rate in self.rates):
            raise ModelError(f"rates are {self.rates}; give three finite numbers, at least 0")
        if not 0 < self.unit < math.inf:
            raise ModelError(f"unit is {self.unit}; it must be above 0, such as the limit")
        if self.boxes is not None and len(self.boxes) != 3:
            raise ModelError(f"boxes has {len(self.boxes)} pairs; give one for each of three gains")
        names = ("proportional", "integral", "derivative")
        for name, (low, high) in zip(names, self.boxes or (), strict=False):
            if not 0 <= low <= getattr(self, name) <= high:
                raise ModelError(
                    f"the box of {name} is [{low}, {high}], and the gain {getattr(self, name)}; "
                    "it must lie inside, and the box above 0"
                )

    def first(self) -> ControllerState:
        """The state before any cost, with the first gains."""
        gains = (self.proportional, self.integral, self.derivative)
        return ControllerState(min(self.start, self.cap), integral=self.start, stored=gains)

    def step(self, state: ControllerState, cost: Number) -> ControllerState:
        """The state after an update whose cost was measured: gains first, then the multiplier."""
        _finite(cost, "the measured cost")
        excess = cost - self.limit
        rise = excess - state.previous
        moves = (math.tanh(excess / self.unit), excess / self.unit, rise / self.unit)
        gains = tuple(
            gain * (1 + rate * move)
            for gain, rate, move in zip(state.stored, self.rates, moves, strict=True)
        )
        if self.boxes is not None:
            gains = tuple(
                min(max(gain, low), high)
                for gain, (low, high) in zip(gains, self.boxes, strict=True)
            )
        integral = max(state.integral + gains[1] * excess, 0)
        moved = gains[0] * excess + integral + gains[2] * max(rise, 0)
        return ControllerState(
            _clipped(moved, self.cap), integral=integral, previous=excess, stored=gains
        )


@dataclass(frozen=True, slots=True)
class Incremental:
    """What omnisafe's docstring says, unlike its code: the PID's output is ADDED to the multiplier.

    That is one more integrator, and less stable (`solvers.offline.stability`); it is here to be
    told from the others.
    """

    limit: Number
    proportional: Number
    integral: Number
    derivative: Number
    start: Number = 0
    cap: Number = math.inf

    def __post_init__(self) -> None:
        _gains(self)

    def first(self) -> ControllerState:
        """The state before any cost."""
        return ControllerState(min(self.start, self.cap))

    def step(self, state: ControllerState, cost: Number) -> ControllerState:
        """The state after an update whose cost was measured."""
        _finite(cost, "the measured cost")
        excess = cost - self.limit
        integral = state.integral + excess
        change = self.proportional * excess + self.integral * integral
        moved = state.multiplier + change + self.derivative * (excess - state.previous)
        return ControllerState(_clipped(moved, self.cap), integral=integral, previous=excess)


Controller: TypeAlias = Fixed | Ascent | PID | Omnisafe | Adaptive | Incremental


def path(controller: Controller, costs: Any) -> list[Number]:
    """The multipliers before each cost and after the last, K + 1 for K measured costs."""
    state = controller.first()
    multipliers = [state.multiplier]
    for cost in costs:
        state = controller.step(state, cost)
        multipliers.append(state.multiplier)
    return multipliers


def _smoothed(memory: Number, average: Number, value: Number) -> Number:
    return memory * average + (1 - memory) * value


def _clipped(value: Number, cap: Number) -> Number:
    return min(max(value, 0), cap)


def _finite(value: Number, name: str) -> None:
    if not (isinstance(value, int | Fraction) or math.isfinite(value)):
        raise ModelError(f"{name} is {value}; it must be finite")


def _not_negative(record: Any, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not value >= 0:
            raise ModelError(f"{name} is {value}; it must be at least 0")


def _share(record: Any, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(record, name) < 1:
            raise ModelError(f"{name} is {getattr(record, name)}; it must lie in [0, 1)")


def _gains(record: Any) -> None:
    _not_negative(record, "proportional", "integral", "derivative", "start", "cap")
    for name in ("limit", "proportional", "integral", "derivative", "start"):
        _finite(getattr(record, name), name)
    if not (record.proportional or record.integral or record.derivative):
        raise ModelError("all gains of the controller are 0, so it never moves; take Fixed")
