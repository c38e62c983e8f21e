"""Problems of the zoo for the chance-constraint tests."""

from __future__ import annotations

from typing import Any

import pytest

from ...zoo.chance import random_problem, three_states


@pytest.fixture(name="three_states")
def _three_states() -> Any:
    return three_states


@pytest.fixture(name="random_problem")
def _random_problem() -> Any:
    return random_problem
