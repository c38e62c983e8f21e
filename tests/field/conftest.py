"""What field tests share: a command in a process of its own, with the time and memory it took."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
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


_LOADED = """
import json, os, sys
from holdfast.__main__ import main
from holdfast.verify.binding.claims import shipped
import holdfast.verify.store.store, rich.table, scipy.sparse, sympy.physics.units
shipped()
answers = os.dup(1)
for line in sys.stdin:
    folder, *arguments = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        for number, name, how in ((0, os.devnull, os.O_RDONLY), (1, ".out", 577), (2, ".err", 577)):
            os.dup2(os.open(name, how, 0o644), number)
        os.close(answers)
        sys.stdin = open(0)
        sys.argv = ["holdfast", *arguments]
        main()
        break
    _, status, used = os.wait4(child, 0)
    found = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss
    os.write(answers, (json.dumps(found) + "\\n").encode())
"""
"""Loads what commands load, and forks for each command: loading is most of what a test would take.
577: write, create and truncate."""


@pytest.fixture(scope="session")
def loaded() -> Iterator[subprocess.Popen[str]]:
    """A process that has loaded what commands load."""
    line, pipe = [sys.executable, "-P", "-c", _LOADED], subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def holdfast(loaded: subprocess.Popen[str], tmp_path: Path) -> Callable[..., Done]:
    """Runs holdfast with these arguments in the test's folder; the time is without loading."""

    def run(*arguments: object) -> Done:
        assert loaded.stdin is not None and loaded.stdout is not None
        print(json.dumps([str(tmp_path), *map(str, arguments)]), file=loaded.stdin, flush=True)
        code, seconds, kilobytes = json.loads(loaded.stdout.readline())
        out, err = ((tmp_path / name).read_bytes().decode() for name in (".out", ".err"))
        return Done(code, out, err, seconds, kilobytes / 1024)

    return run
