"""HiGHS proposes a simplex basis in floating point.  Nothing it says is believed.

Rows and columns are rescaled to O(1) first: HiGHS drops coefficients of 1e-9 and less with only a
warning, and its dual simplex can fail on objectives of 1e7.  Presolve is off so that the basis it
returns is a basis of the program given.
"""

from __future__ import annotations

import numpy as np

from ..exact import floats_of
from .highs import SECONDS, Array, Sparse, solve
from .program import LinearProgram

_EQUILIBRATIONS = 4
"""Rounds of scaling rows and columns: each takes the square root of how far their largest entries
are from one, and costs a pass over all entries."""


def _scaled(program: LinearProgram) -> tuple[Sparse, Array, Array]:
    """Columns, right-hand side and objective, all rescaled to O(1)."""
    lengths = [len(indices) for indices, _ in program.columns]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    rows = np.array([i for indices, _ in program.columns for i in indices], dtype=np.int32)
    values = floats_of([v for _, column in program.columns for v in column])
    owners = np.repeat(np.arange(len(lengths)), lengths)
    row_scale, column_scale = _scales(program, rows, owners, values)
    values = values / column_scale[owners] / row_scale[rows]
    right = floats_of(program.rhs) / row_scale
    objective = floats_of(program.objective) / column_scale
    return (starts, rows, values), _normalised(right), _normalised(objective)


def _normalised(vector: Array) -> Array:
    """The vector divided by its largest magnitude (a zero vector stays)."""
    largest = np.abs(vector).max(initial=0.0)
    return vector / largest if largest > 0 else vector


def _scales(
    program: LinearProgram, rows: Array, owners: Array, values: Array
) -> tuple[Array, Array]:
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


def _largest(values: Array, groups: Array, count: int) -> Array:
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
            matrix, right, objective = _scaled(program)
    except OverflowError as problem:
        return None, f"not representable in floating point ({problem})"
    if not all(np.isfinite(part).all() for part in (matrix[2], right, objective)):
        return None, "not representable in floating point"
    found = solve(
        objective,
        (np.zeros(len(objective)), np.full(len(objective), np.inf)),
        matrix,
        (np.where(np.array(program.equality, dtype=bool), right, -np.inf), right),
        seconds=min(seconds, SECONDS),
        maximise=True,
    )
    return list(found.basic) if len(found.basic) == program.n_rows else None, found.status
