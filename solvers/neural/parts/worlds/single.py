"""Finite worlds as environments of gymnasium, one copy or many."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ....exact import Array
from .copies import Copies
from .finite import FiniteWorld
from .known import known_world


def spaces_of(world: FiniteWorld, *, first_violation: bool) -> tuple[spaces.Box, spaces.Discrete]:
    """(observations, actions): floats in [-1, 1], and A numbers."""
    width = world.features.shape[1] + 1 + first_violation
    return spaces.Box(-1.0, 1.0, (width,), np.float32), spaces.Discrete(world.n_actions)


class FiniteEnv(gymnasium.Env[Array, Any]):
    """One copy of the world of an id; the cost is in ``info["cost"]``, the end a termination.

    first_violation: the cost is 1 at the first unsafe step of an episode only, and a flag in the
    observation says that it has been.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, task: str, first_violation: bool = True) -> None:
        world = known_world(task)
        self.copies = Copies(world, 1, first_violation=first_violation)
        self.observation_space, self.action_space = spaces_of(
            world, first_violation=first_violation
        )
        self._seeded = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """(first observation, {}); without a seed the first reset takes one by chance."""
        super().reset(seed=seed)
        if not self._seeded:
            seed, self._seeded = self.np_random_seed, True
        return self.copies.reset(seed)[0], {}

    def step(self, action: int) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """(observation, reward, terminated, False, {"cost": cost})."""
        outcome = self.copies.step(np.array([action]))
        seen, ended = outcome.observations[0], bool(outcome.ended[0])
        return seen, float(outcome.rewards[0]), ended, False, {"cost": float(outcome.costs[0])}


class FiniteVectorEnv(VectorEnv[Array, Array, Array]):
    """Many copies that make their steps together, reset in the step that ends an episode.

    ``infos["cost"]`` is float64[n]; at an end ``infos["final_obs"]`` has the last observations.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self, task: str, num_envs: int = 1, first_violation: bool = True) -> None:
        world = known_world(task)
        self.num_envs = num_envs
        self.copies = Copies(world, num_envs, first_violation=first_violation)
        single = spaces_of(world, first_violation=first_violation)
        self.single_observation_space, self.single_action_space = single
        self.observation_space, self.action_space = (batch_space(s, num_envs) for s in single)
        self._seeded = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """(float32[n, F], {}); one seed is for all the copies, which differ."""
        super().reset(seed=seed)
        if not self._seeded:
            seed, self._seeded = self.np_random_seed, True
        return self.copies.reset(seed), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """(observations, rewards, terminated, truncated, infos), arrays over the copies."""
        outcome, every = self.copies.step(actions), np.ones(self.num_envs, dtype=bool)
        infos: dict[str, Any] = {"cost": outcome.costs, "_cost": every}
        seen = outcome.observations
        if outcome.ended.any():  # then all: none begins later than the others
            last = np.empty(self.num_envs, dtype=object)
            last[:] = list(seen)
            infos |= {"final_obs": last, "_final_obs": every, "_final_info": every}
            infos["final_info"] = {"cost": outcome.costs, "_cost": every}
            seen = self.copies.reset()
        return seen, outcome.rewards, outcome.ended, ~every, infos
