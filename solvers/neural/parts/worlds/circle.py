"""A point that earns most on a circle of radius 1, of which all beyond two walls costs.

A state is (x, y, v_x, v_y), an action a in [-1, 1]^2::

    v <- 9/10 v + 3/10 a,   p <- p + 1/10 v,
    reward (x v_y - y v_x) / (1 + 5 ||p| - 1|),   cost 1 where |x| > 7/10, both after the step.

Nothing is random but the start, at rest within half a unit of the middle; an episode has 100 steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ....sequences import Array

TASK = "holdfast/PointCircle-v0"
STEPS, WALL = 100, 0.7
MOST = 3 * 2**0.5
"""No step earns more, nor less than its negative: the longest velocity, on the circle."""
STATES = spaces.Box(-np.inf, np.inf, (4,), np.float32)
ACTIONS = spaces.Box(-1.0, 1.0, (2,), np.float32)


def starts(count: int, stream: np.random.Generator) -> Array:
    """float64[n, 4], first states."""
    found = np.zeros((count, 4))
    found[:, :2] = stream.uniform(-0.5, 0.5, (count, 2))
    return found


def moved(states: Array, actions: Array) -> tuple[Array, Array, Array]:
    """float64[n, 4] states after a step, its rewards and costs, float64[n]; actions are clipped."""
    velocity = 0.9 * states[:, 2:] + 0.3 * np.clip(actions, -1, 1)
    place = states[:, :2] + 0.1 * velocity
    turning = place[:, 0] * velocity[:, 1] - place[:, 1] * velocity[:, 0]
    off = np.abs(np.hypot(*place.T) - 1)
    costs = (np.abs(place[:, 0]) > WALL).astype(float)
    return np.hstack([place, velocity]), turning / (1 + 5 * off), costs


class PointCircle(gymnasium.Env[Any, Any]):
    """One copy; the cost is in ``info["cost"]``, and a limit of time ends the episode."""

    observation_space, action_space = STATES, ACTIONS

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """(first observation, no info)."""
        super().reset(seed=seed)
        self.state = starts(1, self.np_random)
        return self.state[0].astype(np.float32), {}

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """As gymnasium's."""
        self.state, rewards, costs = moved(self.state, np.asarray(action, float)[None])
        info = {"cost": float(costs[0])}
        return self.state[0].astype(np.float32), float(rewards[0]), False, False, info


class PointCircles(VectorEnv[Any, Any, Any]):
    """Many copies at once, all of which begin and end together."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012

    def __init__(self, num_envs: int = 1, max_episode_steps: int = STEPS) -> None:
        self.num_envs, self.steps = num_envs, max_episode_steps
        self.single_observation_space, self.single_action_space = STATES, ACTIONS
        self.observation_space = batch_space(STATES, num_envs)
        self.action_space = batch_space(ACTIONS, num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """(first observations, no info)."""
        if seed is not None:
            self.np_random = np.random.default_rng(seed)  # type: ignore[arg-type]
        self.states, self.time = starts(self.num_envs, self.np_random), 0
        return self.states.astype(np.float32), {}

    def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """As gymnasium's; ``info["cost"]`` is float64[n]."""
        self.states, rewards, costs = moved(self.states, np.asarray(actions, float))
        self.time += 1
        ended = np.full(self.num_envs, self.time >= self.steps)
        seen = self.states.astype(np.float32)
        return seen, rewards, np.zeros_like(ended), ended, {"cost": costs}


def rolled(
    act: Callable[[Array], Array], states: Array, steps: int = STEPS, discount: float = 1.0
) -> Array:
    """float64[n, 2], sums of rewards and of costs from these states, discounted.

    act: float32[n, 4] observations -> float[n, 2] actions.
    """
    found = np.zeros((len(states), 2))
    for time in range(steps):
        states, rewards, costs = moved(states, act(states.astype(np.float32)))
        found += discount**time * np.stack([rewards, costs], axis=1)
    return found


#: Radius and speed that each scripted controller wants: two are safe, one at times, one is not.
CONTROLLERS = ((0.4, 0.7), (0.55, 0.9), (0.73, 1.05), (1.0, 1.05))
_NOISE = 0.3
"""Standard deviation of what is added to actions."""


def scripted(kinds: Array, stream: np.random.Generator) -> Callable[[Array], Array]:
    """Actions of scripted controllers, int[n] of them, with noise; anticlockwise."""
    radius, speed = np.array(CONTROLLERS)[kinds].T

    def act(states: Array) -> Array:
        place, velocity = states[:, :2].astype(float), states[:, 2:].astype(float)
        far = np.hypot(*place.T) + 1e-9
        out = place / far[:, None]
        along = np.stack([-out[:, 1], out[:, 0]], axis=1)
        turn = speed**2 / radius  # inwards, to stay on the circle
        wanted = speed[:, None] * along + (2 * (radius - far) - 0.1 * turn)[:, None] * out
        noise = _NOISE * stream.standard_normal(place.shape)
        return np.asarray(np.clip((wanted - 0.9 * velocity) / 0.3 + noise, -1, 1))

    return act
