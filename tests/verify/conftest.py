"""The command line, run in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from holdfast.verify.cli import main

Invoke = Callable[..., "Done"]
PAIRS = 60
FEATURES = np.random.default_rng(11).integers(-16, 17, (64, PAIRS)) / 8
"""Of preference pairs: multiples of 1/8, so that floats are exact."""


@dataclass
class Done:
    """What came of a command; output: stdout and stderr."""

    code: int
    output: str

    def says(self, *texts: str) -> bool:
        """Whether all texts are in the output, line breaks aside."""
        flat = " ".join(self.output.split())
        return all(text in flat for text in texts)


@pytest.fixture
def holdfast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Invoke:
    """Runs a command in this process, in an empty folder, on a wide terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")

    def invoke(*arguments: object) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Done(int(stop.value.code or 0), out + err)

    return invoke


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """60 pairs with four features."""
    path = tmp_path / "pairs.npz"
    np.savez(path, features=FEATURES[:4])
    return path
