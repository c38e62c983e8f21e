"""Closed forms of alignment: identities a second in floats and in balls, and peers beside them.

The identity is that of the gap, J(tilt) - J(pi) = beta KL(pi | tilt), on problems of 3 prompts with
4 responses each.  scipy computes the same by its own functions; cvxpy finds the optimum in the
exponential cone.  Agreement is asserted, and that a cone program takes longer; no time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import rel_entr, softmax

from holdfast.solvers.alignment import Problem, divergence, objective, tilt
from holdfast.verify.alignment.families.problems import policy, problem
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.engine.examiner import Kind, Shard, run_shard

COUNT, CASE = 200, "gap identity"
Pair = tuple[Problem, np.ndarray]


def cases() -> list[Pair]:
    draws = [PhiloxDraw("alignment", index) for index in range(COUNT)]
    exact = [(one, problem(one)) for one in draws]
    return [(case.floats(), policy(one, case).astype(float)) for one, case in exact]


def by_holdfast(case: Problem, other: np.ndarray) -> tuple[float, float]:
    law, rest = case.prompt_law, (case.reference, case.rewards, case.temperature)
    best = tilt(*rest)
    gap = objective(law, best, *rest) - objective(law, other, *rest)
    return gap, case.temperature * divergence(law, other, best)


def by_scipy(case: Problem, other: np.ndarray) -> tuple[float, float]:
    best = softmax(np.log(case.reference) + case.rewards / case.temperature, axis=1)

    def value(one: np.ndarray) -> float:
        costs = case.temperature * rel_entr(one, case.reference)
        return float(case.prompt_law @ (one * case.rewards - costs).sum(axis=1))

    far = case.prompt_law @ rel_entr(other, best).sum(axis=1)
    return value(best) - value(other), case.temperature * float(far)


def by_cone(case: Problem) -> float:
    cvxpy = pytest.importorskip("cvxpy")
    found = cvxpy.Variable(case.reference.shape, nonneg=True)
    costs = case.temperature * cvxpy.sum(cvxpy.rel_entr(found, case.reference), axis=1)
    gains = cvxpy.sum(cvxpy.multiply(found, case.rewards), axis=1)
    goal = cvxpy.Maximize(case.prompt_law @ (gains - costs))
    return float(cvxpy.Problem(goal, [cvxpy.sum(found, axis=1) == 1]).solve(solver="CLARABEL"))


@pytest.mark.parametrize("compute", [by_holdfast, by_scipy])
def test_floats(table, best, compute: Callable[[Problem, np.ndarray], tuple[float, float]]) -> None:
    given = cases()
    seconds, found = best(lambda: [compute(*pair) for pair in given], 5)
    assert all(left == pytest.approx(right, abs=1e-10) for left, right in found)
    table.add(
        CASE, f"{compute.__name__[3:]}, floats", seconds,
        reference=compute is by_holdfast, note=f"{COUNT / seconds:,.0f} a second",
    )  # fmt: skip


def test_balls(table, best) -> None:
    (claim,) = (one for one in shipped() if one.name == "tilts/gibbs")
    shard = Shard(claim.name, Kind.DRAWN, 0, 50, 0)
    seconds, found = best(lambda: run_shard(claim, shard), 3)
    rate = len(found.findings) / seconds
    table.add(CASE, "holdfast, balls", seconds, note=f"{rate:,.0f} claims a second, mutants too")


def test_a_cone_program(table, best) -> None:
    given = cases()[:10]
    by_cone(given[0][0])
    seconds, found = best(lambda: [by_cone(case) for case, _ in given], 2)
    ours, values = best(lambda: [_value(case) for case, _ in given], 5)
    assert np.allclose(found, values, atol=1e-6)
    assert seconds > ours
    note = f"{seconds / ours:,.0f} times as long as the closed form"
    table.add("optimum of 10 problems", "cvxpy", seconds, note=note)


def _value(case: Problem) -> float:
    rest = case.reference, case.rewards, case.temperature
    return float(objective(case.prompt_law, tilt(*rest), *rest))
