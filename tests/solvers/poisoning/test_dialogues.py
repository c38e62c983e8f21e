"""The texts of a pair: the prompt once, messages, and what is not read."""

from typing import Any

import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning.data.dialogues import Prompt, pair_of


def chat(*contents: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content} for content in contents]


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected", "texts"),
    [
        ("Why? ", "So.", "No.", ("Why?  So.", "Why?  No.")),
        ("Why?", "So.", "No.", ("Why? So.", "Why? No.")),
        ("Why?", "Why? So.", "Why? No.", ("Why? So.", "Why? No.")),
        ("\n\nWhy?", "Why? So.", "Why? No.", ("Why? So.", "Why? No.")),
        ("Why?", chat("Why?", "So."), chat("Why?", "No."), ("Why? So.", "Why? No.")),
        (chat("Be brief", "Why?"), chat("Be brief", "Why?", "So."), chat("Be brief", "Why?", "No"),
         ("Be brief Why? So.", "Be brief Why? No")),
        ("Why?", chat("Be brief", "Why?", "So"), chat("Be brief", "Why?", "No"),
         ("Be brief Why? So", "Be brief Why? No")),
        ("Why?", "Why? So.", "No.", ("Why? Why? So.", "Why? No.")),
        ("A", "Apple", "Ant", ("A Apple", "A Ant")),
        ("Why?", chat("So."), chat("No."), ("Why? So.", "Why? No.")),
        ("Why?", chat("Why?"), chat("Why?"), ("Why? Why?", "Why? Why?")),
        (None, "So.", "No.", ("So.", "No.")),
        ([], "So.", "No.", ("So.", "No.")),
        (" ", "So.", "No.", ("So.", "No.")),
    ],
)  # fmt: skip
def test_the_prompt_stands_once(
    prompt: Any, chosen: Any, rejected: Any, texts: tuple[str, str]
) -> None:
    pair = pair_of({"prompt": prompt, "chosen": chosen, "rejected": rejected}, "line 1")
    assert (pair.chosen, pair.rejected) == texts


def test_whether_the_prompt_was_there_is_said() -> None:
    cases = [
        ("Why?", "Why? So.", "Why? No.", Prompt.WITHIN, False),
        ("Why?", "So.", "Why? No.", Prompt.ONE_SIDED, True),
        ("Why?", "So.", "No.", Prompt.BEFORE, True),
        (" ", "So.", "No.", Prompt.NONE, False),
        (None, chat("Why?", "So."), "No.", Prompt.NONE, True),
    ]
    for prompt, chosen, rejected, where, joined in cases:
        pair = pair_of({"prompt": prompt, "chosen": chosen, "rejected": rejected}, "line 1")
        assert (pair.prompt, pair.joined) == (where, joined)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "Why?", "chosen": chat("Why?", "So"), "rejected": chat("No")},
         r"line 1: chosen holds the prompt 'Why\?' and rejected does not; give it in both"),
        ({"prompt": "Why?", "chosen": "So", "rejected": chat("Why?", "No")},
         r"line 1: rejected holds the prompt 'Why\?' and chosen does not"),
        ({"prompt": 0, "chosen": "a", "rejected": "b"}, r"line 1: prompt is 0; give a string"),
        ({"prompt": False, "chosen": "a", "rejected": "b"}, r"prompt is False; give a string"),
        ({"chosen": chat("a", None), "rejected": "b"},
         r"line 1: message 2 of chosen has the content None; give it a text"),
        ({"chosen": chat("a", ["b"]), "rejected": "b"},
         r"line 1: message 2 of chosen: part 1 is 'b', which has no text; texts alone are"),
        ({"chosen": chat([{"type": "text", "text": "a"}, {"type": "image_url"}]), "rejected": "b"},
         r"message 1 of chosen: part 2 is {'type': 'image_url'}, which has no text"),
        ({"chosen": chat([]), "rejected": "b"}, r"message 1 of chosen has the content \[\]"),
        ({"chosen": {"from": "gpt"}, "rejected": "b"}, r"message 1 of chosen has the content None"),
        ({"chosen": [{"content": None, "tool_calls": []}], "rejected": "b"}, r"content None"),
        ({"chosen": "a\ud800", "rejected": "b"},
         r"line 1: chosen holds half of a character, '\\ud800', at position 2"),
        ({"chosen": chat("a", "\udc00"), "rejected": "b"}, r"message 2 of chosen holds half of"),
        ({"response_0": "a", "\x1b[31m": "b"}, r"no 'chosen', but response_0, \\x1b\[31m; say"),
    ],
)  # fmt: skip
def test_what_is_refused(row: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        pair_of(row, "line 1")


def test_a_message_that_calls_a_tool_may_be_empty_and_the_call_is_said_to_be_unread() -> None:
    """Contents "Q", "", "4": joined by spaces."""
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
    row = {"chosen": [*chat("Q"), call, *chat("4")], "rejected": "b", "score": 8}
    pair = pair_of(row, "line 1")
    assert pair.chosen == "Q  4"
    assert pair.unread == {"score", "chosen: tool_calls"}


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ([{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So"}], "Why? So"),
        ({"from": "gpt", "value": "So"}, "So"),
        ({"role": "assistant", "content": "So"}, "So"),
        (chat([{"type": "text", "text": "Why?"}, {"type": "text", "text": "Now?"}], "So"),
         "Why? Now? So"),
        ([{"role": "system", "content": "Be brief"}, *chat("Why?", "So")], "Be brief Why? So"),
        (["Why?", "So"], "Why? So"),
    ],
)  # fmt: skip
def test_messages_of_every_kind(chosen: Any, text: str) -> None:
    pair = pair_of({"chosen": chosen, "rejected": "No"}, "line 1")
    assert (pair.chosen, pair.unread, pair.joined) == (text, frozenset(), " " in text)
