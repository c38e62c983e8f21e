"""Tokens of the texts of a log, which are counted anew with the tokenizer of their model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import shown
from holdfast.solvers.sequences import Array
from holdfast.solvers.whole_files import regular

FEW = 3
"""Tokens that a text which was cut may have beyond the cut when it is counted anew: of a character
that was cut in two, the sign for it takes three tokens where one was; and one is a space put before
the text.  More is another tokenizer, or a text that was cut elsewhere."""
_REMEDY = "give the tokenizer.json that the model was saved with, or its folder"


def count_tokens(path: str, texts: Sequence[Any], place: str) -> Array:
    """Tokens of each text (N), float64, without special ones; messages of a dialogue are joined.

    place: what a row is called in messages.  Texts are counted whole, whatever truncation and
    padding the tokenizer was saved with.  Raises ModelError for a tokenizer or a text that is none.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelError(
            "--tokenizer needs the package tokenizers; pip install 'holdfast[neural]'"
        ) from error
    file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
    regular(file, _REMEDY)
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing narrower
        words = f"--tokenizer {path} cannot be read: {str(error)[:200]}; {_REMEDY}"
        raise ModelError(words) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    plain = [_text_of(text, f"{place} {row}") for row, text in enumerate(texts, start=1)]
    found = tokenizer.encode_batch(plain, add_special_tokens=False)
    return np.array([len(one.ids) for one in found], dtype=np.float64)


def _text_of(text: Any, place: str) -> str:
    parts = text if isinstance(text, list) else [text]
    contents = [part.get("content") if isinstance(part, dict) else part for part in parts]
    words = [content for content in contents if isinstance(content, str)]
    if len(words) < len(contents):
        raise ModelError(
            f"{place} has {shown(text)}, which is no text to be counted; give a text, or messages "
            "with one as their content, or name another column with --lengths"
        )
    return " ".join(words)
