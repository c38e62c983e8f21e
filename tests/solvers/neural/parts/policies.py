"""Policies that need no training: what is asked of a predictor, and nothing else."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.solvers.neural.parts.worlds.finite import FiniteWorld


@dataclass
class TablePolicy:
    """Follows int[T, M, S] choices of a world, which it finds by looking the observation up."""

    world: FiniteWorld
    table: Any

    def __post_init__(self) -> None:
        self.known = {seen.tobytes(): state for state, seen in enumerate(self.world.features)}

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        """The actions, and no state."""
        horizon, width = self.world.problem.horizon, self.world.features.shape[1]
        states = np.array([self.known[row[:width].tobytes()] for row in observation])
        times = np.rint((1 - observation[:, width]) / 2 * horizon).astype(int)
        memories = np.rint((observation[:, width + 1] + 1) / 2).astype(int)
        choices = self.table[times, memories, states]
        return choices - self.world.problem.model.choice_start[states], state


@dataclass
class Always:
    """The same action everywhere."""

    action: Any

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        """The action for each observation."""
        return np.repeat(np.array([self.action]), len(observation), axis=0), state
