"""Pairs of answers as tokens, and what a language model says of them: log-probabilities, features.

The prompt of a pair is what both texts begin with, token by token.  Where exactly it ends is of no
consequence: tokens that both answers share add the same to both log-probabilities.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...poisoning.data.pairs import PreferencePairs
from ...sequences import Array
from ...whole_files import whole
from .language_model import LanguageModel

_BATCH = 8
"""Pairs examined at a time: more would pad more and keep larger logits."""


@dataclass(frozen=True)
class TokenPair:
    """Token numbers of what both texts begin with, and of what follows, the end token included.

    number: of the pair in the file, from 0; gap: characters of the rejected text minus those of the
    chosen one.
    """

    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    number: int
    gap: int

    @property
    def length(self) -> int:
        """Tokens of the longer text."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))

    def row(self) -> dict[str, list[int]]:
        """As TRL's trainer of preferences has it after its own tokenization."""
        return {
            "prompt_ids": list(self.prompt),
            "chosen_ids": list(self.chosen),
            "rejected_ids": list(self.rejected),
        }


def token_pairs(
    pairs: PreferencePairs, tokenizer: Any, tokens: int, number: int
) -> list[TokenPair]:
    """The first pairs of the data that have at most so many tokens, in the order of the file.

    Pairs of equal texts are left out: no label of theirs teaches anything.

    Raises ModelError if the data hold features and no texts, or fewer such pairs than asked for.
    """
    require_texts(pairs, number)
    found: list[TokenPair] = []
    for at, texts in enumerate(zip(pairs.chosen, pairs.rejected, strict=True)):
        if texts[0] == texts[1]:
            continue
        pair = _pair(tokenizer, texts, at)
        if pair.length <= tokens:
            found.append(pair)
        if len(found) == number:
            return found
    raise ModelError(
        f"{pairs.path.name} has {len(found)} pairs of at most {tokens} tokens, and {number} are "
        "needed to train on and to compare on; raise tokens, or ask for fewer"
    )


def require_texts(pairs: PreferencePairs, number: int) -> None:
    """ModelError if the data hold no texts, or fewer pairs of two different ones than needed."""
    if not pairs.chosen:
        raise ModelError(
            f"{pairs.path.name} holds features and no texts, of which a language model reads "
            "nothing; give pairs of texts such as a .jsonl file"
        )
    both = zip(pairs.chosen, pairs.rejected, strict=True)
    different = sum(chosen != rejected for chosen, rejected in both)
    if different < number:
        raise ModelError(
            f"{pairs.path.name} has {different} pairs of two different texts, and {number} are "
            "needed to train on and to compare on; give more, or lower pairs and held_out"
        )


def _pair(tokenizer: Any, texts: tuple[str, str], number: int) -> TokenPair:
    end = tokenizer.eos_token_id
    chosen, rejected = (
        [*tokenizer(text, add_special_tokens=False)["input_ids"], end] for text in texts
    )
    shared = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(chosen, rejected)))  # noqa: B905
    return TokenPair(
        tuple(chosen[:shared]), tuple(chosen[shared:]), tuple(rejected[shared:]), number,
        len(texts[1]) - len(texts[0]),
    )  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What a model says of N pairs; the first of two is the chosen answer.

    log_probabilities: of the answers given the prompt (2, N), float64; states: the last hidden
    state, after the final norm, at the end token of each text (2, N, d), float32: what a score
    head would read.
    """

    log_probabilities: Array
    states: Array

    @property
    def differences(self) -> Array:
        """phi(chosen) - phi(rejected), the features of a linear reward (d, N), float64."""
        states = self.states.astype(np.float64)
        return np.ascontiguousarray((states[0] - states[1]).T)

    def margins(self, reference: Examined, beta: float) -> Array:
        """beta log(pi / pi_ref) of the chosen answer minus that of the rejected one (N)."""
        ratios = self.log_probabilities - reference.log_probabilities
        return np.asarray(beta * (ratios[0] - ratios[1]))


def examine(network: Any, pairs: Sequence[TokenPair], pad: int) -> Examined:
    """Run the model, without dropout and without gradients, over both answers of every pair.

    network: a causal model of transformers, or one with adapters of peft; pad: the token that fills
    shorter rows up, which is read by no one.
    """
    import torch
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    collate = DataCollatorForPreference(pad_token_id=pad)
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            parts = [
                _examined(network, collate([pair.row() for pair in pairs[at : at + _BATCH]]))
                for at in range(0, len(pairs), _BATCH)
            ]
    finally:
        network.train(was_training)
    scores, states = (np.concatenate(found, axis=1) for found in zip(*parts, strict=True))
    return Examined(scores, states)


def untrained(model: LanguageModel, pairs: Sequence[TokenPair]) -> Examined:
    """What the model says before any training; asked once, and kept beside the model."""
    from safetensors.numpy import load_file, save_file

    rows = [model.name, [[pair.prompt, pair.chosen, pair.rejected] for pair in pairs]]
    name = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    path: Path = model.folder.with_name(f"{model.key}-untrained") / f"{name}.safetensors"
    if not path.is_file():
        found = examine(model.network(), pairs, model.tokenizer.pad_token_id)
        path.parent.mkdir(exist_ok=True)
        with whole(path) as unfinished:
            save_file({"scores": found.log_probabilities, "states": found.states}, unfinished)
    kept = load_file(path)
    return Examined(kept["scores"], kept["states"])


def merged_scores(
    networks: Sequence[Any], pairs: Sequence[TokenPair], pad: int, merge: Callable[..., Any]
) -> Array:
    """Log-probabilities (2, N) of the answers under a law merged token by token.

    merge: logits of each of the networks [M, V] -> log-probabilities [M, V].
    """
    import torch
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    collate, found = DataCollatorForPreference(pad_token_id=pad), []
    with torch.no_grad():
        for at in range(0, len(pairs), _BATCH):
            batch = collate([pair.row() for pair in pairs[at : at + _BATCH]])
            logits = [_answered(network, batch)[1] for network in networks]
            found.append(_summed(merge(*logits), batch))
    return np.concatenate(found, axis=1)


def _answered(network: Any, batch: dict[str, Any]) -> tuple[Any, Any]:
    """The last hidden states, and logits float64[M, V] at the tokens of answers.

    The head is asked at the tokens of answers only: it is a fifth of the model's work.
    """
    base = network.get_base_model() if hasattr(network, "get_base_model") else network
    tokens, attended = (
        batch[name].to(base.device) for name in ("input_ids", "attention_mask")
    )  # fmt: skip
    hidden = base.base_model(input_ids=tokens, attention_mask=attended).last_hidden_state
    places = batch["completion_mask"][:, 1:].bool().to(base.device)
    return hidden, base.get_output_embeddings()(hidden[:, :-1][places]).double()


def _summed(laws: Any, batch: dict[str, Any]) -> Array:
    """Log-probabilities (2, b) of answers from those of their tokens [M, V]."""
    import torch

    places = batch["completion_mask"][:, 1:].bool().to(laws.device)
    asked = batch["input_ids"].to(laws.device)[:, 1:][places]
    each = laws.gather(1, asked[:, None]).squeeze(1)
    sums = torch.zeros(places.shape, dtype=each.dtype, device=each.device)
    found: Array = sums.masked_scatter(places, each).sum(1).reshape(2, -1).cpu().numpy()
    return found


def _examined(network: Any, batch: dict[str, Any]) -> tuple[Array, Array]:
    """Log-probabilities (2, b) and last states (2, b, d) of a batch of b pairs."""
    import torch

    hidden, logits = _answered(network, batch)
    ends = batch["attention_mask"].to(hidden.device).sum(1) - 1
    last = hidden[torch.arange(len(hidden), device=hidden.device), ends]
    states = last.reshape(2, -1, last.shape[1]).cpu().numpy()
    return _summed(logits.log_softmax(-1), batch), states
