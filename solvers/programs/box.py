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
from .program import LinearProgram

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
        kept = range(len(self.columns))
        n, bounded = len(self.rhs), [j for j in kept if self.upper[j] is not None]
        rows = {j: n + place for place, j in enumerate(bounded)}
        columns = []
        for j in kept:
            entries = [(i, a) for i, a in enumerate(self.columns[j]) if a]
            entries += [(rows[j], 1)] if j in rows else []
            columns.append((tuple(i for i, _ in entries), tuple(a for _, a in entries)))
        uppers = tuple(value for j in bounded if (value := self.upper[j]) is not None)
        return LinearProgram(
            tuple(columns),
            (*self.rhs, *uppers),
            (True,) * n + (False,) * len(bounded),
            (-1,) * len(kept),
        )


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
    basis, upper = _propose(program, limits.seconds)
    pivots = BoxPivots.of(program.columns, program.upper, program.rhs, allowance)
    found = pivots.solve(basis, upper)
    bottom = found.values.denominator
    primal = [0] * len(program.columns)
    for j in found.raised:
        primal[j] = (program.upper[j] or 0) * bottom
    basic = [j for j in found.basis if j < len(primal)]
    for j, value in zip(found.basis, found.values.numerators, strict=True):
        if j < len(primal):
            primal[j] = value
    return BoxSolution(Vector(tuple(primal), bottom), found.dual, tuple(basic))


def _propose(program: BoxProgram, seconds: float) -> tuple[list[int], list[int]]:
    """HiGHS's basis, the artificial variable of row i being the i-th after all others, and the
    variables at their upper bounds."""
    count = len(program.columns)
    # integers of any size: only their quotients are sure to be doubles
    scale = [max(map(abs, row)) or 1 for row in zip(*program.columns, strict=True)]
    matrix = [[a / most for a, most in zip(one, scale, strict=True)] for one in program.columns]
    finite = [bound for bound in program.upper if bound is not None]
    unit = max(finite or (1, *(abs(b) // most for b, most in zip(program.rhs, scale, strict=True))))
    upper = np.array([np.inf if bound is None else bound / unit for bound in program.upper])
    right = np.array([b / (most * unit) for b, most in zip(program.rhs, scale, strict=True)])
    found = solve(
        np.ones(count),
        (np.zeros(count), upper),
        (  # all entries: zeros are few
            np.arange(0, count * len(right) + 1, len(right), dtype=np.int32),
            np.tile(np.arange(len(right), dtype=np.int32), count),
            np.array(matrix).ravel(),
        ),
        (right, right),
        seconds=min(seconds, SECONDS),
    )
    return list(found.basic), [j for j in found.raised if program.upper[j] is not None]
