"""Sparse systems that are triangular but for a border agree with dense algebra."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from holdfast.solvers import CMDP, SingularMatrixError, Status, solve
from holdfast.solvers.cmdp.policies import Policy, evaluate, occupancy_of, value_of
from holdfast.solvers.exact import solve_integer_system
from holdfast.solvers.programs.bordered import SMALLEST, TEARS, Bordered, square_solver
from holdfast.verify.kernel import check


def system(seed: int, border: int, size: int = SMALLEST) -> list[dict[int, int]]:
    """A shuffled matrix: a lower triangle of few entries with some dense rows and columns."""
    numbers = random.Random(seed)
    rows: list[dict[int, int]] = [{i: numbers.randint(1, 9)} for i in range(size)]
    for i in range(1, size):
        rows[i][numbers.randrange(i)] = numbers.randint(-9, -1)
    for i in range(size - border, size):
        for j in range(size):
            rows[i][j] = numbers.randint(-9, 9) or 1
            rows[j][i] = numbers.randint(-9, 9) or 1
    places = numbers.sample(range(size), size)
    return [{places[j]: v for j, v in rows[i].items()} for i in numbers.sample(range(size), size)]


def dense(rows: list[dict[int, int]]) -> list[list[int]]:
    return [[row.get(j, 0) for j in range(len(rows))] for row in rows]


@pytest.mark.parametrize("border", [0, 1, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_solutions_agree_with_dense_algebra(border, transposed):
    for seed in range(5):
        rows = system(seed, border)
        found = Bordered.of(rows)
        assert found is not None and len(found.tears) == len(found.rest) <= TEARS
        right = list(range(-3, len(rows) - 3))
        assert found.solve(right, transposed=transposed) == solve_integer_system(
            dense(rows), right, transposed=transposed
        )


def test_small_and_dense_systems_are_left_to_dense_algebra():
    assert Bordered.of(system(0, 0, size=SMALLEST - 1)) is None
    rows = system(0, TEARS + 10)
    assert Bordered.of(rows) is None
    right = [1] * len(rows)
    assert square_solver(rows)(right, False) == solve_integer_system(dense(rows), right)


def test_singular_systems_are_named():
    rows = system(1, 2)
    twice = [*rows[:-1], dict(rows[0])]
    for transposed in (False, True):
        with pytest.raises(SingularMatrixError):
            square_solver(twice)([1] * len(rows), transposed)
    with pytest.raises(SingularMatrixError):
        square_solver([*rows[:-1], {}])([1] * len(rows), False)


def chain(size: int, costs: int = 4) -> CMDP:
    """Stay or advance, with rewards and costs of hundredths."""
    numbers = np.random.default_rng(0)
    successors = [t for s in range(size) for t in (s, min(s + 1, size - 1))]
    return CMDP(
        size,
        np.arange(size + 1) * 2,
        np.tile(np.arange(2), size),
        np.arange(2 * size + 1),
        successors,
        [1] * (2 * size),
        numbers.integers(0, 101, 2 * size),
        100,
        numbers.integers(0, 101, (costs, 2 * size)),
        (100,) * costs,
        (40,) * costs,
        "99/100",
        [1] * size,
    )


def test_long_chains_with_four_costs_are_solved_in_seconds():
    """Two dense systems of 2,000 rows took half a minute; a border of four takes a second."""
    model = chain(2_000)
    since = time.process_time()
    found = solve(model)
    assert found.status is Status.EXACT and found.n_randomisations <= 4
    assert found.statistics["pivots"] == 0
    assert time.process_time() - since < 20
    assert check(found.certificate()).accepted


def test_policies_of_chains_are_evaluated():
    model = chain(300)
    policy = Policy.of_choices(model, [2 * s + s % 3 // 2 for s in range(300)])
    rho, values = occupancy_of(model, policy), evaluate(model, policy)
    assert rho.dot(model.reward.tolist(), 100) == value_of(model, values)
    assert sum(rho.fractions()) == 100
