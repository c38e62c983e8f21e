"""Lifted solutions against FLINT's, and that nothing wrong is lifted, whatever the inverse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flint import fmpz_mat

from holdfast.solvers.exact import SingularMatrixError, Vector, solve_flint_system
from holdfast.solvers.programs import bordered, lifting
from holdfast.solvers.programs.bordered import square_solver
from holdfast.solvers.programs.lifting import Lifted, Line

SIZE = 80


def drawn(seed: int, *, most: int = 50, common: int = 1) -> tuple[list[Line], list[int]]:
    """A sparse regular matrix with a diagonal that dominates half the rows, and a right side."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-most, most + 1, (SIZE, SIZE)) * (rng.random((SIZE, SIZE)) < 0.1)
    matrix[np.diag_indices(SIZE)] = common * rng.integers(5 * most, 9 * most, SIZE)
    rows = [{j: int(v) for j, v in enumerate(row) if v} for row in matrix]
    return rows, rng.integers(-most, most + 1, SIZE).tolist()


def by_flint(rows: list[Line], right: list[int], transposed: bool = False) -> Vector:
    matrix = fmpz_mat([[row.get(j, 0) for j in range(len(rows))] for row in rows])
    return solve_flint_system(matrix.transpose() if transposed else matrix, right)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("common", [1, 7, 10**6])
@pytest.mark.parametrize("most", [1, 50, 10**5])
def test_it_is_flints_solution_in_lowest_terms(most: int, common: int, transposed: bool) -> None:
    rows, right = drawn(most, most=most, common=common)
    lifted = Lifted.of(rows)
    assert lifted is not None
    found, exact = lifted.solve(right, transposed), by_flint(rows, right, transposed)
    assert found == exact
    assert found.denominator == exact.denominator > 1


@pytest.mark.parametrize("bits", lifting._DIGITS)
def test_digits_of_any_length_will_do(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setattr(lifting, "_DIGITS", (bits,))
    rows, right = drawn(1)
    lifted = Lifted.of(rows)
    assert lifted is not None
    assert lifted.solve(right) == by_flint(rows, right)


def test_whole_solutions_and_none_at_all() -> None:
    rows, x = drawn(2)
    lifted = Lifted.of(rows)
    assert lifted is not None
    right = [sum(value * x[j] for j, value in row.items()) for row in rows]
    assert lifted.solve(right) == Vector(tuple(x))
    assert lifted.solve([0] * SIZE) == Vector((0,) * SIZE)


def test_a_wrong_inverse_gives_no_wrong_solution() -> None:
    """The control: what is lifted is checked, so that it is the solution or nothing."""
    rows, right = drawn(3)
    lifted = Lifted.of(rows)
    assert lifted is not None
    exact, rng = by_flint(rows, right), np.random.default_rng(3)
    for wrong in (0 * lifted.inverse, -lifted.inverse, lifted.inverse.T):
        assert replace(lifted, inverse=wrong).solve(right) is None
    assert replace(lifted, bits=20).solve(right) is None
    rough = lifted.inverse * (1 + 1e-6 * rng.standard_normal((SIZE, SIZE)))
    assert replace(lifted, inverse=rough).solve(right) == exact  # by shorter digits


def test_what_cannot_be_lifted_is_left_to_flint(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, right = drawn(4)
    large = [{j: value << 40 for j, value in row.items()} for row in rows]
    near = [dict(row) for row in rows]  # its determinant is tiny beside the entries
    near[1] = {j: 10**9 * value for j, value in rows[0].items()} | {SIZE - 1: 1}
    for given in (large, near, rows[:40]):
        assert Lifted.of(given) is None
    lifted = Lifted.of(rows)
    assert lifted is not None
    assert lifted.solve([value << 40 for value in right]) is None
    assert square_solver(large)(right, True) == by_flint(large, right, True)
    assert square_solver(near)(right, False) == by_flint(near, right)
    monkeypatch.setattr(bordered, "_dense", None)  # what is lifted needs no dense matrix
    assert square_solver(rows)(right, False) == lifted.solve(right)


@pytest.mark.parametrize("twice", [True, False])
def test_a_singular_matrix_is_refused(twice: bool) -> None:
    rows, right = drawn(5)
    rows[3] = dict(rows[7]) if twice else {}
    assert Lifted.of(rows) is None
    with pytest.raises(SingularMatrixError, match="80 x 80 matrix is singular"):
        square_solver(rows)(right, False)
