"""Locks of K tokens: a network says the next token, a verifier which one opens the next step.

A prompt names a lock.  Tokens that open no step are spent and forgotten: the network sees the
prompt and the steps that are open, so that its law of T is a chain of K + 1 states, whose
probabilities are read off it.  Source: the K-step lock, ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...errors import ModelError

LETTERS = "abcdefgh"
_END = "<end>"
_FIT, _FIT_RATE, _CLOSE = 400, 0.01, 1e-9
"""Most steps and rate of Adam towards the base policy, and the excess of cross-entropy at which
they end: with less care a budget is missed by more than some percent."""


@dataclass(frozen=True, eq=False)
class Locks:
    """A causal language model with its tokenizer, in float64, and the locks that it is asked for.

    prompts: one for each lock, token ids int64[N, P]; secret: token ids int64[K], of all of them.
    """

    network: Any
    tokenizer: Any
    prompts: Tensor
    secret: Tensor

    @property
    def names(self) -> list[str]:
        """The prompts as texts."""
        return [f"lock{x}" for x in range(len(self.prompts))]

    def log_laws(self) -> Tensor:
        """Log-probabilities of the next token once j steps are open; float64[N, K, V]."""
        opened = self.secret[:-1].expand(len(self.prompts), -1)
        first = self.prompts.shape[1] - 1
        logits = self.network(input_ids=torch.cat([self.prompts, opened], dim=1)).logits
        return torch.log_softmax(logits[:, first:].double(), dim=-1)

    def step_chances(self) -> Tensor:
        """Probability that a token opens the next step; float64[N, K], differentiable."""
        chances = self.log_laws().exp()
        return chances.gather(2, self.secret.expand(len(self.prompts), -1)[..., None])[..., 0]


def first_completion(tokens: Sequence[int], secret: Sequence[int]) -> int | None:
    """The verifier: after how many tokens the secret was said in order; None if it never was.

    Other tokens are allowed between.
    """
    opened = 0
    for t, token in enumerate(tokens, start=1):
        opened += token == secret[opened]
        if opened == len(secret):
            return t
    return None


def progress(tokens: Tensor, secret: Tensor) -> Tensor:
    """How many steps were open before each token; int64[B, T], at most K - 1."""
    found, opened = torch.zeros_like(tokens), torch.zeros_like(tokens[:, 0])
    for t in range(tokens.shape[1]):
        found[:, t] = opened
        opened = (opened + (tokens[:, t] == secret[opened])).clamp(max=len(secret) - 1)
    return found


def rollouts(
    log_laws: Tensor, which: Sequence[int], horizons: Sequence[int], secret: Tensor
) -> list[list[int]]:
    """Tokens of one rollout for each entry of `which`, drawn from torch's generator.

    A rollout ends when its lock is open, or with the horizon of its lock (horizons: one a lock).
    """
    at, steps = torch.tensor(which), len(secret)
    opened, ends = torch.zeros_like(at), torch.tensor(horizons)[at]
    chances, drawn = log_laws.exp(), []
    for _ in range(int(ends.max())):
        token = torch.multinomial(chances[at, opened.clamp(max=steps - 1)], 1)[:, 0]
        going = opened < steps
        opened = opened + (going & (token == secret[opened.clamp(max=steps - 1)]))
        drawn.append(torch.where(going, token, -1))
    table = torch.stack(drawn, dim=1)
    return [
        [token for token in row[:end] if token >= 0]
        for row, end in zip(table.tolist(), ends.tolist(), strict=True)
    ]


def fresh_locks(
    chances: Sequence[float], steps: int, *, letters: int, width: int, layers: int, seed: int
) -> Locks:
    """A small Llama whose tokens open each step of lock x with probability chances[x], very nearly.

    The secret is drawn from the letters, and other tokens share what remains evenly.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer(letters, len(chances))
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width,
        num_hidden_layers=layers, num_attention_heads=2, max_position_embeddings=64,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = LlamaForCausalLM(config).double()
        order = torch.randperm(letters)[:steps].tolist()
    secret = tokenizer.convert_tokens_to_ids([LETTERS[k] for k in order])
    found = _locks(network, tokenizer, len(chances), secret)
    _fit(found, torch.tensor(chances, dtype=torch.float64))
    return found


def saved_locks(folder: str, locks: int, steps: int) -> Locks:
    """A causal language model that was saved with its tokenizer, asked for the first K letters.

    Raises ModelError if the folder holds none, or a prompt or a letter is no single token of it.
    """
    from ..poisoning.language_model import load_saved

    network, tokenizer = load_saved(folder, torch.float64)
    known: Any = tokenizer.convert_tokens_to_ids(list(LETTERS[:steps]))
    secret = getattr(network.config, "secret", None) or known
    if len(secret) != steps or None in secret or tokenizer.unk_token_id in secret:
        raise ModelError(
            f"model = {folder!r} has no secret of {steps} single tokens; give the steps that it "
            "was saved with, or a tokenizer that knows the letters a, b, c and so on"
        )
    return _locks(network, tokenizer, locks, secret)


def _locks(network: Any, tokenizer: Any, locks: int, secret: Sequence[int]) -> Locks:
    names = [f"lock{x}" for x in range(locks)]
    ids = [tokenizer(name, add_special_tokens=False)["input_ids"] for name in names]
    if len({len(one) for one in ids}) > 1:
        raise ModelError(f"the prompts {', '.join(names)} have different numbers of tokens: {ids}")
    network.config.secret = list(secret)  # so that a saved network says what it was taught
    return Locks(network.eval(), tokenizer, torch.tensor(ids), torch.tensor(secret))


def _tokenizer(letters: int, locks: int) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [_END, *LETTERS[:letters], *(f"lock{x}" for x in range(locks))]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, _END))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=_END, pad_token=_END, unk_token=_END,
        padding_side="left",
    )  # fmt: skip


def _fit(locks: Locks, chances: Tensor) -> None:
    """Full-batch cross-entropy to the base policy."""
    n, size = len(chances), locks.network.config.vocab_size
    wanted = ((1 - chances) / (size - 1))[:, None, None].repeat(1, len(locks.secret), size)
    places = locks.secret.expand(n, -1)[..., None]
    wanted.scatter_(2, places, chances[:, None, None].expand_as(places).clone())
    entropy = -(wanted * wanted.log()).sum(-1).mean()
    optimizer = torch.optim.Adam(locks.network.parameters(), lr=_FIT_RATE)
    for _ in range(_FIT):
        excess = -(wanted * locks.log_laws()).sum(-1).mean() - entropy
        if excess < _CLOSE:
            break
        optimizer.zero_grad()
        excess.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
