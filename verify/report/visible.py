"""Text of strangers made harmless: what a terminal or a page would obey is shown instead.

A name, a note or a label may come from anybody's file.  It passes `visible` at each door by which
text leaves (console, messages, HTML, JUnit), so that nothing has to be escaped on the way there.
"""

from __future__ import annotations

from unicodedata import category


def visible(text: str) -> str:
    r"""The text with ``\x1b`` for an escape, ``\u202e`` for a right-to-left override, and so on.

    Line feeds and tabs stay; other control and format characters, lone surrogates, unassigned and
    private characters are written as Python writes them.  What is visible already is unchanged.
    """
    return "\n".join(
        line if line.isprintable() else "".join(map(_shown, line)) for line in text.split("\n")
    )


def one_line(text: str) -> str:
    r"""As `visible`, and line feeds and tabs are shown: no name can pretend to be a line."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _shown(character: str) -> str:
    if character == "\t" or character.isprintable() or category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()
