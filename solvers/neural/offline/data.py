"""What offline trainings learn from: a file of episodes, or scripted controllers; their options."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ModelError
from ..parts.constrained import refuse_idle, require_positive, require_share
from ..parts.task_data import data_of
from ..parts.training import Training, option

PER_UPDATE = 100
"""Gradient steps between lines of metrics: more lines say little more."""


@dataclass(frozen=True)
class OfflineOptions:
    """Options of all trainings on recorded episodes.  Raises ModelError for what is out of range or
    has no effect."""

    data: str = option("", "HDF5 file of episodes (DSRL, D4RL, Minari); none for scripted drivers")
    episodes: int = option(240, "episodes of the scripted drivers")
    width: int = option(64, "units of each of two hidden layers")
    batch: int = option(128, "transitions a gradient step")
    discount: float = option(0.95, "of rewards and costs in the critics")
    checkpoint_every: int = option(20, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(self, "episodes width batch")
        require_share(self, "discount")
        if self.checkpoint_every < 0:
            raise ModelError(f"checkpoint_every = {self.checkpoint_every}; give 0 or more")
        if self.data:
            refuse_idle(self, "episodes", f"data = {self.data!r}")


def require_whole(options: object, names: str) -> None:
    """ModelError unless these options are whole updates of `PER_UPDATE` gradient steps, or 0."""
    for name in names.split():
        value = getattr(options, name)
        if value < 0 or value % PER_UPDATE:
            raise ModelError(f"{name} = {value}; give a multiple of {PER_UPDATE}, or 0 for none")


def check(training: Training) -> None:
    """Raises ModelError as `data_of`, and for actions that are no bounded Box."""
    from gymnasium import spaces

    from ..parts.tasks import environment

    data_of(training, episodes=1)
    env = environment(training.task)
    actions = env.action_space
    env.close()
    if not isinstance(actions, spaces.Box) or not actions.is_bounded():
        raise ModelError(
            f"{training.task} has the actions {actions}; offline policies are trained for a "
            "bounded Box, so wrap the environment"
        )
