"""Documents in, reports out; linear programs max c.x over x >= 0, and their certificates.

A checker yields the name of each step before it takes it. Nothing is solved: given vectors are
multiplied with the matrix, in integers.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .exact import (
    Enclosure,
    Parser,
    Rejected,
    located,
    parse_integer,
    record,
    require,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step; if it failed, `reason` says where and why, `value` what was found."""
    number: int
    name: str
    ok: bool = True
    reason: str = ""
    value: str = ""
    def __str__(self) -> str:
        outcome = "ok" if self.ok else f"REJECTED: {self.reason}: {self.value}"
        return f"step {self.number}, {self.name}: {outcome}"

@dataclass(frozen=True, slots=True)
class Report:
    """What was proved, if accepted; `proved` and `given` count numbers derived and believed."""
    conclusion: str = ""
    enclosure: Enclosure | None = None
    proved: int = 1
    given: int = 0
    kind: str = "unknown"
    accepted: bool = False
    steps: tuple[Step, ...] = ()

Checker = Generator[str, None, Report]
_CHECKERS: dict[str, tuple[dict[str, Parser], Callable[..., Checker]]] = {}

def checker(kind: str, **parsers: Parser) -> Callable[..., Callable[..., Checker]]:
    """Register the checker of a kind of document: its arguments are the fields, parsed."""
    def register(function: Callable[..., Checker]) -> Callable[..., Checker]:
        _CHECKERS[kind] = parsers, function
        return function
    return register

def one_of(*words: str) -> Parser:
    """Parser of these words."""
    def parse_word(value: Any) -> Any:
        require(isinstance(value, str) and value in words, f" is none of {', '.join(words)}", value)
        return value
    return parse_word

def _examine(document: Any) -> Checker:
    yield "kind is known"
    kind = located("kind", one_of(*_CHECKERS), document["kind"])
    yield "fields are well formed"
    parsers, function = _CHECKERS[kind]
    header = {"format": one_of("holdfast-certificate/1"), "kind": one_of(kind)}
    _, _, *arguments = located(kind, record(**header, **parsers), document)
    return replace((yield from function(*arguments)), kind=kind)

def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len(dict(pairs)) == len(pairs), "an object repeats a key", [key for key, _ in pairs])
    return dict(pairs)

def _read(path: str | Path) -> Checker:
    yield "file is JSON in UTF-8, without floats and repeated keys"
    hooks = {"parse_float": parse_integer, "parse_constant": parse_integer}  # refuse their text
    text = Path(path).read_bytes().decode("utf-8")
    return (yield from _examine(json.loads(text, object_pairs_hook=_unique, **hooks)))

def _follow(run: Checker) -> Report:
    steps: list[Step] = []
    try:
        while True:
            steps.append(Step(len(steps) + 1, next(run)))
    except StopIteration as end:
        report: Report = end.value
        return replace(report, accepted=True, steps=tuple(steps))
    except Exception as error:  # whatever is raised rejects the step in which it was raised
        known = isinstance(error, Rejected)
        found = error if known else Rejected(f"unexpected {type(error).__name__}", str(error))
    steps[-1] = replace(steps[-1], ok=False, reason=found.reason, value=found.value)
    return Report(steps=tuple(steps), proved=0)

def check(document: object) -> Report:
    """Check a certificate already parsed. Never raises: bad documents are rejected."""
    return _follow(_examine(document))

def check_file(path: str | Path) -> Report:
    """Check a certificate file. Never raises: missing and malformed files are rejected."""
    return _follow(_read(path))
