"""What is proved about a basis of a linear program: its exact solutions, and what they violate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flint import fmpz_mat

from ..exact import SingularMatrixError, Vector
from ..limits import timed
from .bordered import square_solver, transposed_lines
from .program import LinearProgram, LinearSolution, LinearStatistics, LinearStatus


@dataclass(frozen=True, slots=True)
class BasisProof:
    """The exact solutions at a basis and what they violate.

    ``basic`` are the values of the basic columns (in the order of ``basis``), ``dual`` the row
    multipliers for the integer objective; ``infeasible`` lists positions of bad basic values,
    ``entering`` the columns of positive reduced cost, ``ties`` counts zero reduced costs.
    """

    basis: tuple[int, ...]
    basic: Vector
    dual: Vector
    infeasible: tuple[int, ...]
    entering: tuple[int, ...]
    ties: int

    @property
    def optimal(self) -> bool:
        """Whether the basis is proved optimal."""
        return not self.infeasible and not self.entering


def basis_matrix(program: LinearProgram, basis: Sequence[int]) -> fmpz_mat:
    """The square integer matrix of the basic columns."""
    size = program.n_rows
    rows = [[0] * size for _ in range(size)]
    for position, j in enumerate(basis):
        for i, value in zip(*program.column(j), strict=True):
            rows[i][position] = value
    return fmpz_mat(rows)


def basis_solver(
    program: LinearProgram, basis: Sequence[int]
) -> Callable[[Sequence[int], bool], Vector]:
    """solve(right, transposed) for the matrix of the basic columns."""
    columns = [dict(zip(*program.column(j), strict=True)) for j in basis]
    return square_solver(transposed_lines(columns))


def infeasible_positions(
    program: LinearProgram, basis: Sequence[int], basic: Vector
) -> tuple[int, ...]:
    """Positions whose basic value is negative, or nonzero for an artificial column."""
    return tuple(
        position
        for position, j in enumerate(basis)
        if (value := basic.numerators[position]) < 0 or (value and program.is_artificial(j))
    )


def reduced_costs(program: LinearProgram, dual: Vector) -> Iterable[tuple[int, int]]:
    """(column, c_j * denominator - A_j . y) for all columns that may enter a basis."""
    y, bottom = dual.numerators, dual.denominator
    for j, (indices, values) in enumerate(program.columns):
        total = program.objective[j] * bottom
        for i, value in zip(indices, values, strict=True):
            total -= value * y[i]
        yield j, total
    for i, equal in enumerate(program.equality):
        if not equal:
            yield program.n_columns + i, -y[i]


def prove_basis(
    program: LinearProgram, basis: Sequence[int], statistics: LinearStatistics | None = None
) -> BasisProof:
    """Exact primal and dual solutions of a basis; raises SingularMatrixError if it is none."""
    seconds = (statistics or LinearStatistics()).seconds
    _check_size(program, basis)
    with timed(seconds, "matrix"):
        solve = basis_solver(program, basis)
    with timed(seconds, "exact primal"):
        basic = solve(program.rhs, False)
    with timed(seconds, "exact dual"):
        dual = solve([program.cost(j) for j in basis], True)
    with timed(seconds, "exact check"):
        inside = set(basis)
        outside = [(j, d) for j, d in reduced_costs(program, dual) if d >= 0 and j not in inside]
    entering, bad = tuple(j for j, d in outside if d), infeasible_positions(program, basis, basic)
    return BasisProof(tuple(basis), basic, dual, bad, entering, len(outside) - len(entering))


def _check_size(program: LinearProgram, basis: Sequence[int]) -> None:
    if len(basis) != program.n_rows or len(set(basis)) != len(basis):
        raise SingularMatrixError(
            f"{len(set(basis))} distinct columns for {program.n_rows} rows; "
            "a basis has one column a row"
        )


def optimal_solution(
    program: LinearProgram, proof: BasisProof, statistics: LinearStatistics
) -> LinearSolution:
    """The solution record of a basis proved optimal."""
    primal = [0] * program.n_columns
    for position, j in enumerate(proof.basis):
        if j < program.n_columns:
            primal[j] = proof.basic.numerators[position]
    x = Vector(tuple(primal), proof.basic.denominator)
    dual = Vector(proof.dual.numerators, proof.dual.denominator * program.objective_denominator)
    statistics.denominator_bits = x.denominator.bit_length()
    return LinearSolution(
        LinearStatus.OPTIMAL,
        program,
        x.dot(program.objective, program.objective_denominator),
        x,
        dual,
        basis=proof.basis,
        unique=proof.ties == 0,
        statistics=statistics,
    )
