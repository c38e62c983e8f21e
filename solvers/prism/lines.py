"""Lines of PRISM's text files, with errors that name the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ..cmdp import ModelError
from ..exact import to_fraction

#: Labels of the states that the writer adds: the discount as termination, and the initial law.
SINK, START = "sink", "initial_law"

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
_FRACTION = re.compile(r"[+-]?(\d+|0x[0-9a-f]+)/(\d+|0x[0-9a-f]+)")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit()


class Lines:
    """The fields of each line of a file, comments and blank lines left out.

    ``number`` is that of the line read last, counted from 1.  Raises ModelError for a file that
    is no text, FileNotFoundError for one that is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.number, self.header = path, 0, 0
        try:
            self._lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as problem:
            raise ModelError(f"{path.name} is not text (byte {problem.start})") from problem
        self._numbers: dict[str, Fraction] = {}

    def __iter__(self) -> Iterator[list[str]]:
        lines = self._lines
        while self.number < len(lines):
            line = lines[self.number].strip()
            self.number += 1
            if line and not line.startswith("#"):
                yield line.split()

    def sizes(self, meaning: str, widths: tuple[int, ...]) -> list[int]:
        """The integers of the first line, as many as one of ``widths``; ``meaning`` names them."""
        for fields in self:
            self.header = self.number
            if len(fields) not in widths or not all(_is_count(text) for text in fields):
                raise self.fail(
                    f"the header is {' '.join(fields)[:60]!r}; it must be {meaning}, integers"
                )
            return [int(text) for text in fields]
        raise ModelError(f"{self.path.name} is empty; its first line must be {meaning}")

    def check_count(self, what: str, promised: int, seen: int) -> None:
        """Raises ModelError at the header when it promises another number than there are."""
        if seen != promised:
            gap = f"{promised - seen} missing" if seen < promised else f"{seen - promised} too many"
            raise self.fail(
                f"the header promises {promised} {what} and the file has {seen}: {gap}; complete "
                "the file or correct the header",
                self.header,
            )

    def fail(self, message: str, line: int | None = None) -> ModelError:
        """An error at a line, the one read last unless given."""
        return ModelError(f"{self.path.name}, line {line or self.number}: {message}")

    def count(self, text: str, what: str) -> int:
        """A non-negative integer."""
        if not _is_count(text):
            raise self.fail(f"{what} is {text[:40]!r}; it must be an integer, at least 0")
        return int(text)

    def state(self, text: str, n_states: int, what: str = "the state") -> int:
        """A state of the model."""
        state = self.count(text, what)
        if state >= n_states:
            raise self.fail(f"{what} is {state}; the model has states 0 .. {n_states - 1}")
        return state

    def rational(self, text: str, what: str) -> Fraction:
        """A decimal (also ``5.6e-6``) or a fraction ``p/q``, exactly."""
        known = self._numbers.get(text)
        if known is not None:
            return known
        if not (_DECIMAL.fullmatch(text) or _FRACTION.fullmatch(text)):
            raise self.fail(f"{what} is {text[:40]!r}; write a decimal, as 0.25, or p/q")
        try:
            value = to_fraction(text, what)
        except ValueError as problem:
            raise self.fail(str(problem)) from problem
        return self._numbers.setdefault(text, value)
