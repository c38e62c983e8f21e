"""The one door to HiGHS: every run is on one thread and limited in time and in iterations.

HiGHS itself takes any time (it can cycle for ever on three states whose numbers span many orders of
magnitude), drops matrix entries of 1e-9 and less with only a warning, and calls feasible programs
infeasible.  Whoever asks it treats the answer as a proposal.
"""

from __future__ import annotations

import os
import threading
from typing import Any

#: Seconds of a run: far beyond what programs of the sizes that are solved exactly take.
SECONDS = 60.0
#: Simplex iterations of a run: so many, and so many more for each row and column.  Runs that end
#: by themselves take about one iteration a row; one that cycles is stopped within a tenth of a
#: second on a tiny program.
ITERATIONS, ITERATIONS_EACH = 2_000, 20
_local = threading.local()


def highs_instance() -> Any:
    """The HiGHS object of this thread and process (creating one costs more than a tiny solve)."""
    import highspy

    if getattr(_local, "process", None) != os.getpid():
        solver = highspy.Highs()  # type: ignore[no-untyped-call,unused-ignore]
        _local.process, _local.solver = os.getpid(), solver
    return _local.solver


def run_highs(
    model: Any, *, seconds: float = SECONDS, basis: Any = None, **options: bool | float | str
) -> Any:
    """Solve a HighsLp afresh and return the HiGHS object (with an empty model if it refuses it).

    Args:
        seconds: the limit; HiGHS's clock never goes back, so it is counted from where it stands.
        basis: a HighsBasis to start from.
        options: of HiGHS, besides silence and one thread.

    Raises KeyboardInterrupt if HiGHS says that it was interrupted: that is no answer.
    """
    import highspy

    solver = highs_instance()
    solver.clearSolver()
    solver.resetOptions()
    size = model.num_col_ + model.num_row_
    limits = {
        "time_limit": solver.getRunTime() + seconds,
        "simplex_iteration_limit": ITERATIONS + ITERATIONS_EACH * size,
    }
    for name, value in {"output_flag": False, "threads": 1, **options, **limits}.items():
        solver.setOptionValue(name, value)
    if solver.passModel(model) == highspy.HighsStatus.kError:
        solver.clearModel()
    elif basis is not None:
        solver.setBasis(basis)
    solver.run()
    if solver.getModelStatus() in _interrupted(highspy):
        raise KeyboardInterrupt
    return solver


def _interrupted(highspy: Any) -> tuple[Any, ...]:
    return highspy.HighsModelStatus.kInterrupt, highspy.HighsModelStatus.kHighsInterrupt


def column_matrix(model: Any, columns: Any) -> None:
    """Give a HighsLp its coefficients: ``columns`` is a dense array, one variable a row."""
    import highspy
    import numpy as np

    present = columns != 0
    matrix = model.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_ = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
    matrix.index_ = np.nonzero(present)[1].astype(np.int32)
    matrix.value_ = columns[present]
