"""Features that depend on each other up to rounding: solved, or dropped at a price that is said."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

from holdfast.solvers.exact import Vector
from holdfast.solvers.limits import LimitReachedError, Limits
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.flips.cost import dual_value
from holdfast.solvers.poisoning.large.arrays import FlipArrays
from holdfast.solvers.poisoning.large.dropped import Dropped, moment_gap
from holdfast.solvers.poisoning.large.enclose import enclose_flips
from holdfast.solvers.poisoning.rewards.enclosed import enclose_reward
from holdfast.solvers.programs.box import BoxProgram, solve_box_program
from holdfast.solvers.solution import Status

Array = np.ndarray[Any, Any]


def low_rank(n: int, rank: int, size: int, seed: int = 0) -> tuple[Array, Array]:
    """Products of doubles, which have full rank for their rounding; 5 % of the labels flipped."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, size))
    return features, np.where(rng.random(size) < 0.05, 0.0, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_numerically_dependent_features_are_solved_in_seconds(seed: int) -> None:
    """Three features of rank two up to rounding took HiGHS's wrong basis and thousands of pivots.

    The optimum is proved by its dual, in Fractions.
    """
    features, target = low_rank(3, 2, 600, seed)
    since = time.perf_counter()
    found = enclose_flips(features, 1, target)
    assert time.perf_counter() - since < 20
    problem = FlipProblem.of(features, 1, target)
    exact = solve_flips(problem)
    assert dual_value(problem, exact.dual.fractions()) == exact.value
    assert found.lower <= exact.value <= found.upper
    assert found.status is Status.ENCLOSED
    assert any("that rounding is information like any other" in note for note in found.notes)


def test_a_tolerance_drops_the_rounding_and_bounds_what_it_costs() -> None:
    """The bounds are those of the two features kept, exactly; the price holds in Fractions."""
    features, target = low_rank(3, 2, 300)
    found = enclose_flips(features, 1, target, tolerance=1e-9)
    assert found.status is Status.ENCLOSED
    assert found.dropped is not None
    kept = [k for k in range(3) if k not in found.dropped.features]
    assert len(kept) == 2
    exact = solve_flips(FlipProblem.of(features[kept], 1, target)).value
    assert found.lower <= exact <= found.upper
    whole = solve_flips(FlipProblem.of(features, 1, target)).value
    assert found.lower <= whole, "fewer equations cost no more"
    moments = FlipProblem.of(features, 1, target).moments(
        Vector.of(
            Fraction(float(a)) - Fraction(float(b))
            for a, b in zip(found.labels, target, strict=True)
        )
    )
    square = sum(value * value for value in moments.fractions())
    assert square <= Fraction(found.dropped.gap) ** 2, "the bound on norm(g)"
    assert found.dropped.gap < 1e-11
    assert any("up to 1e-09 of their size, left out" in note for note in found.notes)


def test_the_price_bounds_the_distance_of_ridge_rewards() -> None:
    """Rewards enclosed in balls, with noise of 1e-4 dropped.  That less than the price would not
    do is the next test."""
    rng = np.random.default_rng(4)
    base = rng.normal(size=(2, 40))
    features = np.vstack([base, base.sum(axis=0) + 1e-4 * rng.normal(size=40)])
    target = np.where(rng.random(40) < 0.2, 0.0, 1.0)
    found = enclose_flips(features, 1, target, tolerance=1e-3)
    assert found.dropped is not None
    assert 1e-6 < found.dropped.gap < 1e-2
    problem = FlipProblem.of(features, 1, target)
    for ridge in (Fraction(1, 8), Fraction(4)):
        learnt = [
            enclose_reward(problem, Vector.of(map(float, labels)), ridge=ridge).reward
            for labels in (found.labels, target)
        ]
        square = sum(((a - b) ** 2 for a, b in zip(*learnt, strict=True)), flint.arb(0))
        price = flint.arb(found.dropped.price(float(ridge)))
        assert square.sqrt() <= price
        assert square.sqrt() > price / 1000, "the price is not vacuous"


def test_the_price_is_attained_in_the_limit_of_a_large_ridge() -> None:
    """One pair, phi = 1, labels 1 and 0: F' = sigma(r) - theta + lambda r = 0, so that for large
    lambda r is about (theta - 1/2) / lambda; the distance is 1 / lambda, less 1 / (4 lambda^2)."""
    data = FlipArrays.of(np.ones((1, 1)), 1, 0)
    price = Dropped((), 0.1, moment_gap(data, np.ones(1))).price(2.0**20)
    problem = FlipProblem.of([[1]], 1, 0)
    one, other = (
        enclose_reward(problem, Vector.of([theta]), ridge=2**20).reward[0] for theta in (1, 0)
    )
    assert price * 2.0**20 == pytest.approx(1, abs=1e-9)
    assert one - other <= price
    assert one - other > price * (1 - 2.0**-20), "half of it, or any share, would be refuted"


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_low_rank_features_are_enclosed(norm: str) -> None:
    """64 hidden states of rank 8: without a tolerance WIDE up to the attack's own cost."""
    features, target = low_rank(64, 8, 2000)
    wide = enclose_flips(features, 1, target, norm=norm)
    assert wide.status is Status.WIDE
    found = enclose_flips(features, 1, target, norm=norm, tolerance=1e-9)
    assert found.dropped is not None
    assert len(found.dropped.features) == 56
    assert found.dropped.gap < 1e-9
    assert found.lower >= wide.lower * (1 - 1e-6)
    assert found.upper < wide.upper / 3
    assert found.upper - found.lower <= 1e-3 * found.upper


def test_nothing_is_dropped_where_nothing_depends() -> None:
    features, target = low_rank(3, 3, 100)
    plain, found = (enclose_flips(features, 1, target, tolerance=t) for t in (0.0, 1e-9))
    assert found.dropped is None
    assert (found.lower, found.upper, found.notes) == (plain.lower, plain.upper, plain.notes)


def test_features_that_are_proved_dependent_cost_nothing() -> None:
    """The third row is the sum of two rows of integers: exact, so that there is no price."""
    rng = np.random.default_rng(1)
    rows = rng.integers(-9, 10, (2, 50)).astype(float)
    features, target = np.vstack([rows, rows.sum(axis=0)]), np.arange(50) % 10 / 9 > 0.2
    found = enclose_flips(features, 1, target.astype(float), tolerance=1e-9)
    assert found.dropped is None
    assert any("1 feature is a combination of the others (or zero)" in n for n in found.notes)


def test_exact_pivots_have_limits() -> None:
    features, target = low_rank(3, 2, 200)
    problem = FlipProblem.of(features, 1, target)
    assert solve_flips(problem).value == solve_flips(problem, "l1", Limits(seconds=60)).value
    with pytest.raises(LimitReachedError, match="not decided within 0 exact pivots"):
        solve_flips(problem, "l1", Limits(pivots=0))


def test_the_next_method_takes_over_where_exact_arithmetic_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("holdfast.solvers.poisoning.large.stages._EXACT", Limits(pivots=0))
    features, target = low_rank(3, 2, 200)
    found = enclose_flips(features, 1, target)
    assert found.status is Status.WIDE
    assert any("exact arithmetic did not settle it: not decided" in n for n in found.notes)


def test_pivots_by_hand() -> None:
    """min x + y + z, 3 x + 2 y + z = 6, x <= 1, y <= 1: x = y = 1, z = 1 and y = 1 for the row."""
    program = BoxProgram(((3,), (2,), (1,)), (1, 1, None), (6,))
    found = solve_box_program(program)
    assert found.primal.fractions() == (1, 1, 1)
    assert found.dual.fractions() == (1,)


# -- units ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("power", [-1000, -300, -40, 40, 300, 1000])
def test_the_unit_of_the_features_does_not_matter(norm: str, power: int) -> None:
    """Powers of two are exact, so that every bit of the bounds is the same."""
    rng = np.random.default_rng(2)
    features = rng.integers(-1000, 1001, (3, 120)) / 64.0
    target = np.where(rng.random(120) < 0.1, 0.0, 1.0)
    plain = enclose_flips(features, 1, target, norm=norm)
    rows = np.ldexp(features, np.array([[power], [0], [-power]]))
    for scaled in (np.ldexp(features, power), rows):
        found = enclose_flips(scaled, 1, target, norm=norm)
        assert (found.lower, found.upper, found.status) == (plain.lower, plain.upper, plain.status)
    for factor in (1e-9, 3.0, 1e12):
        found = enclose_flips(features * factor, 1, target, norm=norm)
        assert found.status is plain.status
        assert found.upper - found.lower <= 1e-6 * found.upper + 2 * plain.width


def test_the_tolerance_does_not_depend_on_the_unit() -> None:
    features, target = low_rank(4, 2, 150)
    plain = enclose_flips(features, 1, target, tolerance=1e-9)
    found = enclose_flips(np.ldexp(features, 500), 1, target, tolerance=1e-9)
    assert found.dropped is not None and plain.dropped is not None
    assert (found.lower, found.dropped.features) == (plain.lower, plain.dropped.features)
    assert found.dropped.gap == pytest.approx(np.ldexp(plain.dropped.gap, 500), rel=1e-9)
