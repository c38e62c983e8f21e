"""What offline trainings learn from: a file of episodes, or scripted controllers; their options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...offline.data_sets import DataSet, file_of, read_data_set
from ..parts.constrained import refuse_idle, require_positive, require_share
from ..parts.task_data import behaviour, check_data
from ..parts.training import Training, option
from ..parts.worlds import circle

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


def circle_data(episodes: int, seed: int) -> DataSet:
    """Episodes of the four scripted controllers of the circling point, in turn."""
    stream = np.random.Generator(np.random.Philox(seed))
    act, world = circle.scripted(np.arange(episodes) % 4, stream), circle.PointCircles(episodes)
    seen, _ = world.reset(seed=int(stream.integers(2**32)))
    rows, ended = [], np.array([False])
    while not ended.all():
        actions = act(seen).astype(np.float32)
        following, rewards, terminated, ended, info = world.step(actions)
        rows.append((seen, following, actions, rewards, info["cost"], terminated, ended))
        seen = following
    columns = (np.stack(column, axis=1) for column in zip(*rows, strict=True))
    flat = (column.reshape(-1, *column.shape[2:]) for column in columns)
    return DataSet(f"scripted data of {circle.TASK}", *flat)


def data_of(training: Training, episodes: int | None = None) -> DataSet:
    """The episodes that a training learns from, or of drivers the first so many.

    Raises ModelError as `read_data_set`, `check_data` and `behaviour`.
    """
    options: OfflineOptions = training.options
    if options.data:
        data = read_data_set(options.data)
        check_data(data, training.task)
        return data
    made = circle_data if training.task == circle.TASK else None
    count = episodes or options.episodes
    return made(count, training.seed) if made else behaviour(training.task, count, training.seed)


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


def source(training: Training) -> Path | None:
    """The file of the data, if they are not those of drivers."""
    return file_of(Path(training.options.data)) if training.options.data else None
