"""A trained English trigram model over a few words, as an exact table.

The model comes with the package `pocketsphinx` (BSD), which is not required by holdfast.  It is
restricted to the words that are asked for: what it gives to others is left out, and each law is
divided by its sum.  Its logarithms are integers to the base 1.0001; the doubles that these stand
for are taken to 12 digits, and the table is exact from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from ..errors import ModelError
from ..sequences import Array, listed, objects
from .autoregressive import History, LanguageTable

START, END = "<s>", "</s>"
"""The model's own words for the beginning and the end of a sentence."""
_BASE = 1.0001  # of the model's logarithms, in which it is stored


@cache
def _model() -> tuple[Any, Callable[[int], float]]:
    try:
        from pocketsphinx import Config, LogMath, NGramModel, get_model_path
    except ImportError as problem:
        raise ModelError(
            f"the trigram model is not installed ({problem}); pip install pocketsphinx"
        ) from problem
    logarithms = LogMath(_BASE)
    model = NGramModel(Config(lm=None), logarithms, get_model_path("en-us/en-us.lm.bin"))
    return model, logarithms.exp


def probability(word: str, before: Sequence[str]) -> Fraction:
    """P(word | the last two words before), to 12 digits.

    Raises ModelError for a word that the model does not know.
    """
    model, exponential = _model()
    for one in (word, *before):
        if not exponential(model.prob([one])) and one != START:
            raise ModelError(
                f"the trigram model does not know {one!r}; it has English words in lower case"
            )
    chance = exponential(model.prob([word, *reversed(before[-2:])]))
    return Fraction(f"{chance:.11e}")


def trigram_table(
    words: Sequence[str], horizon: int, *, prompt: Sequence[str] = (START,), ends: bool = True
) -> LanguageTable:
    """The law of at most `horizon` of these words after a prompt, as a table.

    Tokens are the words in order, then, if sentences may end, the end of a sentence.  Raises
    ModelError where pocketsphinx is not installed, for unknown or repeated words, and for tables
    that are too large.
    """
    names = [*listed(words, "words"), *([END] if ends else [])]
    start = listed(prompt, "prompt")
    repeated = [one for one in names if names.count(one) > 1 or one == START]
    if repeated:
        raise ModelError(
            f"words holds {repeated[0]!r}, which it must not repeat or which is {START}"
        )

    def law(history: History) -> Array:
        before = [*start, *(names[token] for token in history)]
        weights = objects(probability(name, before) for name in names)
        found: Array = weights / weights.sum()
        return found

    return LanguageTable.of(law, len(names), horizon, len(names) - 1 if ends else None)
