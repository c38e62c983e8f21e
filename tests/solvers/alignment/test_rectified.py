"""Rectified costs: beside linear and cone programs, in closed form, and what is refused."""

from fractions import Fraction

import cvxpy
import numpy as np
import pytest
from scipy.optimize import brentq

from holdfast.solvers.alignment import rectified as solver
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.errors import ModelError

HALF = Fraction(1, 2)
TWO = Problem.of([[HALF, HALF]], [[0, 1]], [[0, -2]])
"""Safe and worth 0, or unsafe at cost 2 and worth 1: the exact multiplier is 1/2."""


def drawn(seed: int, *, X: int = 2, Y: int = 4) -> Problem:
    """Response 0 is safe and response 1 is not; eighths."""
    rng = np.random.default_rng(seed)
    costs = rng.integers(-16, 17, (X, Y)) / 8
    costs[:, 0], costs[:, 1] = -abs(costs[:, 0]), abs(costs[:, 1]) + 1 / 8
    reference = rng.integers(1, 9, (X, Y))
    laws = [[Fraction(int(one), int(row.sum())) for one in row] for row in reference]
    law = [Fraction(1, X)] * X
    return Problem.of(laws, rng.integers(-16, 17, (X, Y)) / 8, -costs, prompt_law=law)


def best(case: Problem, rows: str, *, penalty: float = 0, heat: float = 0) -> float:
    """The largest E(R - penalty C+) - heat KL by cvxpy, under constraints by its own words."""
    law, rewards, costs = (
        one.astype(float) for one in (case.prompt_law, case.rewards, -case.safety)
    )
    x = cvxpy.Variable(rewards.shape, nonneg=True)
    excess = np.maximum(costs, 0)
    limits = {
        "": [],
        "critical": [cvxpy.multiply(x, excess) <= 0],
        "prompt": [cvxpy.sum(cvxpy.multiply(x, costs), axis=1) <= 0],
        "average": [law @ cvxpy.sum(cvxpy.multiply(x, costs), axis=1) <= 0],
    }[rows]
    gains = cvxpy.sum(cvxpy.multiply(x, rewards - penalty * excess), axis=1)
    if heat:
        gains -= heat * cvxpy.sum(cvxpy.rel_entr(x, case.reference.astype(float)), axis=1)
    goal = cvxpy.Maximize(law @ gains)
    return float(cvxpy.Problem(goal, [cvxpy.sum(x, axis=1) == 1, *limits]).solve("CLARABEL"))


@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_linear_programs(seed: int) -> None:
    case = drawn(seed)
    found = solver.best_values(case)
    for value, rows in zip(found, ("critical", "prompt", "average"), strict=True):
        assert float(value) == pytest.approx(best(case, rows), abs=1e-6)
    exact = solver.exact_multiplier(case)
    for penalty in (exact, exact + 1, exact / 2):
        assert float(solver.penalised(case, penalty)) == pytest.approx(
            best(case, "", penalty=float(penalty)), abs=1e-6
        )
    assert solver.penalised(case, exact) == found[0]
    assert exact == 0 or solver.penalised(case, exact * Fraction(9, 10)) > found[0]


@pytest.mark.parametrize("seed", range(3))
def test_policies_are_those_of_cone_programs(seed: int) -> None:
    case = drawn(seed).floats()
    for policy, rows, penalty in (
        (solver.critical_policy(case), "critical", 0.0),
        (solver.penalty_policy(case, 3.0), "", 3.0),
    ):
        field = case.rewards - penalty * solver.excess(case)
        used = np.where(policy > 0, policy, 1)
        costs = policy * np.log(used / case.reference)
        value = case.prompt_law @ (policy * field - costs).sum(axis=1)
        assert value == pytest.approx(best(case, rows, penalty=penalty, heat=1), abs=1e-6)


def test_a_problem_by_hand() -> None:
    assert solver.exact_multiplier(TWO) == HALF
    assert solver.best_values(TWO) == (0, 0, 0)
    assert solver.penalised(TWO, Fraction(1, 4)) == HALF
    assert (solver.safe_choice(TWO) == [[1, 0]]).all()
    # the tilt of e^0 and e^(1 - 2 * 2)
    assert float(solver.penalty_policy(TWO, 2)[0, 1]) == pytest.approx(1 / (1 + np.e**3))
    # temperature 1 (1 + 1): e^0 and e^((1 - 2)/2)
    assert float(solver.lagrangian_policy(TWO, 1)[0, 1]) == pytest.approx(1 / (1 + np.e**0.5))


def test_costs_that_are_scaled_divide_the_multiplier() -> None:
    case = drawn(1)
    scaled = Problem.of(case.reference, case.rewards, 5 * case.safety)
    assert solver.exact_multiplier(scaled) * 5 == solver.exact_multiplier(case)


def test_a_prompt_that_is_never_asked_sets_no_multiplier() -> None:
    case = Problem.of([[HALF, HALF]] * 2, [[0, 1], [0, 9]], [[0, -2]] * 2, prompt_law=[1, 0])
    assert solver.exact_multiplier(case) == HALF


def test_one_response_and_a_cost_of_zero() -> None:
    only = Problem.of([[1]], [[3]], [[0]])
    assert solver.exact_multiplier(only) == 0
    assert solver.best_values(only) == (3, 3, 3)
    assert solver.critical_policy(only)[0, 0].contains(1)


def test_descent_in_floats_is_that_in_balls_and_by_hand() -> None:
    exact = solver.mirror_descent(TWO, 6, HALF, rate=Fraction(1, 4))
    floats = solver.mirror_descent(TWO.floats(), 6, 0.5, rate=0.25)
    logit, multiplier = 0.0, 0.0
    for t in range(6):
        unsafe = 1 / (1 + np.exp(-logit))
        for run in (exact, floats):
            assert float(run.violations[t]) == pytest.approx(2 * unsafe, abs=1e-12)
            assert float(run.multipliers[t]) == pytest.approx(multiplier, abs=1e-12)
        logit += 0.5 * (1 - 2 * multiplier)
        multiplier += 0.25 * 2 * unsafe
    assert float(exact.last) == pytest.approx(multiplier, abs=1e-12)
    assert len(floats.policies) == 7


def test_signed_costs_hold_the_multiplier_at_zero() -> None:
    case = Problem.of([[HALF, HALF]] * 2, [[0, 1], [0, 0]], [[0, -1], [1, 1]])
    assert solver.mirror_descent(case, 3, 1, rate=1, signed=True).last == 0
    assert solver.mirror_descent(case, 3, 1, rate=1).last > 0


def compensated(rng: np.random.Generator) -> tuple[float, float] | None:
    """E C+ and the share of prompts with E[C|x] > 0 at the optimum for E C <= 0, by a root of E C;
    None where no policy meets the constraint."""
    reference = rng.dirichlet(np.ones(5), 3)
    rewards, costs = rng.normal(size=(2, 3, 5))

    def policy(multiplier: float) -> np.ndarray:
        logs = np.log(reference) + (rewards - multiplier * costs) / 0.1
        found = np.exp(logs - logs.max(axis=1, keepdims=True))
        return found / found.sum(axis=1, keepdims=True)

    def cost(multiplier: float) -> float:
        return float((policy(multiplier) * costs).sum())

    if cost(1e3) >= 0:
        return None
    found = policy(0.0 if cost(0) <= 0 else brentq(cost, 0, 1e3))
    over = (found * np.maximum(costs, 0)).sum() / 3
    return float(over), float(((found * costs).sum(axis=1) > 0).mean())


def test_compensation_is_common() -> None:
    """RP-2, which counts 0.24 and 39.5 % on other draws."""
    rng = np.random.default_rng(0)
    found = np.array([one for _ in range(300) if (one := compensated(rng))])
    assert len(found) > 100
    assert np.allclose(found.mean(axis=0), [0.24, 0.40], atol=0.1)


def test_the_lagrangian_of_a_log_multiplier_stays_below_its_cap() -> None:
    policy, last = solver.ppo_lagrangian(TWO, 200)
    assert last == 5.0
    assert policy[0, 1] == pytest.approx(1 / (1 + np.e**1.5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: solver.best_safe(Problem.of([[1]], [[0]], [[-3]])), "least cost is 3"),
        (lambda: solver.penalised(TWO, -1), "multiplier is -1"),
        (lambda: solver.penalty_policy(TWO, float("nan")), "multiplier is nan"),
        (lambda: solver.lagrangian_policy(TWO, -HALF), "multiplier is -1/2"),
        (lambda: solver.mirror_descent(TWO, 0, 1), "steps is 0"),
        (lambda: solver.mirror_descent(TWO, 2.5, 1), "steps is 2.5"),
        (lambda: solver.mirror_descent(TWO, 1, 0), "step is 0"),
        (lambda: solver.mirror_descent(TWO, 1, 1, rate=-1), "rate is -1"),
        (lambda: solver.ppo_lagrangian(TWO, -1), "rounds is -1"),
        (lambda: solver.ppo_lagrangian(TWO, 1, rate=float("inf")), "rate is inf"),
        (lambda: solver.ppo_lagrangian(TWO, 1, largest=0), "largest is 0"),
        (
            lambda: solver.two_branch_update(np.ones(2), np.zeros(2), np.zeros(2), 1),
            "policy has sum 2",
        ),
        (lambda: solver.two_branch_update(np.ones(1), np.zeros(2), np.zeros(2), 1), "shape"),
    ],
)
def test_what_is_refused(call, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
