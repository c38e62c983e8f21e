"""The journal of a tuning: one line of JSON before and one after each evaluation, synchronised.

A line counts once it ends with a line feed, so a tuning that was killed at any moment goes on from
the last observation that was written; an evaluation that had begun is repeated.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from holdfast.solvers.errors import ModelError
from holdfast.solvers.strict import strict_json

Say = Callable[[str], None]


class Journal:
    """A journal that nobody else writes to; `open_journal` makes one.

    observations: (target, reward, cost) of the evaluations so far.
    """

    def __init__(self, file: IO[bytes], head: Mapping[str, Any], say: Say) -> None:
        self._file, self._name = file, f"the journal {Path(file.name).name}"
        self.fileno = file.fileno
        self.observations: list[tuple[int, float, float]] = []
        lines = self._lines(say)
        if not lines:
            self.write(head)
        else:
            self._compare(lines[0], head, say)
            ended = (number for number, line in enumerate(lines) if "end" in line)
            for number in ended:
                self._take(lines[number], number + 1)

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line; it is on the disk when this returns."""
        self._file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _lines(self, say: Say) -> list[dict[str, Any]]:
        """The lines that are complete; what follows them is cut off."""
        self._file.seek(0)
        data = self._file.read()
        size = data.rfind(b"\n") + 1
        if size < len(data):
            say(f"note: the last line of {self._name} was cut short, and is dropped")
            self._file.truncate(size)
        texts = data[:size].decode("utf-8", "replace").splitlines()
        places = (f"line {number} of {self._name}" for number in range(1, len(texts) + 1))
        return [strict_json(text, place, float) for text, place in zip(texts, places, strict=True)]

    def _compare(self, before: Mapping[str, Any], now: Mapping[str, Any], say: Say) -> None:
        now = json.loads(json.dumps(now))
        keys = {**now, **before}
        differ = [key for key in keys if key != "observe" and before.get(key) != now.get(key)]
        if differ:
            shown = "; ".join(f"{key} {before.get(key)}, now {now.get(key)}" for key in differ)
            raise ModelError(
                f"{self._name} is of another tuning: {shown}; give this one a --journal of its "
                "own, or take the options of the other"
            )
        if before["observe"] != now["observe"]:
            say(
                f"note: {self._name} began with the program {before['observe']!r}; to go on with "
                "another is right only if both observe the same system"
            )

    def _take(self, line: Mapping[str, Any], number: int) -> None:
        values = [line.get(key) for key in ("end", "target", "reward", "cost")]
        due = len(self.observations) + 1
        if not all(isinstance(x, int | float) for x in values) or values[0] != due:
            raise ModelError(
                f"line {number} of {self._name} is not the end of evaluation {due}; restore the "
                "file, or begin anew with another --journal"
            )
        self.observations.append(tuple(values[1:]))  # type: ignore[arg-type]


@contextmanager
def open_journal(path: str, head: Mapping[str, Any], say: Say) -> Iterator[Journal]:
    """The journal of that path, made where missing, which nobody else uses meanwhile.

    head: all that decides what is proposed, and as "observe" the program; say: prints a note.
    Raises ModelError for a journal of another tuning or one that is damaged before its last line,
    OSError if the file cannot be written.
    """
    with Path(path).open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(
                f"waiting: {path} is in use by another tuning, or by the program that one left "
                "behind when it was killed"
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        folder = os.open(Path(path).resolve().parent, os.O_RDONLY)
        os.fsync(folder)  # the name of a new file, too, must outlast a loss of power
        os.close(folder)
        yield Journal(file, head, say)
