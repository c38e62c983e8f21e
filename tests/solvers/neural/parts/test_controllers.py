"""Controllers equal their exact twins on dyadic numbers, where floats do not round."""

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.solvers.cmdp.dual_ascent import ascend
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.controllers import (
    PID,
    Ascent,
    Controller,
    ControllerState,
    Fixed,
)

# multiples of 1/16 below 16: sums and products of a few keep within the 53 bits of a float
dyadic = st.integers(-255, 255).map(lambda n: Fraction(n, 16))
positive = st.integers(1, 255).map(lambda n: Fraction(n, 16))
natural = st.integers(0, 255).map(lambda n: Fraction(n, 16))
costs = st.lists(natural, min_size=1, max_size=6)


def path(controller: Controller, observed: list[Any]) -> list[float]:
    """The multipliers, from the first."""
    state = controller.first()
    multipliers = [state.multiplier]
    for cost in observed:
        state = controller.step(state, float(cost))
        multipliers.append(state.multiplier)
    return multipliers


def differs(observed: list[Fraction], step: Fraction, **changed: Any) -> bool:
    """Whether the float path is another than the exact one for the limit 2."""
    exact = ascend(observed, target=Fraction(2), step=step, first=Fraction(1))
    twin = Ascent(**{"limit": 2.0, "step_size": float(step), "start": 1.0, **changed})
    return path(twin, observed) != [float(value) for value in exact.multipliers]


@given(costs, dyadic, positive, natural, st.none() | positive, st.sampled_from([0, 1, 2, 3]))
def test_ascent_is_the_exact_one(observed, target, step, first, cap, quarters) -> None:
    memory = Fraction(quarters, 4)
    # the exact layer's ascent lowers the multiplier where the observed is above the target: it
    # watches what must be at least the target, ours what must be at most the limit
    exact = ascend(
        [-value for value in observed],
        target=-target,
        step=step,
        first=first if cap is None else min(first, cap),
        cap=cap,
        memory=memory,
        first_average=Fraction(-1, 2),
    )
    twin = Ascent(
        float(target),
        float(step),
        float(first),
        math.inf if cap is None else float(cap),
        float(memory),
        0.5,
    )
    assert path(twin, observed) == [float(value) for value in exact.multipliers]
    state = twin.first()
    for cost in observed:
        state = twin.step(state, float(cost))
    assert state.average == -float(exact.averages[-1])


@given(costs, natural, positive, natural)
def test_pure_integral_control_is_ascent(observed, limit, gain, start) -> None:
    # dyadic quotients only: the integral starts at start / gain
    gain = Fraction(2) ** (int(gain) % 5 - 2)
    pid = PID(float(limit), 0.0, float(gain), 0.0, float(start))
    ascent = Ascent(float(limit), float(gain), float(start))
    assert path(pid, observed) == path(ascent, observed)


def test_three_updates_of_a_pid_by_hand() -> None:
    # limit 2, gains 1/2, 1/4, 2; costs 4, 5, 0
    # 1: excess 2, integral 2, rise 4 (from 0):   1 + 1/2 + 8 = 19/2
    # 2: excess 3, integral 5, rise 1:            3/2 + 5/4 + 2 = 19/4
    # 3: excess -2, integral 3, no rise:          -1 + 3/4 + 0 < 0
    assert path(PID(2.0, 0.5, 0.25, 2.0), [4, 5, 0]) == [0, 9.5, 4.75, 0]
    assert path(PID(2.0, 0.5, 0.25, 2.0, cap=5.0), [4, 5, 0]) == [0, 5, 4.75, 0]


def test_the_integral_does_not_wind_up_below_zero() -> None:
    # 100 costs of 1 below the limit, then one of 2 above: the projected integral answers at once
    # (an integral that goes below zero would stay silent for floor(100 / 2) + 1 = 51 costs)
    assert path(PID(1.0, 0.0, 1.0, 0.0), [0] * 100 + [3])[-1] == 2


def test_a_fixed_multiplier_stays() -> None:
    assert path(Fixed(3.0), [0, 100]) == [3, 3, 3]


@pytest.mark.parametrize("controller", [Fixed(2.0), Ascent(1.0, 0.3, 2.0), PID(1.0, 0.1, 0.2, 0.3)])
def test_a_path_goes_on_from_a_stored_state(controller: Controller) -> None:
    observed = [0.1, 7.3, 2.9, 0.4]
    state = controller.first()
    for cost in observed[:2]:
        state = controller.step(state, cost)
    state = ControllerState.from_json(json.loads(json.dumps(state.to_json())))
    for cost in observed[2:]:
        state = controller.step(state, cost)
    assert state.multiplier == path(controller, observed)[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fixed(-1.0), "multiplier is -1.0; it must be at least 0"),
        (lambda: Ascent(1.0, 0.0), "step_size is 0, so that the multiplier never moves"),
        (lambda: Ascent(1.0, 1.0, memory=1.0), r"memory is 1.0; it must lie in \[0, 1\)"),
        (lambda: Ascent(math.nan, 1.0), "limit is nan; it must be finite"),
        (lambda: PID(1.0, 0.0, 0.0, 0.0), "all gains of the PID are 0"),
        (lambda: PID(1.0, 1.0, -1.0, 0.0), "integral is -1.0; it must be at least 0"),
        (lambda: PID(1.0, 1.0, 0.0, 0.0, start=2.0), "nothing keeps it"),
        (lambda: Ascent(1.0, 1.0).step(Ascent(1.0, 1.0).first(), math.nan), "cost is nan"),
        (lambda: Fixed(1.0).step(Fixed(1.0).first(), math.inf), "cost is inf"),
        (lambda: ControllerState.from_json({"multiplier": 1}), "this is {'multiplier': 1}"),
        (
            lambda: ControllerState.from_json(
                {"multiplier": "1", "average": 0, "integral": 0, "previous": 0}
            ),
            "multiplier of a controller's state is '1'",
        ),
    ],
)
def test_wrong_numbers_are_refused(make, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()
