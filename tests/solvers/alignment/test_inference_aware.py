"""Inference-aware goals: beside BFGS and a cone program, by enumeration, and what is refused."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from math import prod

import cvxpy
import flint
import numpy as np
import pytest
from scipy.optimize import minimize as bfgs

from holdfast.solvers.alignment import inference_aware as solver
from holdfast.solvers.alignment.best_of_n import first_variation
from holdfast.solvers.alignment.tilts import tilt
from holdfast.solvers.errors import ModelError

HALF = Fraction(1, 2)


def goal(seed: int, *, sharpness: float | None = None, Y: int = 4) -> solver.Goal:
    rng = np.random.default_rng(seed)
    rewards = rng.integers(-8, 9, (2, Y)) / 4
    return solver.Goal(
        rng.dirichlet(np.ones(Y)), rewards, [3, 2], np.array([0.5, 1.0]), 0.3, sharpness
    )


def best_by_sum(policy: np.ndarray, rewards: np.ndarray, n: int) -> float:
    """The best of n over all Y^n ordered draws."""
    draws = product(range(len(policy)), repeat=n)
    return sum(prod(policy[list(d)]) * max(rewards[list(d)]) for d in draws)


def loss(case: solver.Goal, policy: np.ndarray) -> float:
    rows = zip(case.rewards, case.counts, strict=True)
    values = np.array([best_by_sum(policy, row, n) for row, n in rows])
    total = case.weights @ values
    if case.sharpness is not None:
        total = -np.log(case.weights @ np.exp(-case.sharpness * values)) / case.sharpness
    return case.temperature * (policy * np.log(policy / case.reference)).sum() - total


@pytest.mark.parametrize("sharpness", [None, 4.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_that_of_bfgs(seed: int, sharpness: float | None) -> None:
    case = goal(seed, sharpness=sharpness)

    def by_logits(logits: np.ndarray) -> float:
        weights = np.exp(logits - logits.max())
        return loss(case, weights / weights.sum())

    least = bfgs(by_logits, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).fun
    policy, inverse = solver.minimize(case)
    assert loss(case, policy) == pytest.approx(least, abs=1e-7)
    assert case.loss(policy) == pytest.approx(loss(case, policy), abs=1e-12)
    with flint.ctx.workprec(128):
        found, value = solver.enclose(case, (policy, inverse))
        assert value.rad() < 1e-25
        assert abs(float(value) - least) < 1e-7
        assert max(abs(float(one) - two) for one, two in zip(found, policy, strict=True)) < 1e-9
    start = np.full(4, 0.25)
    last = case.descend(start, 20)[-1]
    growth = ((case.certified() + 0.3) / case.certified()) ** 20 - 1
    far = (policy * np.log(policy / start)).sum()
    assert -1e-12 <= case.loss(last) - float(value) <= 0.3 * far / growth


def test_the_optimum_is_that_of_a_cone_program() -> None:
    """Best of 2: P(r <= t)^2 is a square, so the sum is a cone program."""
    case = replace(goal(5), counts=[2, 2])
    x, value = cvxpy.Variable(4, nonneg=True), 0
    for weight, rewards in zip(case.weights, case.rewards, strict=True):
        levels = np.unique(rewards)
        value += weight * levels[-1]
        for low, high in pairwise(levels):
            value -= weight * (high - low) * cvxpy.square(cvxpy.sum(x[rewards <= low]))
    value -= case.temperature * cvxpy.sum(cvxpy.rel_entr(x, case.reference))
    best = cvxpy.Problem(cvxpy.Maximize(value), [cvxpy.sum(x) == 1]).solve("CLARABEL")
    assert case.loss(solver.minimize(case)[0]) == pytest.approx(-best, abs=1e-6)


def test_the_first_variation_is_a_derivative() -> None:
    for sharpness in (None, 2.0):
        case, rng = goal(7, sharpness=sharpness), np.random.default_rng(1)
        one, two = rng.dirichlet(np.ones(4), 2)
        step = 1e-6
        ends = [case.value((1 - s) * one + s * two) for s in (step, -step)]
        slope = case.variation(one) @ (two - one)
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("spread", [0, 1])
def test_a_linear_goal_has_a_closed_form(spread: int) -> None:
    """n = 1 or constant rewards: L = 0, and one step is exact."""
    reference, rewards = np.array([0.25, 0.75]), np.array([[0.0, spread]])
    case = solver.Goal(reference, rewards, [1], np.array([2.0]), 0.5)
    assert case.certified() == 0
    target = tilt(reference, 2.0 * rewards[0], 0.5)
    assert np.allclose(case.step(np.array([0.5, 0.5]), 0), target)
    assert np.allclose(solver.minimize(case)[0], target)


def test_one_response_and_limits_of_the_temperature() -> None:
    one = solver.Goal(np.ones(1), np.ones((1, 1)), [4], np.ones(1), 1.0)
    assert solver.minimize(one)[0].tolist() == [1]
    assert one.descend(np.ones(1), 2)[-1].tolist() == [1]
    assert np.allclose(solver.minimize(replace(goal(1), temperature=1e6))[0], goal(1).reference)
    cold = solver.Goal(np.full(2, 0.5), np.array([[0.0, 1.0]]), [2], np.ones(1), 1e-3)
    assert solver.minimize(cold)[0][1] > 0.99


def test_a_sharp_minimum_is_nearly_the_minimum() -> None:
    """It is at most log(m) / sharpness above the least, for weights 1/m."""
    policy = np.array([0.4, 0.3, 0.2, 0.1])
    case = replace(goal(3, sharpness=50.0), weights=np.array([0.5, 0.5]))
    rows = zip(case.rewards, case.counts, strict=True)
    least = min(best_by_sum(policy, row, n) for row, n in rows)
    assert least <= case.value(policy) <= least + np.log(2) / 50


def test_derivatives_of_groups_by_subsets() -> None:
    """Rewards 3, 0, 1 and n = 2: twice the mean of max(3, 0) and max(3, 1), and so on."""
    rewards = np.array([Fraction(3), Fraction(0), Fraction(1)])
    assert solver.unbiased_derivative(rewards, 2).tolist() == [6, 4, 4]
    assert (solver.unbiased_derivative(rewards, 1) == rewards).all()
    third = np.full(3, Fraction(1, 3))
    found = solver.plug_in_derivative(rewards, 2)
    known = first_variation(third, rewards, 2)
    assert (found - found[0] == known - known[0]).all()  # both up to a constant
    assert (solver.plug_in_derivative(np.ones(3), 2) == 2).all()


FAIR, PAIR = np.full(2, 0.5), np.array([[0.0, 1.0]])
ONE, NAN = np.ones(1), float("nan")
CASE = solver.Goal(FAIR, PAIR, [2], ONE, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: solver.Goal(FAIR, PAIR, [0], ONE, 1.0), r"counts\[0\] is 0"),
        (lambda: solver.Goal(FAIR, PAIR, [2.0], ONE, 1.0), r"counts\[0\] is 2.0"),
        (lambda: solver.Goal(FAIR, PAIR * NAN, [2], ONE, 1.0), r"rewards\[0, 0\] is nan"),
        (lambda: solver.Goal(FAIR, PAIR[:, :1], [2], ONE, 1.0), "need"),
        (lambda: solver.Goal(FAIR, PAIR, [2], -ONE, 1.0), r"weights\[0\] is -1"),
        (lambda: solver.Goal(FAIR, PAIR, [2], 0 * ONE, 1.0, 2.0), r"weights\[0\] is 0"),
        (lambda: solver.Goal(FAIR, PAIR, [2], ONE, 0.0), "temperature is 0"),
        (lambda: solver.Goal(FAIR, PAIR, [2], ONE, 1.0, 0.0), "sharpness is 0"),
        (lambda: solver.Goal(np.array([0.0, 1.0]), PAIR, [2], ONE, 1.0), r"reference\[0\] is 0"),
        (lambda: CASE.step(FAIR, -1), "L is -1"),
        (lambda: CASE.step(FAIR, 1, np.zeros(3)), r"slope has shape \(3,\)"),
        (lambda: CASE.value(np.ones(3) / 3), r"policy has shape \(3,\)"),
        (lambda: CASE.descend(np.array([0.0, 1.0]), 1), r"start\[0\] is 0"),
        (lambda: solver.unbiased_derivative(PAIR[0], 3), "at least 3"),
        (lambda: solver.unbiased_derivative(PAIR[0] * NAN, 1), r"rewards\[0\] is nan"),
        (lambda: solver.plug_in_derivative(PAIR[0][:0], 2), "rewards has shape"),
    ],
)
def test_what_is_refused(call, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
