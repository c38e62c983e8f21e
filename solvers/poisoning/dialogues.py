"""The two texts of a pair from a row of preference data, and what of the row is not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..model_checks import ModelError
from .bounded_files import listed, shown

_BETWEEN = "\n\n"
"""Stands between the messages of a dialogue."""
_CALLS = ("tool_calls", "function_call")
"""A message that has one of these may have no content."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is read of a row.

    chosen, rejected: with the prompt before both; prompt_within: whether both began with it
    already, so that it was not put before them again; unread: names of columns that are not read,
    and as "chosen: name" of keys of messages.
    """

    chosen: str
    rejected: str
    prompt_within: bool
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
    prompt = "" if row.get("prompt") in (None, "", []) else _text(row["prompt"], place, "prompt")
    chosen, rejected = (_text(row[name], place, name) for name in ("chosen", "rejected"))
    unread = frozenset(row.keys() - {"prompt", "chosen", "rejected"}) | frozenset(
        f"{name}: {key}"
        for name in ("prompt", "chosen", "rejected")
        if isinstance(row.get(name), list)
        for message in row[name]
        if isinstance(message, dict)
        for key in message.keys() - {"role", "content"}
    )
    if prompt.strip() and _both_hold(row, (chosen, rejected), prompt.strip(), place):
        return Pair(chosen, rejected, True, unread)
    return Pair(prompt + chosen, prompt + rejected, False, unread)


def _both_hold(row: Mapping[str, Any], texts: tuple[str, str], prompt: str, place: str) -> bool:
    """Whether both texts hold the prompt: as a message (dialogues), or at their beginning."""
    lists = [isinstance(row[name], list) for name in ("chosen", "rejected")]
    held = [
        _among(text, prompt) if several else _begins(text.lstrip(), prompt)
        for text, several in zip(texts, lists, strict=True)
    ]
    if any(lists) and held[0] != held[1]:
        with_it, without = ("chosen", "rejected") if held[0] else ("rejected", "chosen")
        raise ModelError(
            f"{place}: {with_it} holds the prompt {shown(prompt)} and {without} does not; give it "
            "in both or in neither"
        )
    return all(held)


def _among(text: str, prompt: str) -> bool:
    return f"{_BETWEEN}{prompt}{_BETWEEN}" in f"{_BETWEEN}{text}"


def _begins(text: str, prompt: str) -> bool:
    """Whether the prompt ends where a word of the text does: "A" does not begin "Apples"."""
    follows = text[len(prompt) :][:1]
    return text.startswith(prompt) and not (prompt[-1].isalnum() and follows.isalnum())


def _text(value: Any, place: str, name: str) -> str:
    """A string as it is; the contents of a list of messages, joined by blank lines."""
    if isinstance(value, list) and value:
        parts = [
            _content(message, f"{place}: message {k} of {name}")
            for k, message in enumerate(value, start=1)
        ]
        return _BETWEEN.join(parts)
    if not isinstance(value, str):
        raise ModelError(
            f"{place}: {name} is {shown(value)}; give a string, or a list of messages with a "
            "content each"
        )
    return _whole(value, f"{place}: {name}")


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
