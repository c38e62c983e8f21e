"""The one door to HiGHS: every run is on one thread and limited in time and in iterations.

HiGHS itself takes any time (it can cycle for ever on three states whose numbers span many orders of
magnitude), drops matrix entries of 1e-9 and less with only a warning, and calls feasible programs
infeasible.  Whoever asks it treats the answer as a proposal.  Its simplex method is the one that is
asked, for the interior-point method without crossover leaves no usable basis.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exact import Array

Range = tuple[Array, Array]
"""Lower and upper ends; infinite ones are floats."""
Sparse = tuple[Array, Array, Array]
"""For each column where it starts (n + 1), then the rows and values of its entries."""

SECONDS = 60.0
"""Of a run: far beyond what programs of the sizes that are solved exactly take."""
ITERATIONS, ITERATIONS_EACH = 2_000, 20
"""Simplex iterations of a run: so many, and so many more for each row and column.  Runs that end by
themselves take about one iteration a row; one that cycles is stopped within a tenth of a second on
a tiny program."""
TOLERANCE = 1e-9
"""Of feasibility and optimality, in units of the program: a looser one (HiGHS's own is 1e-7) ends
earlier, at bases that exact pivots must repair; below 1e-10 HiGHS takes none."""
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """What HiGHS says of a program with n columns and m rows.

    Attributes:
        status: in its words; optimal: whether it is "Optimal".
        x: values of the columns (n); y: multipliers of the rows (m), d optimum / d row.
        basic: the basic columns, and n + i for each basic row i; empty if there is no basis.
        raised: columns that are not basic and sit at their upper ends.
    """

    status: str
    optimal: bool
    x: Array
    y: Array
    basic: tuple[int, ...]
    raised: tuple[int, ...]


def solve(
    cost: Array,
    bounds: Range,
    columns: Array | Sparse,
    rows: Range,
    *,
    basis: Sequence[int] | Array | None = None,
    seconds: float = SECONDS,
    maximise: bool = False,
    presolve: bool = False,
    tolerance: float = TOLERANCE,
) -> Answer:
    """Least (or greatest) cost . x with bounds[0] <= x <= bounds[1] and rows[0] <= A x <= rows[1].

    Args:
        columns: A, dense (n, m), one variable a row, or sparse.
        basis: basic columns to start from, n + i for row i; all others at their lower ends.
        presolve: faster on small programs; the basis then is none of the program given.

    Raises KeyboardInterrupt if HiGHS says that it was interrupted: that is no answer.
    """
    import highspy

    solver = highs_instance()
    solver.clearSolver()
    solver.resetOptions()
    for name, value in _options(seconds, len(cost) + len(rows[0]), presolve, tolerance).items():
        solver.setOptionValue(name, value)
    model = _model(cost, bounds, columns, rows, maximise)
    if solver.passModel(model) == highspy.HighsStatus.kError:
        solver.clearModel()  # refused: the status will be "Empty"
    elif basis is not None:
        solver.setBasis(_start(basis, len(cost), len(rows[0])))
    solver.run()
    return _answer(solver)


def highs_instance() -> Any:
    """The HiGHS object of this thread and process (creating one costs more than a tiny solve)."""
    import highspy

    if getattr(_local, "process", None) != os.getpid():
        solver = highspy.Highs()  # type: ignore[no-untyped-call,unused-ignore]
        _local.process, _local.solver = os.getpid(), solver
    return _local.solver


def _options(seconds: float, size: int, presolve: bool, tolerance: float) -> dict[str, Any]:
    return {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "solver": "simplex",
        "presolve": "on" if presolve else "off",
        "primal_feasibility_tolerance": tolerance,
        "dual_feasibility_tolerance": tolerance,
        # The clock of the object never goes back: count from where it stands.
        "time_limit": highs_instance().getRunTime() + seconds,
        "simplex_iteration_limit": ITERATIONS + ITERATIONS_EACH * size,
    }


def _model(cost: Array, bounds: Range, columns: Array | Sparse, rows: Range, maximise: bool) -> Any:
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), len(rows[0])
    model.sense_ = highspy.ObjSense.kMaximize if maximise else highspy.ObjSense.kMinimize
    model.col_cost_, (model.col_lower_, model.col_upper_) = cost, bounds
    model.row_lower_, model.row_upper_ = rows
    matrix = model.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_, matrix.index_, matrix.value_ = (
        columns if isinstance(columns, tuple) else _sparse(columns)
    )
    return model


def _sparse(columns: Array) -> Sparse:
    present = columns != 0
    starts = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
    return starts, np.nonzero(present)[1].astype(np.int32), columns[present]


def _start(basis: Sequence[int] | Array, count: int, size: int) -> Any:
    import highspy

    states = [highspy.HighsBasisStatus.kLower] * (count + size)
    for position in basis:
        states[position] = highspy.HighsBasisStatus.kBasic
    start = highspy.HighsBasis()
    start.col_status, start.row_status, start.valid = states[:count], states[count:], True
    return start


def _answer(solver: Any) -> Answer:
    import highspy

    statuses: Any = highspy.HighsModelStatus  # its stubs lack one name
    basic, upper = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kUpper
    status = solver.getModelStatus()
    if status in (statuses.kInterrupt, statuses.kHighsInterrupt):
        raise KeyboardInterrupt
    solution, basis = solver.getSolution(), solver.getBasis()
    columns, rows = (basis.col_status, basis.row_status) if basis.valid else ([], [])
    return Answer(
        solver.modelStatusToString(status),
        status == statuses.kOptimal,
        np.array(solution.col_value),
        np.array(solution.row_dual),
        tuple(j for j, state in enumerate([*columns, *rows]) if state == basic),
        tuple(j for j, state in enumerate(columns) if state == upper),
    )
