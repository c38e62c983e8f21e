"""A causal transformer over steps of an episode, each of several tokens, and windows of data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from transformers import GPT2Config, GPT2Model

from ...offline.data_sets import DataSet
from ...sequences import Array

_SCALE = (-5.0, 1.0)
"""Bounds of the logarithm of a standard deviation of actions: below, a single action that repeats
itself in the data would take the whole likelihood; above, there is nothing to learn."""


class StepTransformer(nn.Module):
    """GPT-2 over K steps of T tokens each; a token sees those before it and itself.

    steps: the most steps of an episode, each of which has an embedding of its own.
    """

    def __init__(
        self, *, tokens: int, context: int, steps: int, width: int, layers: int, heads: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.backbone = GPT2Model(GPT2Config(
            vocab_size=1, bos_token_id=None, eos_token_id=None, n_positions=tokens * context,
            n_embd=width, n_layer=layers, n_head=heads,
            resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout, use_cache=False,
            activation_function="relu",
        ))  # fmt: skip
        self.times = nn.Embedding(steps, width)

    def forward(self, embedded: Tensor, times: Tensor, there: Tensor) -> Tensor:
        """[B, K, T, W] of the same shape, from embedded tokens.

        times: int64[B, K], the number of each step in its episode; there: bool[B, K], false where
        the window begins before the episode.
        """
        batch, context, tokens, width = embedded.shape
        timed = embedded + self.times(times.clamp(max=self.times.num_embeddings - 1))[:, :, None]
        hidden = self.backbone(
            inputs_embeds=timed.reshape(batch, context * tokens, width),
            attention_mask=there.repeat_interleave(tokens, dim=1).long(),
        ).last_hidden_state
        return hidden.reshape(batch, context, tokens, width)


@dataclass(frozen=True)
class Windows:
    """K steps of each of B episodes, the last one now.

    to_go: float32[B, K, 2], returns and costs still asked for, UN-normalised sums; observations:
    float32[B, K, S]; actions: float32[B, K, A], of which the last is not looked at; times: int64[B,
    K]; there: bool[B, K], false before the episode.
    """

    to_go: Tensor
    observations: Tensor
    actions: Tensor
    times: Tensor
    there: Tensor


def windows(data: DataSet, at: Array, context: int, device: str = "cpu") -> Windows:
    """The windows that end at these steps, int64[B]."""
    index = at[:, None] + np.arange(1 - context, 1)
    there = index >= data.starts[at][:, None]
    index = np.maximum(index, data.starts[at][:, None])
    taken = (data.to_go[index].astype(np.float32), data.observations[index], data.actions[index])
    times = index - data.starts[at][:, None]
    return Windows(*(torch.from_numpy(x).to(device) for x in (*taken, times, there)))


class ConditionedNetwork(nn.Module):
    """The law of actions given returns and costs to go, states and earlier actions.

    Tokens of a step: return-to-go, cost-to-go, state, action.  The state's token gives a Gaussian
    law of the action with independent coordinates.  Data are scaled by means and deviations that
    are kept with the parameters.
    """

    to_go_middle: Tensor
    to_go_spread: Tensor
    state_middle: Tensor
    state_spread: Tensor

    def __init__(self, observations: int, actions: int, transformer: StepTransformer) -> None:
        super().__init__()
        self.transformer, width = transformer, transformer.times.embedding_dim
        self.of_return, self.of_cost = nn.Linear(1, width), nn.Linear(1, width)
        self.of_state, self.of_action = nn.Linear(observations, width), nn.Linear(actions, width)
        self.mean, self.log_scale = nn.Linear(width, actions), nn.Linear(width, actions)
        for name, size in (("to_go", 2), ("state", observations)):
            self.register_buffer(f"{name}_middle", torch.zeros(size))
            self.register_buffer(f"{name}_spread", torch.ones(size))

    def scale_to(self, data: DataSet) -> None:
        """Take means and deviations from the data; a coordinate that never moves keeps its size."""
        for name, values in (("to_go", data.to_go), ("state", data.observations)):
            spread = values.std(axis=0, dtype=np.float64)
            spread = np.where(spread > 1e-6, spread, 1.0)
            getattr(self, f"{name}_middle").copy_(torch.from_numpy(values.mean(axis=0)))
            getattr(self, f"{name}_spread").copy_(torch.from_numpy(spread))

    def forward(self, seen: Windows) -> Independent:
        """The law of the action of every step of the windows, [B, K, A]."""
        to_go = (seen.to_go - self.to_go_middle) / self.to_go_spread
        state = (seen.observations - self.state_middle) / self.state_spread
        tokens = (
            self.of_return(to_go[..., :1]), self.of_cost(to_go[..., 1:]),
            self.of_state(state), self.of_action(seen.actions),
        )  # fmt: skip
        hidden = self.transformer(torch.stack(tokens, dim=2), seen.times, seen.there)[:, :, 2]
        scale = self.log_scale(hidden).clamp(*_SCALE).exp()
        return Independent(Normal(self.mean(hidden), scale, validate_args=False), 1)
