"""Exact linear programs: proofs of proposed bases, and repair of wrong ones."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from holdfast.solvers import (
    LimitReachedError,
    Limits,
    LinearProgram,
    LinearStatus,
    SingularMatrixError,
    solve_linear_program,
)
from holdfast.solvers.programs import highs
from holdfast.solvers.programs.basis import prove_basis
from holdfast.solvers.programs.float_basis import propose_basis
from holdfast.solvers.programs.simplex import repair

# max 3x + 2y, x + y <= 4, x + 3y <= 7, x <= 3: vertex x = 3, y = 1 (row 2: 6 < 7), value 11; the
# duals solve y0 + y2 = 3, y0 = 2, y1 = 0.
TEXTBOOK = LinearProgram.of([3, 2], [[1, 1], [1, 3], [1, 0]], ["<="] * 3, [4, 7, 3])


def assert_optimal(solution):
    """Feasibility of both sides and equal values, in Fractions."""
    program, x, y = solution.program, solution.primal, solution.dual
    left = [Fraction(0)] * program.n_rows
    for j, (rows, values) in enumerate(program.columns):
        assert x[j] >= 0
        slack = sum(v * y[i] for i, v in zip(rows, values, strict=True))
        assert slack >= Fraction(program.objective[j], program.objective_denominator)
        for i, v in zip(rows, values, strict=True):
            left[i] += v * x[j]
    for i, equal in enumerate(program.equality):
        assert left[i] == program.rhs[i] if equal else left[i] <= program.rhs[i] and y[i] >= 0
    assert sum(y[i] * b for i, b in enumerate(program.rhs)) == solution.value


def assert_farkas(solution):
    program, y = solution.program, solution.farkas
    for rows, values in program.columns:
        assert sum(v * y[i] for i, v in zip(rows, values, strict=True)) >= 0
    assert all(equal or y[i] >= 0 for i, equal in enumerate(program.equality))
    assert sum(y[i] * b for i, b in enumerate(program.rhs)) < 0


def random_program(seed):
    rng = random.Random(seed)
    rows, columns = rng.randint(1, 4), rng.randint(1, 6)
    return LinearProgram.of(
        [Fraction(rng.randint(-9, 9), rng.randint(1, 3)) for _ in range(columns)],
        [[rng.choice([0, 0, 1, 2, -1, "1/3"]) for _ in range(columns)] for _ in range(rows)],
        [rng.choice(["=", "<="]) for _ in range(rows)],
        [rng.randint(-2, 6) for _ in range(rows)],
    )


def test_textbook_program():
    solution = solve_linear_program(TEXTBOOK)
    assert (solution.value, solution.unique) == (11, True)
    assert solution.primal.fractions() == (3, 1)
    assert solution.dual.fractions() == (2, 0, 1)
    assert not solution.statistics.repaired


@pytest.mark.parametrize("basis", [b for b in combinations(range(5), 3)])
def test_every_basis_of_the_textbook_program_is_repaired(basis):
    solution = repair(TEXTBOOK, basis)
    assert solution.value == 11
    assert_optimal(solution)


@pytest.mark.parametrize("seed", range(60))
def test_repair_from_the_unit_basis_agrees_with_the_float_proposal(seed):
    program = random_program(seed)
    direct, repaired = solve_linear_program(program), repair(program, program.unit_basis())
    assert direct.status is repaired.status
    if direct.status is LinearStatus.OPTIMAL:
        assert direct.value == repaired.value
        assert_optimal(direct)
        assert_optimal(repaired)
    elif direct.status is LinearStatus.INFEASIBLE:
        assert_farkas(direct)
        assert_farkas(repaired)


def test_the_random_programs_reach_every_status():
    statuses = {solve_linear_program(random_program(seed)).status for seed in range(60)}
    assert statuses == set(LinearStatus)


@pytest.mark.parametrize("basis", [(0, 0, 1), (0, 1), (2, 3, 99)])
def test_impossible_bases_fall_back(basis):
    if max(basis) < 6:
        with pytest.raises(SingularMatrixError):
            prove_basis(TEXTBOOK, basis)
        solution = solve_linear_program(TEXTBOOK, basis=basis)
        assert (solution.value, solution.statistics.repaired) == (11, True)
    else:
        with pytest.raises(IndexError):
            prove_basis(TEXTBOOK, basis)


def test_coefficients_that_the_float_solver_drops_are_repaired():
    # Without the tiny coefficient the second row does not bind: x is bounded only through it.
    # max x + y, 10^-11 x + y <= 1, x <= 10^13: y = 1 - 10^-11 x, so x = 10^11 gives y = 0,
    # and x + y is largest at x = 10^11, y = 0.
    tiny = Fraction(1, 10**11)
    program = LinearProgram.of([1, 1], [[tiny, 1], [1, 0]], ["<=", "<="], [1, 10**13])
    solution = solve_linear_program(program)
    assert solution.value == 10**11
    assert_optimal(solution)


def test_a_wrong_float_answer_is_caught_and_repaired():
    # Two columns whose objectives differ by 1e-30: the floats cannot tell which is better.
    program = LinearProgram.of([1, 1 + Fraction(1, 10**30)], [[1, 1]], ["<="], [1])
    for basis in ([0], [1], [2]):
        solution = solve_linear_program(program, basis=basis)
        assert solution.value == 1 + Fraction(1, 10**30)
        assert solution.statistics.repaired == (basis != [1])


def test_infeasible_by_1e_minus_30_is_proved():
    program = LinearProgram.of([1], [[1], [-1]], ["<=", "<="], [1, -1 - Fraction(1, 10**30)])
    solution = solve_linear_program(program)
    assert solution.status is LinearStatus.INFEASIBLE
    assert_farkas(solution)
    assert solution.certificate()["kind"] == "linear-program-infeasible"


def test_redundant_rows_keep_an_artificial_column_at_zero():
    program = LinearProgram.of([1, 2], [[1, 1], [2, 2]], ["=", "="], [1, 2])
    solution = solve_linear_program(program)
    assert solution.value == 2
    assert_optimal(solution)
    assert repair(program, [0, 2]).value == 2


def test_degenerate_cycling_example_ends():
    # Beale's example, on which the largest-coefficient rule cycles; optimum 1/20.
    program = LinearProgram.of(
        ["3/4", -150, "1/50", -6],
        [["1/4", -60, "-1/25", 9], ["1/2", -90, "-1/50", 3], [0, 0, 1, 0]],
        ["<="] * 3,
        [0, 0, 1],
    )
    assert solve_linear_program(program, basis=program.unit_basis()).value == Fraction(1, 20)


def test_numbers_beyond_floats_are_solved_exactly():
    huge = 10**400
    program = LinearProgram.of([1, 1], [[huge, 1], [1, huge]], ["<=", "<="], [huge, huge])
    assert solve_linear_program(program).value == Fraction(2 * huge, huge + 1)


def test_programs_without_columns_or_with_an_unbounded_ray():
    empty = LinearProgram((), (1,), (False,), ())
    assert solve_linear_program(empty).value == 0
    free = solve_linear_program(LinearProgram.of([1], [[-1]], ["<="], [1]))
    assert free.status is LinearStatus.UNBOUNDED
    with pytest.raises(ValueError, match="no certificate exists for status UNBOUNDED"):
        free.certificate()


def test_bad_programs_are_named():
    with pytest.raises(ValueError, match=r'relation 0 is ">="|relation 0 is \'>=\''):
        LinearProgram.of([1], [[1]], [">="], [1])
    with pytest.raises(ValueError, match="row 0 has 2 entries for 1 variables"):
        LinearProgram.of([1], [[1, 2]], ["="], [1])
    with pytest.raises(ValueError, match="the three must agree"):
        LinearProgram.of([1], [[1]], ["="], [1, 2])
    with pytest.raises(ValueError, match="row 0 is nan"):
        LinearProgram.of([1], [[float("nan")]], ["="], [1])
    with pytest.raises(ValueError, match="column 0 names row 3"):
        LinearProgram((((3,), (1,)),), (1,), (True,), (1,))
    with pytest.raises(ValueError, match="units has 2 entries"):
        LinearProgram((((0,), (1,)),), (1,), (True,), (1,), units=(1, 2))


def test_the_proposal_is_only_a_proposal():
    basis, status = propose_basis(TEXTBOOK)
    assert status == "Optimal"
    assert prove_basis(TEXTBOOK, basis).optimal
    document = solve_linear_program(TEXTBOOK).certificate()
    assert document["program"]["rows"][0] == {
        "terms": [[0, "1"], [1, "1"]],
        "relation": "<=",
        "rhs": "4",
    }
    assert document["value"] == "11"


def test_highs_stops_at_its_limits():
    """It cycles for ever on a program of 4 rows (see tests/field/test_solving.py), and its clock
    counts all runs of the object: a second run has as much time as the first."""
    program = [-np.ones(1), (np.zeros(1), np.full(1, np.inf)), np.ones((1, 1))]
    program.append((np.full(1, -np.inf), np.ones(1)))
    for _ in range(2):
        assert highs.solve(*program).optimal
        solver = highs.highs_instance()
        seconds = solver.getOptionValue("time_limit")[1] - solver.getRunTime()
        assert seconds == pytest.approx(highs.SECONDS, abs=1)
        iterations = solver.getOptionValue("simplex_iteration_limit")[1]
        assert iterations == highs.ITERATIONS + 2 * highs.ITERATIONS_EACH
    assert highs.solve(*program, seconds=0.0).status == "Time limit reached"


def test_an_answer_of_highs_names_values_multipliers_and_basis():
    """min -x - y, x + 2 y <= 4, x - y = 1, 0 <= x <= 5/2, y <= 3: at x = 2, y = 1; y' = -2/3, -1/3.

    From A^T y' = c: y1 + y2 = -1, 2 y1 - y2 = -1.  With x <= 3/2 it is at its upper end.
    """
    matrix, right = np.array([[1.0, 1.0], [2.0, -1.0]]), np.array([4.0, 1.0])
    rows = np.array([-np.inf, 1.0]), right
    found = highs.solve(-np.ones(2), (np.zeros(2), np.array([2.5, 3.0])), matrix, rows)
    assert (found.status, found.optimal, found.raised) == ("Optimal", True, ())
    assert found.x == pytest.approx([2, 1]) and found.y == pytest.approx([-2 / 3, -1 / 3])
    assert sorted(found.basic) == [0, 1]
    again = highs.solve(
        -np.ones(2), (np.zeros(2), np.array([1.5, 3.0])), matrix, rows, basis=found.basic
    )
    assert again.x == pytest.approx([1.5, 0.5]) and again.raised == (0,)
    assert sorted(again.basic) == [1, 2]  # y and the slack of the first row
    sparse = np.array([0, 2, 4]), np.array([0, 1, 0, 1]), matrix.ravel()
    most = highs.solve(np.ones(2), (np.zeros(2), np.full(2, 9.0)), sparse, rows, maximise=True)
    assert most.x == pytest.approx([2, 1])
    none = highs.solve(np.ones(2), (np.zeros(2), np.zeros(2)), matrix, rows)
    assert (none.status, none.optimal) == ("Infeasible", False)


def test_limits_end_a_repair():
    program = random_program(3)
    with pytest.raises(LimitReachedError, match="not decided within 0 exact pivots"):
        solve_linear_program(program, basis=program.unit_basis(), limits=Limits(pivots=0))
    with pytest.raises(LimitReachedError, match="not decided within 1e-09 seconds"):
        solve_linear_program(program, basis=program.unit_basis(), limits=Limits(seconds=1e-9))
