"""Data of a task: whether recorded ones are of it, and scripted controllers of ball, car and point.

A controller wants a velocity and drives the body towards it.  Each episode draws one of its own,
bold or timid, so that episodes differ widely in return and cost, as those of many users would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...offline.data_sets import DataSet, file_of, read_data_set
from ...sequences import Array
from .tasks import environment
from .training import Training
from .worlds import circle

_GAIN = 1.5
"""Action for one m/s of error: the ball follows within some steps and does not swing."""
_FULL_SPEED = 3.5  # m/s of the car at full throttle, measured
_METRES = 10.0  # for one unit of the positions that bodies observe
_CIRCLE = 7.0  # metres: the radius at which circling earns most; the walls are at 6


def _push(seen: Array, wanted: Array) -> Array:
    """The ball is pushed along the error of its velocity, of which it observes a fifth."""
    return _GAIN * (wanted - 5 * seen[2:4])


def _steer(seen: Array, wanted: Array) -> Array:
    """The car drives backwards, as it is placed, and steers its rear to where it wants to go."""
    back = -(seen[5] + 1j * seen[4])
    turn = np.angle((wanted[0] + 1j * wanted[1]) / back)
    return np.array([-np.hypot(*wanted) / _FULL_SPEED, -2 * turn])


_BODIES: dict[str, tuple[Callable[[Array, Array], Array], tuple[float, float]]] = {
    "Ball": (_push, (0.6, 3.4)),
    "Car": (_steer, (0.6, 2.4)),
}
"""Body -> how it is driven, and between which speeds in m/s; limits are 2.5 and 1.5."""


@dataclass(frozen=True)
class Controller:
    """What one episode is driven by.

    speeds: m/s before and after the step `change`; wall: metres from the middle that it keeps
    within; noise: standard deviation of what is added to actions.
    """

    drive: Callable[[Array, Array], Array]
    circles: bool
    speeds: tuple[float, float]
    change: int
    wall: float
    noise: float

    def action(self, step: int, seen: Array, stream: np.random.Generator) -> Array:
        """float32[A] in [-1, 1]."""
        place, speed = _METRES * seen[:2], self.speeds[step >= self.change]
        wanted = self._round(place, speed) if self.circles else np.array([speed, -place[1]])
        noisy = self.drive(seen, wanted) + self.noise * stream.standard_normal(2)
        return np.clip(noisy, -1, 1).astype(np.float32)

    def _round(self, place: Array, speed: float) -> Array:
        """Clockwise at the radius that earns most, but back from the wall."""
        radius = float(np.hypot(*place)) + 1e-9
        out = place / radius
        wanted = speed * np.array([out[1], -out[0]]) + (_CIRCLE - radius) * out
        beyond = abs(place[0]) - self.wall
        if beyond > 0 or abs(place[0] + 0.5 * wanted[0]) > self.wall:
            wanted[0] = -2 * np.sign(place[0]) * max(beyond, 0.0)
        return wanted


def data_of(training: Training, episodes: int | None = None) -> DataSet:
    """The episodes that a training learns from: of the file `data` of its options, or `episodes` of
    drivers, of which the first so many may be asked for.

    Raises ModelError as `read_data_set`, `check_data` and `behaviour`.
    """
    options: Any = training.options
    if not options.data:
        return behaviour(training.task, episodes or options.episodes, training.seed)
    data = read_data_set(options.data)
    check_data(data, training.task)
    return data


def source(training: Training) -> Path | None:
    """The file of the data, if they are not those of drivers."""
    options: Any = training.options
    return file_of(Path(options.data)) if options.data else None


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


def behaviour(task: str, episodes: int, seed: int) -> DataSet:
    """Episodes of drawn controllers; the same seed gives the same, bit for bit.

    Raises ModelError for a task that no controller is written for.
    """
    if episodes < 1:
        raise ModelError(f"episodes is {episodes}; data need at least 1")
    stream = np.random.Generator(np.random.Philox(seed))
    if task == circle.TASK:
        return _circling(episodes, stream)
    body, kind = _parts(task)
    env, rows = environment(task), list[tuple[object, ...]]()
    for _ in range(episodes):
        controller, step, ended = _drawn(body, kind == "Circle", stream), 0, False
        seen, _ = env.reset(seed=int(stream.integers(2**32)))
        while not ended:
            action = controller.action(step, seen, stream)
            following, reward, terminated, truncated, info = env.step(action)
            cut = truncated and not terminated
            rows.append((seen, following, action, reward, info["cost"], terminated, cut))
            seen, step, ended = following, step + 1, terminated or truncated
    env.close()
    columns: list[Any] = [np.array(column) for column in zip(*rows, strict=True)]
    return DataSet(f"behaviour data of {task}", *columns)


def _circling(episodes: int, stream: np.random.Generator) -> DataSet:
    """Episodes of the four scripted controllers of the circling point, in turn."""
    act, world = circle.scripted(np.arange(episodes) % 4, stream), circle.PointCircles(episodes)
    seen, _ = world.reset(seed=int(stream.integers(2**32)))
    rows, ended = [], np.array([False])
    while not ended.all():
        actions = act(seen).astype(np.float32)
        following, rewards, terminated, ended, info = world.step(actions)
        rows.append((seen, following, actions, rewards, info["cost"], terminated, ended))
        seen = following
    columns = (np.stack(column, axis=1) for column in zip(*rows, strict=True))
    flat: list[Any] = [column.reshape(-1, *column.shape[2:]) for column in columns]
    return DataSet(f"scripted data of {circle.TASK}", *flat)


def _parts(task: str) -> tuple[str, str]:
    known = {f"Safety{body}{kind}-v0": (body, kind)
             for body in _BODIES for kind in ("Run", "Circle")}  # fmt: skip
    if task not in known:
        written = ", ".join((*known, circle.TASK))
        raise ModelError(
            f"no controllers are written for {task!r}; there are some for {written}; for "
            "other tasks give recorded data, with --set data=PATH of an HDF5 file"
        )
    return known[task]


def _drawn(body: str, circles: bool, stream: np.random.Generator) -> Controller:
    drive, (slow, fast) = _BODIES[body]
    low, high = np.sort(stream.uniform(slow, fast, 2))
    first, second = (low, high) if stream.random() < 0.5 else (high, low)
    return Controller(
        drive, circles, (float(first), float(second)), int(stream.integers(20, 100)),
        wall=float(stream.uniform(4.5, 7.5)), noise=float(stream.uniform(0.05, 0.5)),
    )  # fmt: skip
