"""Locomotion with a speed limit: MuJoCo's environments with a cost.

The thresholds are those of the velocity tasks of safety-gymnasium (Ji et al. 2023), half of the
speed that an agent trained without a constraint reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import gymnasium

from ....errors import ModelError

#: Body -> metres a second above which a step is unsafe.
THRESHOLDS = {
    "Ant": 2.6222,
    "HalfCheetah": 3.2096,
    "Hopper": 0.7402,
    "Humanoid": 1.4149,
    "Swimmer": 0.2282,
}


class VelocityCost(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds ``info["cost"]``: 1 where the speed is above the threshold, else 0.

    The speed is forward where the body moves in a line, and the length of the velocity where it
    moves in the plane.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], threshold: float) -> None:
        super().__init__(env)
        self.threshold = threshold

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As the environment's, with the cost."""
        *rest, info = self.env.step(action)
        forward, sideways = info["x_velocity"], info.get("y_velocity")
        speed = forward if sideways is None else math.hypot(forward, sideways)
        return *rest, {**info, "cost": float(speed > self.threshold)}  # type: ignore[return-value]


@contextmanager
def _no_log_of_old_models() -> Iterator[None]:
    """What gymnasium's models should have said otherwise goes to no MUJOCO_LOG.TXT of the user."""
    with suppress(ImportError):  # the caller says what is missing
        mujoco = import_module("mujoco")
        mujoco.set_mju_user_warning(lambda _: None)
    try:
        yield
    finally:
        with suppress(ImportError):
            import_module("mujoco").set_mju_user_warning(None)


def make_velocity(body: str, **options: Any) -> gymnasium.Env[Any, Any]:
    """The environment of a body in `THRESHOLDS`, with the cost.

    Raises ModelError when MuJoCo is not there.
    """
    try:
        with _no_log_of_old_models():
            env = gymnasium.make(f"{body}-v5", disable_env_checker=True, **options).unwrapped
    except gymnasium.error.DependencyNotInstalled as problem:
        raise ModelError(
            f"holdfast/{body}Velocity-v0 needs MuJoCo, which is not there ({problem}); install "
            "holdfast[neural]"
        ) from problem
    return VelocityCost(env, THRESHOLDS[body])
