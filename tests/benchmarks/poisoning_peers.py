"""Other solvers on the least number of label flips, each called the way its documentation says.

All labels are benign at one, so that the flips v = -zeta solve the linear program

    min sum v   s.t.   Phi v = Phi (1 - target),   0 <= v <= 1,

which has n rows and N columns: the smallest way to write it.  First-order methods get rows and
objective divided by the number of pairs.  An ``Answer`` has the value, the seconds the solver took,
by how much its solution misses the moments (relative to the greatest), and how many labels are
neither 0 nor 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from peers import best, configure

TOLERANCE = 1e-7
_FRACTION = 1e-6
WORDS = {"one-hot": (1, 0), "two groups": (1, 1), "words": (10, 10)}
"""Words of the chosen and of the rejected response; one word is a group that a pair is in."""


@dataclass(frozen=True)
class Flips:
    """Features Phi (n, N), mostly Gaussian, and the flips of an attack (N) of 5 % of the labels."""

    features: np.ndarray
    flipped: np.ndarray

    @classmethod
    def draw(cls, n: int, pairs: int, attack: str, seed: int = 0) -> Flips:
        """Attack "random", or "length": the pairs with the largest values of a noisy feature.

        The random attacks of ``WORDS`` have features of their own: how often a response has each of
        n words, the chosen one less the rejected one.
        """
        rng = np.random.default_rng(seed)
        if attack in WORDS:
            features = np.zeros((n, pairs))
            for sign, words in zip((1, -1), WORDS[attack], strict=True):
                for _ in range(words):
                    features[rng.integers(n, size=pairs), np.arange(pairs)] += sign
        else:
            features = rng.standard_normal((n, pairs))
        count = pairs // 20
        flipped = np.zeros(pairs)
        if attack != "length":
            flipped[rng.choice(pairs, count, replace=False)] = 1
        else:
            noisy = features[0] + 0.3 * rng.standard_normal(pairs)
            flipped[np.argpartition(-noisy, count)[:count]] = 1
        return cls(features, flipped)

    @property
    def moment(self) -> np.ndarray:
        return self.features @ self.flipped

    def answer(self, seconds: float, value: float, v: Any, note: str = "") -> dict[str, Any]:
        v = np.asarray(v)
        missed = np.abs(self.features @ v - self.moment).max() / np.abs(self.moment).max()
        fractional = int(((v > _FRACTION) & (v < 1 - _FRACTION)).sum())
        return {
            "seconds": seconds, "value": float(value), "missed": float(missed),
            "fractional": fractional, "note": note,
        }  # fmt: skip


def highs(flips: Flips, limit: float, solver: str) -> dict[str, Any]:
    import highspy

    n, pairs = flips.features.shape
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = pairs, n
    program.col_cost_ = np.ones(pairs)
    program.col_lower_, program.col_upper_ = np.zeros(pairs), np.ones(pairs)
    program.row_lower_ = program.row_upper_ = flips.moment
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.arange(0, n * pairs + 1, n, dtype=np.int32)
    program.a_matrix_.index_ = np.tile(np.arange(n, dtype=np.int32), pairs)
    program.a_matrix_.value_ = flips.features.T.ravel()
    engine = highspy.Highs()
    configure(engine, solver=solver, run_crossover="on")
    engine.passModel(program)

    def run() -> None:
        engine.clearSolver()
        engine.run()

    seconds, _ = best(run, limit)
    status = engine.modelStatusToString(engine.getModelStatus())
    note = "" if status == "Optimal" else f"status {status}"
    return flips.answer(seconds, engine.getObjectiveValue(), engine.getSolution().col_value, note)


def scipy_highs(flips: Flips, limit: float) -> dict[str, Any]:
    from scipy.optimize import linprog

    def work() -> Any:
        return linprog(
            np.ones(len(flips.flipped)), A_eq=flips.features, b_eq=flips.moment, bounds=(0, 1),
            method="highs",
        )  # fmt: skip

    seconds, found = best(work, limit)
    return flips.answer(seconds, found.fun, found.x, "" if found.status == 0 else found.message)


def cvxpy_default(flips: Flips, limit: float) -> dict[str, Any]:
    import cvxpy

    def work() -> tuple[Any, Any]:
        v = cvxpy.Variable(len(flips.flipped))
        limits = [flips.features @ v == flips.moment, v >= 0, v <= 1]
        program = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum(v)), limits)
        program.solve()
        return program, v.value

    seconds, (program, v) = best(work, limit)
    return flips.answer(seconds, program.value, v, program.solver_stats.solver_name)


def ortools_pdlp(flips: Flips, limit: float) -> dict[str, Any]:
    from ortools.pdlp import solve_log_pb2, solvers_pb2
    from ortools.pdlp.python import pdlp

    pairs = len(flips.flipped)
    program = pdlp.QuadraticProgram()
    program.objective_vector = np.full(pairs, 1 / np.sqrt(pairs))
    program.constraint_matrix = sp.csc_matrix(flips.features / np.sqrt(pairs))
    program.constraint_lower_bounds = flips.moment / np.sqrt(pairs)
    program.constraint_upper_bounds = program.constraint_lower_bounds
    program.variable_lower_bounds, program.variable_upper_bounds = np.zeros(pairs), np.ones(pairs)
    options = solvers_pb2.PrimalDualHybridGradientParams()
    accuracy = options.termination_criteria.simple_optimality_criteria
    accuracy.eps_optimal_absolute = accuracy.eps_optimal_relative = TOLERANCE
    options.num_threads = 2
    seconds, found = best(lambda: pdlp.primal_dual_hybrid_gradient(program, options), limit)
    reason = found.solve_log.termination_reason
    note = "" if reason == solve_log_pb2.TERMINATION_REASON_OPTIMAL else f"ended with {reason}"
    v = found.primal_solution
    return flips.answer(seconds, float(v.sum()), v, note)


PEERS: dict[str, Callable[[Flips, float], dict[str, Any]]] = {
    "HiGHS simplex": lambda flips, limit: highs(flips, limit, "simplex"),
    "HiGHS IPX": lambda flips, limit: highs(flips, limit, "ipx"),
    "HiGHS HiPO": lambda flips, limit: highs(flips, limit, "hipo"),
    "scipy linprog": scipy_highs,
    "cvxpy": cvxpy_default,
    "OR-tools PDLP": ortools_pdlp,
}
