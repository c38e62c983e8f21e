"""cvxpy beside our solvers of convex problems: an independent computation in floating point.

Each function writes a problem afresh, as its definition reads, from the numbers of a model; it
shares no step with a solver.  The interior point method behind it (Clarabel) states what it
reached; what it only thinks to have reached is no answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cvxpy
import numpy as np

from holdfast.solvers import CMDP
from holdfast.solvers.chance import ChanceProblem
from holdfast.solvers.poisoning import FlipProblem

Array = np.ndarray[Any, Any]
STATED = 1e-8
"""What Clarabel is asked for: the gap over the value, and the rows over the largest entry."""


class NoAnswerError(Exception):
    """The method stopped without the accuracy that it was asked for."""


@dataclass(frozen=True)
class Answer:
    """An optimum in floats; value and point are None where the problem is infeasible.

    error: how far the value may be off at the accuracy stated: by the gap, and by what the rows
    miss, each times its multiplier.
    """

    value: float | None
    point: Array | None = None
    error: float = 0.0

    def agrees(self, lower: Fraction | None, upper: Fraction | None = None) -> bool:
        """Whether the optimum can be that value, or lie between those bounds; None: infeasible."""
        if lower is None or self.value is None:
            return lower is None and self.value is None
        top = lower if upper is None else upper
        return float(lower) - self.error <= self.value <= float(top) + self.error


def answer(problem: cvxpy.Problem, point: cvxpy.Variable | None = None) -> Answer:
    """Solve it; raises NoAnswerError for every status but optimal and infeasible."""
    problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=STATED, tol_gap_rel=STATED, tol_feas=STATED)
    if problem.status == cvxpy.INFEASIBLE:
        return Answer(None)
    if problem.status != cvxpy.OPTIMAL:
        raise NoAnswerError(f"cvxpy ended with {problem.status}; that is no agreement")
    duals = [np.abs(np.asarray(row.dual_value)).sum() for row in problem.constraints]
    largest = max(float(np.abs(variable.value).max()) for variable in problem.variables())
    value = float(problem.value)
    error = STATED * (1 + abs(value) + max(1.0, largest) * float(sum(duals)))
    return Answer(value, None if point is None else np.asarray(point.value), error)


def constrained(model: CMDP) -> Answer:
    """max <r, x> over the occupancies x >= 0 of a discounted model that meet its budgets."""
    gamma, flow = float(model.discount), np.zeros((model.n_states, model.n_choices))
    for k, state in enumerate(model.choice_states.tolist()):
        flow[state, k] += 1
        for successor, probability in model.transition_row(k):
            flow[successor, k] -= gamma * float(probability)
    x = cvxpy.Variable(model.n_choices, nonneg=True)
    rows = [flow @ x == model.initial_vector().floats()]
    for i, budget in enumerate(model.budgets):
        rows.append(model.cost_vector(i).floats() @ x <= float(budget))
    return answer(cvxpy.Problem(cvxpy.Maximize(model.reward_vector().floats() @ x), rows), x)


def flips(problem: FlipProblem, norm: str) -> Answer:
    """min norm(zeta) with Phi zeta = Phi d in the box: "l1", "l2" (the norm itself) or "linf"."""
    features = np.array([row.floats() for row in problem.features])
    zeta = cvxpy.Variable(problem.n_pairs)
    rows = [
        features @ zeta == features @ problem.displacement.floats(),
        zeta <= problem.room_up.floats(),
        zeta >= -problem.room_down.floats(),
    ]
    size = cvxpy.norm(zeta, {"l1": 1, "l2": 2, "linf": "inf"}[norm])
    return answer(cvxpy.Problem(cvxpy.Minimize(size), rows), zeta)


def reward(features: Array, labels: Array, weights: Array, ridge: float) -> Answer:
    """min over y of sum rho_i [log(1 + exp(y.phi_i)) - theta_i y.phi_i] + ridge/2 norm(y)^2."""
    y = cvxpy.Variable(len(features))
    scores = y @ features
    loss = weights @ (cvxpy.logistic(scores) - cvxpy.multiply(labels, scores))
    return answer(cvxpy.Problem(cvxpy.Minimize(loss + ridge / 2 * cvxpy.sum_squares(y))), y)


def chance(problem: ChanceProblem, level: Fraction) -> Answer:
    """The best reward over T decisions with E[sum over visits j of z^(j-1)] <= level.

    The columns are what histories share: time, state, number of visits so far, and the choice.
    """
    model, unsafe, z = problem.model, set(problem.unsafe), float(problem.charge)
    gamma, risk, mass = float(model.discount), 0.0, defaultdict(float)
    worth, start = model.reward_vector().floats(), model.initial_vector().floats()
    ending = np.zeros(model.n_states) if problem.terminal is None else problem.terminal.floats()
    for state in np.flatnonzero(start).tolist():
        visits = int(problem.counts_start and state in unsafe)
        risk += visits * start[state]
        mass[state, visits] += start[state]
    inflow: dict[tuple[int, int], Any] = dict(mass)
    rows, columns, total, spent = [], [], 0.0, risk
    owners = model.choice_states
    for t in range(problem.horizon):
        onward: dict[tuple[int, int], Any] = defaultdict(float)
        for (state, visits), arriving in inflow.items():
            earns = problem.reward_after_violation or not visits
            x = {int(k): cvxpy.Variable(nonneg=True) for k in np.flatnonzero(owners == state)}
            columns += x.values()
            rows.append(sum(x.values()) == arriving)
            for k, taken in x.items():
                total += earns * gamma**t * worth[k] * taken
                for successor, p in model.transition_row(k):
                    hit = successor in unsafe
                    spent += hit * float(p) * (z**visits) * taken
                    onward[successor, visits + hit] += float(p) * taken
        inflow = onward
    for (state, visits), arriving in inflow.items():
        earns = problem.reward_after_violation or not visits
        total += earns * gamma**problem.horizon * ending[state] * arriving
    return answer(cvxpy.Problem(cvxpy.Maximize(total), [*rows, spent <= float(level)]))
