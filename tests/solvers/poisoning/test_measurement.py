"""A measurement: the enclosure around the exact cost, rounding, and what rounded labels teach."""

from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning import FlipProblem, lower_bound, solve_flips
from holdfast.solvers.poisoning.data.attacks import random_flips
from holdfast.solvers.poisoning.measure.measurement import (
    Conditions,
    Measurement,
    measure,
)
from holdfast.solvers.poisoning.measure.rounding import to_copies
from holdfast.solvers.solution import Status

FEATURES = np.random.default_rng(21).integers(-16, 17, (5, 80)) / 8
ONES = np.ones(80)
TARGET = random_flips(ONES, 0.2, seed=1)


def measured(**conditions: object) -> Measurement:
    return measure(FEATURES, ONES, TARGET, Conditions(**conditions))  # type: ignore[arg-type]


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_the_bounds_enclose_the_exact_cost(norm: str) -> None:
    problem, found = FlipProblem.of(FEATURES, 1, TARGET), measured(norm=norm)
    exact, closed = float(solve_flips(problem, norm).value), float(lower_bound(problem, norm))
    if norm == "l2":
        exact, closed = exact**0.5, closed**0.5
    assert found.lower <= exact <= found.upper
    assert found.upper - found.lower <= 1e-6 * found.upper
    assert found.closed_form <= closed * (1 + 1e-12)
    assert found.closed_form == pytest.approx(closed, rel=1e-9)
    assert found.saving == pytest.approx(1 - exact / found.attack, abs=1e-5)


def test_a_cost_that_rounds_to_a_whole_number_bounds_nothing() -> None:
    """277 times the double 1/277 is more than 1, by less than half a unit of rounding."""
    label = 1 / 277
    found = measure(
        np.ones((1, 1)), np.zeros(1), np.array([label]), Conditions(copies=None), np.array([277.0])
    )
    assert found.attack == 1
    assert Fraction(found.lower) <= 277 * Fraction(label) <= Fraction(found.upper)


def test_the_cheapest_labels_teach_what_the_target_teaches() -> None:
    """Equal moments, at most n fractional labels; unrounded copies lose next to nothing."""
    found = measured(copies=10**6)
    assert FEATURES @ found.labels == pytest.approx(FEATURES @ TARGET, abs=1e-9)
    assert found.fractional <= 5
    assert [effect.method for effect in found.effects] == ["ridge", "Newton"]
    for effect in found.effects:
        assert effect.loss is not None
        assert effect.loss < 1e-4
        assert effect.moved is not None
        assert effect.moved > 0.01


def test_as_many_rows_are_flipped_as_the_least_cost_rounded_up() -> None:
    for copies in (1, 5):
        found = measured(copies=copies)
        assert found.rows == found.least_rows == np.ceil(copies * found.lower)
        assert found.effects[0].thinned > 3 * found.effects[0].loss


def test_a_tie_goes_to_the_benign_label() -> None:
    labels, benign = np.array([0.5, 0.5, 0.25, 0.75]), np.array([1.0, 0.0, 1.0, 0.0])
    assert to_copies(labels, benign, 1).tolist() == [1, 0, 0, 1]
    assert to_copies(labels, benign, 2).tolist() == [0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("benign", "copies", "said"),
    [
        ([1.0, 0.5], 3, r"the benign label of pair 2 is 0\.5, no multiple of 1/3"),
        ([1.0, 0.0], 0, "copies is 0; a pair needs at least one"),
    ],
)
def test_copies_that_do_not_divide(benign: list[float], copies: int, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        to_copies(np.array(benign), np.array(benign), copies)


def test_separable_labels_have_a_ridge_reward_and_no_other() -> None:
    """Pairs as few as features: some reward ranks all of them as any labels do."""
    features = np.random.default_rng(22).standard_normal((6, 6))
    target = np.array([0.0, 1, 1, 1, 1, 1])
    found = measure(features, np.ones(6), target, Conditions())
    ridge, newton = found.effects
    assert ridge.loss == pytest.approx(0, abs=1e-9)
    assert newton.loss is None
    assert newton.failed == dict.fromkeys(("benign", "target", "rounded"), Status.UNATTAINED)
    assert found.saving == pytest.approx(0, abs=1e-6)
    assert found.least_rows == 1


def test_the_bound_in_rows_needs_whole_rows_of_weight_one() -> None:
    assert measured().least_rows == int(np.ceil(measured().lower))
    assert measured(norm="l2").least_rows is None
    halves = measure(FEATURES, np.full(80, 0.5), TARGET, Conditions(copies=2))
    assert halves.least_rows == int(np.ceil(2 * halves.lower))
    assert measure(FEATURES, ONES, np.full(80, 0.25), Conditions()).least_rows is None
    weighted = measure(FEATURES, ONES, TARGET, Conditions(), np.full(80, 0.5))
    assert weighted.least_rows is None
    assert weighted.attack == pytest.approx(0.5 * measured().attack)
    assert weighted.upper == pytest.approx(0.5 * measured().upper)
