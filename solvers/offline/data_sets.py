"""Data sets of episodes with rewards and costs, read from HDF5 in three layouts.

::

    DSRL, D4RL  observations, next_observations, actions, rewards, costs, terminals, timeouts: one
                row a step, episodes one after the other (in D4RL, which has none, infos/cost)
    Minari      episode_0/, episode_1/ and so on, each with observations (one row more than steps),
                actions, rewards, terminations, truncations, infos/cost

A file may come from a stranger: only plain numbers that lie in the file itself are read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from ..whole_files import whole

if TYPE_CHECKING:
    import h5py

FLAT = {
    "observations": "float32", "next_observations": "float32", "actions": "float32",
    "rewards": "float64", "costs": "float64", "terminals": "bool", "timeouts": "bool",
}  # fmt: skip
"""Names of the DSRL layout, with the types in which they are kept; the first three are vectors."""
_LARGEST, _DENSEST = 2**33, 1032
"""Bytes of all arrays of a file, and for each byte of the file: gzip stores no more, and a file of
some kilobytes can claim any number of them, once or by many links to the same."""
_DAMAGES = (OSError, RuntimeError, LookupError, TypeError, ValueError, MemoryError)
"""What h5py raises where the structure of a file is damaged."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Episodes, one after the other; N steps in all.

    Attributes:
        name: what errors call it, such as its path.
        observations, next_observations: float32[N, S], before and after each step.
        actions: float32[N, A].  rewards, costs: float64[N].
        terminals, timeouts: bool[N], where an episode ends by itself, and where it is cut.

    Raises ModelError for arrays that differ in length or shape, for a number that is not finite in
    its type, for flags other than 0 and 1, for a negative cost, when the last episode has no end,
    and for a return that is not finite in single precision, in which networks are told it.
    """

    name: str
    observations: Array
    next_observations: Array
    actions: Array
    rewards: Array
    costs: Array
    terminals: Array
    timeouts: Array

    def __post_init__(self) -> None:
        for name in FLAT:
            values = _plain(self.name, name, getattr(self, name), len(self.rewards))
            object.__setattr__(self, name, values)
        if self.next_observations.shape != self.observations.shape:
            raise ModelError(
                f"{self.name}: observations are of shape {self.observations.shape} and "
                f"next_observations of {self.next_observations.shape}; they must be equal"
            )
        if (negative := np.flatnonzero(self.costs < 0)).size:
            raise ModelError(
                f"{self.name}: costs[{negative[0]}] is {self.costs[negative[0]]}; costs are at "
                "least 0, so shift or clip them"
            )
        if not self.ends.size or self.ends[-1] != len(self.rewards):
            last = self.ends[-1] if self.ends.size else 0
            raise ModelError(
                f"{self.name}: the last episode, from step {last}, has no end among terminals and "
                "timeouts, so that its return is not known; the file was cut, or leave these steps "
                "out"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            told = self.to_go.astype(np.float32)
        if len(bad := np.argwhere(~np.isfinite(told))):
            raise ModelError(
                f"{self.name}: the {('rewards', 'costs')[bad[0, 1]]} from step {bad[0, 0]} to the "
                "end of its episode sum to more than single precision holds; divide all of them by "
                "a constant"
            )

    @cached_property
    def ends(self) -> Array:
        """int64[E], one past the last step of each episode."""
        return np.flatnonzero(self.terminals | self.timeouts) + 1

    @cached_property
    def starts(self) -> Array:
        """int64[N], the first step of the episode that each step belongs to."""
        first = np.concatenate([[0], self.ends[:-1]])
        return np.repeat(first, np.diff(self.ends, prepend=0))

    @cached_property
    def returns(self) -> Array:
        """float64[E, 2], UN-normalised sums of rewards and of costs of each episode."""
        return self.to_go[np.concatenate([[0], self.ends[:-1]])]

    @cached_property
    def to_go(self) -> Array:
        """float64[N, 2], UN-normalised sums of rewards and costs from each step to the end.

        Summed within each episode: what another one earned rounds nothing here.
        """
        gains = np.stack([self.rewards, self.costs], axis=1)
        episodes = np.split(gains, self.ends[:-1])
        return np.concatenate([np.cumsum(one[::-1], axis=0)[::-1] for one in episodes])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all numbers."""
        found = hashlib.sha256()
        for name in FLAT:
            values = getattr(self, name)
            found.update(f"{name} {values.shape}".encode() + values.tobytes())
        return found.hexdigest()

    def write(self, path: str | Path) -> None:
        """Write in the DSRL layout, whole or not at all."""
        import h5py

        with whole(path) as unfinished, h5py.File(unfinished, "w") as file:
            for name in FLAT:
                file.create_dataset(name, data=getattr(self, name), compression="gzip")


def joined(name: str, parts: list[DataSet]) -> DataSet:
    """The episodes of all parts, one after the other."""
    return DataSet(
        name, **{key: np.concatenate([getattr(part, key) for part in parts]) for key in FLAT}
    )


def read_data_set(path: str | Path) -> DataSet:
    """The data set of a file, or of a folder that Minari wrote.

    Raises ModelError when it cannot be read whole, has no costs, holds anything but plain numbers,
    and as `DataSet`.
    """
    place = file_of(Path(path))
    if not place.is_file():
        raise ModelError(
            f"{path} is no file; give an HDF5 file in the layout of DSRL, D4RL or Minari, or a "
            "folder that has main_data.hdf5"
        )
    with _opened(place) as file:
        episodes = sorted(
            (name for name in file.file if name.startswith("episode_")),
            key=lambda name: (len(name), name),
        )
        if not episodes:
            return _flat(str(place), file)
        return joined(str(place), [_episode(f"{place}, {name}", file, name) for name in episodes])


def file_of(path: Path) -> Path:
    """The file itself, or that of a folder that Minari wrote; it may not be there."""
    return next((path / name for name in ("main_data.hdf5", "data/main_data.hdf5")
                 if (path / name).is_file()), path)  # fmt: skip


@dataclass
class _Opened:
    """A file, and how many bytes may still be read from it."""

    file: h5py.File
    left: int


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield _Opened(file, min(_LARGEST, _DENSEST * path.stat().st_size))
    except ModelError:
        raise
    except _DAMAGES as error:
        raise ModelError(
            f"{path} cannot be read as HDF5 ({error}); it is truncated, damaged or of another "
            "kind, so fetch it again"
        ) from error


def _flat(name: str, file: _Opened) -> DataSet:
    other = "costs" not in file.file and "infos/cost" in file.file
    found = {key: _array(name, file, "infos/cost" if other and key == "costs" else key)
             for key in FLAT}  # fmt: skip
    return DataSet(name, **found)


def _episode(name: str, file: _Opened, episode: str) -> DataSet:
    """One episode of Minari.  Its infos have an entry a step, or one of the reset before these."""
    found = {key: _array(name, file, f"{episode}/{key}") for key in
             ("observations", "actions", "rewards", "terminations", "truncations")}  # fmt: skip
    costs, steps = _array(name, file, f"{episode}/infos/cost"), len(found["rewards"])
    if len(found["observations"]) != steps + 1:
        raise ModelError(
            f"{name}: observations has {len(found['observations'])} rows for {steps} rewards; "
            "there must be one more than steps"
        )
    return DataSet(
        name,
        observations=found["observations"][:-1],
        next_observations=found["observations"][1:],
        actions=found["actions"],
        rewards=found["rewards"],
        costs=costs[1:] if len(costs) == steps + 1 else costs,
        terminals=found["terminations"],
        timeouts=found["truncations"],
    )


def _array(name: str, file: _Opened, key: str) -> Array:
    """The numbers under a key, which must lie in this very file and be plain."""
    import h5py

    inside = _inside(name, file.file, key)
    if not isinstance(inside, h5py.Dataset) or inside.dtype.kind not in "biuf" or not inside.shape:
        kind = getattr(inside, "dtype", "a group")
        raise ModelError(f"{name}: {key} holds {kind}; store an array of plain numbers, one a step")
    if inside.is_virtual or inside.external:
        raise ModelError(f"{name}: {key} lies in other files; write the numbers themselves")
    # as float64, in which most are kept; a whole chunk is unpacked for any part of it
    claimed = max(8 * inside.size, inside.dtype.itemsize * math.prod(inside.chunks or ()))
    file.left -= claimed
    if file.left < 0:
        raise ModelError(
            f"{name}: {key} takes {claimed} bytes, and with what was read before it more than the "
            f"file can hold ({_DENSEST} times its size) or than {_LARGEST}; write a smaller file"
        )
    return np.asarray(inside[()])


def _inside(name: str, file: h5py.File, key: str) -> h5py.Group | h5py.Dataset:
    """What lies under a key, without following a link."""
    import h5py

    inside: h5py.Group = file
    for part in key.split("/"):
        link = inside.get(part, getlink=True) if isinstance(inside, h5py.Group) else None
        if link is None:
            has = ", ".join(list(file)[:12])
            raise ModelError(f"{name} has no {key}{_REMEDY.get(part, '')}; it has {has}")
        if not isinstance(link, h5py.HardLink):
            raise ModelError(f"{name}: {key} is a link to elsewhere; write the numbers themselves")
        inside = inside[part]
    return inside


_WANTED = (
    ", and without costs no target of a cost can be met; DSRL keeps them in costs, D4RL and Minari "
    "in infos/cost"
)
_REMEDY = {"costs": _WANTED, "cost": _WANTED, "infos": _WANTED}
"""What an error says of the part of a name that is missing."""


def _plain(source: str, name: str, values: Array, steps: int) -> Array:
    """The values as they are kept, one row a step, all finite."""
    kind = FLAT[name]
    wide = kind == "float32"
    if not wide and values.shape == (steps, 1):
        values = values[:, 0]
    if len(values) != steps or values.ndim != 1 + wide:
        raise ModelError(
            f"{source}: {name} is of shape {values.shape} for {steps} rewards; give one "
            f"{'vector' if wide else 'number'} a step"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        kept = values.astype(kind)
    wrong, must = ~np.isfinite(kept), f"finite in {kind}, so leave that episode out"
    if kind == "bool":
        wrong, must = kept != values, "0 or 1, as a flag of the end of an episode is"
    if len(bad := np.argwhere(wrong)):
        raise ModelError(
            f"{source}: {name}{bad[0].tolist()} is {values[tuple(bad[0])]!s}; it must be {must}"
        )
    return kept
