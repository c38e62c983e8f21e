"""Trainings as a row of updates, each with random numbers of its own: resumed anywhere, alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .on_policy import one_thread
from .runs import Workplace
from .training import Training, TrainingError


class State(Protocol):
    """What is trained; `tensors` is all that a further update depends on."""

    def update(self, number: int) -> dict[str, float]:
        """Make the update of this number, from 1; its line of metrics."""

    def tensors(self) -> dict[str, Tensor]:
        """What `restore` needs."""

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""

    def outcome(self) -> tuple[Mapping[str, Tensor], Mapping[str, Any]]:
        """Tensors and numbers that are kept after the last update."""


def word(seed: int, update: int) -> int:
    """A seed of 32 bits for one update of one training; update 0 is the first parameters."""
    return int(np.random.SeedSequence([seed, update]).generate_state(1)[0])


_AWAY = (
    "is not finite; the last checkpoint is kept: give a smaller learning rate, or smaller weights"
)


def _finite(state: State) -> bool:
    return all(bool(torch.isfinite(one).all()) for one in state.tensors().values())


def run_updates(workplace: Workplace, begin: Callable[[Training], State]) -> None:
    """All updates on one thread, of the state that `begin` makes of the training, from the last
    checkpoint if there is one.  The options have `updates` and `checkpoint_every` (0 for none).

    Raises TrainingError at what is not finite.
    """
    training = workplace.training
    options = training.options
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(word(training.seed, 0))
        state = begin(training)
        done, saved = workplace.resume()
        if saved is not None:
            state.restore(saved.tensors)
        for update in range(done + 1, options.updates + 1):
            torch.manual_seed(word(training.seed, update))
            try:
                line = state.update(update)
            except ValueError as error:  # torch refuses laws whose parameters are not finite
                if _finite(state):
                    raise
                raise TrainingError(f"update {update}: a network {_AWAY}") from error
            if not all(map(math.isfinite, line.values())):
                raise TrainingError(f"update {update}: {line} {_AWAY}")
            workplace.record(update, options.updates, line)
            if options.checkpoint_every and update % options.checkpoint_every == 0:
                workplace.checkpoint(update, state.tensors(), {})
        workplace.keep(*state.outcome())
