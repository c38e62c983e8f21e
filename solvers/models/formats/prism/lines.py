"""Lines of PRISM's text files, with errors that name the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

from ....errors import ModelError
from ....strict import parse_rational, shortened

#: Labels of the states that the writer adds: the discount as termination, and the initial law.
SINK, START = "sink", "initial_law"

#: Characters of a line, which hold the longest number that is read.
LONGEST_LINE = 2**22
#: States without a choice that a file may have: each takes some 60 bytes and no line of the file.
IDLE_STATES = 10**6
_TYPE = re.compile(r"#\s*(?:Transitions|Reduced transitions)?\s*\(([A-Za-z]+)\)")
_READ = ("MDP", "DTMC")


def _is_count(text: str) -> bool:
    return re.fullmatch("[0-9]{1,18}", text) is not None


class Lines:
    """The fields of each line of a file, comments and blank lines left out.

    ``number`` is that of the line read last, counted from 1.  Raises ModelError for a file that
    is no text, FileNotFoundError for one that is not there.
    """

    def __init__(self, path: Path, comment: str = "#") -> None:
        self.path, self.number, self.header = path, 0, 0
        self._comment = comment
        self._numbers: dict[str, Fraction] = {}
        self._fields = self._read(path)

    def __iter__(self) -> Iterator[list[str]]:
        return self._fields

    def _read(self, path: Path) -> Iterator[list[str]]:
        try:
            with path.open(encoding="utf-8") as stream:
                while line := stream.readline(LONGEST_LINE):
                    self.number += 1
                    if len(line) == LONGEST_LINE:
                        raise self.fail(f"the line has {LONGEST_LINE} characters or more; break it")
                    self._check_type(line)
                    if (line := line.strip()) and not line.startswith(self._comment):
                        yield line.split()
        except UnicodeDecodeError as problem:
            raise ModelError(f"{path.name} is not text (byte {problem.start})") from problem

    def _check_type(self, line: str) -> None:
        kind = _TYPE.match(line)
        if kind and kind[1].isupper() and kind[1] not in _READ:
            raise self.fail(
                f"the file holds a {kind[1]}; models of the types {' and '.join(_READ)} are read "
                "(rates of a CTMC are not read)"
            )

    def storm_type(self) -> str | None:
        """``mdp`` or ``dtmc``, if the first line is this word alone, as Storm's explicit files
        begin; ModelError for its other types."""
        first = next(self._fields, None)
        if first is None:
            return None
        if len(first) == 1 and first[0].isalpha():
            if (kind := first[0].lower()) not in ("mdp", "dtmc"):
                raise self.fail(
                    f"the type is {first[0]!r}; of Storm's files those of mdp and dtmc are read"
                )
            return kind
        self._fields = chain([first], self._fields)
        return None

    def sizes(self, meaning: str, widths: tuple[int, ...]) -> list[int]:
        """The integers of the first line, as many as one of ``widths``; ``meaning`` names them."""
        for fields in self:
            self.header = self.number
            if len(fields) not in widths or not all(_is_count(text) for text in fields):
                raise self.fail(
                    f"the header is {' '.join(fields)[:60]!r}; it must be {meaning}, integers "
                    "of at most 18 digits"
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

    def check_states(self, promised: int, seen: int) -> None:
        """Raises ModelError at the header when nearly all of its states have no choice."""
        if promised - seen > IDLE_STATES:
            raise self.fail(
                f"the header promises {promised} states, of which {seen} have a choice; more than "
                f"{IDLE_STATES} deadlock states are not read, correct the header",
                self.header,
            )

    def fail(self, message: str, line: int | None = None) -> ModelError:
        """An error at a line, the one read last unless given."""
        return ModelError(f"{self.path.name}, line {line or self.number}: {message}")

    def count(self, text: str, what: str) -> int:
        """A non-negative integer."""
        if not _is_count(text):
            raise self.fail(
                f"{what} is {shortened(text)}; it must be an integer, at least 0, of at most 18 "
                "digits"
            )
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
        try:
            value = parse_rational(text, what)
        except ValueError as problem:
            raise self.fail(str(problem)) from problem
        return self._numbers.setdefault(text, value)
