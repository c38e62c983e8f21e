"""A small problem for the poisoning tests."""

from __future__ import annotations

import pytest

from holdfast.solvers.poisoning import FlipProblem


@pytest.fixture
def small() -> FlipProblem:
    """One feature, 1, 2 and 4 for three pairs; the first is flipped: b = -1."""
    return FlipProblem.of([[1, 2, 4]], 1, [0, 1, 1])
