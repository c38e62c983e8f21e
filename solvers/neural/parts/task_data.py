"""Whether a data set is of a task."""

from __future__ import annotations

import numpy as np

from ...errors import ModelError
from ...offline.data_sets import DataSet
from .tasks import environment


def check_data(data: DataSet, task: str) -> None:
    """ModelError unless observations and actions are as wide as those of the task, and the actions
    within its bounds."""
    env = environment(task)
    spaces, actions = (env.observation_space.shape, env.action_space.shape), env.action_space
    env.close()
    for name, wanted in zip(("observations", "actions"), spaces, strict=True):
        if (found := getattr(data, name).shape[1:]) != wanted:
            raise ModelError(
                f"{data.name}: {name} are of shape {found}, and those of {task} are of shape "
                f"{wanted}; take the data of this task, or the task of the data"
            )
    low, high = (getattr(actions, name, data.actions) for name in ("low", "high"))
    if len(bad := np.argwhere((data.actions < low) | (data.actions > high))):
        at = tuple(bad[0])
        raise ModelError(
            f"{data.name}: actions{bad[0].tolist()} is {data.actions[at]}, outside of "
            f"[{low[at[1:]]}, {high[at[1:]]}], the bounds of {task}; clip the actions if the "
            "environment did, or take the data of this task"
        )
