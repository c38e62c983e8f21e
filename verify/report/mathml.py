"""LaTeX as MathML that browsers show without help.

latex2mathml does the work.  Its text nodes hold character references, which are resolved here and
escaped again, so that nothing in a formula can become an element of the page; and letters with a
``mathvariant`` become the Unicode letters that MathML Core asks for.
"""

from __future__ import annotations

import html
import unicodedata
from functools import lru_cache
from xml.etree import ElementTree

_ALPHABETS = {
    "double-struck": "DOUBLE-STRUCK",
    "bold": "MATHEMATICAL BOLD",
    "italic": "MATHEMATICAL ITALIC",
    "script": "MATHEMATICAL SCRIPT",
    "fraktur": "MATHEMATICAL FRAKTUR",
    "sans-serif": "MATHEMATICAL SANS-SERIF",
    "monospace": "MATHEMATICAL MONOSPACE",
}


@lru_cache(maxsize=4096)
def mathml(latex: str, display: bool = False) -> str:
    """A ``<math>`` element; the LaTeX itself, escaped, where it cannot be converted."""
    from latex2mathml.converter import convert_to_element

    try:
        root = convert_to_element(latex, display="block" if display else "inline")
    except Exception:  # any LaTeX a user writes; latex2mathml has a dozen exceptions for it
        return f"<code>{html.escape(latex)}</code>"
    for node in root.iter():
        _settle(node)
    return ElementTree.tostring(root, encoding="unicode")


def _settle(node: ElementTree.Element) -> None:
    for name, value in node.attrib.items():
        node.set(name, html.unescape(value))
    node.text = node.text and html.unescape(node.text)
    node.tail = node.tail and html.unescape(node.tail)
    alphabet = _ALPHABETS.get(node.get("mathvariant", ""))
    if alphabet and node.text:
        node.text = "".join(_letter(letter, alphabet) for letter in node.text)
        del node.attrib["mathvariant"]


def _letter(letter: str, alphabet: str) -> str:
    """The letter of another alphabet, such as U+1D53C for a double-struck E."""
    kind = "CAPITAL" if letter.isupper() else "SMALL"
    prefixes = (alphabet, alphabet.removeprefix("MATHEMATICAL "), f"MATHEMATICAL {alphabet}")
    for prefix in dict.fromkeys(prefixes):
        try:
            return unicodedata.lookup(f"{prefix} {kind} {letter.upper()}")
        except KeyError:
            continue
    return letter
