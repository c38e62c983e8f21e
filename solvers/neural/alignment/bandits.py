"""A tiny language model whose responses are single tokens: one forward pass is its whole law.

The vocabulary is the end token and words w1, w2, ...; prompt x is the word w(x + 1), and a response
is any one token, the end token included.  Nothing is sampled where a law is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ...sequences import Array

_END = "<end>"
_SPREAD = 0.4
"""Deviation of the random weights: with the usual 0.02 every response would be equally likely at
first, and a policy that forgot its reference would not be told from one that kept it."""
_EIGHTHS = 8
"""Rewards are multiples of 1/8 in [-1, 1]: exact in floats and short in print."""


@dataclass(frozen=True, eq=False)
class Bandit:
    """A causal language model in float64 with its tokenizer; prompts: token ids int64[X, 1]."""

    network: Any
    tokenizer: Any
    prompts: Tensor

    @property
    def names(self) -> list[str]:
        """The prompts as texts."""
        return [self.tokenizer.decode(row) for row in self.prompts]

    def log_laws(self, network: Any = None) -> Array:
        """Log-probabilities of the responses under the model, or another one; float64[X, Y]."""
        asked = self.network if network is None else network
        was_training = asked.training
        asked.eval()
        try:
            with torch.no_grad():
                logits = asked(input_ids=self.prompts).logits[:, -1].double()
        finally:
            asked.train(was_training)
        found: Array = torch.log_softmax(logits, dim=-1).numpy()
        return found

    def save(self, folder: Path, network: Any = None) -> Path:
        """Write the model with its tokenizer as transformers keeps them."""
        (self.network if network is None else network).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        return folder


def fresh_bandit(prompts: int, responses: int, seed: int) -> Bandit:
    """A Llama of one layer with random weights.

    Raises ModelError unless there are at least two responses and more responses than prompts.
    """
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    if not 1 <= prompts < responses:
        raise ModelError(
            f"prompts = {prompts} and responses = {responses}: prompts are words of the vocabulary "
            "of responses, so give at least one, and more responses than prompts"
        )
    config = LlamaConfig(
        vocab_size=responses, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=16, tie_word_embeddings=False,
        initializer_range=_SPREAD, bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = LlamaForCausalLM(config).double()
    return Bandit(network, _tokenizer(responses), torch.arange(1, prompts + 1)[:, None])


def _tokenizer(words: int) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    known = {_END: 0, **{f"w{at}": at for at in range(1, words)}}
    tokenizer = Tokenizer(models.WordLevel(known, _END))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=_END, pad_token=_END, unk_token=_END,
        padding_side="left",
    )  # fmt: skip


def tables(seed: int, prompts: int, responses: int) -> tuple[Array, Array]:
    """Rewards and safety of the responses, multiples of 1/8 in [-1, 1]; float64[X, Y] each.

    Every prompt has a safe response (safety at least 0) and an unsafe one.
    """
    stream = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 14))))
    shape = (prompts, responses)
    rewards, safety = stream.integers(-_EIGHTHS, _EIGHTHS + 1, size=(2, *shape)) / _EIGHTHS
    rows = np.arange(prompts)
    safety[rows, safety.argmax(axis=1)] = 1.0
    safety[rows, safety.argmin(axis=1)] = -1.0
    return rewards, safety


def variation(first: Array, second: Array) -> float:
    """The largest total variation, half the l1 distance, of two policies over prompts."""
    return float(np.abs(first - second).sum(axis=-1).max() / 2)


def at_pairs(table: Array, pairs: Sequence[tuple[int, int, int]]) -> Array:
    """What a table [X, Y] says of both responses of the triples (x, y, z); [2, N]."""
    x, y, z = np.array(pairs).T
    return np.stack([table[x, y], table[x, z]])
