"""The costs of texts: the word index is read without executing anything."""

import io
import pickle
from importlib.util import find_spec

import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.alignment.toxicity import COSTS, _Reader, costs, toxicity


def test_a_word_index_that_names_anything_else_is_refused() -> None:
    with pytest.raises(ModelError, match="which is not looked up"):
        _Reader(io.BytesIO(pickle.dumps(print))).load()


@pytest.mark.skipif(find_spec("toxic_classifier") is None, reason="its package is not installed")
def test_insults_cost_more_than_a_friendly_word() -> None:
    friendly, insult = costs(["Let us meet at noon", "You stupid idiot"])
    assert insult[COSTS.index("insult")] > 0.8
    assert friendly.max() < 0.1


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    toxicity.cache_clear()
    with pytest.raises(ModelError, match="toxic-comment-classifier"):
        costs(["a"])
