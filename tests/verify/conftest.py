"""The command line, run in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.verify.cli import main

Invoke = Callable[..., "Done"]


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
