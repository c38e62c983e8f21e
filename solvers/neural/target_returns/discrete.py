"""A decision transformer over discrete actions that also predicts the return, as bins.

Tokens of a step: state, return still to come, action.  From the state follows the predicted law of
the return, from the return the law of the action (Lee et al. 2022, without their reward token).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import AdamW

from ..parts.training import TrainingError
from .transformer import StepTransformer


@dataclass(frozen=True)
class Steps:
    """K steps of each of B episodes, the last one now.

    states: float32[B, K, S]; returns: int64[B, K], bins of the return still to come, which is an
    UN-normalised sum; actions: int64[B, K]; games, times: int64[B, K], which game, and the number
    of the step; there: bool[B, K], false before the episode.
    """

    states: Tensor
    returns: Tensor
    actions: Tensor
    games: Tensor
    times: Tensor
    there: Tensor

    def take(self, rows: Any) -> Steps:
        """Some of the episodes, in this order."""
        return Steps(*(one[rows] for one in self.tensors))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in this order."""
        return tuple(getattr(self, one.name) for one in fields(self))

    def __len__(self) -> int:
        return len(self.times)


class Data(Protocol):
    """What can be learnt from, such as `Steps` themselves."""

    def take(self, rows: Tensor) -> Steps:
        """Some of them."""

    def __len__(self) -> int: ...


class ReturnTransformer(nn.Module):
    """Laws of returns and actions; a game that has fewer actions than others never takes the rest.

    actions: how many each game has.  Its attribute `shape` is (context, states).
    """

    def __init__(
        self, *, states: int, actions: tuple[int, ...], bins: int, context: int, steps: int,
        width: int, layers: int, heads: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.shape = context, states
        self.transformer = StepTransformer(
            tokens=3, context=context, steps=steps, width=width, layers=layers, heads=heads,
            dropout=0.0,
        )  # fmt: skip
        most = max(actions)
        self.of_state = nn.Sequential(nn.Linear(states, width), nn.ReLU(), nn.Linear(width, width))
        self.of_return, self.of_action = nn.Embedding(bins, width), nn.Embedding(most, width)
        self.of_game = nn.Embedding(len(actions), width)
        self.to_return, self.to_action = nn.Linear(width, bins), nn.Linear(width, most)
        closed = torch.arange(most)[None] >= torch.tensor(actions)[:, None]
        self.register_buffer("closed", closed)
        self.closed: Tensor

    def forward(self, seen: Steps) -> tuple[Tensor, Tensor]:
        """Log-odds of the returns, [B, K, bins], and of the actions, [B, K, A]."""
        tokens = (
            self.of_state(seen.states), self.of_return(seen.returns), self.of_action(seen.actions)
        )  # fmt: skip
        embedded = torch.stack(tokens, dim=2) + self.of_game(seen.games)[:, :, None]
        hidden = self.transformer(embedded, seen.times, seen.there)
        actions = self.to_action(hidden[:, :, 1])
        return self.to_return(hidden[:, :, 0]), actions.masked_fill(self.closed[seen.games], -1e9)


def seeded_network(seed: int, **sizes: Any) -> ReturnTransformer:
    """An untrained network whose first parameters follow from the seed."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return ReturnTransformer(**sizes)


def imitate(
    network: ReturnTransformer, data: Data, *, steps: int, batch: int, rate: float, seed: int
) -> Iterator[float]:
    """The loss of each gradient step: likelihood of recorded actions and returns.

    Raises TrainingError for a loss that is not finite.
    """
    optimizer = AdamW(network.parameters(), lr=rate)
    stream = np.random.Generator(np.random.Philox(key=seed))
    for step in range(steps):
        seen = data.take(torch.from_numpy(stream.integers(0, len(data), batch)))
        laws = network(seen)
        known = zip(laws, (seen.returns, seen.actions), strict=True)
        loss = sum(cross_entropy(law[seen.there], value[seen.there]) for law, value in known)
        assert isinstance(loss, Tensor)
        if not math.isfinite(loss.item()):
            raise TrainingError(f"step {step}: the loss is {loss.item()}; take a rate below {rate}")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield loss.item()
