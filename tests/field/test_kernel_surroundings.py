"""Whoever checks a certificate runs nothing of the folder and the environment that it lies in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .test_kernel_attacks import KERNEL, WINDOW_OPTIMUM

MODULES = (
    "json", "fractions", "contextvars", "hashlib", "pathlib", "re", "dataclasses", "enum",
    "holdfast", "kernel", "exact", "documents", "sitecustomize", "usercustomize", "click", "rich",
)  # fmt: skip


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules that leave a mark when they are imported, and a certificate."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in MODULES:
        mark = folder / f"ran-{name}"
        (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (folder / "good.json").write_text(json.dumps(WINDOW_OPTIMUM))
    (folder / "bad.json").write_text(json.dumps({**WINDOW_OPTIMUM, "value": "2"}))
    return folder


def environment(folder: Path) -> dict[str, str]:
    """One that makes Python look into the folder."""
    return {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONSTARTUP": str(folder / "json.py"),
        "PYTHONUSERBASE": str(folder),
        "PYTHONHOME": "",
        "PYTHONWARNINGS": "error::holdfast.Mark",
    }


def test_the_kernel_runs_nothing_of_folder_and_environment(hostile: Path) -> None:
    for name, code in (("good.json", 0), ("bad.json", 4)):
        command = [sys.executable, "-I", "-S", str(KERNEL), name]
        done = subprocess.run(
            command,
            cwd=hostile,
            env=environment(hostile),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, ""), done.stdout
    assert not list(hostile.glob("ran-*"))


def test_a_copied_kernel_runs_nothing_of_where_it_was_copied_to(hostile: Path) -> None:
    """As the guide says: a folder of any name, beside the certificate."""
    target = hostile / "copied"
    target.mkdir()
    for path in KERNEL.parent.glob("*.py"):
        (target / path.name).write_text(path.read_text())
    command = [sys.executable, "-I", "-S", "copied/__main__.py", "good.json"]
    done = subprocess.run(command, cwd=hostile, env=environment(hostile), check=False)
    assert done.returncode == 0
    assert not list(hostile.glob("ran-*"))


@pytest.mark.parametrize("entry", ["script", "module"])
def test_the_command_runs_nothing_of_the_folder(hostile: Path, entry: str) -> None:
    """What `python -m holdfast` means is decided by Python, before a line of ours is read.

    A holdfast.py in the current folder is therefore what it runs, and only the command `holdfast`,
    or `python -P`, does not look there: see the control below. Everything after that is ours.
    """
    (hostile / "holdfast.py").unlink()
    script = "from holdfast.__main__ import main; main()"
    start = ["-P", "-c", script] if entry == "script" else ["-m", "holdfast"]
    command = [sys.executable, *start, "check", "good.json"]
    done = subprocess.run(command, cwd=hostile, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "is 1" in done.stdout.splitlines()[-1]
    assert not list(hostile.glob("ran-*"))


def test_the_command_starts_again_without_the_paths_of_the_environment(hostile: Path) -> None:
    """What Python runs by itself when it starts, such as sitecustomize, is beyond us."""
    for name in ("holdfast", "sitecustomize", "usercustomize"):
        (hostile / f"{name}.py").unlink()
    script = "from holdfast.__main__ import main; main()"
    command = [sys.executable, "-P", "-c", script, "check", "good.json"]
    done = subprocess.run(command, cwd=hostile, env=environment(hostile), check=False)
    assert done.returncode == 0
    assert not list(hostile.glob("ran-*"))


CONTROLS = {
    "the kernel, not isolated": ["-S", str(KERNEL), "good.json"],
    "the kernel as a module, as -m finds it": ["-m", "kernel", "good.json"],
    "the command, where a holdfast.py lies": ["-m", "holdfast", "check", "good.json"],
}


@pytest.mark.parametrize("start", CONTROLS.values(), ids=CONTROLS)
def test_the_hostile_folder_is_hostile(hostile: Path, start: list[str]) -> None:
    """The control: whatever is imported first runs, where Python is not told to look elsewhere."""
    for name in ("sitecustomize", "usercustomize"):
        (hostile / f"{name}.py").unlink()
    command = [sys.executable, *start]
    subprocess.run(command, cwd=hostile, env=environment(hostile), check=False, capture_output=True)
    assert list(hostile.glob("ran-*"))
