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


_MARK = b'{"journal": "holdfast tune, '
"""How each journal begins; a file that begins otherwise is somebody's data."""
_KEYS = (
    {"begin", "target"},
    {"failed", "attempt", "reason"},
    {"end", "target", "reward", "cost"},
)


class Journal:
    """A journal that nobody else writes to; `open_journal` makes one.

    observations: (target, reward, cost) of the evaluations so far; begun: the target of one that
    has begun and not ended, or None.
    """

    def __init__(self, file: IO[bytes], head: Mapping[str, Any], say: Say) -> None:
        self._file, self._name = file, f"the journal {Path(file.name).name}"
        self.fileno = file.fileno
        self.observations: list[tuple[int, float, float]] = []
        self.begun: int | None = None
        self._attempts = 0
        lines = self._lines()
        if lines:
            self._compare(lines.pop(0)[1], head, say)
        for number, line in lines:
            due = len(self.observations) + 1
            if not self._take(line):
                raise ModelError(
                    f"line {number} of {self._name} is not the begin, a failed attempt or the end "
                    f"of evaluation {due} that is due there; restore the "
                    "file, or begin anew with another --journal"
                )
        self._cut(say)
        if not file.tell():
            self.write(head)

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line; it is on the disk when this returns."""
        self._file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _lines(self) -> list[tuple[int, dict[str, Any]]]:
        """The lines that are complete, with their numbers; nothing is changed."""
        self._file.seek(0)
        data = self._file.read()
        if data and not data.startswith(_MARK):
            raise ModelError(
                f"--journal {Path(self._file.name).name} is no journal of holdfast tune, and is "
                "left as it is; give a name of its own"
            )
        texts = data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")
        return [
            (number, strict_json(text, f"line {number} of {self._name}", float))
            for number, text in enumerate(texts, start=1)
            if text.strip()
        ]

    def _cut(self, say: Say) -> None:
        """Cut off a last line that was not written to its end, and stand at the end."""
        self._file.seek(0)
        data = self._file.read()
        size = data.rfind(b"\n") + 1
        if size < len(data):
            say(f"note: the last line of {self._name} was cut short, and is dropped")
            self._file.truncate(size)
            self._file.seek(size)

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
        if before.get("observe") != now["observe"]:
            say(
                f"note: {self._name} began with the program {before.get('observe')!r}; to go on "
                "with another is right only if both observe the same system"
            )

    def _take(self, line: Any) -> bool:
        """Whether this line is what may follow those before it, and then take it in."""
        word = _word(line)
        if not word or line[word] != len(self.observations) + 1:
            return False
        if word == "begin":
            fits = self.begun in (None, line["target"])
            self.begun, self._attempts = line["target"], 0
            return fits
        if word == "failed":
            self._attempts += 1
            return self.begun is not None and line["attempt"] == self._attempts
        fits, self.begun = self.begun == line["target"], None
        self.observations.append((line["target"], float(line["reward"]), float(line["cost"])))
        return fits


def _word(line: Any) -> str:
    """The first key of a line that has all that belongs to it, and numbers but for a reason."""
    if not isinstance(line, dict) or line.keys() not in _KEYS:
        return ""
    values = [value for key, value in line.items() if key != "reason"]
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
    return next(iter(line)) if numbers else ""


@contextmanager
def open_journal(path: str, head: Mapping[str, Any], say: Say) -> Iterator[Journal]:
    """The journal of that path, made where missing, which nobody else uses meanwhile.

    head: all that decides what is proposed, and as "observe" the program; say: prints a note.
    Raises ModelError for a file that is no journal, one of another tuning, or one that is damaged
    before its last line, which are left as they are; OSError if the file cannot be written.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise ModelError(f"--journal {path} is not a regular file; give the name of one, or a new")
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
