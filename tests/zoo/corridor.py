"""A corridor of two steps: left-left and right-right are safe and worth 1, all else is a crash."""

import gymnasium
import numpy as np

from holdfast.solvers.chance import ChanceProblem
from holdfast.solvers.models.arrays import from_arrays

LEFT, RIGHT = 0, 1
CRASHED = 4


def corridor() -> ChanceProblem:
    """States: start, left, right, end, crashed; in the left one only left is safe."""
    law = [
        [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]],
        [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
        [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0]],
        [[0, 0, 0, 1, 0]] * 2,
        [[0, 0, 0, 0, 1]] * 2,
    ]
    reward = [[0, 0], [1, 0], [0, 1], [0, 0], [0, 0]]
    model = from_arrays(law, reward, discount=1, initial=[1, 0, 0, 0, 0])
    return ChanceProblem(model, (CRASHED,), 2)


def always(action: int) -> np.ndarray:
    """The table of choices [T, M, S] of the same action everywhere."""
    return np.tile(np.arange(5) * 2 + action, (2, 2, 1))


class Corridor(gymnasium.Env):
    """The same as an environment: observes (at the start, in the left, in the right)."""

    observation_space = gymnasium.spaces.Box(0, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, costs: bool = True) -> None:
        self.costs = costs

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = None
        return self._seen(), {}

    def _seen(self) -> np.ndarray:
        place = 0 if self.place is None else 1 + self.place
        return np.eye(3, dtype=np.float32)[place]

    def step(self, action):
        if self.place is None:
            self.place = int(action)
            return self._seen(), 0.0, False, False, self._said(0.0)
        safe = int(action) == self.place
        return self._seen(), float(safe), True, False, self._said(float(not safe))

    def _said(self, cost: float) -> dict[str, float]:
        return {"cost": cost} if self.costs else {}
