"""Options as the release before spelt them, accepted once more with a hint on standard error.

Nothing else knows of them: to end it, delete this file and the call in `__init__`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice

import click

from holdfast.verify.report.visible import visible

_OF_CHANCE = frozenset(
    ("--joint-risk", "--horizon", "--then-free", "--fading", "--width", "--unsafe", "--charge",
     "--counts-start", "--reward-only-safe", "--compare-boole")
)  # fmt: skip
_WITH_VALUE = frozenset(("--joint-risk", "--seconds", "--budget", "--limit", "--cost", "--method"))
_TIME = "--budget is a time, such as 60s"
_LIMIT = "--limit is the bound of a cost"

Part = tuple[str, ...]
"""An option and its value, or one word alone."""


def in_new_spelling(arguments: Sequence[str]) -> list[str]:
    """The arguments as they are spelt now; says on standard error what has changed, if anything."""
    command, *rest = arguments or [""]
    if command not in ("solve", "export"):
        return list(arguments)
    parts = list(_parts(rest))
    chance = _asks_for_chance(command, parts)
    renamed = [_of_chance(part) if chance else _of_solve(part) for part in parts]
    new = [part for part, _ in renamed]
    if not chance and new == parts:
        return list(arguments)
    words = ["chance" if chance else command, *chain.from_iterable(new)]
    _say(words, [why for _, why in renamed])
    return words


def _asks_for_chance(command: str, parts: Sequence[Part]) -> bool:
    return command == "solve" and any(part[0] in _OF_CHANCE for part in parts)


def _say(words: Sequence[str], reasons: Sequence[str]) -> None:
    given = "; ".join(dict.fromkeys(filter(None, reasons)))
    why = f" ({given})" if given else ""
    hint = (
        f"hint: now spelt `holdfast {shlex.join(words)}`{why}. This release is the last that "
        "accepts the old spelling."
    )
    click.echo(visible(hint), err=True)


def _parts(words: Sequence[str]) -> Iterator[Part]:
    """The words, each option of `_WITH_VALUE` with its value, whether --name value or =value."""
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--":
            yield from ((one,) for one in (word, *rest))
        elif equals and name in _OF_CHANCE | _WITH_VALUE:
            yield name, value
        elif word in _WITH_VALUE:
            yield word, *islice(rest, 1)
        else:
            yield (word,)


def _of_solve(part: Part) -> tuple[Part, str]:
    """The part as it is now, and the reason, if it has changed."""
    if len(part) == 2 and part[0] == "--seconds":
        return ("--budget", _time(part[1])), _TIME
    if len(part) == 2 and part[0] == "--budget" and _is_rational(part[1]):
        return ("--limit", part[1]), f"{_LIMIT}; {_TIME}"
    return part, ""


def _of_chance(part: Part) -> tuple[Part, str]:
    """As `_of_solve`, for what is a command of its own now."""
    new, why = _of_solve(part)
    if new[0] in ("--limit", "--cost"):
        return (), "costs of the model take no part in it"
    if new == ("--method", "auto"):
        return (), ""
    if new[0] == "--joint-risk":
        return ("--risk", *new[1:]), ""
    return new, why


def _time(seconds: str) -> str:
    """With its unit: 60 as 60s, and 1e-3 as 0.001s; what is not a number stays, to be refused."""
    if re.fullmatch(r"[0-9]*\.?[0-9]*e[-+]?[0-9]{1,2}", seconds):
        return f"{float(seconds):.9f}s"
    return f"{seconds}s"


def _is_rational(text: str) -> bool:
    try:
        Fraction(text)
    except (ValueError, ZeroDivisionError):
        return False
    return True
