"""Least sums over a box, exactly:  min sum_j x_j  s.t.  A x = b,  0 <= x <= upper.

HiGHS proposes a basis and which variables sit at their upper bounds; exact solutions of n x n
systems prove it optimal.  Where rounding misled it, the variables whose reduced costs are near zero
are put into a linear program of their own, with their bounds as rows, which is solved exactly; the
others are priced, and join it until none has the wrong sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpz_mat

from ..exact import SingularMatrixError, Vector, solve_flint_system
from ..highs import run_highs
from ..linear_program import LinearProgram, solve_linear_program

_FIRST_BAND = 1e-6
_WIDER = 1e3
_SMALL = 200


@dataclass(frozen=True, slots=True)
class BoxProgram:
    """Integer data: columns (each of n integers), upper bounds (None for none), right sides (n).

    A point with A x = b in the box must exist.
    """

    columns: tuple[tuple[int, ...], ...]
    upper: tuple[int | None, ...]
    rhs: tuple[int, ...]

    def linear_program(self, kept: Sequence[int], fixed: Sequence[int]) -> LinearProgram:
        """max -sum over the kept variables, bounds as rows, with some others at their bounds."""
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
            (*self.remaining(fixed), *uppers),
            (True,) * n + (False,) * len(bounded),
            (-1,) * len(kept),
        )

    def remaining(self, fixed: Sequence[int]) -> list[int]:
        """The right sides less what variables at their upper bounds bring."""
        right = list(self.rhs)
        for j in fixed:
            bound = self.upper[j]
            assert bound is not None
            for i, a in enumerate(self.columns[j]):
                right[i] -= a * bound
        return right

    def reduced_costs(self, y: Vector) -> list[int]:
        """1 - A_j . y for every variable, times the denominator of y."""
        bottom = y.denominator
        return [
            bottom - sum(a * b for a, b in zip(column, y.numerators, strict=True))
            for column in self.columns
        ]


@dataclass(frozen=True, slots=True)
class BoxSolution:
    """An optimal vertex: primal x and dual y (n).

    basis: the basic variables; after a repair, those strictly between their bounds.
    """

    primal: Vector
    dual: Vector
    basis: tuple[int, ...]


def solve_box_program(program: BoxProgram) -> BoxSolution:
    """The optimal vertex, exactly."""
    if not program.columns:
        return BoxSolution(Vector(()), Vector((0,) * len(program.rhs)), ())
    basic, artificial, upper, prices = _propose(program)
    found = None
    if len(basic) + len(artificial) == len(program.rhs):
        found = _proved(program, basic, artificial, upper)
    return found or _repaired(program, prices)


def _proved(
    program: BoxProgram, basic: Sequence[int], artificial: Sequence[int], upper: Sequence[int]
) -> BoxSolution | None:
    """The solution at a basis, if exact arithmetic agrees that it is optimal."""
    n = len(program.rhs)
    units = [[int(i == k) for i in range(n)] for k in artificial]
    transposed = fmpz_mat([*(list(program.columns[j]) for j in basic), *units])
    try:
        x = solve_flint_system(transposed.transpose(), program.remaining(upper))
        y = solve_flint_system(transposed, [1] * len(basic) + [0] * len(artificial))
    except SingularMatrixError:
        return None
    values = x.numerators
    for j, value in zip(basic, values, strict=False):
        bound = program.upper[j]
        if value < 0 or (bound is not None and value > bound * x.denominator):
            return None
    if any(values[len(basic) :]):
        return None
    raised, inside = set(upper), set(basic)
    for j, cost in enumerate(program.reduced_costs(y)):
        if j not in inside and (cost > 0 if j in raised else cost < 0):
            return None
    primal = [0] * len(program.columns)
    for j in upper:
        bound = program.upper[j]
        assert bound is not None
        primal[j] = bound * x.denominator
    for j, value in zip(basic, values, strict=False):
        primal[j] = value
    return BoxSolution(Vector(tuple(primal), x.denominator), y, tuple(basic))


def _repaired(program: BoxProgram, prices: np.ndarray) -> BoxSolution:
    """The same through exact programs over the variables whose reduced costs are near zero."""
    size, everything = len(program.columns), range(len(program.columns))
    band = _FIRST_BAND if size > _SMALL else np.inf
    while True:
        kept = [j for j in everything if abs(prices[j]) <= band]
        fixed = [j for j in everything if prices[j] < -band and program.upper[j] is not None]
        answer = solve_linear_program(program.linear_program(kept, fixed))
        if answer.primal is not None and answer.dual is not None:
            y = Vector(
                tuple(-v for v in answer.dual.numerators[: len(program.rhs)]),
                answer.dual.denominator,
            )
            costs, raised, inside = program.reduced_costs(y), set(fixed), set(kept)
            if all(
                j in inside or (cost <= 0 if j in raised else cost >= 0)
                for j, cost in enumerate(costs)
            ):
                break
        if len(kept) == size:
            raise AssertionError("a program with a feasible point was found infeasible")
        band *= _WIDER
    primal = [0] * size
    bottom = answer.primal.denominator
    for j in fixed:
        primal[j] = (program.upper[j] or 0) * bottom
    for j, value in zip(kept, answer.primal.numerators, strict=True):
        primal[j] = value
    basis = tuple(j for j in kept if 0 < primal[j] != (program.upper[j] or 0) * bottom)
    return BoxSolution(Vector(tuple(primal), bottom), y, basis)


def _propose(program: BoxProgram) -> tuple[list[int], list[int], list[int], np.ndarray]:
    """Basic variables, rows whose artificial is basic, variables at their upper bounds, and the
    reduced costs that HiGHS believes in."""
    import highspy

    n, count = len(program.rhs), len(program.columns)
    # integers of any size: only their quotients are sure to be doubles
    scale = [max(map(abs, row)) or 1 for row in zip(*program.columns, strict=True)]
    matrix = np.array(
        [[a / most for a, most in zip(column, scale, strict=True)] for column in program.columns]
    ).reshape(count, n)
    finite = [bound for bound in program.upper if bound is not None]
    unit = max(finite or (1, *(abs(b) // most for b, most in zip(program.rhs, scale, strict=True))))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, n
    model.col_cost_, model.col_lower_ = np.ones(count), np.zeros(count)
    model.col_upper_ = np.array(
        [highspy.kHighsInf if bound is None else bound / unit for bound in program.upper]
    )
    model.row_lower_ = model.row_upper_ = np.array(
        [value / (most * unit) for value, most in zip(program.rhs, scale, strict=True)]
    )
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(0, count * n + 1, n, dtype=np.int32)
    model.a_matrix_.index_ = np.tile(np.arange(n, dtype=np.int32), count)
    model.a_matrix_.value_ = matrix.ravel()
    solver = run_highs(
        model,
        presolve="off",
        solver="simplex",
        parallel="off",
        primal_feasibility_tolerance=1e-9,
        dual_feasibility_tolerance=1e-9,
    )
    basis, duals = solver.getBasis(), np.array(solver.getSolution().row_dual)
    prices = 1.0 - (matrix @ duals if len(duals) == n else np.ones(count))
    status = highspy.HighsBasisStatus
    places = enumerate(basis.col_status)
    states = [(j, state) for j, state in places] if basis.valid else []
    basic = [j for j, state in states if state == status.kBasic]
    upper = [j for j, state in states if state == status.kUpper and program.upper[j] is not None]
    rows = [i for i, state in enumerate(basis.row_status) if state == status.kBasic]
    return basic, rows if basis.valid else [], upper, prices
