"""WSAC's L and E by loops over states, actions and next states; and its box critic in floats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog

from holdfast.solvers import Policy
from holdfast.solvers.offline.problems import OfflineProblem


def value_at(problem: OfflineProblem, policy: Policy, f: Sequence[Fraction], state: int) -> Any:
    """f(s, pi)."""
    owners = problem.model.choice_states.tolist()
    return sum(p * x for s, p, x in zip(owners, policy.probabilities, f, strict=True) if s == state)


def relative(problem: OfflineProblem, policy: Policy, f: Sequence[Fraction]) -> Any:
    """L under the data law of the population."""
    owners, law = problem.model.choice_states.tolist(), problem.occupancy(problem.behaviour)
    return sum(m * (value_at(problem, policy, f, s) - x)
               for m, s, x in zip(law, owners, f, strict=True))  # fmt: skip


def error(
    problem: OfflineProblem, policy: Policy, f: Sequence[Fraction], signal: Sequence[Fraction]
) -> Any:
    """E under the data law of the population, over the finite W."""
    law, gamma = problem.occupancy(problem.behaviour), problem.model.discount
    residuals = [
        x - signal[k] - gamma * sum(p * value_at(problem, policy, f, t)
                                    for t, p in problem.model.transition_row(k))
        for k, x in enumerate(f)
    ]  # fmt: skip
    return max(abs(sum(m * v * x for m, v, x in zip(law, w, residuals, strict=True)))
               for w in problem.weights)  # fmt: skip


def box_objective(problem: OfflineProblem, policy: Policy, signal: str, beta: float) -> float:
    """The least sign L + beta E over the box class, by scipy in double precision."""
    slope, M, values, low = _affine(problem, policy, signal)
    mu = problem.law.astype(float)
    rows = np.array([mu * np.array(w, dtype=float) for w in problem.weights])
    left, right, ones = rows @ M, rows @ values, -np.ones((len(rows), 1))
    found = linprog(
        np.append(slope, beta),
        A_ub=np.vstack([np.hstack([left, ones]), np.hstack([-left, ones])]),
        b_ub=np.concatenate([right, -right]),
        bounds=[(low, float(problem.horizon))] * len(mu) + [(0, None)],
    )
    return float(found.fun)


def squared_objective(problem: OfflineProblem, policy: Policy, signal: str, beta: float) -> float:
    """The same for squared errors, by an interior point method for cones."""
    import cvxpy

    slope, M, values, low = _affine(problem, policy, signal)
    f = cvxpy.Variable(len(slope), bounds=[low, float(problem.horizon)])
    root = np.sqrt(problem.law.astype(float))
    error = cvxpy.sum_squares(cvxpy.multiply(root, M @ f - values))
    return float(cvxpy.Problem(cvxpy.Minimize(slope @ f + beta * error)).solve(solver="CLARABEL"))


def _affine(
    problem: OfflineProblem, policy: Policy, signal: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Slopes of sign L; M and v of f - T f = M f - v; the lower end of f."""
    sign, low = (1, 0.0) if signal == "reward" else (-1, -float(problem.horizon))
    owners = problem.model.choice_states
    pi = np.array(policy.probabilities, dtype=float)
    mu, P = problem.law.astype(float), problem.transitions.astype(float)
    values = problem.signal("reward" if signal == "reward" else "cost").astype(float)
    slope = sign * ((mu @ (owners[:, None] == owners[None, :])) * pi - mu)
    M = np.eye(len(mu)) - float(problem.model.discount) * P[:, owners] * pi
    return slope, M, values, low
