"""The parts of an enclosure: bounds for any prices and changes, and what proposes them."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.linalg import hilbert
from scipy.optimize import linprog

from holdfast.solvers.poisoning import FlipProblem, dual_value, solve_flips
from holdfast.solvers.poisoning.flips.dual_newton import SmoothedDual
from holdfast.solvers.poisoning.large import stages
from holdfast.solvers.poisoning.large.arrays import FlipArrays
from holdfast.solvers.poisoning.large.band import complete_basis, solve_band
from holdfast.solvers.poisoning.large.enclose import enclose_flips
from holdfast.solvers.poisoning.large.feasible_points import (
    certify_blend,
    exact_vertex,
    moment_is_zero,
)
from holdfast.solvers.poisoning.large.independence import independent_features
from holdfast.solvers.poisoning.large.proved_bounds import (
    INSIDE,
    Point,
    feasible_near,
    least_maximum_below,
    least_square_below,
    least_sum_below,
    radii,
    residual,
    sum_above,
)
from holdfast.solvers.poisoning.large.sifting import Found, Sifting

from ...zoo.flips import arrays, random_problem
from .test_large import gaussian

Array = np.ndarray[Any, Any]
BELOW = {"l1": least_sum_below, "l2": least_square_below, "linf": least_maximum_below}


def sifting(*given: Any, **others: Any) -> Sifting:
    data = FlipArrays.of(*given, **others)
    return Sifting(data, independent_features(data), lambda y, prices: False)


# -- below ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("sharp", [False, True])
@pytest.mark.parametrize("norm", BELOW)
def test_any_prices_prove_what_they_do_exactly(norm: str, sharp: bool) -> None:
    """Random y: below the exact dual value, by rounding only, and so below the optimum."""
    rng = np.random.default_rng(0)
    for seed in range(40):
        problem = random_problem(seed, largest=25)
        data = FlipArrays.of(**arrays(problem))
        y = rng.standard_normal(problem.n_features) * 10.0 ** rng.integers(-3, 4)
        scaled = np.ldexp(y, data.exponents)
        bound = BELOW[norm](data, scaled, data.prices(scaled), sharp)
        exact = max(Fraction(0), dual_value(problem, [Fraction(v) for v in y], norm))
        square = Fraction(bound) ** (2 if norm == "l2" else 1)
        assert square <= exact, seed
        if norm != "l2":
            assert exact - square <= 1e-9 * (1 + float(np.abs(y).sum())), seed


def test_prices_of_a_cancelling_y_lose_little_when_sharp() -> None:
    """Two nearly equal features, y = 5e7 (1, -1): t is O(1) with errors of 1e-8 in doubles."""
    rng = np.random.default_rng(1)
    row = rng.standard_normal(400)
    other = rng.standard_normal(400)
    features = np.array([row, row + 1e-8 * other])
    data = FlipArrays.of(features, 1, np.where(other > 0.5, 0.0, 1.0))
    y = np.ldexp(np.array([5e7, -5e7]), data.exponents)
    plain = least_sum_below(data, y, data.prices(y))
    sharp = least_sum_below(data, y, data.prices(y), True)
    exact = dual_value(
        FlipProblem.of(features, 1, data.target), [Fraction(5 * 10**7), -Fraction(5 * 10**7)]
    )
    assert plain < sharp <= exact
    if np.finfo(np.longdouble).nmant > 52:
        assert exact - Fraction(sharp) < 0.01 * (exact - Fraction(plain))


# -- above ---------------------------------------------------------------------------------------
def test_corrupted_changes_prove_nothing_false() -> None:
    """Whatever the changes and the basis are, a bound that comes out is above the optimum."""
    rng, proved = np.random.default_rng(2), 0
    for seed in range(60):
        problem = random_problem(seed, largest=25)
        search = sifting(**arrays(problem))
        size = len(search.features.used)
        if not search.features.proved or not size:
            continue
        data, optimum = search.data, solve_flips(problem).value
        base = np.array([float(v) for v in solve_flips(problem).changes.fractions()])
        for noise in (0.0, 1e-9, 1e-3, 1.0):
            basis = np.sort(rng.choice(data.n_pairs, min(size, data.n_pairs), replace=False))
            changes = np.clip(base + noise * rng.standard_normal(data.n_pairs), -data.down, data.up)
            point = Point.of(data, changes, basis)
            above = None
            if len(basis) == size:
                above = feasible_near(data, point, basis, search.features.used)
            if above is not None:
                proved += 1
                assert Fraction(sum_above(data, above)) >= optimum, (seed, noise)
            y = np.zeros(data.n_features)
            blend = certify_blend(search, Found(y, data.prices(y), changes, basis, False), 0.1)
            if blend is not None:
                proved += 1
                assert Fraction(sum_above(data, blend)) >= optimum, (seed, noise)
    assert proved > 20


def test_a_point_outside_its_box_is_refused() -> None:
    """One feature, pairs of 1, 2, 4; d = (-1, 0, 0): v = (0, 1/2, 0) is optimal."""
    data = FlipArrays.of(np.array([[1.0, 2.0, 4.0]]), 1, [0, 1, 1])
    used, basis = np.array([0]), np.array([1])
    good = Point.of(data, np.array([0.0, -0.5, 0.0]), basis)
    above = feasible_near(data, good, basis, used)
    assert above is not None
    assert 0.5 <= sum_above(data, above) <= 0.5 + 1e-12
    ends = np.array([-1, INSIDE, -1], dtype=np.int8)  # v = (1, x, 1): x = -2 would be needed
    outside = Point(np.array([-1.0, -0.5, -1.0]), ends)
    assert feasible_near(data, outside, basis, used) is None


def test_the_residual_and_its_error_hold_exactly() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((3, 50))
    labels = {"benign": rng.random(50), "target": rng.random(50), "weights": rng.random(50)}
    data = FlipArrays.of(features, **labels)
    problem = FlipProblem.of(features.tolist(), *(v.tolist() for v in labels.values()))
    assert not data.exact
    changes = rng.uniform(-data.down, data.up)
    changes[::2] = np.where(rng.random(25) < 0.5, data.up[::2], -data.down[::2])
    point = Point.of(data, changes, np.arange(1, 50, 2))
    rho, epsilon = residual(data, point, np.arange(3))
    ups, downs = list(problem.room_up.fractions()), list(problem.room_down.fractions())
    exact = [
        {1: ups[i], 0: Fraction(0), -1: -downs[i], INSIDE: Fraction(point.changes[i])}[int(end)]
        for i, end in enumerate(point.ends)
    ]
    for k, row in enumerate(problem.features):
        gap = sum(
            phi * (d - z)
            for phi, d, z in zip(
                row.fractions(), problem.displacement.fractions(), exact, strict=True
            )
        )
        assert abs(gap / 2 ** int(data.exponents[k]) - Fraction(rho[k])) <= Fraction(epsilon[k])
        assert epsilon[k] < 1e-12


def test_radii_contain_the_exact_solution() -> None:
    rng = np.random.default_rng(4)
    for spread in (0, 3, 6):
        columns = rng.standard_normal((6, 6)) * 10.0 ** np.linspace(0, -spread, 6)[:, None]
        rho = rng.standard_normal(6)
        found = radii(columns, rho, np.zeros(6))
        assert found is not None
        step, delta = found
        exact = np.linalg.solve(columns.T, rho)
        assert (np.abs(exact) <= delta).all()
        assert step == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("columns", [np.ones((2, 2)), hilbert(14)], ids=["singular", "Hilbert"])
def test_a_basis_without_a_good_inverse_is_not_verified(columns: Array) -> None:
    """Hilbert's matrix of order 14 has a condition number of 1e18."""
    assert radii(columns, np.ones(len(columns)), np.zeros(len(columns))) is None


def test_points_have_exact_ends() -> None:
    """Changes near an end are moved onto it, but for those inside."""
    data = FlipArrays.of(np.ones((1, 4)), [1, 1, 0.25, 0.25], 0, [1, 2, 1, 1])
    point = Point.of(data, np.array([-1e-9, -1.9, 0.7, -0.1]), np.array([3]))
    assert point.ends.tolist() == [0, -1, 1, INSIDE]
    assert point.changes.tolist() == [0, -2, 0.75, -0.1]


# -- proposals -----------------------------------------------------------------------------------
def test_the_optimum_is_that_of_scipy() -> None:
    for n, size, seed in ((3, 500, 0), (10, 1500, 1), (25, 1200, 2)):
        features, target = gaussian(n, size, seed, 0.1)
        found = enclose_flips(features, 1, target)
        other = linprog(np.ones(size), A_eq=features, b_eq=features @ (1 - target), bounds=(0, 1))
        assert found.upper == pytest.approx(other.fun, rel=1e-7)
        assert "linear program" not in found.statistics["method"]
        assert found.n_fractional == n


def test_newton_finds_a_least_norm_solution() -> None:
    """Without a box and a kink the minimiser is the pseudo-inverse's."""
    rng = np.random.default_rng(5)
    columns, moment = rng.standard_normal((40, 4)), rng.standard_normal(4)
    wide = np.full(40, 1e9)
    dual = SmoothedDual(columns, moment, wide, wide, kink=0.0)
    state = dual.ascend(np.zeros(4), 1.0, 1e-13, 20)
    assert state.changes == pytest.approx(np.linalg.pinv(columns.T) @ moment, abs=1e-10)
    assert dual.steps <= 2


def test_an_ascent_never_descends() -> None:
    """The dual value after each step, for a kink and a box."""
    features, target = gaussian(5, 300, 7, 0.2)
    search = sifting(features, 1, target)
    search.members = np.arange(300)
    dual = search._dual()
    y, values = np.zeros(5), []
    for _ in range(8):
        state = dual.ascend(y, 0.3, 1e-12, 1)
        y, t, z = state.y, state.prices, state.changes
        best = t * z - np.abs(z) - 0.15 * z * z
        values.append(float(dual.moment @ y - best.sum()))
    assert all(after >= before - 1e-12 for before, after in pairwise(values))
    assert values[-1] > values[0]


def test_the_band_grows_until_all_pairs_agree() -> None:
    """Started from prices that say nothing, and from none at all."""
    features, target = gaussian(6, 900, 8, 0.1)
    search = sifting(features, 1, target)
    whole = enclose_flips(features, 1, target)
    nothing = Found(np.zeros(6), np.zeros(900), np.zeros(900), np.zeros(0, dtype=int), False)
    for start in (nothing, None):
        found = solve_band(search, start)
        assert found is not None
        assert len(found.free) == 6
        assert np.abs(found.changes).sum() == pytest.approx(whole.upper, rel=1e-7)


def test_a_basis_is_completed_with_independent_pairs() -> None:
    features, target = gaussian(5, 200, 9)
    search = sifting(features, 1, target)
    basis = complete_basis(search, np.array([3]), np.zeros(200))
    assert len(basis) == 5
    assert 3 in basis
    assert np.linalg.matrix_rank(features[:, basis]) == 5


def test_a_vertex_is_solved_exactly() -> None:
    problem = random_problem(31, largest=30)
    search = sifting(**arrays(problem))
    exact = solve_flips(problem)
    changes = np.array([float(v) for v in exact.changes.fractions()])
    basis = complete_basis(search, np.array(exact.fractional, dtype=int), changes)
    solved = exact_vertex(search, changes, basis)
    assert solved is not None
    assert solved[0] == exact.value
    assert exact_vertex(search, changes, basis[:-1]) is None


def test_moments_that_cancel_are_seen_exactly() -> None:
    pair = np.array([[1.0, -1.0, 0.5], [3.0, -3.0, 1.0]])
    assert moment_is_zero(sifting(pair, 1, [0, 0, 1]))
    pair[1, 1] = np.nextafter(-3.0, 0)
    assert not moment_is_zero(sifting(pair, 1, [0, 0, 1]))


# -- features ------------------------------------------------------------------------------------
def test_dependent_integers_are_proved_and_rounded_ones_are_not() -> None:
    rng = np.random.default_rng(6)
    rows = rng.integers(-5, 6, (4, 5000)).astype(float)
    integer = np.vstack([rows, rows[0] - 3 * rows[2], np.zeros(5000), rows[1] / 2])
    found = independent_features(FlipArrays.of(integer, 1, 1))
    assert len(found.used) == 4
    assert found.proved
    integer[4, 1] += 1  # of a pair that is not in the sample
    found = independent_features(FlipArrays.of(integer, 1, 1))
    assert len(found.used) == 5
    assert found.proved
    rounded = rng.standard_normal((3, 5000))
    rounded = np.vstack([rounded, rounded[0] + rounded[1]])
    found = independent_features(FlipArrays.of(rounded, 1, 1))
    assert len(found.used) == 3
    assert not found.proved


def test_a_feature_that_few_pairs_have_is_kept() -> None:
    """It is zero over the sample that is looked at first."""
    features = np.random.default_rng(7).standard_normal((3, 9001))
    features[1] = 0
    features[1, 4] = 1
    found = independent_features(FlipArrays.of(features, 1, 1))
    assert found.used.tolist() == [0, 1, 2]
    assert enclose_flips(features, 1, np.where(np.arange(9001) % 50, 1.0, 0.0)).lower > 0


@pytest.mark.parametrize("order", ["C", "F"])
def test_single_precision_is_read_as_it_is(order: Any) -> None:
    features, target = gaussian(4, 700, 10)
    single = np.asarray(features.astype(np.float32), order=order)
    a, b = enclose_flips(single, 1, target), enclose_flips(single.astype(float), 1, target)
    assert (a.lower, a.upper) == pytest.approx((b.lower, b.upper), rel=1e-9)


def test_the_features_are_not_copied() -> None:
    features, target = gaussian(40, 50_000, 11)
    enclose_flips(features[:, :2000], 1, target[:2000])
    tracemalloc.start()
    found = enclose_flips(features, 1, target)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.statistics["pairs"] < 10_000
    assert peak < features.nbytes


def test_the_rational_fallback_is_for_small_data_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for more than doubles have, small data are solved exactly."""
    features, target = gaussian(3, 40, 12, 0.2)
    found = enclose_flips(features, 1, target, width=1e-16)
    assert "exact arithmetic" in found.statistics["method"]
    assert found.upper <= np.nextafter(found.lower, np.inf)
    monkeypatch.setattr(stages, "_RATIONAL", {"l1": 10})
    found = enclose_flips(features, 1, target, width=1e-16)
    assert "exact arithmetic" not in found.statistics["method"]


@pytest.mark.parametrize("name", ["kInterrupt", "kHighsInterrupt"])
def test_a_solve_that_was_interrupted_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import highspy

    from holdfast.solvers.programs.highs import highs_instance, solve

    nothing = np.zeros(0)
    program = nothing, (nothing, nothing), np.zeros((0, 0)), (nothing, nothing)
    assert solve(*program).status == "Empty"
    status = getattr(highspy.HighsModelStatus, name)
    monkeypatch.setattr(type(highs_instance()), "getModelStatus", lambda solver: status)
    with pytest.raises(KeyboardInterrupt):
        solve(*program)
