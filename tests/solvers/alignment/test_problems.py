"""The record of a problem: what it holds, and what it refuses."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.alignment import Problem
from holdfast.solvers.errors import ModelError

HALF = Fraction(1, 2)


def test_floats_are_read_as_printed() -> None:
    found = Problem.of([[0.1, 0.9]], [[0.3, "1/3"]], temperature=0.2)
    assert found.reference.tolist() == [[Fraction(1, 10), Fraction(9, 10)]]
    assert found.rewards.tolist() == [[Fraction(3, 10), Fraction(1, 3)]]
    assert found.temperature == Fraction(1, 5)
    assert found.safety.tolist() == [[0, 0]]


def test_thirds_of_floats_are_a_law() -> None:
    """Their sum as printed is off by 1e-16, and they are divided by it."""
    found = Problem.of([1 / 3] * 3, [1, 2, 3])
    assert found.reference.sum() == 1 == found.prompt_law.sum()


def test_it_becomes_balls_and_floats() -> None:
    found = Problem.of([[HALF, HALF], [0.25, 0.75]], [[1, 2], [3, 4]], [[0, 1], [1, 0]])
    assert found.floats().reference.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert found.in_balls().rewards[1, 1] == 4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"temperature": 0}, "temperature is 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": True}, "temperature is the boolean"),
        ({"prompt_law": [0.5, 0.4]}, r"row 0 of prompt_law has sum 0\.9"),
        ({"prompt_law": [1.5, -0.5]}, r"row 0 of prompt_law holds -1/2"),
        ({"prompt_law": [1]}, r"prompt_law has shape \(1,\)"),
        ({"reference": [[1, 0], [0.5, 0.5]]}, r"reference\[0, 1\] is 0"),
        ({"reference": [[0.5, 0.5], [0.5]]}, "reference is ragged"),
        ({"reference": [[[1.0]]]}, "reference has 3 axes"),
        ({"reference": [[]]}, "row 0 of reference has sum 0"),
        ({"rewards": [[1, 2]]}, r"rewards has shape \(1, 2\)"),
        ({"rewards": [[1, 2], [3, float("inf")]]}, r"rewards\[1, 1\] is inf"),
        ({"safety": [[1, 2], [3, None]]}, r"safety\[1, 1\] is None"),
    ],
)
def test_what_is_refused(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "reference": [[0.5, 0.5], [0.5, 0.5]],
        "rewards": [[1, 2], [3, 4]],
        **changed,
    }
    with pytest.raises(ModelError, match=message):
        Problem.of(**given)


def test_a_prompt_that_is_never_asked_may_have_any_reference() -> None:
    found = Problem.of([[1, 0], [0.5, 0.5]], [[1, 2], [3, 4]], prompt_law=[0, 1])
    assert np.all(found.reference[0] == [1, 0])
