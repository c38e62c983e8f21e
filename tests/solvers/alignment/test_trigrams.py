"""A real trigram model as an exact table: its laws, and the tilt of its sentences."""

import sys
from fractions import Fraction

import flint
import numpy as np
import pytest

from holdfast.solvers.alignment import soft_bellman, tilt, trigrams
from holdfast.solvers.alignment.trigrams import trigram_table
from holdfast.solvers.errors import ModelError

WORDS = ("you", "thank", "very", "much")


def test_without_the_package_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trigrams._model.cache_clear()
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ModelError, match="pip install pocketsphinx"):
        trigram_table(WORDS, 2)


def test_it_speaks_english() -> None:
    table = trigram_table(WORDS, 3, ends=False)
    assert all(sum(law) == 1 and min(law) > 0 for law in table.laws.values())
    after = dict(zip(WORDS, table.laws[(1,)], strict=True))
    assert after["you"] > Fraction(9, 10)  # thank you


def test_sentences_are_tilted_exactly() -> None:
    """Soft Bellman values against the tilt of all sentences, in balls of 256 bits."""
    table = trigram_table(WORDS, 3)
    rewards = {one: Fraction(len(one)) for one in table.sequences}
    assert sum(table.probabilities()) == 1
    with flint.ctx.workprec(256):
        policy, _ = soft_bellman(table, rewards, Fraction(1, 2))
        gains = np.array([rewards[one] for one in table.sequences])[None]
        whole = tilt(table.probabilities()[None], gains, Fraction(1, 2))[0]
        for one, chance in zip(table.sequences, whole, strict=True):
            difference = policy.probability(one) - chance
            assert difference.contains(0)
            assert difference.rad() < 1e-60


@pytest.mark.parametrize(
    ("words", "message"),
    [(("you", "you"), "holds 'you'"), (("you", "zqxz"), "not know 'zqxz'"), ("you", "is a text")],
)
def test_words_that_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        trigram_table(words, 2)
