"""HiGHS proposes a simplex basis in floating point.  Nothing it says is believed.

Rows and columns are rescaled to O(1) first: HiGHS drops coefficients of 1e-9 and less with only a
warning, and its dual simplex can fail on objectives of 1e7.  Presolve is off so that the basis it
returns is a basis of the program given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exact import floats_of
from .highs import SECONDS, run_highs
from .program import LinearProgram

_TOLERANCE = 1e-9
_EQUILIBRATIONS = 4


def _scaled(program: LinearProgram) -> tuple[Any, Any, Any, Any, Any]:
    """Column starts, row indices, values, right-hand side and objective, all rescaled to O(1)."""
    lengths = [len(indices) for indices, _ in program.columns]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    rows = np.array([i for indices, _ in program.columns for i in indices], dtype=np.int32)
    values = floats_of([v for _, column in program.columns for v in column])
    owners = np.repeat(np.arange(len(lengths)), lengths)
    row_scale, column_scale = _scales(program, rows, owners, values)
    values = values / column_scale[owners] / row_scale[rows]
    right = floats_of(program.rhs) / row_scale
    objective = floats_of(program.objective) / column_scale
    return starts, rows, values, _normalised(right), _normalised(objective)


def _normalised(vector: Any) -> Any:
    """The vector divided by its largest magnitude (a zero vector stays)."""
    largest = np.abs(vector).max(initial=0.0)
    return vector / largest if largest > 0 else vector


def _scales(program: LinearProgram, rows: Any, owners: Any, values: Any) -> tuple[Any, Any]:
    """Row and column divisors: the program's units, then equilibration of the rows.

    Without units, rows and columns are equilibrated together by square roots of their maxima.
    """
    row_scale = np.ones(program.n_rows)
    if program.units:
        column_scale = floats_of(program.units)
        return _largest(values / column_scale[owners], rows, program.n_rows), column_scale
    column_scale = np.ones(program.n_columns)
    for _ in range(_EQUILIBRATIONS):
        current = values / column_scale[owners] / row_scale[rows]
        row_scale *= np.sqrt(_largest(current, rows, program.n_rows))
        column_scale *= np.sqrt(_largest(current, owners, program.n_columns))
    return row_scale, column_scale


def _largest(values: Any, groups: Any, count: int) -> Any:
    """The largest magnitude in each group, or one where a group is empty."""
    largest = np.zeros(count)
    np.maximum.at(largest, groups, np.abs(values))
    largest[largest == 0] = 1.0
    return largest


def propose_basis(program: LinearProgram, seconds: float = SECONDS) -> tuple[list[int] | None, str]:
    """A proposed basis (None when HiGHS has none) and HiGHS's word for its status."""
    if not program.n_columns:
        return program.unit_basis(), "empty"
    try:
        with np.errstate(all="ignore"):
            data = _scaled(program)
    except OverflowError as problem:
        return None, f"not representable in floating point ({problem})"
    if not all(np.isfinite(part).all() for part in data[2:]):
        return None, "not representable in floating point"
    return _run(program, data, min(seconds, SECONDS))


def _run(
    program: LinearProgram, data: tuple[Any, Any, Any, Any, Any], seconds: float
) -> tuple[list[int] | None, str]:
    import highspy

    starts, rows, values, right, objective = data
    count, size = program.n_columns, program.n_rows
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, size
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_ = objective, np.zeros(count)
    model.col_upper_ = np.full(count, highspy.kHighsInf)
    model.row_lower_ = np.where(np.array(program.equality, dtype=bool), right, -highspy.kHighsInf)
    model.row_upper_ = right
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = starts, rows
    model.a_matrix_.value_ = values
    solver = run_highs(
        model,
        seconds=seconds,
        presolve="off",
        solver="simplex",
        parallel="off",
        primal_feasibility_tolerance=_TOLERANCE,
        dual_feasibility_tolerance=_TOLERANCE,
    )
    status = solver.modelStatusToString(solver.getModelStatus())
    basis = solver.getBasis()
    if not basis.valid:
        return None, status
    basic = highspy.HighsBasisStatus.kBasic
    columns = [j for j, state in enumerate(basis.col_status) if state == basic]
    columns += [count + i for i, state in enumerate(basis.row_status) if state == basic]
    return (columns if len(columns) == size else None), status
