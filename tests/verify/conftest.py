"""The command line, and preference data for it."""

from pathlib import Path

import numpy as np
import pytest

from ..conftest import Done, Invoke

__all__ = ["FEATURES", "PAIRS", "Done", "Invoke"]

PAIRS = 60
FEATURES = np.random.default_rng(11).integers(-16, 17, (64, PAIRS)) / 8
"""Of preference pairs: multiples of 1/8, so that floats are exact."""


@pytest.fixture
def holdfast(in_process: Invoke) -> Invoke:
    """Runs a command in this process, in an empty folder, on a wide terminal."""
    return in_process


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """60 pairs with four features."""
    path = tmp_path / "pairs.npz"
    np.savez(path, features=FEATURES[:4])
    return path
