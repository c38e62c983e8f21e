"""Other solvers on the same model, each called the way its documentation says.

The constrained problem is the occupancy program, written for occupancies times the number of
states, which is the scaling that first-order methods want:

    max <r, x> / S   s.t.   (E - gamma P)^T x = S mu,   <c_i, x> <= S d_i,   x >= 0.

Accuracies are set to 1e-7 where they can be.  An ``Answer`` has the value, the seconds that the
solver took (its own conversion of the arrays included), and by how much its solution exceeds the
budgets, as far as it returns one.
"""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

TOLERANCE = 1e-7
_WORTH_THREADS = 1_000_000  # below, its threads wait for each other most of the time
_TOTAL = 'R{"reward"}max=? [C]'


@dataclass(frozen=True)
class Problem:
    """A model in floating point: P is K x S, ``start`` the first choice of each state."""

    transitions: sp.csr_matrix
    start: np.ndarray
    reward: np.ndarray
    costs: np.ndarray
    budgets: np.ndarray
    discount: float
    initial: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Problem:
        with np.load(path) as data:
            size, count = len(data["initial"]), len(data["reward"])
            matrix = sp.csr_matrix(
                (data["probabilities"], data["successors"], data["indptr"]), shape=(count, size)
            )
            return cls(
                matrix, data["start"], data["reward"], data["costs"], data["budgets"],
                float(data["discount"]), data["initial"],
            )  # fmt: skip

    @property
    def size(self) -> int:
        return len(self.initial)

    @property
    def owners(self) -> np.ndarray:
        """The state of each choice."""
        return np.repeat(np.arange(self.size), np.diff(self.start))

    def flow(self) -> sp.csr_matrix:
        """(E - gamma P)^T."""
        count = len(self.reward)
        ones = sp.csr_matrix((np.ones(count), (np.arange(count), self.owners)), (count, self.size))
        return (ones - self.discount * self.transitions).T.tocsr()

    def scalarised(self, multipliers: np.ndarray) -> Problem:
        """The same model without costs, for the reward r - lambda c."""
        return replace(
            self,
            reward=self.reward - multipliers @ self.costs,
            costs=self.costs[:0],
            budgets=self.budgets[:0],
        )

    def excess(self, occupancy: np.ndarray) -> float:
        """By how much an occupancy (times S) exceeds the budgets."""
        return float(max((self.costs @ occupancy / self.size - self.budgets).max(), 0))


@dataclass(frozen=True)
class Answer:
    seconds: float
    value: float
    excess: float = 0.0
    note: str = ""
    values: Any = None  # of the states, where the method is asked for them


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def best(work: Callable[[], Any], limit: float = 3600) -> tuple[float, Any]:
    """The best of three runs, or of fewer that took a second together; and the last result.

    The process ends when a run passes the limit, whatever it is doing then.
    """
    least, total = float("inf"), 0.0
    for _ in range(3):
        faulthandler.dump_traceback_later(limit, exit=True)
        seconds, found = timed(work)
        faulthandler.cancel_dump_traceback_later()
        least, total = min(least, seconds), total + seconds
        if total > 1:
            break
    return least, found


# -- the constrained problem -----------------------------------------------------------------------
def configure(engine: Any, **options: Any) -> None:
    """Set options of HiGHS, silently; it would go on with another solver where one is missing.

    Raises ModuleNotFoundError where an option is refused: HiPO comes in a package of its own.
    """
    import highspy

    engine.setOptionValue("output_flag", False)
    for name, value in options.items():
        if engine.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise ModuleNotFoundError(f"No module named 'highspy_extras': HiGHS refuses {value!r}")


def highs(problem: Problem, limit: float, solver: str) -> Answer:
    import highspy

    matrix = sp.vstack([problem.flow(), sp.csr_matrix(problem.costs)]).tocsc()
    size, count = problem.size, len(problem.reward)
    free = np.full(len(problem.budgets), -highspy.kHighsInf)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = count, matrix.shape[0]
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = problem.reward
    program.col_lower_, program.col_upper_ = np.zeros(count), np.full(count, highspy.kHighsInf)
    program.row_lower_ = np.concatenate([size * problem.initial, free])
    program.row_upper_ = size * np.concatenate([problem.initial, problem.budgets])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_, program.a_matrix_.value_ = matrix.indices, matrix.data
    engine = highspy.Highs()
    configure(
        engine,
        solver=solver,
        run_crossover="off",
        ipm_optimality_tolerance=TOLERANCE,
        pdlp_optimality_tolerance=TOLERANCE,
    )
    engine.passModel(program)

    def run() -> None:
        engine.clearSolver()
        engine.run()

    seconds, _ = best(run, limit)
    status = engine.modelStatusToString(engine.getModelStatus())
    occupancy = np.array(engine.getSolution().col_value)
    return Answer(
        seconds,
        engine.getObjectiveValue() / size,
        problem.excess(occupancy),
        "" if status == "Optimal" else f"status {status}",
    )


def cvxpy_default(problem: Problem, limit: float) -> Answer:
    import cvxpy

    flow, size = problem.flow(), problem.size

    def work() -> tuple[Any, Any]:
        x = cvxpy.Variable(len(problem.reward), nonneg=True)
        limits = [flow @ x == size * problem.initial, problem.costs @ x <= size * problem.budgets]
        program = cvxpy.Problem(cvxpy.Maximize(problem.reward @ x), limits)
        program.solve()
        return program, x.value

    seconds, (program, x) = best(work, limit)
    note = program.solver_stats.solver_name
    if program.status != "optimal":
        note += f", {program.status}"
    return Answer(seconds, program.value / size, problem.excess(x), note)


def ortools_pdlp(problem: Problem, limit: float, stop: float = np.inf) -> Answer:
    """With ``stop``, what it has after so many seconds."""
    from ortools.pdlp import solve_log_pb2, solvers_pb2
    from ortools.pdlp.python import pdlp

    size, count = problem.size, len(problem.reward)
    program = pdlp.QuadraticProgram()
    program.objective_vector = -problem.reward
    program.constraint_matrix = sp.vstack([problem.flow(), sp.csr_matrix(problem.costs)]).tocsc()
    program.constraint_lower_bounds = np.concatenate(
        [size * problem.initial, np.full(len(problem.budgets), -np.inf)]
    )
    program.constraint_upper_bounds = size * np.concatenate([problem.initial, problem.budgets])
    program.variable_lower_bounds = np.zeros(count)
    program.variable_upper_bounds = np.full(count, np.inf)
    options = solvers_pb2.PrimalDualHybridGradientParams()
    accuracy = options.termination_criteria.simple_optimality_criteria
    accuracy.eps_optimal_absolute = accuracy.eps_optimal_relative = TOLERANCE
    options.termination_criteria.time_sec_limit = stop
    options.num_threads = 2 if problem.transitions.nnz > _WORTH_THREADS else 1
    seconds, found = best(lambda: pdlp.primal_dual_hybrid_gradient(program, options), limit)
    reason = found.solve_log.termination_reason
    x, values = found.primal_solution, -found.dual_solution[:size]
    note = "" if reason == solve_log_pb2.TERMINATION_REASON_OPTIMAL else f"ended with {reason}"
    excess = problem.excess(x) if len(problem.budgets) else 0.0
    return Answer(seconds, float(problem.reward @ x) / size, excess, note, values)


def storm(problem: Problem, limit: float) -> Answer:
    """Its multi-objective checker, in floating point, with the discount as termination."""
    import stormpy

    model = _storm_model(problem, sink=True)
    environment = stormpy.environments.sound()
    environment.modelchecker().multi().precision = stormpy.Rational(str(TOLERANCE))
    bounds = [f'R{{"cost{i}"}}<={float(d)!r} [C]' for i, d in enumerate(problem.budgets)]
    query = f"multi({', '.join([_TOTAL, *bounds])})"
    return _storm_answer(model, limit, query, environment)


# -- the unconstrained problem ---------------------------------------------------------------------
def quantecon(problem: Problem, limit: float, method: str) -> Answer:
    """DiscreteDP on state-action pairs."""
    from quantecon.markov import DiscreteDP

    actions = np.arange(len(problem.reward)) - problem.start[:-1][problem.owners]

    def work() -> Any:
        program = DiscreteDP(
            problem.reward, problem.transitions, problem.discount, problem.owners, actions
        )
        return program.solve(method=method, epsilon=TOLERANCE)

    seconds, found = best(work, limit)
    value, note = float(problem.initial @ found.v), f"{found.num_iter} iterations"
    return Answer(seconds, value, note=note, values=found.v)


def storm_discounted(problem: Problem, limit: float) -> Answer:
    """Its formula for discounted total rewards, in floating point, sound mode."""
    import stormpy

    query = f'R{{"reward"}}max=? [Cdiscount={problem.discount!r}]'
    environment = stormpy.environments.sound()
    environment.solver().min_max().precision = stormpy.Rational(str(TOLERANCE))
    model = _storm_model(problem, sink=False)
    answer = _storm_answer(model, limit, query, environment, all_states=True)
    return replace(answer, values=problem.discount * answer.values[: problem.size])


def _storm_answer(
    model: Any, limit: float, query: str, environment: Any, *, all_states: bool = False
) -> Answer:
    import stormpy

    formula = stormpy.parse_properties(query)[0]
    seconds, found = best(
        lambda: stormpy.model_checking(
            model, formula, only_initial_states=not all_states, environment=environment
        ),
        limit,
    )
    value = float(found.get_value(model.initial_states[0]))
    values = [found.get_value(state) for state in range(model.nr_states)] if all_states else None
    return Answer(seconds, value, values=None if values is None else np.array(values))


def _storm_model(problem: Problem, *, sink: bool) -> Any:
    """One more state draws from the initial law; with ``sink`` the discount is termination."""
    from stormpy.datastructures import SparseMatrixBuilder
    from stormpy.models import SparseMdp, SparseModelComponents, SparseRewardModel, StateLabeling

    size, count = problem.size, len(problem.reward)
    first, last = size, size + 1
    gamma = problem.discount if sink else 1.0
    drawn = np.flatnonzero(problem.initial).tolist()
    builder = SparseMatrixBuilder(
        rows=count + 1 + sink,
        columns=size + 1 + sink,
        entries=problem.transitions.nnz + len(drawn) + sink * (count + 1),
        has_custom_row_grouping=True,
        row_groups=size + 1 + sink,
    )
    indptr, successors = problem.transitions.indptr.tolist(), problem.transitions.indices.tolist()
    values = (gamma * problem.transitions.data).tolist()
    starts = set(problem.start.tolist())
    for k in range(count):
        if k in starts:
            builder.new_row_group(k)
        for t, p in sorted(zip(successors[slice(*indptr[k : k + 2])],
                               values[slice(*indptr[k : k + 2])], strict=True)):  # fmt: skip
            builder.add_next_value(k, t, p)
        if sink:
            builder.add_next_value(k, last, 1 - gamma)
    builder.new_row_group(count)
    for t in drawn:
        builder.add_next_value(count, t, float(problem.initial[t]))
    if sink:
        builder.new_row_group(count + 1)
        builder.add_next_value(count + 1, last, 1.0)
    labeling = StateLabeling(size + 1 + sink)
    labeling.add_label("init")
    labeling.add_label_to_state("init", first)
    own = np.zeros(1 + sink)
    functions = {"reward": problem.reward, **{f"cost{i}": c for i, c in enumerate(problem.costs)}}
    scale = 1.0 if sink else 1 / problem.discount  # the first step is discounted there
    rewards = {
        name: SparseRewardModel(
            optional_state_action_reward_vector=np.concatenate([scale * f, own]).tolist()
        )
        for name, f in functions.items()
    }
    return SparseMdp(SparseModelComponents(builder.build(), labeling, rewards))


CONSTRAINED: dict[str, Callable[[Problem, float], Answer]] = {
    "HiGHS simplex": lambda problem, limit: highs(problem, limit, "simplex"),
    "HiGHS IPX": lambda problem, limit: highs(problem, limit, "ipx"),
    "HiGHS HiPO": lambda problem, limit: highs(problem, limit, "hipo"),
    "HiGHS PDLP": lambda problem, limit: highs(problem, limit, "pdlp"),
    "OR-tools PDLP": ortools_pdlp,
    "cvxpy": cvxpy_default,
    "Storm": storm,
}
UNCONSTRAINED: dict[str, Callable[[Problem, float], Answer]] = {
    "QuantEcon MPI": lambda problem, limit: quantecon(problem, limit, "mpi"),
    "QuantEcon PI": lambda problem, limit: quantecon(problem, limit, "pi"),
    "Storm discounted": storm_discounted,
    "OR-tools PDLP, a minute": lambda problem, limit: ortools_pdlp(problem, limit, stop=60),
}
