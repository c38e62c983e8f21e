"""P-SACPO: two policies merged, exactly between their logits or roughly between their weights.

For the first stage's policy and the second stage's at a multiplier L, log-probabilities
(1 - q) log pi_first + q log pi_second, normalised, are those of the tilt with multiplier q L; the
average of weights is near that only where models are nearly linear between them.  Token by token
the merge of sequences is that of each conditional law, not of the law of whole sequences.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from ...errors import ModelError


class MergedLogits(LogitsProcessor):  # type: ignore[misc]
    """For ``generate`` of the first model: its scores with a share q of the second model's.

    second: a causal model of the same vocabulary.  Raises ModelError for a share outside [0, 1].
    """

    def __init__(self, second: Any, share: float) -> None:
        require_share(share)
        self._second, self._share = second, share

    @torch.no_grad()
    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores [B, V] of the next token; prompts must not be padded."""
        other = self._second(input_ids=input_ids).logits[:, -1]
        return merged(scores, other, self._share)


def merged(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Normalised log-probabilities of (1 - share) first + share second, of logits [..., V]."""
    logs = [one.double().log_softmax(dim=-1) for one in (first, second)]
    return ((1 - share) * logs[0] + share * logs[1]).log_softmax(dim=-1).to(first.dtype)


@torch.no_grad()
def average_weights(first: Any, second: Any, share: float) -> Any:
    """The first model, its weights moved a share of the way to the second's, in place.

    Raises ModelError for a share outside [0, 1], and for models of different shapes.
    """
    require_share(share)
    check_shapes(first, second)
    own, other = first.state_dict(), second.state_dict()
    for name, tensor in own.items():
        if tensor.is_floating_point():
            tensor.lerp_(other[name].to(tensor), share)
    return first


def check_shapes(first: Any, second: Any) -> None:
    """ModelError for models whose weights differ in shape."""
    own, other = first.state_dict(), second.state_dict()
    for name in sorted(own.keys() | other.keys()):
        shapes = [tuple(one[name].shape) if name in one else None for one in (own, other)]
        if shapes[0] != shapes[1]:
            raise ModelError(
                f"{name} has the shape {shapes[0]} in the first model and {shapes[1]} in the "
                "second; only models of one architecture can be averaged: merge their logits"
            )


def require_share(share: float) -> None:
    """ModelError for a share outside [0, 1]."""
    if not 0 <= share <= 1:
        raise ModelError(f"share = {share} is not between 0 (the first model) and 1 (the second)")


@torch.no_grad()
def next_laws(network: Any, prompts: list[list[int]]) -> Tensor:
    """Log-probabilities of the next token after each prompt, float64[X, V]."""
    rows = [network(input_ids=torch.tensor([one])).logits[0, -1].double() for one in prompts]
    return torch.stack(rows).log_softmax(dim=-1)
