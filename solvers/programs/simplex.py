"""Exact simplex pivots under Bland's rule: repair of a basis that the float solver got wrong.

Phase 1 is the dual simplex with a zero objective.  Every basis is dual feasible for it, so it may
start from any nonsingular basis: take an infeasible basic variable out (artificial ones first, then
the smallest column), bring in the smallest column that moves it towards feasibility.  When no
column does, that row of the tableau is a Farkas vector.  Phase 2 is the primal simplex.  Artificial
columns never come back, and Bland's rule excludes cycling in between, so both phases end.
Each step solves with the basis afresh in FLINT: repairs are rare and short, and limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpz_mat

from ..exact import SingularMatrixError, Vector, solve_flint_system
from ..limits import Allowance, Limits, timed
from .basis import basis_matrix, infeasible_positions, optimal_solution, prove_basis
from .program import LinearProgram, LinearSolution, LinearStatistics, LinearStatus


def repair(
    program: LinearProgram,
    basis: Sequence[int],
    statistics: LinearStatistics | None = None,
    allowance: Allowance | None = None,
) -> LinearSolution:
    """The exact solution by pivots from any basis; a singular one is replaced by unit columns.

    Raises LimitReachedError when the allowance is used up.
    """
    record, allowance = statistics or LinearStatistics(), allowance or Limits().started()
    with timed(record.seconds, "repair"):
        try:
            current, farkas = make_feasible(program, basis, record, allowance)
        except SingularMatrixError:
            current, farkas = make_feasible(program, program.unit_basis(), record, allowance)
    if farkas is not None:
        return _infeasible(program, current, farkas, record)
    return make_optimal(program, current, record, allowance)


def proved_infeasible(
    program: LinearProgram,
    basis: Sequence[int],
    record: LinearStatistics,
    allowance: Allowance,
) -> LinearSolution | None:
    """A proof of infeasibility among the rows of the tableau of a nonsingular basis, or None."""
    with timed(record.seconds, "Farkas vector"):
        matrix = basis_matrix(program, basis)
        basic = solve_flint_system(matrix, program.rhs)
        for position in infeasible_positions(program, basis, basic):
            allowance.look()
            row = _row(program, matrix, basic, position)
            if _first_negative(program, row, set(basis)) is None:
                return _infeasible(program, basis, row, record)
    return None


def _infeasible(
    program: LinearProgram, basis: Sequence[int], farkas: Vector, record: LinearStatistics
) -> LinearSolution:
    record.denominator_bits = farkas.denominator.bit_length()
    return LinearSolution(
        LinearStatus.INFEASIBLE, program, farkas=farkas, basis=tuple(basis), statistics=record
    )


def _row(program: LinearProgram, matrix: fmpz_mat, basic: Vector, position: int) -> Vector:
    """The row of the tableau of an infeasible basic variable, with a negative value.

    A column that is to enter needs a negative entry; where there is none the row itself is a
    Farkas vector.
    """
    unit = [0] * program.n_rows
    unit[position] = 1 if basic.numerators[position] < 0 else -1
    return solve_flint_system(matrix.transpose(), unit)


def make_feasible(
    program: LinearProgram, basis: Sequence[int], record: LinearStatistics, allowance: Allowance
) -> tuple[list[int], Vector | None]:
    """Phase 1: a primal feasible basis, or the last basis and a Farkas vector."""
    current = list(basis)
    while True:
        matrix = basis_matrix(program, current)
        basic = solve_flint_system(matrix, program.rhs)
        bad = infeasible_positions(program, current, basic)
        if not bad:
            return current, None
        leaving = min(bad, key=lambda p: (not program.is_artificial(current[p]), current[p]))
        row = _row(program, matrix, basic, leaving)
        entering = _first_negative(program, row, set(current))
        if entering is None:
            return current, row
        allowance.pivot()
        current[leaving] = entering
        record.pivots += 1


def _first_negative(program: LinearProgram, row: Vector, inside: set[int]) -> int | None:
    y = row.numerators
    for j in range(program.n_columns + program.n_rows):
        if j in inside or program.is_artificial(j):
            continue
        if sum(v * y[i] for i, v in zip(*program.column(j), strict=True)) < 0:
            return j
    return None


def make_optimal(
    program: LinearProgram, basis: Sequence[int], record: LinearStatistics, allowance: Allowance
) -> LinearSolution:
    """Phase 2 from a primal feasible basis: an optimal solution, or proof of unboundedness."""
    current = list(basis)
    while True:
        proof = prove_basis(program, current, record)
        if proof.infeasible:
            raise AssertionError(f"positions {proof.infeasible[:5]} became infeasible in phase 2")
        if proof.optimal:
            return optimal_solution(program, proof, record)
        entering = min(proof.entering)
        with timed(record.seconds, "repair"):
            leaving = _ratio_test(program, current, proof.basic, entering)
        if leaving is None:
            return LinearSolution(
                LinearStatus.UNBOUNDED, program, basis=tuple(current), statistics=record
            )
        allowance.pivot()
        current[leaving] = entering
        record.pivots += 1


def _ratio_test(
    program: LinearProgram, basis: Sequence[int], basic: Vector, entering: int
) -> int | None:
    right = [0] * program.n_rows
    for i, value in zip(*program.column(entering), strict=True):
        right[i] = value
    direction = solve_flint_system(basis_matrix(program, basis), right).numerators
    for position, j in enumerate(basis):
        if direction[position] and program.is_artificial(j):
            return position  # a zero artificial must stay zero: degenerate pivot, it never returns
    return min(
        (position for position, step in enumerate(direction) if step > 0),
        key=lambda p: (Fraction(basic.numerators[p], direction[p]), basis[p]),
        default=None,
    )
