"""Token-level debiasing (TSDI): what safety training adds to a token in *every* context is removed.

At response position i the bias b_i(v) is the mean of log pi_safe(v|h) - log pi_ref(v|h) over random
prompts and random prefixes h; scores less b_i keep what depends on the context, and only that.  A
shift that is legitimate and free of context is removed with the rest, and only prompts that are
neutral as to safety give an estimate of the bias alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor

from ...errors import ModelError
from ...sequences import Array
from ...whole_files import whole

_BATCH = 16
"""Random sequences a forward pass: more would keep logits of a large vocabulary that are summed up
at once anyway."""
_FILE = "bias.safetensors"


@dataclass(frozen=True, eq=False)
class Bias:
    """values: b, nats [L, V], with mean 0 over tokens at each position, 0 where a log-probability
    was not finite; errors: standard errors of the estimates [L, V]; samples: how many sequences."""

    values: Array
    errors: Array
    samples: int

    @property
    def budget(self) -> float:
        """Most that debiasing can move the law of a sequence: sum over positions of span(b_i)^2 / 8
        bounds KL(pi_safe | debiased)."""
        return float((np.ptp(self.values, axis=1) ** 2).sum() / 8)

    def save(self, folder: Path) -> Path:
        """Write the file that `load_bias` reads."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"values": self.values, "errors": self.errors}
        with whole(folder / _FILE) as unfinished:
            save_file(arrays, unfinished, metadata={"samples": str(self.samples)})
        return folder / _FILE


def load_bias(folder: Path) -> Bias:
    """What `Bias.save` wrote.  Raises ModelError if there is none, or it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / _FILE, framework="numpy") as kept:
            samples = int(kept.metadata()["samples"])
            return Bias(kept.get_tensor("values"), kept.get_tensor("errors"), samples)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{folder / _FILE} cannot be read ({error}); write it with holdfast debias"
        ) from error


def estimate_bias(
    safe: Any,
    reference: Any,
    pool: Sequence[int],
    *,
    positions: int,
    samples: int,
    prompt_length: int,
    seed: int = 0,
    before: Sequence[int] = (),
    after: Sequence[int] = (),
) -> Bias:
    """The bias at the first positions of a response, from random prompts and prefixes.

    safe, reference: causal models of one vocabulary; pool: tokens that the random sequences are
    drawn from, independently; before, after: tokens that stand around every random prompt, such as
    those of a chat template, as they do around real ones; the sums run in float64, sequence after
    sequence, so that memory does not grow with samples.

    Raises ModelError for models of different vocabularies, a pool of fewer than two tokens or with
    tokens out of range, numbers that are not positive, and more tokens than a model has positions.
    """
    size = _require(safe, reference, [*pool, *before, *after], positions, samples, prompt_length)
    around = before, after
    stream = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 14))))
    total, squares = np.zeros((2, positions, size))
    finite = np.ones((positions, size), dtype=bool)
    for at in range(0, samples, _BATCH):
        shape = (min(_BATCH, samples - at), prompt_length + positions - 1)
        tokens = torch.from_numpy(stream.choice(np.asarray(pool), size=shape))
        sides = [torch.tensor(list(one), dtype=torch.long).repeat(shape[0], 1) for one in around]
        random, prefix = tokens[:, :prompt_length], tokens[:, prompt_length:]
        tokens = torch.cat([sides[0], random, sides[1], prefix], dim=1)
        shift = (_laws(safe, tokens, positions) - _laws(reference, tokens, positions)).numpy()
        finite &= np.isfinite(shift).all(axis=0)
        shift = np.where(np.isfinite(shift), shift, 0.0)
        total += shift.sum(axis=0)
        squares += (shift**2).sum(axis=0)
    mean = np.where(finite, total / samples, 0.0)
    spread = np.maximum(squares / samples - mean**2, 0) * finite
    centred = (mean - mean.sum(axis=1, keepdims=True) / finite.sum(axis=1, keepdims=True)) * finite
    return Bias(centred, np.sqrt(spread / max(samples - 1, 1)), samples)


def _require(
    safe: Any, reference: Any, pool: Sequence[int], positions: int, samples: int, length: int
) -> int:
    sizes = [int(one.config.vocab_size) for one in (safe, reference)]
    if sizes[0] != sizes[1]:
        raise ModelError(
            f"the models have vocabularies of {sizes[0]} and {sizes[1]} tokens; the reference is "
            "to be the very model that was made safe"
        )
    for name, value in (("positions", positions), ("samples", samples), ("prompt_length", length)):
        if value < 1:
            raise ModelError(f"{name} = {value} is too small; give at least 1")
    if not len(pool) or not 0 <= min(pool) <= max(pool) < sizes[0]:
        raise ModelError(
            f"the pool has {len(pool)} tokens; give tokens from 0 to {sizes[0] - 1}, such as those "
            "of a neutral text"
        )
    if len(set(pool)) == 1:
        raise ModelError(
            f"the pool has no other token than {pool[0]}, so that all contexts would be the same; "
            "give a longer text"
        )
    for one in (safe, reference):
        check_room(one, length + positions - 1)
    return sizes[0]


def check_room(network: Any, tokens: int) -> int:
    """How many tokens more than these the model has positions for; ModelError for a negative
    number.  A model that states no limit is taken to have room for a million."""
    room = getattr(network.config, "max_position_embeddings", None) or max(tokens, 10**6)
    if tokens > room:
        raise ModelError(
            f"a sequence of {tokens} tokens, prompt and response, is longer than the model's "
            f"{room} positions; take a shorter prompt or fewer tokens of the response"
        )
    return int(room) - tokens


@torch.no_grad()
def _laws(network: Any, tokens: Tensor, positions: int) -> Tensor:
    """Log-probabilities at the last positions, float64[B, L, V]."""
    logits = network(input_ids=tokens.to(network.device)).logits[:, -positions:]
    return torch.log_softmax(logits.double(), dim=-1).cpu()


class Debiaser(LogitsProcessor):  # type: ignore[misc]
    """For ``generate(logits_processor=[Debiaser(bias, prompt_length)])``: takes the bias off the
    scores of the first positions, before temperature and truncation.

    prompt_length: tokens of the padded prompts; left padding counts.
    """

    def __init__(self, bias: Bias, prompt_length: int) -> None:
        self._bias = torch.from_numpy(bias.values)
        self._prompt_length = prompt_length

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores [B, V] of the next token.

        Raises ModelError for prompts that are longer than was said, or another vocabulary.
        """
        at = input_ids.shape[1] - self._prompt_length
        if at < 0 or scores.shape[1] != self._bias.shape[1]:
            raise ModelError(
                f"{input_ids.shape[1]} tokens and {scores.shape[1]} scores: the prompts are to "
                f"have {self._prompt_length} tokens, padding included, and the vocabulary "
                f"{self._bias.shape[1]}"
            )
        if at >= len(self._bias):
            return scores
        return scores - self._bias[at].to(scores)
