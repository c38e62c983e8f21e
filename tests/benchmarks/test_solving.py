"""The certified solver on random constrained MDPs, beside float solvers of the same program.

Branching 4, gamma 9/10, one cost whose budget binds.  Peers: HiGHS as called by the solver itself,
scipy's interface to HiGHS, and cvxpy's default solver, all on the occupancy program.  No time is
asserted; the values must agree with the exact one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from holdfast.solvers import CMDP, enclose, solve
from holdfast.solvers.improvement import FloatModel
from holdfast.verify.kernel import check

SIZES = (200, 1000)
ROUNDS = {200: 5, 1000: 1}


def random_graph(states: int, actions: int = 4, seed: int = 0) -> CMDP:
    """Probabilities over 1000, rewards and costs over 100, the budget half-way between extremes."""
    rng = np.random.default_rng(seed)
    size = states * actions
    successors = np.concatenate([rng.choice(states, 4, replace=False) for _ in range(size)])
    weights = np.concatenate([rng.multinomial(996, [0.25] * 4) + 1 for _ in range(size)])
    model = CMDP(
        states, np.arange(states + 1) * actions, np.tile(np.arange(actions), states),
        np.arange(size + 1) * 4, successors, weights, rng.integers(0, 101, size), 100,
        rng.integers(0, 101, (1, size)), (100,), (Fraction(0),), Fraction(9, 10),
        np.ones(states, dtype=int),
    )  # fmt: skip
    floats, cost = FloatModel.of(model), model.cost_vector(0).floats()
    greedy, _ = floats.iterate(model.reward_vector().floats())
    low = -floats.iterate(-cost)[1].mean()
    middle = round(500 * (low + floats.values(greedy, cost).mean()))
    return model.with_budgets(Fraction(middle, 1000))


@pytest.fixture(scope="module", params=SIZES, ids=lambda states: f"{states}x4")
def model(request: pytest.FixtureRequest) -> CMDP:
    return random_graph(request.param)


_EXACT: dict[int, tuple[float, float]] = {}


def exact(model: CMDP) -> tuple[float, float]:
    """(value, seconds) of the certified solution, for the peers to be compared with."""
    if model.n_states not in _EXACT:
        seconds, answer = timed(lambda: solve(model), ROUNDS[model.n_states])
        _EXACT[model.n_states] = float(answer.value), seconds
    return _EXACT[model.n_states]


def timed(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    best, result = float("inf"), None
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def occupancy_arrays(model: CMDP) -> tuple[Any, ...]:
    """(reward, flow matrix, initial law, cost, budget) in floats."""
    p = sp.lil_matrix((model.n_choices, model.n_states))
    for k in range(model.n_choices):
        for t, probability in model.transition_row(k):
            p[k, t] = float(probability)
    owners = sp.csr_matrix(
        (np.ones(model.n_choices), (np.arange(model.n_choices), model.choice_states))
    )
    flow = (owners - float(model.discount) * p.tocsr()).T.tocsr()
    initial = np.array([float(v) for v in model.initial_vector().fractions()])
    cost, reward = model.cost_vector(0).floats(), model.reward_vector().floats()
    return reward, flow, initial, cost, float(model.budgets[0])


def versus(model: CMDP, seconds: float) -> str:
    return f"certified takes {exact(model)[1] / seconds:.1f} times as long"


def test_certified(benchmark, table, model: CMDP) -> None:
    answer = benchmark.pedantic(solve, (model,), rounds=ROUNDS[model.n_states], warmup_rounds=1)
    best = benchmark.stats.stats.min
    _EXACT[model.n_states] = float(answer.value), best
    name = f"{model.n_states} x 4"
    stages = answer.statistics["seconds"]
    table.add(f"certified optimum, {name}", best, f"value {float(answer.value):.6f}")
    table.add(f"  of which the float program, {name}", stages["float"],
              f"certified takes {best / stages['float']:.1f} times as long")  # fmt: skip


def test_enclosure(benchmark, table, model: CMDP) -> None:
    found = benchmark.pedantic(enclose, (model,), rounds=ROUNDS[model.n_states])
    width = float(found.upper - found.lower)
    table.add(f"rigorous enclosure, {model.n_states} x 4", benchmark.stats.stats.min,
              f"width {width:.2g}")  # fmt: skip
    assert float(found.lower) - 1e-6 <= exact(model)[0] <= float(found.upper) + 1e-6


def test_kernel(benchmark, table, model: CMDP) -> None:
    document = solve(model).certificate
    report = benchmark.pedantic(check, (document,), rounds=ROUNDS[model.n_states])
    assert report.accepted
    table.add(f"kernel's check, {model.n_states} x 4", benchmark.stats.stats.min)


def test_scipy(benchmark, table, model: CMDP) -> None:
    reward, flow, initial, cost, budget = occupancy_arrays(model)

    def work() -> float:
        found = linprog(-reward, A_ub=cost[None], b_ub=[budget], A_eq=flow, b_eq=initial,
                        method="highs")  # fmt: skip
        return -found.fun

    value = benchmark.pedantic(work, rounds=3)
    seconds = benchmark.stats.stats.min
    table.add(f"scipy linprog (highs), {model.n_states} x 4", seconds, versus(model, seconds))
    assert value == pytest.approx(exact(model)[0], rel=1e-5)


def test_cvxpy(benchmark, table, model: CMDP) -> None:
    cvxpy = pytest.importorskip("cvxpy")
    reward, flow, initial, cost, budget = occupancy_arrays(model)

    def work() -> tuple[float, str]:
        rho = cvxpy.Variable(model.n_choices, nonneg=True)
        limits = [flow @ rho == initial, cost @ rho <= budget]
        problem = cvxpy.Problem(cvxpy.Maximize(reward @ rho), limits)
        return problem.solve(), problem.solver_stats.solver_name

    value, solver = benchmark.pedantic(work, rounds=3)
    seconds = benchmark.stats.stats.min
    table.add(f"cvxpy ({solver}), {model.n_states} x 4", seconds, versus(model, seconds))
    assert value == pytest.approx(exact(model)[0], rel=1e-4)
