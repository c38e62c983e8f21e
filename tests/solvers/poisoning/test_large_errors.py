"""What enclose_flips says of data that make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning.large.closed_form import closed_form_bound
from holdfast.solvers.poisoning.large.enclose import enclose_flips

GOOD: dict[str, Any] = {"features": np.ones((2, 3)), "benign": 1, "target": [0, 1, 1]}
NAN = np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.ones(3)}, r"features have the shape \(3,\); give an array \(n, N\)"),
        ({"features": np.ones((0, 3))}, r"features have the shape \(0, 3\)"),
        ({"features": np.array([["a"]])}, "dtype <U1; give floats"),
        ({"features": NAN}, r"features\[1, 1\] is nan; every feature must be finite"),
        ({"features": np.where(np.isnan(NAN), np.inf, NAN)}, r"features\[1, 1\] is inf"),
        ({"features": np.array([[1e200, 1.0, 1e-200]])}, "feature 0 reaches .* far smaller, too"),
        ({"tolerance": -1e-9}, "tolerance is -1e-09; it is a share of a feature"),
        ({"tolerance": 1.0}, "tolerance is 1.0; it is a share of a feature"),
        ({"tolerance": np.nan}, "tolerance is nan; it is a share of a feature"),
        ({"benign": [1, 1.5, 1]}, r"benign\[1\] \(pair 2\) is 1.5; a label lies in"),
        ({"target": [1, 1, -0.25]}, r"target\[2\] \(pair 3\) is -0.25; a label lies in"),
        ({"target": [1, np.nan, 1]}, r"target\[1\] \(pair 2\) is nan; a label lies in"),
        ({"target": [1, 1]}, r"target has shape \(2,\) for 3 pairs"),
        ({"weights": [1, -1, 1]}, r"weights\[1\] \(pair 2\) is -1.0; a weight is finite and not"),
        ({"weights": [1, np.inf, 1]}, r"weights\[1\] \(pair 2\) is inf; a weight is finite"),
        ({"weights": [1, 1]}, r"weights has shape \(2,\) for 3 pairs"),
        ({"target": ["x", 1, 1]}, "target: .*give 3 numbers"),
        ({"norm": "l3"}, "l3"),
        ({"width": 0}, "width is 0; it must be positive"),
    ],
)
def test_errors_name_the_place_and_the_remedy(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        enclose_flips(**(GOOD | change))


def test_the_closed_form_checks_its_data_too() -> None:
    with pytest.raises(ModelError, match=r"target\[0\] \(pair 1\) is 2.0"):
        closed_form_bound(GOOD["features"], 1, [2, 1, 1])
