"""Prompts, short responses of a language model, and what they earn and cost: beside `bandits`.

A response earns the words of its prompt that it takes up, and costs what the toxicity model says of
it, six numbers.  Prompts are the most toxic ones of a file, so that taking up their words costs.
Responses are drawn from the law of the model as it is: no temperature, no truncation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import ModelError
from ...poisoning.data.pairs import read_pairs
from ...sequences import Array
from ..poisoning.language_model import LanguageModel
from . import toxicity

_TURN = "\n\nAssistant:"
_WORDS = 2
"""Distinct words of the prompt that are worth 1: a short response seldom has room for more."""
_LONG = 3
"""Letters of a word that counts."""
_ROLES = {"human", "assistant"}


@dataclass(frozen=True, eq=False)
class Texts:
    """A model with its tokenizer, and prompts: to train on and held-out ones.

    tokens: the most of a response, the end token included.
    """

    network: Any
    tokenizer: Any
    prompts: Sequence[str]
    held_out: Sequence[str]
    tokens: int

    def draw(self, prompt: str, number: int, noise: torch.Generator) -> list[list[int]]:
        """Responses as tokens, each up to its end token or the most."""
        drawn = sample(self.network, self.ids(prompt), number, self.tokens, noise)
        end = self.tokenizer.eos_token_id
        return [row[: row.index(end) + 1] if end in row else row for row in drawn]

    def ids(self, prompt: str) -> list[int]:
        """A prompt as tokens."""
        return list(self.tokenizer(prompt, add_special_tokens=False)["input_ids"])

    def told(self, responses: Sequence[list[int]]) -> list[str]:
        """Responses as texts."""
        return [self.tokenizer.decode(one, skip_special_tokens=True) for one in responses]

    def judge(self, number: int, seed: int) -> Array:
        """What fresh responses to the held-out prompts earn and cost, float64[H, number, 7]."""
        noise = torch.Generator().manual_seed(seed)
        texts = [self.told(self.draw(one, number, noise)) for one in self.held_out]
        return np.stack([earned([one] * number, rows) for one, rows in zip(
            self.held_out, texts, strict=True)])  # fmt: skip


@torch.no_grad()
def sample(
    network: Any, prompt: list[int], number: int, tokens: int, noise: torch.Generator
) -> list[list[int]]:
    """Continuations of one prompt, which is read once for all of them."""
    found = network(input_ids=torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
    cache, scores = found.past_key_values, found.logits[:, -1].expand(number, -1)
    cache.batch_repeat_interleave(number)
    drawn: list[torch.Tensor] = []
    for at in range(tokens):
        drawn.append(torch.multinomial(scores.float().softmax(dim=-1), 1, generator=noise))
        if at + 1 < tokens:
            again = network(input_ids=drawn[-1], past_key_values=cache, use_cache=True)
            scores = again.logits[:, -1]
    return [list(map(int, row)) for row in torch.cat(drawn, dim=1).tolist()]


def earned(prompts: Sequence[str], responses: Sequence[str]) -> Array:
    """The reward of each response, then its costs; float64[N, 7], all between 0 and 1."""
    gains = [_taken_up(*both) for both in zip(prompts, responses, strict=True)]
    return np.column_stack([gains, toxicity.costs(responses)])


def _taken_up(prompt: str, response: str) -> float:
    said, asked = (
        {word for word in re.findall("[a-z]+", text.lower()) if len(word) >= _LONG}
        for text in (response, prompt)
    )
    return min(1.0, len(said & asked - _ROLES) / _WORDS)


def read_prompts(path: Path, tokenizer: Any, tokens: int, number: int) -> list[str]:
    """The most toxic prompts of at most so many tokens, most toxic first: lines of a .txt file, or
    of a file of pairs what stands before the first answer.

    Raises ModelError for a file without such prompts, or too few of them.
    """
    known = known_prompts(path)
    lengths = [len(tokenizer(one, add_special_tokens=False)["input_ids"]) for one in known]
    short = [one for one, length in zip(known, lengths, strict=True) if 0 < length <= tokens]
    if len(short) < number:
        raise ModelError(
            f"{path.name} has {len(short)} different prompts of at most {tokens} tokens, and "
            f"{number} are needed to train and to judge on; ask for fewer, or raise prompt_tokens"
        )
    order = np.argsort(-toxicity.costs(short).max(axis=1), kind="stable")
    return [short[at] for at in order[:number]]


def known_prompts(path: Path) -> list[str]:
    """All different prompts of a file, in its order.  Raises ModelError for a file without any."""
    return list(dict.fromkeys(_lines(path) if path.suffix == ".txt" else _first_turns(path)))


def _lines(path: Path) -> list[str]:
    try:
        return [one for one in path.read_text(encoding="utf-8").splitlines() if one.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); write one prompt a line") from error


def _first_turns(path: Path) -> list[str]:
    texts = [one for one in read_pairs(path).chosen if _TURN in one]
    if not texts:
        raise ModelError(
            f"{path.name} has no pair with a turn 'Assistant:', before which a prompt would stand; "
            "write the prompts into a .txt file, one a line"
        )
    return [one[: one.index(_TURN) + len(_TURN)] for one in texts]


def adapted(model: LanguageModel, options: Any, seed: int, precision: str = "float32") -> Any:
    """The model with new adapters, of the options' rank in its last layers; they change nothing
    yet, and the reference is the model without them.

    Raises ModelError for more layers than it has, and for a model without linear maps in these.
    """
    from peft import LoraConfig, get_peft_model

    network = model.network(precision)
    layers = int(network.config.num_hidden_layers)
    if options.layers > layers:
        raise ModelError(f"layers = {options.layers}, and {model.key} has {layers}; give fewer")
    last = [f".{at}." for at in range(layers - options.layers, layers)]
    targets = [
        name for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and any(one in name for one in last)
    ]  # fmt: skip
    if not targets:
        raise ModelError(f"{model.key} has no linear maps in numbered layers; give another model")
    wanted = LoraConfig(r=options.rank, lora_alpha=options.rank, target_modules=targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return get_peft_model(network, wanted)
