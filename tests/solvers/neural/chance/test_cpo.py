"""The step of CPO: the closed form against a conic solver, in each of its four cases."""

from collections.abc import Callable
from typing import Any

import cvxpy
import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.chance.cpo import CpoOptions
from holdfast.solvers.neural.chance.linearised import Step, linearised_step
from holdfast.solvers.neural.parts.training import options_from

SOLVED = 1e-6
"""Clarabel ends at a gap of 1e-8.  Objectives are compared, not steps: around the edge of a ball
the objective is flat to second order, so that steps are known to the root of that only."""
Solver = Callable[[float, float, float, float, float], Step]

CASES = {
    # the cost exceeds the limit by more than the region can lower it: |c| / sqrt(2 delta s) > 1
    "infeasible": (2.0, "recovery"),
    # the region lies within the limit: no step in it raises the cost to the limit
    "never": (-2.0, "free"),
    # the best step of the region would go past the limit
    "at the limit": (0.0, "bound"),
    "above, and can be met": (0.5, "bound"),
}
"""Name -> (excess as a share of sqrt(2 delta s), the case that it must be)."""


def drawn(seed: int) -> dict[str, Any]:
    """A positive definite H and gradients whose angle is acute, so that reward costs."""
    stream = np.random.Generator(np.random.Philox(seed))
    factor = stream.normal(size=(5, 5))
    g, noise = stream.normal(size=(2, 5))
    return {"H": factor @ factor.T + 0.1 * np.eye(5), "g": g, "b": g + noise / 2, "radius": 0.01}


def numbers(some: dict[str, Any]) -> tuple[float, float, float]:
    inverse = np.linalg.inv(some["H"])
    pairs = ("gg", "gb", "bb")
    return tuple(float(some[x] @ inverse @ some[y]) for x, y in pairs)  # type: ignore[return-value]


def by_cvxpy(some: dict[str, Any], excess: float) -> np.ndarray | None:
    """The solution of the problem as it is written, or None if nothing is feasible."""
    x = cvxpy.Variable(5)
    region = [cvxpy.quad_form(x, some["H"]) <= 2 * some["radius"]]
    best = cvxpy.Problem(cvxpy.Maximize(some["g"] @ x), [*region, excess + some["b"] @ x <= 0])
    best.solve(solver="CLARABEL")
    return None if "infeasible" in best.status else x.value


def lowest_cost(some: dict[str, Any]) -> np.ndarray:
    x = cvxpy.Variable(5)
    region = [cvxpy.quad_form(x, some["H"]) <= 2 * some["radius"]]
    cvxpy.Problem(cvxpy.Minimize(some["b"] @ x), region).solve(solver="CLARABEL")
    found: np.ndarray = x.value
    return found


def error(solver: Solver, some: dict[str, Any], excess: float) -> float:
    """The largest of what a step exceeds region and limit by, and of what its objective lacks.

    Where the limit cannot be kept, the objective is the cost alone.  All relative to the region.
    """
    q, r, s = numbers(some)
    radius = some["radius"]
    step = solver(q, r, s, excess, radius)
    x = np.linalg.solve(some["H"], step.reward * some["g"] + step.cost * some["b"])
    outside = float(x @ some["H"] @ x) / (2 * radius) - 1
    best = by_cvxpy(some, excess)
    if best is None:
        lacking = some["b"] @ (x - lowest_cost(some)) / np.sqrt(2 * radius * s)
        return max(outside, float(lacking))
    above = float(excess + some["b"] @ x) / np.sqrt(2 * radius * s)
    lacking = some["g"] @ (best - x) / np.sqrt(2 * radius * q)
    return max(outside, above, float(lacking))


def excess_of(some: dict[str, Any], share: float) -> float:
    return share * float(np.sqrt(2 * some["radius"] * numbers(some)[2]))


@pytest.mark.parametrize(("share", "case"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("seed", range(5))
def test_the_step_is_the_solution(seed: int, share: float, case: str) -> None:
    some = drawn(seed)
    excess = excess_of(some, share)
    assert linearised_step(*numbers(some), excess, some["radius"]).case == case
    assert error(linearised_step, some, excess) < SOLVED


@pytest.mark.parametrize("seed", range(5))
def test_a_gradient_that_lowers_the_cost_leaves_the_limit_alone(seed: int) -> None:
    """Turned round, b makes an obtuse angle: the best step of the region lowers the cost."""
    some = drawn(seed)
    some["b"] = -some["b"]
    assert linearised_step(*numbers(some), -1e-4, some["radius"]).case == "free"
    assert error(linearised_step, some, -1e-4) < SOLVED


MUTANTS: dict[str, Solver] = {
    "sign of the cost": lambda q, r, s, c, d: linearised_step(q, -r, s, c, d),
    "sign of the excess": lambda q, r, s, c, d: linearised_step(q, r, s, -c, d),
    "region x.H x <= radius": lambda q, r, s, c, d: linearised_step(q, r, s, c, d / 2),
    "no limit": lambda q, r, s, c, d: linearised_step(q, r, s, -1e9, d),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_wrong_step_is_seen(mutant: Solver) -> None:
    some = drawn(0)
    errors = [error(mutant, some, excess_of(some, share)) for share, _ in CASES.values()]
    assert max(errors) > 1000 * SOLVED


def test_degenerate_steps_stay_finite() -> None:
    """No cost gradient: nothing to recover by.  Parallel gradients: only the cost decides."""
    assert linearised_step(4.0, 0.0, 0.0, 1.0, 0.02) == Step("free", 0.1, 0.0)
    assert linearised_step(0.0, 0.0, 0.0, -1.0, 0.02) == Step("free", 0.0, 0.0)
    # g = b, H = 1 in one dimension: x = -excess, whatever the reward
    assert linearised_step(1.0, 1.0, 1.0, 0.1, 0.02) == Step("bound", 0.0, -0.1)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"batch": 700}, "batch = 700 does not divide n_envs \\* rollout = 7680"),
        ({"damping": 0.0}, "damping = 0.0 must be positive"),
        ({"multiplier": 1.0}, "no option is named 'multiplier'"),
        ({"target_kl": "0.01"}, "target_kl = '0.01' is of type str"),
    ],
)
def test_options_that_cannot_be_meant(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        options_from(CpoOptions, given)
