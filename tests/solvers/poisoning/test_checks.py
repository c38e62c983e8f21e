"""One wording for the labels and weights of pairs, whatever kind of numbers they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from holdfast.solvers import ModelError, Vector
from holdfast.solvers.poisoning.checks import check_labels, check_size, check_weights

KINDS = [Vector.of, np.array]


@pytest.mark.parametrize("kind", KINDS, ids=["exact", "floats"])
def test_the_first_offender_is_named_with_the_remedy(kind: Callable[[Any], Any]) -> None:
    with pytest.raises(ModelError, match=r"target has shape \(2,\) for 3 pairs; give one"):
        check_size(kind([1, 1]), 3, "target")
    with pytest.raises(ModelError, match=r"target\[2\] \(pair 3\) is -1; .* to \(1 \+ label\) / 2"):
        check_labels(kind([0, 1, -1, 7]), "target")
    with pytest.raises(ModelError, match=r"weights\[1\] \(pair 2\) is -2; .* has the weight 0"):
        check_weights(kind([0, -2]), "weights")
    with pytest.raises(ModelError, match="weights are all zero; give some pair a positive weight"):
        check_weights(kind([0, 0]), "weights")


@pytest.mark.parametrize("kind", KINDS, ids=["exact", "floats"])
def test_what_is_in_order_comes_back(kind: Callable[[Any], Any]) -> None:
    """The ends of the ranges; a weight above one, and none where none is needed."""
    labels, weights, none = kind([0, 1]), kind([0, 10**18]), kind([0, 0])
    assert check_labels(check_size(labels, 2, "labels"), "labels") is labels
    assert check_weights(weights, "weights") is weights
    assert check_weights(none, "weights", some=False) is none


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_are_no_labels_and_no_weights(value: float) -> None:
    for check in (check_labels, check_weights):
        with pytest.raises(ModelError, match=r"x\[1\] \(pair 2\) is -?(nan|inf)"):
            check(np.array([1.0, value]), "x")
