"""The two texts of a pair from a row of preference data, and what of the row is not read."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError
from .bounded_files import listed, shown

BETWEEN = " "
"""Stands between prompt and answer, as in the source's pipeline, and between messages."""
_MESSAGES = "\n\n"
"""Stands between messages while a prompt is looked for among them."""
_CALLS = ("tool_calls", "function_call")
"""A message that has one of these may have no content."""


class Prompt(enum.Enum):
    """Where the prompt of a row was."""

    NONE = "there is none"
    BEFORE = "apart from the answers: it was put before both"
    WITHIN = "both answers held it already: it was not put before them again"
    ONE_SIDED = "one answer began with it, by chance or not: it was put before both"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is read of a row.

    chosen, rejected: with the prompt before both; joined: whether `BETWEEN` stands in them, which
    is not in the row; unread: names of columns that are not read, and as "chosen: name" of keys of
    messages.
    """

    chosen: str
    rejected: str
    prompt: Prompt
    joined: bool
    unread: frozenset[str]


def pair_of(row: Mapping[str, Any], place: str) -> Pair:
    """The texts of a row with ``chosen``, ``rejected`` and perhaps ``prompt``.

    Raises ModelError naming the place, the message and the remedy: a key that is missing, what is
    no text, a prompt that only one of two dialogues holds.
    """
    for name in ("chosen", "rejected"):
        if name not in row:
            raise ModelError(
                f"{place} has no {name!r}, but {listed(row)}; each row holds chosen and rejected: "
                "rename what is named otherwise, and put the better answer under chosen"
            )
    prompt = () if row.get("prompt") in (None, "", []) else _parts(row["prompt"], place, "prompt")
    answers = [_parts(row[name], place, name) for name in ("chosen", "rejected")]
    where = _where(row, answers, _MESSAGES.join(prompt).strip(), place)
    before = prompt if where in (Prompt.BEFORE, Prompt.ONE_SIDED) else ()
    chosen, rejected = (BETWEEN.join([*before, *parts]) for parts in answers)
    joined = bool(before) or max(map(len, answers)) > 1
    return Pair(chosen, rejected, where, joined, _unread(row))


def _unread(row: Mapping[str, Any]) -> frozenset[str]:
    """Names of columns, and of keys of messages, that are not read."""
    columns = ("prompt", "chosen", "rejected")
    return frozenset(row.keys() - set(columns)) | frozenset(
        f"{name}: {key}"
        for name in columns
        if isinstance(row.get(name), list)
        for message in row[name]
        if isinstance(message, dict)
        for key in message.keys() - {"role", "content"}
    )


def _where(
    row: Mapping[str, Any], answers: Sequence[Sequence[str]], prompt: str, place: str
) -> Prompt:
    """Whether the answers hold the prompt: as a message (dialogues), or at their beginning."""
    if not prompt:
        return Prompt.NONE
    lists = [isinstance(row[name], list) for name in ("chosen", "rejected")]
    held = [
        _among(parts, prompt) if several else _begins(parts[0].lstrip(), prompt)
        for parts, several in zip(answers, lists, strict=True)
    ]
    if any(lists) and held[0] != held[1]:
        with_it, without = ("chosen", "rejected") if held[0] else ("rejected", "chosen")
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
    """A string as it is, alone; the contents of a list of messages."""
    if isinstance(value, list) and value:
        return tuple(
            _content(message, f"{place}: message {k} of {name}")
            for k, message in enumerate(value, start=1)
        )
    if not isinstance(value, str):
        raise ModelError(
            f"{place}: {name} is {shown(value)}; give a string, or a list of messages with a "
            "content each"
        )
    return (_whole(value, f"{place}: {name}"),)


def _content(message: Any, place: str) -> str:
    """The content of a message; of one that calls tools it may be missing, and is then empty."""
    content = message.get("content") if isinstance(message, dict) else message
    if isinstance(content, str):
        return _whole(content, place)
    if content is None and isinstance(message, dict) and any(map(message.get, _CALLS)):
        return ""
    raise ModelError(f"{place} has the content {shown(content)}; give it a text")


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
