"""Enclosures of data at the ends of double precision: bounds that hold, or a clear refusal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.large.arrays import FlipArrays
from holdfast.solvers.poisoning.large.enclose import enclose_flips
from holdfast.solvers.poisoning.large.proved_bounds import (
    least_maximum_below,
    least_square_below,
    least_sum_below,
)
from holdfast.solvers.solution import Status

NORMS = ("l1", "l2", "linf")


def holds(norm: str, features: Any, benign: Any, target: Any, weights: Any = None) -> bool:
    """Whether the bounds hold for the exact optimum."""
    found = enclose_flips(np.array(features), benign, target, weights=weights, norm=norm)
    exact = solve_flips(FlipProblem.of(features, benign, target, weights), norm).value
    power = 2 if norm == "l2" else 1
    return Fraction(found.lower) ** power <= exact <= Fraction(found.upper) ** power


@pytest.mark.parametrize("norm", NORMS)
def test_features_that_are_dependent_by_underflow_alone(norm: str) -> None:
    """Rows are scaled to at most one, so that 2^-700 and 2^-701 beside 2^399 vanish; without them
    the features are the same.  Their difference asks for zeta_3 = d_3 = 1: the cost is 2, not 1.
    """
    big, tiny = 2.0**399, 2.0**-700
    features = [[big, big, tiny], [big, big, tiny / 2]]
    assert holds(norm, features, [0.0] * 3, [1.0, 0.0, 1.0])
    assert not FlipArrays.of(np.array(features), 0, 1).scales_exactly
    assert FlipArrays.of(np.array([[big, 1.0]]), 0, 1).scales_exactly


@pytest.mark.parametrize("norm", NORMS)
def test_changes_that_underflow_are_not_nothing(norm: str) -> None:
    """Weight 2^-100 and a label 2^-1000: d = 2^-1100 is no double, and not zero."""
    data = [0.0, 1.0], [2.0**-1000, 1.0], [2.0**-100] * 2
    if norm == "l2":  # too extreme for the exact solver
        found = enclose_flips(np.ones((1, 2)), *data[:2], weights=data[2], norm=norm)
        assert found.lower == 0 < found.upper
    else:
        assert holds(norm, [[1.0, 1.0]], *data)


@pytest.mark.parametrize("norm", NORMS)
def test_labels_of_pairs_without_weight_cost_nothing(norm: str) -> None:
    found = enclose_flips(np.ones((1, 2)), 1, 0, weights=[0, 0], norm=norm)
    assert (found.lower, found.upper, found.status) == (0, 0, Status.ENCLOSED)


@pytest.mark.parametrize("weight", [1e-200, 1e308])
def test_extreme_weights_are_refused(weight: float) -> None:
    with pytest.raises(ModelError, match=r"weights reach .* at most, too extreme"):
        enclose_flips(np.ones((1, 2)), 1, [0, 1], weights=[weight, 0])
    assert holds("l1", [[1.0, 2.0]], [1.0, 1.0], [0.0, 1.0], [1e-200, 1.0])


@pytest.mark.parametrize(
    "features",
    [
        np.array([[2**60 + 1, 2**60], [2**60, 2**60]]),
        np.array([[-(2**53) - 1, 1]]),
    ],
)
def test_integers_that_are_no_doubles_are_refused(features: np.ndarray[Any, Any]) -> None:
    """The first two rows are independent; rounded they are equal, and the cost would halve."""
    with pytest.raises(ModelError, match="features of dtype int64 are no doubles"):
        enclose_flips(features, 1, [0, 1])


def test_other_dtypes_are_read_as_they_are() -> None:
    for kind in (np.int64, np.float16, np.bool_, np.uint8):
        found = enclose_flips(np.ones((1, 3), dtype=kind), 1, [0, 1, 1])
        assert found.lower <= 1 <= found.upper


@pytest.mark.parametrize("bound", [least_sum_below, least_square_below, least_maximum_below])
@pytest.mark.parametrize("y", [1e308, np.inf, np.nan])
def test_prices_beyond_doubles_prove_nothing(bound: Any, y: float) -> None:
    data = FlipArrays.of(np.array([[1.0, -1.0, 2.0]]), 1, [0, 1, 0])
    with np.errstate(all="ignore"):
        assert bound(data, np.array([y]), data.prices(np.array([y]))) == 0


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_returned_has_the_moments_of_the_target(norm: str) -> None:
    """Ten orders of magnitude between weights: the search ends early, and its point is moved."""
    generator = np.random.default_rng(3)
    for _ in range(20):
        features = generator.normal(size=(2, 6)) * 10.0 ** generator.integers(-6, 5, (2, 6))
        benign, target = generator.integers(0, 5, (2, 6)) / 4
        weights = 10.0 ** generator.integers(-3, 10, 6)
        found = enclose_flips(features, benign, target, weights=weights, norm=norm)
        goal = weights * (target - benign)
        sizes = np.abs(features) @ (np.abs(goal) + np.abs(found.changes))
        assert (np.abs(features @ (found.changes - goal)) <= 1e-9 * sizes).all()
