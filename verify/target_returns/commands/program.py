"""A program of the user's that is run once for each evaluation."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO

import click

from holdfast.solvers.errors import ModelError
from holdfast.solvers.strict import shortened, strict_json
from holdfast.solvers.target_returns import Proposal

_MOST_OUTPUT = 2**26
"""Bytes that a program may print; more fills a disk before its time is up."""
_TAIL = 2**16
"""Bytes of the end of an output that are read, and so the most of its last line."""
_EXAMPLE = '{"reward": 412.5, "cost": 11}'
_POLL = 0.01
"""Seconds between looks whether it has ended; less would cost the program's own time."""
_COLUMN = re.compile(r"\{(\w+)\}")


class ObservationError(Exception):
    """A program gave no observation; the message says what it did instead."""


class Program:
    """A program, run without a shell; ignored: keys that it printed and nobody reads.

    The target's coordinates replace ``{column}`` in its words, or are appended to them; a line of
    JSON on standard input has them as well.

    lock: a file that it holds too: should this process be killed while it has a lock on it, the
    next one waits until the program that was left behind has ended.

    Raises click.BadParameter for a command that cannot be started.
    """

    def __init__(self, command: str, names: tuple[str, ...], timeout: float) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise click.BadParameter(f"--observe {shortened(command)}: {error}") from error
        if not self._words or shutil.which(self._words[0]) is None:
            raise click.BadParameter(
                f"--observe: {shortened(command)} begins with no program that can be run; give its "
                "path, or the interpreter before it, as in 'python simulate.py'"
            )
        for name in _COLUMN.findall(command):
            if name not in names:
                raise click.BadParameter(
                    f"--observe: {{{name}}} is no column of the grid, which has "
                    f"{', '.join(names)}; put words with braces of their own into a script"
                )
        self._names, self._timeout = names, timeout
        self.lock: tuple[int, ...] = ()
        self.ignored: set[str] = set()

    def __call__(self, proposal: Proposal, evaluation: int, attempt: int) -> tuple[float, float]:
        """Reward and cost; raises ObservationError where the program gives none."""
        target = dict(zip(self._names, proposal.target, strict=True))
        texts = {name: repr(value) for name, value in target.items()}
        words = [_COLUMN.sub(lambda name: texts[name[1]], word) for word in self._words]
        if words == self._words:
            words += texts.values()
        asked = {"target": target, "index": proposal.index}
        asked |= {"evaluation": evaluation, "attempt": attempt}
        with TemporaryFile() as given, TemporaryFile() as printed, TemporaryFile() as errors:
            given.write(json.dumps(asked).encode() + b"\n")
            given.seek(0)
            code = self._run(words, (given, printed, errors))
            if code != 0:
                said = shortened(_last_line(errors) or "nothing on standard error")
                how = f"exit code {code}" if code > 0 else f"signal {-code}"
                raise ObservationError(f"the program ended with {how}; its last words: {said}")
            return self._read(_last_line(printed))

    def _run(self, words: list[str], streams: tuple[IO[bytes], IO[bytes], IO[bytes]]) -> int:
        """The exit code; raises ObservationError where it does not end by itself."""
        try:
            process = subprocess.Popen(
                words, 0, None, *streams, start_new_session=True, pass_fds=self.lock
            )
        except OSError as error:
            raise ObservationError(f"the program cannot be started: {error}") from error
        end = time.monotonic() + self._timeout
        try:
            while process.poll() is None:
                if time.monotonic() >= end:
                    raise ObservationError(
                        f"the program ran for {self._timeout:g} s, its --timeout"
                    )
                if max(os.fstat(file.fileno()).st_size for file in streams) > _MOST_OUTPUT:
                    raise ObservationError(f"the program printed more than {_MOST_OUTPUT:,} bytes")
                time.sleep(_POLL)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever it has started ends with it
        return process.wait()

    def _read(self, line: str) -> tuple[float, float]:
        place = "the last line that the program printed"
        if not line:
            raise ObservationError(
                "the program printed nothing, or blank lines alone at its end; its last line must "
                f"be such as {_EXAMPLE}"
            )
        if len(line.encode()) >= _TAIL - 4:
            raise ObservationError(
                f"{place} is longer than {_TAIL:,} bytes, too long for an observation; print "
                f"nothing but {_EXAMPLE}"
            )
        try:
            found = strict_json(line, place, float)
        except ModelError as error:
            raise ObservationError(f"{error} ({shortened(line)})") from error
        values = (
            [
                float(value)
                for value in (found.get("reward"), found.get("cost"))
                if isinstance(value, int | float) and not isinstance(value, bool)
            ]
            if isinstance(found, dict)
            else []
        )
        if len(values) < 2:
            raise ObservationError(
                f"{place} is {shortened(line)}, not an object with the numbers reward and cost "
                f"such as {_EXAMPLE}"
            )
        self.ignored |= set(found) - {"reward", "cost"}
        return values[0], values[1]


def _last_line(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
    lines = file.read().decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
