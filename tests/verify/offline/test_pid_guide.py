"""The commands and the Python of the how-to on controlled multipliers do what it shows."""

import re
from pathlib import Path

import pytest

from ..conftest import Invoke

GUIDE = (Path(__file__).resolve().parents[3] / "docs/how-to/pid.md").read_text(encoding="utf-8")
SHOWN = [block.strip("\n") for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)]
COMMANDS = [
    (command, shown)
    for block in SHOWN
    for command, _, shown in (
        part.partition("\n") for part in re.split(r"^\$ ", block, flags=re.M)[1:]
    )
]


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_a_command_prints_what_is_shown(holdfast: Invoke, command: str, shown: str) -> None:
    done = holdfast(*command.removesuffix(" --plot pid.png").split()[1:])
    assert done.code == 0, done.output
    for line in shown.splitlines():
        if line not in ("...", "plot: pid.png"):
            assert done.says(" ".join(line.split())), line


def test_there_are_three_commands() -> None:
    assert len(COMMANDS) == 3


def test_the_python_of_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert code is not None
    exec(code[1], {})
    assert capsys.readouterr().out.startswith("Verdict.STABLE (0.0, 17.2")
