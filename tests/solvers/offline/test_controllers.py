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
from holdfast.solvers.offline.multipliers.controllers import (
    PID,
    Adaptive,
    Ascent,
    Controller,
    ControllerState,
    Fixed,
    Incremental,
    Omnisafe,
)
from holdfast.solvers.offline.multipliers.controllers import path as path_of

# multiples of 1/16 below 16: sums and products of a few keep within the 53 bits of a float
dyadic = st.integers(-255, 255).map(lambda n: Fraction(n, 16))
positive = st.integers(1, 255).map(lambda n: Fraction(n, 16))
natural = st.integers(0, 255).map(lambda n: Fraction(n, 16))
costs = st.lists(natural, min_size=1, max_size=6)


def path(controller: Controller, observed: list[Any]) -> list[float]:
    """The multipliers, from the first."""
    return path_of(controller, map(float, observed))


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


def test_only_a_clipped_integral_does_not_wind_up() -> None:
    # 100 costs of 1 below the limit, then costs of 2 above: the clipped integral answers at once;
    # the other one is -100, -98, ..., and above 0 after the 51st
    costs = [0] * 100 + [3] * 51
    assert path(PID(1.0, 0.0, 1.0, 0.0), costs)[101] == 2
    silent = path(PID(1.0, 0.0, 1.0, 0.0, clipped=False), costs)
    assert silent[:151] == [0] * 151
    assert silent[151] == 2


def test_a_start_of_omnisafe_shows_its_averages() -> None:
    """The cost is the limit of 25 from the first update on, so that no other form moves."""
    steady = [Fraction(25)] * 200
    exact = Omnisafe(Fraction(25), Fraction(1, 10), Fraction(1, 100), Fraction(1, 100),
                     memory=Fraction(19, 20), cost_memory=Fraction(19, 20))  # fmt: skip
    found = path_of(exact, steady)
    assert found[1] == Fraction(1, 80)  # K_D 25 (1 - 19/20)
    assert max(found) == found[10] == Fraction(1, 4) * (1 - Fraction(19, 20) ** 10)  # 0.1003
    assert found[-1] < Fraction(1, 100_000) < found[100]
    assert path_of(Omnisafe(25.0), map(float, steady))[10] == pytest.approx(float(found[10]))
    for form in ("fsrl", "osrl"):
        assert set(path_of(PID(25, 0.1, 0.01, 0.01, form=form), steady)) == {0}


def test_the_forms_differ_where_the_table_says() -> None:
    # limit 2, gains 1, 1, 1; costs 3, 1, 2: excesses 1, -1, 0, clipped integrals 1, 0, 0
    costs = [Fraction(3), Fraction(1), Fraction(2)]
    gains = (Fraction(2), Fraction(1), Fraction(1), Fraction(1))
    # rises: 3 (from a cost of 0), 0, 1, or 1 (from an excess of 0), 0, 1
    assert path_of(PID(*gains), costs) == [0, 5, 0, 1]
    assert path_of(PID(*gains, form="fsrl"), costs) == [0, 3, 0, 1]
    # after 3 and 5/2: P is 1/2; I 1 and 3/2; D 0.  After 3 and 1 FSRL's -1 + 0 + 0 is cut to 0
    start = {"start": Fraction(3)}
    assert path_of(PID(*gains, form="fsrl", **start), costs) == [3, 6, 2, 4]
    assert path_of(PID(*gains, form="osrl", **start), costs) == [3, 6, 3, 4]
    # without smoothing and with a delay of 1, omnisafe is Stooke's with gain inside
    plain = {"memory": 0, "cost_memory": 0, "delay": 1}
    assert path_of(Omnisafe(*gains, **plain), costs) == path_of(PID(*gains), costs)
    # a sum of increments: 0 + (1 + 1 + 1), 3 + (-1 + 0 - 2), 0 + (0 + 0 + 1)
    assert path_of(Incremental(*gains), costs) == [0, 3, 0, 1]
    assert path_of(Incremental(*gains, cap=Fraction(5, 2)), costs)[1] == Fraction(5, 2)


def test_caps_of_omnisafe() -> None:
    costs = [1000.0] * 30
    ends = {norm: path_of(Omnisafe(0.0, norm=norm), costs)[-1] for norm in ("sum", "none")}
    assert ends["sum"] > 300
    assert ends["none"] == 100
    assert path_of(Omnisafe(0.0, norm="difference"), costs)[-1] == 1


def test_adaptive_gains_keep_their_boxes_and_do_not_make_the_multiplier_jump() -> None:
    boxes = ((0.5, 2.0), (0.1, 0.1), (0.0, 1.0))
    one = Adaptive(1.0, 1.0, 0.1, 1.0, (0.5, 0.5, 0.5), boxes)
    state = one.first()
    for _ in range(20):
        state = one.step(state, 4.0)
    assert state.stored == (2.0, 0.1, 1.0)
    assert state.multiplier == pytest.approx(2 * 3 + 0.1 * 3 * 20)
    for _ in range(20):
        state = one.step(state, 0.0)
    assert state.stored[:2] == (0.5, 0.1)
    wild = Adaptive(1.0, 1.0, 0.1, 0.0, (0.5, 0.5, 0.5), None)
    state = wild.first()
    for _ in range(20):
        state = wild.step(state, 4.0)
    assert state.stored[0] > 1000  # (1 + tanh(3)/2)^20
    # at rest, e = 0, whatever the gains are: the multiplier is the integral
    assert one.step(state, 1.0).multiplier == state.integral


def test_a_fixed_multiplier_stays() -> None:
    assert path(Fixed(3.0), [0, 100]) == [3, 3, 3]


@pytest.mark.parametrize(
    "controller",
    [
        Fixed(2.0),
        Ascent(1.0, 0.3, 2.0),
        PID(1.0, 0.1, 0.2, 0.3),
        Omnisafe(1.0, delay=2),
        Adaptive(1.0, 0.1, 0.2, 0.3, (0.1, 0.1, 0.1), None),
        Incremental(1.0, 0.1, 0.2, 0.3),
    ],
)
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
        (lambda: PID(1.0, 0.0, 0.0, 0.0), "all gains of the controller are 0"),
        (lambda: PID(1.0, 1.0, -1.0, 0.0), "integral is -1.0; it must be at least 0"),
        (lambda: PID(1.0, 1.0, 0.0, 0.0, start=2.0), "nothing keeps it"),
        (lambda: PID(1.0, 1.0, 0.0, 0.0, form="p"), "form is 'p'; there are stooke, fsrl and osrl"),
        (lambda: PID(1.0, math.inf, 0.0, 0.0), "proportional is inf; it must be finite"),
        (lambda: Omnisafe(1.0, delay=0), "delay is 0; it must be at least 1 update"),
        (lambda: Omnisafe(1.0, norm="max"), "norm is 'max'; there are sum, difference and none"),
        (lambda: Omnisafe(1.0, cost_memory=1.0), r"cost_memory is 1.0; it must lie in \[0, 1\)"),
        (lambda: Omnisafe(1.0).step(Omnisafe(1.0).first(), math.nan), "cost is nan"),
        (lambda: Adaptive(1, 1, 1, 1, (1, 1), None), "give three finite numbers"),
        (lambda: Adaptive(1, 1, 1, 1, (1, 1, 1), None, unit=0), "unit is 0; it must be above 0"),
        (lambda: Adaptive(1, 1, 1, 1, (1, 1, 1), ((0, 1),)), "boxes has 1 pairs"),
        (
            lambda: Adaptive(1, 3, 1, 1, (1, 1, 1), ((0, 2),) * 3),
            r"the box of proportional is \[0, 2\], and the gain 3; it must lie inside",
        ),
        (
            lambda: ControllerState.from_json(
                {"multiplier": 1, "average": 0, "integral": 0, "previous": 0, "stored": "ab"}
            ),
            "stored of a controller's state is 'ab'; it must be a list",
        ),
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
