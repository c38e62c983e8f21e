"""What field tests share: a command in a process of its own, with the time and memory it took."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Done:
    """What came of a command: exit code, output, processor time, peak of memory."""

    code: int
    out: str
    err: str
    seconds: float
    megabytes: float


_MEASURED = """
import pathlib, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
pathlib.Path(".used").write_text(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(code)
"""


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., Done]:
    """Runs a command line in the test's folder."""

    def run(*command: object) -> Done:
        # a child of a large process starts with its peak of memory: a small one comes between
        line = [sys.executable, "-I", "-S", "-c", _MEASURED, *map(str, command)]
        streams = [tmp_path / ".out", tmp_path / ".err"]
        with streams[0].open("wb") as out, streams[1].open("wb") as err:
            done = subprocess.run(
                line, stdout=out, stderr=err, cwd=tmp_path, check=False, timeout=60
            )
        texts = [stream.read_bytes().decode() for stream in streams]  # with each \r as it came
        spent, kilobytes = map(float, (tmp_path / ".used").read_text().split())
        return Done(done.returncode, *texts, spent, kilobytes / 1024)

    return run


@pytest.fixture
def holdfast(measured: Callable[..., Done]) -> Callable[..., Done]:
    """Runs holdfast with these arguments in the test's folder."""
    return lambda *arguments: measured(sys.executable, "-P", "-m", "holdfast", *arguments)
