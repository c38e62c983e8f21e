"""Least sums over a box, exactly:  min sum_j x_j  s.t.  A x = b,  0 <= x <= upper.

HiGHS proposes a basis and which variables sit at their upper bounds; exact solutions of n x n
systems prove it optimal.  Where rounding misled it, exact pivots go on from there, within limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exact import Vector
from ..limits import Limits
from .box_pivots import BoxPivots
from .highs import SECONDS, solve
from .program import LinearProgram, sparse

_GENEROUS = Limits()


@dataclass(frozen=True, slots=True)
class BoxProgram:
    """Integer data: columns (each of n integers), upper bounds (None for none), right sides (n).

    A point with A x = b in the box must exist.
    """

    columns: tuple[tuple[int, ...], ...]
    upper: tuple[int | None, ...]
    rhs: tuple[int, ...]

    def linear_program(self) -> LinearProgram:
        """max -sum of the variables, with their bounds as rows."""
        columns, right = [], list(self.rhs)
        for column, bound in zip(self.columns, self.upper, strict=True):
            indices, values = sparse(column)
            if bound is not None:
                indices, values = (*indices, len(right)), (*values, 1)
                right.append(bound)
            columns.append((indices, values))
        n, bounds = len(self.rhs), len(right) - len(self.rhs)
        relations = (True,) * n + (False,) * bounds
        return LinearProgram(tuple(columns), tuple(right), relations, (-1,) * len(columns))


@dataclass(frozen=True, slots=True)
class BoxSolution:
    """An optimal vertex: primal x and dual y (n).

    basis: the basic variables.
    """

    primal: Vector
    dual: Vector
    basis: tuple[int, ...]


def solve_box_program(program: BoxProgram, limits: Limits = _GENEROUS) -> BoxSolution:
    """The optimal vertex, exactly: HiGHS's basis, and exact pivots from there where it is wrong.

    Raises LimitReachedError when these limits do not suffice.
    """
    if not program.columns:
        return BoxSolution(Vector(()), Vector((0,) * len(program.rhs)), ())
    allowance = limits.started()
    pivots = BoxPivots.of(program.columns, program.upper, program.rhs, allowance)
    found = pivots.solve(*_propose(program, limits.seconds))
    count, bottom = len(program.columns), found.values.denominator
    values = {j: (program.upper[j] or 0) * bottom for j in found.raised}
    values |= zip(found.basis, found.values.numerators, strict=True)
    primal = Vector(tuple(values.get(j, 0) for j in range(count)), bottom)
    return BoxSolution(primal, found.dual, tuple(j for j in found.basis if j < count))


def _propose(program: BoxProgram, seconds: float) -> tuple[list[int], list[int]]:
    """HiGHS's basis, the artificial variable of row i being the i-th after all others, and the
    variables at their upper bounds."""
    # integers of any size: only their quotients are sure to be doubles
    matrix, rhs = np.array(program.columns, dtype=object), np.array(program.rhs, dtype=object)
    count, scale = len(matrix), np.abs(matrix).max(axis=0, initial=0)
    scale[scale == 0] = 1
    finite = [bound for bound in program.upper if bound is not None]
    unit = max(finite or (1, *np.abs(rhs) // scale))
    upper = np.array([np.inf if bound is None else bound / unit for bound in program.upper])
    right = (rhs / (scale * unit)).astype(float)
    found = solve(
        np.ones(count),
        (np.zeros(count), upper),
        (  # all entries: zeros are few
            np.arange(0, count * len(right) + 1, len(right), dtype=np.int32),
            np.tile(np.arange(len(right), dtype=np.int32), count),
            (matrix / scale).ravel().astype(float),
        ),
        (right, right),
        seconds=min(seconds, SECONDS),
    )
    return list(found.basic), [j for j in found.raised if program.upper[j] is not None]
