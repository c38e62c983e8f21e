"""Data sets of episodes with rewards and costs, read from HDF5 in three layouts.

::

    DSRL, D4RL  observations, next_observations, actions, rewards, costs, terminals, timeouts: one
                row a step, episodes one after the other (in D4RL, which has none, infos/cost)
    Minari      episode_0/, episode_1/ and so on, each with observations (one row more than steps),
                actions, rewards, terminations, truncations, infos/cost

Observations and actions are vectors; whole numbers, one a step, are codes and vectors of length 1.
A step of Minari may be both a termination and a truncation: it is an end.  Where a row of the other
layouts is both, it is not known what was meant, and it is refused.
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
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..poisoning.data.bounded_files import listed
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
        terminals, timeouts: bool[N], where an episode ends by itself, and where it is cut; no step
            is both.
        notes: how the file was read, where that could be doubted.

    Raises ModelError for arrays that differ in length or shape, for a number that is not finite in
    its type, for flags other than 0 and 1 or both 1, for a negative cost, when the last episode has
    no end, and for a return that is not finite in single precision, in which networks are told it.
    """

    name: str
    observations: Array
    next_observations: Array
    actions: Array
    rewards: Array
    costs: Array
    terminals: Array
    timeouts: Array
    notes: tuple[str, ...] = ()

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
        if (both := np.flatnonzero(self.terminals & self.timeouts)).size:
            raise ModelError(
                f"{self.name}: terminals[{both[0]}] and timeouts[{both[0]}] are both 1, as in "
                f"{both.size} of {len(self.rewards)} steps; write 0 as terminals where the episode "
                "was only cut, and 0 as timeouts where it ended by itself"
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


def joined(name: str, parts: list[DataSet], *notes: str) -> DataSet:
    """The episodes of all parts, one after the other, with their notes and these."""
    columns: dict[str, Any] = {
        key: np.concatenate([getattr(part, key) for part in parts]) for key in FLAT
    }
    notes += tuple(note for part in parts for note in part.notes)
    return DataSet(name, **columns, notes=notes)


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
        return _minari(str(place), file, episodes)


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
    found: dict[str, Any] = {
        key: _array(name, file, "infos/cost" if other and key == "costs" else key) for key in FLAT
    }
    return DataSet(name, **found)


def _minari(name: str, file: _Opened, episodes: list[str]) -> DataSet:
    """All episodes, and a note of steps that are both a termination and a truncation."""
    parts, both = [], 0
    for episode in episodes:
        part, ended = _episode(f"{name}, {episode}", file, episode)
        parts.append(part)
        both += ended
    return joined(name, parts, *said_of_both("termination", "truncation", both))


def said_of_both(end: str, cut: str, steps: int) -> tuple[str, ...]:
    """The note of steps that gymnasium says to be an end and a cut at once; none of no step."""
    said = f"{steps:,} {'step is' if steps == 1 else 'steps are'} both {end} and {cut}"
    return (f"{said}; they are read as ends, as gymnasium means them",) if steps else ()


def _episode(name: str, file: _Opened, episode: str) -> tuple[DataSet, int]:
    """One episode of Minari, and how many of its steps are both flags.

    Its infos have an entry a step, or one of the reset before these.
    """
    found = {key: _array(name, file, f"{episode}/{key}") for key in
             ("observations", "actions", "rewards", "terminations", "truncations")}  # fmt: skip
    costs, steps = _array(name, file, f"{episode}/infos/cost"), len(found["rewards"])
    seen = _vectors(name, "observations", found["observations"], steps)
    if len(seen) != steps + 1:
        raise ModelError(
            f"{name}: observations has {len(seen)} rows for {steps} rewards; there must be one "
            "more than steps"
        )
    ends, cuts = (
        _plain(name, ours, found[theirs], steps)
        for ours, theirs in (("terminals", "terminations"), ("timeouts", "truncations"))
    )
    data = DataSet(
        name,
        observations=seen[:-1],
        next_observations=seen[1:],
        actions=found["actions"],
        rewards=found["rewards"],
        costs=costs[1:] if len(costs) == steps + 1 else costs,
        terminals=ends,
        timeouts=cuts & ~ends,
    )
    return data, int((ends & cuts).sum())


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
            held = listed(inside) if isinstance(inside, h5py.Group) else "numbers alone"
            place = "it" if inside is file else inside.name.strip("/")
            raise ModelError(f"{name} has no {key}{_REMEDY.get(part, '')}; {place} holds {held}")
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


def _vectors(source: str, name: str, values: Array, steps: int) -> Array:
    """One vector a row; whole numbers, one a row, are codes."""
    if values.ndim == 1 and values.dtype.kind in "iu":
        return values[:, None]
    if values.ndim != 2:
        raise _misshapen(source, name, values, steps)
    return values


def _misshapen(source: str, name: str, values: Array, steps: int) -> ModelError:
    wanted = "vector, or one code (a whole number)," if FLAT[name] == "float32" else "number"
    return ModelError(
        f"{source}: {name} is of shape {values.shape} for {steps} rewards; give one {wanted} a step"
    )


def _plain(source: str, name: str, values: Array, steps: int) -> Array:
    """The values as they are kept, one row a step, all finite."""
    kind = FLAT[name]
    wide = kind == "float32"
    if wide:
        values = _vectors(source, name, values, steps)
    elif values.shape == (steps, 1):
        values = values[:, 0]
    if len(values) != steps or values.ndim != 1 + wide:
        raise _misshapen(source, name, values, steps)
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
