"""The two texts of a pair from a row of preference data, and what of the row is not read."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError
from .bounded_files import shown
from .columns import STANDARD, Columns

BETWEEN = " "
"""Stands between prompt and answer, as in the source's pipeline, and between messages."""
_MESSAGES = "\n\n"
"""Stands between messages while a prompt is looked for among them."""
_CALLS = ("tool_calls", "function_call")
"""A message that has one of these may have no content."""
_READ = frozenset({"role", "content", "from", "value"})
"""Keys of a message: as chat data name them, and as ShareGPT does."""


class Prompt(enum.Enum):
    """Where the prompt of a row was."""

    NONE = "there is none"
    BEFORE = "apart from the answers: it was put before both"
    WITHIN = "both answers held it already: it was not put before them again"
    ONE_SIDED = "one answer began with it, by chance or not: it was put before both"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is read of a row.

    chosen, rejected: the better and the other text, with the prompt before both; label: the chance
    that chosen is better, at least 1/2; first: whether chosen is the first answer; joined: whether
    `BETWEEN` stands in them, which is not in the row; unread: names of columns that are not read,
    and as "chosen: name" of keys of messages.
    """

    chosen: str
    rejected: str
    label: float
    first: bool
    prompt: Prompt
    joined: bool
    unread: frozenset[str]


def pair_of(row: Mapping[str, Any], place: str, columns: Columns = STANDARD) -> Pair:
    """The texts of a row, by default those of ``chosen``, ``rejected`` and perhaps ``prompt``.

    Raises ModelError naming the place, the message and the remedy: a key that is missing, what is
    no text, a prompt that only one of two dialogues holds, and as `Columns.chance`.
    """
    chance = columns.chance(row, place)
    name, *both = columns.texts
    prompt = () if row.get(name) in (None, "", []) else _parts(row[name], place, name)
    if not (first := chance >= 0.5):
        both.reverse()
    answers = {name: _parts(row[name], place, name) for name in both}
    where = _where(row, answers, _MESSAGES.join(prompt).strip(), place)
    before = prompt if where in (Prompt.BEFORE, Prompt.ONE_SIDED) else ()
    chosen, rejected = (BETWEEN.join([*before, *parts]) for parts in answers.values())
    joined = bool(before) or max(map(len, answers.values())) > 1
    return Pair(chosen, rejected, max(chance, 1 - chance), first, where, joined,
                _unread(row, columns))  # fmt: skip


def _unread(row: Mapping[str, Any], columns: Columns) -> frozenset[str]:
    """Names of columns, and of keys of messages, that are not read."""
    return frozenset(row.keys() - set(columns.read)) | frozenset(
        f"{name}: {key}"
        for name in columns.texts
        for message in _messages(row.get(name))
        if isinstance(message, dict)
        for key in message.keys() - _READ
    )


def _messages(value: Any) -> Sequence[Any]:
    """Those of a dialogue, which may be a single one; none of a string."""
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _where(
    row: Mapping[str, Any], answers: Mapping[str, Sequence[str]], prompt: str, place: str
) -> Prompt:
    """Whether the answers hold the prompt: as a message (dialogues), or at their beginning."""
    if not prompt:
        return Prompt.NONE
    lists = [isinstance(row[name], list) for name in answers]
    held = [
        _among(parts, prompt) if several else _begins(parts[0].lstrip(), prompt)
        for parts, several in zip(answers.values(), lists, strict=True)
    ]
    if any(lists) and held[0] != held[1]:
        with_it, without = answers if held[0] else reversed(list(answers))
        raise ModelError(
            f"{place}: {with_it} holds the prompt {shown(prompt)} and {without} does not; give it "
            "in both or in neither"
        )
    if all(held):
        return Prompt.WITHIN
    return Prompt.ONE_SIDED if any(held) else Prompt.BEFORE


def _among(messages: Sequence[str], prompt: str) -> bool:
    text = _MESSAGES.join(messages)
    return f"{_MESSAGES}{prompt}{_MESSAGES}" in f"{_MESSAGES}{text}"


def _begins(text: str, prompt: str) -> bool:
    """Whether the prompt ends where a word of the text does: "A" does not begin "Apples"."""
    follows = text[len(prompt) :][:1]
    return text.startswith(prompt) and not (prompt[-1].isalnum() and follows.isalnum())


def _parts(value: Any, place: str, name: str) -> tuple[str, ...]:
    """A string as it is, alone; the contents of a list of messages, or of a single one."""
    if messages := _messages(value):
        return tuple(
            text
            for k, message in enumerate(messages, start=1)
            for text in _content(message, f"{place}: message {k} of {name}")
        )
    if not isinstance(value, str):
        raise ModelError(
            f"{place}: {name} is {shown(value)}; give a string, or a list of messages with a "
            "content each"
        )
    return (_whole(value, f"{place}: {name}"),)


def _content(message: Any, place: str) -> Iterator[str]:
    """The content of a message, or its parts; of one that calls tools it may be missing."""
    content = message
    if isinstance(message, dict):
        content = message.get("content", message.get("value"))
        if content is None and any(map(message.get, _CALLS)):
            content = ""
    if isinstance(content, list) and content:
        for k, part in enumerate(content, start=1):
            yield _part(part, f"{place}: part {k}")
    elif isinstance(content, str):
        yield _whole(content, place)
    else:
        raise ModelError(f"{place} has the content {shown(content)}; give it a text")


def _part(part: Any, place: str) -> str:
    """The text of a part of a content."""
    text = part.get("text") if isinstance(part, dict) else None
    if isinstance(text, str):
        return _whole(text, place)
    raise ModelError(
        f"{place} is {shown(part)}, which has no text; texts alone are measured: leave such rows "
        "out"
    )


def _whole(text: str, place: str) -> str:
    """The text; raises ModelError if it holds half of a character."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ModelError(
                f"{place} holds half of a character, {shown(text[error.start])}, at position "
                f"{error.start + 1}; write the whole one"
            ) from error
    return text
