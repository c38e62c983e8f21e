"""Tilts: values by hand, floats against balls, a second method, what nothing may move."""

from fractions import Fraction

import flint
import numpy as np
import pytest
from scipy.optimize import minimize

from holdfast.solvers.alignment import Problem, divergence, log_partition, mean, objective, tilt
from holdfast.solvers.errors import ModelError
from holdfast.verify.alignment.families.problems import problem
from holdfast.verify.binding.draws import PhiloxDraw

CASES = [problem(PhiloxDraw("tilts", index)) for index in range(20)]
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def floats(values: np.ndarray) -> np.ndarray:
    return np.vectorize(float, otypes=[float])(values)


def test_a_tilt_by_hand() -> None:
    """reference (1/3, 2/3), f (log 2, 0): weights 2/3 and 2/3, so halves, and Z = 4/3."""
    law, f = np.array([[1 / 3, 2 / 3]]), np.array([[np.log(2), 0]])
    assert np.allclose(tilt(law, f, 1.0), 0.5, **CLOSE)
    assert np.allclose(log_partition(law, f, 1.0), np.log(4 / 3), **CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_floats_lie_in_the_balls(case: Problem) -> None:
    rough = case.floats()
    for function in (tilt, log_partition):
        balls = function(case.reference, case.rewards, case.temperature)
        found = function(rough.reference, rough.rewards, rough.temperature)
        assert np.allclose(found, floats(balls), **CLOSE)


@pytest.mark.parametrize("case", CASES[:5])
def test_no_policy_is_better(case: Problem) -> None:
    """BFGS on logits, a second method, ends at the tilt and at its value."""
    one = case.floats()

    def loss(logits: np.ndarray) -> float:
        policy = tilt(one.reference, logits.reshape(one.reference.shape), 1.0)
        found = objective(one.prompt_law, policy, one.reference, one.rewards, one.temperature)
        return -float(found)

    best = minimize(loss, np.zeros(one.reference.size), method="BFGS", options={"gtol": 1e-9})
    value = (
        one.temperature
        * one.prompt_law
        @ log_partition(one.reference, one.rewards, one.temperature)
    )
    assert -best.fun == pytest.approx(value, abs=1e-5)
    policy = tilt(one.reference, best.x.reshape(one.reference.shape), 1.0)
    expected = tilt(one.reference, one.rewards, one.temperature)
    assert np.allclose(policy, expected, atol=1e-2)


@pytest.mark.parametrize("case", CASES[:5])
def test_what_nothing_may_move(case: Problem) -> None:
    """A number added to a prompt's f; f and temperature scaled; copies; another order."""
    one = case.floats()
    found = tilt(one.reference, one.rewards, one.temperature)
    shifted = one.rewards + np.arange(len(one.rewards))[:, None]
    assert np.allclose(tilt(one.reference, shifted, one.temperature), found, **CLOSE)
    assert np.allclose(tilt(one.reference, 3 * one.rewards, 3 * one.temperature), found, **CLOSE)
    split = tilt(np.hstack([one.reference / 2] * 2), np.hstack([one.rewards] * 2), one.temperature)
    assert np.allclose(2 * split[:, : found.shape[1]], found, **CLOSE)
    twice = np.repeat(one.prompt_law / 2, 2), *(np.repeat(x, 2, 0) for x in (found, one.reference))
    assert np.allclose(divergence(*twice), divergence(one.prompt_law, found, one.reference))
    turned = tilt(one.reference[:, ::-1], one.rewards[:, ::-1], one.temperature)
    assert np.allclose(turned[:, ::-1], found, **CLOSE)


def test_a_tiny_temperature_does_not_overflow() -> None:
    law, f = np.array([[0.25, 0.25, 0.5]]), np.array([[1000.0, 1000, -1000]])
    assert tilt(law, f, 1e-3).tolist() == [[0.5, 0.5, 0]]
    assert log_partition(law, f, 1e-3)[0] == pytest.approx(1e6 + np.log(0.5))


def test_a_mean_of_rationals_is_rational() -> None:
    case = CASES[0]
    assert isinstance(mean(case.prompt_law, case.reference, case.rewards), Fraction)


def test_an_infinite_divergence_is_refused() -> None:
    law, p, q = np.ones(1), np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])
    assert divergence(law, q, p) == pytest.approx(np.log(2))
    with pytest.raises(ModelError, match=r"gives response 1 to prompt 0 with probability 0\.5"):
        divergence(law, p, q)


def test_a_temperature_that_is_not_positive_is_refused() -> None:
    law = np.array([[1.0]])
    for wrong in (0.0, -1.0, float("nan"), Fraction(0), flint.arb(0)):
        with pytest.raises(ModelError, match="temperature is"):
            tilt(law, law, wrong)
