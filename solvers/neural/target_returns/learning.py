"""Maximum likelihood of recorded actions, with AdamW, in updates that can be resumed exactly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from ...offline.data_sets import DataSet
from ...sequences import Array
from ..parts.checkpoints import Saved, named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.training import TrainingError
from .transformer import ConditionedNetwork, windows

if TYPE_CHECKING:
    from .decision_transformer import DecisionTransformerOptions


class Learner:
    """A network and its optimizer; what an update draws follows from the seed and its number."""

    def __init__(
        self, network: ConditionedNetwork, options: DecisionTransformerOptions, seed: int,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        self.network, self.options, self.seed, self.device = network, options, seed, device
        self.network.to(device)
        self.optimizer = AdamW(
            network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )

    def update(self, data: DataSet, number: int, steps: int | None = None) -> float:
        """Make the gradient steps of the update of this number, from 1; returns their mean loss.

        steps: fewer than all of an update, for the last one.

        The loss is the mean negative logarithm of the likelihood of an action.  Raises
        TrainingError when it is not finite.
        """
        words = np.random.SeedSequence([self.seed, number]).generate_state(2, np.uint64)
        stream = np.random.Generator(np.random.Philox(key=words))
        self.network.train()
        before, losses = (number - 1) * self.options.per_update, []
        steps = steps or self.options.per_update
        with torch.random.fork_rng(devices=[self.device] if "cuda" in self.device else []):
            torch.manual_seed(int(words[0] >> np.uint64(1)))  # dropout
            for step in range(steps):
                at = stream.integers(0, len(data.rewards), self.options.batch)
                self._set_rate(before + step + 1)
                losses.append(self._step(data, at))
        loss = math.fsum(losses) / steps
        if not math.isfinite(loss):
            raise TrainingError(
                f"update {number}: the loss is {loss}; take a smaller learning_rate than "
                f"{self.options.learning_rate}"
            )
        return loss

    def _set_rate(self, step: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * min(1.0, step / self.options.warm_up)

    def _step(self, data: DataSet, at: Array) -> float:
        seen = windows(data, at, self.options.context, self.device)
        loss = -self.network(seen).log_prob(seen.actions)[seen.there].mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.options.gradient_norm)
        self.optimizer.step()
        return loss.item()

    def tensors(self) -> dict[str, Tensor]:
        """What `restore` needs."""
        moments = optimizer_tensors(self.optimizer)
        return {**named("network", self.network.state_dict()), **named("moments", moments)}

    def restore(self, saved: Saved) -> None:
        """Go on from there."""
        self.network.load_state_dict(part("network", saved.tensors))
        set_optimizer_tensors(self.optimizer, part("moments", saved.tensors))
