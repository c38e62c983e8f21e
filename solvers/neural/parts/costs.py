"""The cost of a step, from ``info["cost"]`` or from a function, and its first violation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium import spaces

from ...errors import ModelError

#: cost(observation, action, following observation, info) -> number; a step is unsafe above 0.
Cost: TypeAlias = Callable[[Any, Any, Any, dict[str, Any]], float]

HOW_TO_GIVE_A_COST = (
    'let its step return the cost in info["cost"], or give make(..., cost=function), called as '
    "function(observation, action, following_observation, info) -> float, above 0 where unsafe"
)


class CostEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment each of whose steps has its cost in ``info["cost"]``.

    With first_violation the cost of an episode is 1 at its first step with a positive cost and 0 at
    all others, and the flag "already violated" (0 or 1) is appended to the observation.

    Raises ModelError when observations are not vectors of numbers, when a step has no cost, and
    when a cost is no finite number.
    """

    def __init__(
        self, env: gymnasium.Env[Any, Any], *, first_violation: bool, cost: Cost | None = None
    ) -> None:
        super().__init__(env)
        self.first_violation, self.cost = first_violation, cost
        space = env.observation_space
        self._name = env.spec.id if env.spec is not None else type(env.unwrapped).__name__
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ModelError(
                f"{self._name} has observations {space}, which are no vectors; only a Box of one "
                "dimension is supported, as gymnasium.wrappers.FlattenObservation makes of others"
            )
        if first_violation:
            low, high = (
                np.append(bounds, flag).astype(space.dtype)
                for bounds, flag in ((space.low, 0), (space.high, 1))
            )
            self.observation_space = spaces.Box(low, high, dtype=space.dtype.type)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """(first observation, info)."""
        self._last, info = self.env.reset(seed=seed, options=options)
        self._violated = False
        return self._seen(self._last), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As the environment's, with the cost."""
        following, reward, terminated, truncated, info = self.env.step(action)
        charged = self._charged(action, following, info)
        self._last = following
        if self.first_violation:
            charged = float(charged > 0 and not self._violated)
            self._violated |= charged > 0
        info = {**info, "cost": charged}
        return self._seen(following), reward, terminated, truncated, info

    def _charged(self, action: Any, following: Any, info: dict[str, Any]) -> float:
        if self.cost is not None:
            value = self.cost(self._last, action, following, info)
        elif "cost" in info:
            value = info["cost"]
        else:
            raise ModelError(f"{self._name} has no cost: {HOW_TO_GIVE_A_COST}")
        try:
            number = float(value)
        except (TypeError, ValueError) as problem:
            raise ModelError(
                f"a cost of {self._name} is {value!r}, which is no number"
            ) from problem
        if not math.isfinite(number):
            raise ModelError(f"a cost of {self._name} is {number}; it must be finite")
        return number

    def _seen(self, observation: Any) -> Any:
        if not self.first_violation:
            return observation
        seen = np.empty(
            len(observation) + 1, observation.dtype
        )  # np.append takes five times as long
        seen[:-1], seen[-1] = observation, self._violated
        return seen
