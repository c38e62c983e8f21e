"""Dual ascent against best responses on a bandit, and the speed limit of a multiplier."""

from fractions import Fraction

import pytest

from holdfast.solvers import from_arrays
from holdfast.solvers.errors import ModelError
from holdfast.solvers.offline.multipliers.controllers import PID, Ascent, Fixed
from holdfast.solvers.offline.multipliers.dual_response import least_updates, respond

LIMIT = Fraction(2, 3)
BANDIT = from_arrays([[[1], [1]]], [[0, 1]], [[[0, 1]]], [LIMIT], discount=0)


def test_a_run_by_hand() -> None:
    run = respond(BANDIT, Ascent(LIMIT, Fraction(3), Fraction(1, 2)), 3)
    # risky at 1/2: up by 3 (1 - 2/3) = 1; safe at 3/2: down by 2, cut off at 0; risky
    assert run.multipliers == (Fraction(1, 2), Fraction(3, 2), 0, 1)
    assert run.costs == run.rewards == (1, 0, 1)
    assert respond(BANDIT, Fixed(Fraction(2)), 2).costs == (0, 0)
    braked = respond(BANDIT, PID(LIMIT, Fraction(1), Fraction(3), Fraction(0)), 2)
    assert braked.multipliers[1] == Fraction(1, 3) + 1


def test_updates_that_a_multiplier_needs() -> None:
    pace = {"step": Fraction(1, 100), "limit": 20, "largest": 100}
    assert least_updates(1500, "0.65", **pace) == 7497
    assert least_updates("0.65", 1500, **pace) == 1875  # 1499.35 / 0.8
    assert least_updates(3, 3, **pace) == 0
    assert least_updates(1, 0, step=1, limit=0, largest=5) is None
    assert least_updates(0, 1, step=1, limit=5, largest=5) is None
    controller = Ascent(Fraction(20), Fraction(1, 100), Fraction(1500))
    state = controller.first()
    for _ in range(7496):
        state = controller.step(state, Fraction(0))
    assert state.multiplier > Fraction("0.65") >= controller.step(state, Fraction(0)).multiplier


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: respond(BANDIT, Ascent(1, 1), 1), "the controller's limit is 1, and the model's"),
        (lambda: respond(BANDIT.with_costs([], []), Fixed(1), 1), "the model has 0"),
        (lambda: least_updates(-1, 0, step=1, limit=1, largest=1), "start is -1; it must be at"),
        (lambda: least_updates(1, 0, step=0, limit=1, largest=1), "step is 0; it must be above 0"),
    ],
)
def test_wrong_input_is_refused(call, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
