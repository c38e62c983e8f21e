"""Finite worlds as vectorised environments of stable-baselines3."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from ....exact import Array
from .copies import Copies
from .finite import FiniteWorld
from .single import spaces_of


class FiniteVecEnv(VecEnv):
    """n copies of a finite world; the cost of a step is in ``info["cost"]``.

    The end of an episode is a termination: the time is in the observation.  ``seed(s)`` followed by
    ``reset()`` behaves as an environment that is made with that seed.

    Attributes:
        last_returns: int64[n], the returns when episodes ended last, over
            ``world.earnings.denominator``.
    """

    def __init__(
        self,
        world: FiniteWorld,
        n_envs: int,
        *,
        seed: int | None = None,
        first_violation: bool,
        exploring: int = 0,
    ) -> None:
        self.copies = Copies(world, n_envs, first_violation=first_violation, exploring=exploring)
        self.last_returns = np.zeros(n_envs, dtype=np.int64)
        super().__init__(n_envs, *spaces_of(world, first_violation=first_violation))
        if seed is not None:
            self.seed(seed)

    def reset(self) -> Array:
        """First observations, float32[n, F]."""
        seen = self.copies.reset(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return seen

    def step_async(self, actions: Array) -> None:
        """Remember the actions, int[n]."""
        self._actions = np.asarray(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Make the step; a finished episode is followed by the first observation of the next."""
        outcome = self.copies.step(self._actions)
        infos: list[dict[str, Any]] = [{"cost": cost} for cost in outcome.costs.tolist()]
        seen = outcome.observations
        ended = np.flatnonzero(outcome.ended)
        if len(ended):
            for copy in ended:
                infos[copy]["terminal_observation"] = seen[copy]
                infos[copy]["TimeLimit.truncated"] = False
            self.last_returns = self.copies.earned.copy()
            seen = self.copies.restart(ended)
        return seen, outcome.rewards, outcome.ended, infos

    def close(self) -> None:
        """Nothing is held."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the whole, once for each copy."""
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refused: the copies have no attributes of their own."""
        raise AttributeError(f"copies of a finite world have no attribute {attr_name!r} to set")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Refused: the copies have no methods of their own."""
        raise AttributeError(f"copies of a finite world have no method {method_name!r}")

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """They never are."""
        return [False for _ in self._get_indices(indices)]
