"""Logs from files: .csv of codes, .npz of arrays, and HDF5 data sets.

::

    .csv   state, action, reward, cost, next_state, done, and maybe episode; one row a step
    .npz   the same names (states, actions and so on do as well), one entry a step
    .hdf5  as `data_sets` reads it; codes, or numbers that are cut into bins

A file may come from a stranger: plain numbers are read and nothing is unpacked that runs.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..poisoning.data.bounded_files import arrays_of, lines_of, listed, number_of, shown, text_of
from ..sequences import Array
from ..whole_files import regular
from .data_sets import FLAT, read_data_set, said_of_both
from .logs import Log, log_of_steps

SUFFIXES = (".csv", ".csv.gz", ".npz", ".hdf5", ".h5")
KNOWN: Mapping[str, tuple[str, ...]] = {
    "state": ("state", "states", "observation", "observations"),
    "action": ("action", "actions"),
    "reward": ("reward", "rewards"),
    "cost": ("cost", "costs"),
    "next_state": ("next_state", "next_states", "next_observation", "next_observations"),
    "done": ("terminated", "terminal", "terminals", "done", "dones"),
    "cut": ("cut", "timeout", "timeouts", "truncated"),
    "episode": ("episode", "episodes", "episode_id"),
}
"""What a column holds -> names that are tried where none is given."""
OPTIONAL = ("cut", "episode")
"""What a log may lack."""
_END = "terminated"
"""The only name, gymnasium's, under which what is both may be an end: it says no cut."""
_EITHER = ("done", "dones")
"""Names under which some write that an episode stopped, whether it ended or was only cut."""
_LARGEST_CODE = 2**53
"""Beyond it doubles, in which columns are read, do not hold every whole number."""
_LARGEST_SINGLE = 2**24
"""The same of single precision, in which data sets are kept."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names that were given for columns, and how many bins numbers are cut into; costs: several."""

    names: Mapping[str, str] = field(default_factory=dict)
    costs: tuple[str, ...] = ()
    bins: int | None = None


_AS_KNOWN = Columns()


def read_log(path: str | Path, discount: Fraction, columns: Columns = _AS_KNOWN) -> Log:
    """The log of a file.

    Raises ModelError with the row from 1, the column and the remedy, for what is missing, damaged,
    too large, no code, not finite, or goes on after an end; and as `log_of_steps`.
    """
    place = Path(path)
    if place.is_dir() or place.name.lower().endswith((".hdf5", ".h5")):
        return _from_data_set(place, discount, columns)
    regular(place, f"give one of {', '.join(SUFFIXES)}")
    if not place.name.lower().endswith(SUFFIXES):
        raise ModelError(f"{place.name}: the suffix must be one of {', '.join(SUFFIXES)}")
    if columns.bins is not None:
        raise ModelError(
            f"{place.name} holds codes, which are not cut into bins; bins are for HDF5 data sets"
        )
    archive = place.suffix.lower() == ".npz"
    table = arrays_of(place) if archive else _csv(place)
    found = _chosen(table, columns, place.name)
    steps = len(found["state"])
    if not steps:
        raise ModelError(f"{place.name} holds no steps; give a log with at least one")
    for name, values in found.items():
        if values.shape != (steps,):
            raise ModelError(
                f"{place.name}: {name} is of shape {values.shape} for {steps} states; give one "
                "number a step"
            )
    codes = {what: _codes(found[what], what, place.name) for what in _coded(found)}
    ends, cuts, notes = _stops(table, columns, found, place.name)
    _separate(codes, ends, cuts, place.name)
    gains = np.stack([found["reward"], *(found[f"cost {i}"] for i in range(_costs(found)))], axis=1)
    log = log_of_steps(place.name, codes["state"], codes["action"], codes["next_state"],
                       gains.astype(np.float64), ends, cuts, discount)  # fmt: skip
    return replace(log, notes=notes)


def _coded(found: Mapping[str, Array]) -> list[str]:
    return [what for what in ("state", "action", "next_state", "episode") if what in found]


def _costs(found: Mapping[str, Array]) -> int:
    return sum(name.startswith("cost ") for name in found)


def _chosen(table: Mapping[str, Array], columns: Columns, place: str) -> dict[str, Array]:
    """The columns by what they hold; costs as "cost 0" and so on."""
    found: dict[str, Array] = {}
    for what, tried in KNOWN.items():
        given = columns.costs if what == "cost" else (columns.names.get(what),)
        names = [name for name in given if name] or [n for n in tried if n in table][:1]
        for name in names:
            if name not in table:
                raise ModelError(f"{place} has no column {shown(name)}; it has {listed(table)}")
        if not names and what not in OPTIONAL:
            without = "; without costs nothing can be kept safe" if what == "cost" else ""
            raise ModelError(
                f"{place} has the columns {listed(table)}, of which none is known to hold the "
                f"{what} (tried {', '.join(tried)}); name it{without}"
            )
        if what == "cost":
            found |= {f"cost {i}": table[name] for i, name in enumerate(names)}
        elif names:
            found[what] = table[names[0]]
    return found


def _csv(path: Path) -> dict[str, Array]:
    lines = (text_of(line, path.name, n == 1) for n, line in lines_of(path))
    reader = csv.reader(lines, strict=True)
    rows: list[list[str]] = []
    try:
        head = [cell.strip() for cell in next(filter(None, reader), [])]
        for number, cells in enumerate(filter(None, reader), start=1):
            if len(cells) != len(head):
                raise ModelError(
                    f"{path.name}, row {number} has {len(cells)} cells, and the first line names "
                    f"{len(head)} columns; the file was cut, or write it again"
                )
            rows.append(cells)
    except csv.Error as error:
        raise ModelError(f"{path.name} cannot be read as CSV: {error}; write it again") from error
    if len(set(head)) < len(head):
        raise ModelError(f"{path.name} names a column twice, of {listed(head)}; rename one")
    known = {name for names in KNOWN.values() for name in names}
    return {
        name: _numbers([row[k] for row in rows], name, path.name, needed=name in known)
        for k, name in enumerate(head)
    }


def _numbers(cells: Sequence[str], name: str, place: str, *, needed: bool) -> Array:
    """float64[N]; of a column that need not be read NaN where its cells are no numbers."""
    found = np.full(len(cells), np.nan)
    flags = {"true": 1.0, "false": 0.0}
    for k, cell in enumerate(cells):
        word = cell.strip().lower()
        try:
            found[k] = flags[word] if word in flags else number_of(word, name)
        except ModelError as error:
            if needed:
                raise ModelError(
                    f"{place}, row {k + 1}, {name}: {shown(cell, 40)} is no number; write codes as "
                    "whole numbers from 0 on, and others no larger than 1e+100"
                ) from error
    return found


def _codes(values: Array, what: str, place: str) -> Array:
    numbers = values.astype(np.float64)
    wrong = ~np.isfinite(numbers) | (numbers < 0) | (numbers > _LARGEST_CODE)
    wrong |= numbers != np.floor(np.where(wrong, 0, numbers))
    if len(bad := np.flatnonzero(wrong)):
        raise ModelError(
            f"{place}, row {bad[0] + 1}: the {what} is {values[bad[0]]}; it must be a code, a "
            "whole number from 0 on"
        )
    return numbers.astype(np.int64)


def _flags(values: Array | None, what: str, place: str, steps: int) -> Array:
    if values is None:
        return np.zeros(steps, dtype=bool)
    if len(bad := np.flatnonzero((values != 0) & (values != 1))):
        raise ModelError(
            f"{place}, row {bad[0] + 1}: {what} is {values[bad[0]]}; it must be 0 or 1"
        )
    return values.astype(bool)


def _stops(
    table: Mapping[str, Array], columns: Columns, found: Mapping[str, Array], place: str
) -> tuple[Array, Array, tuple[str, ...]]:
    """Where episodes end by themselves, where they are cut, and what is to be said of that."""
    steps, given = len(found["state"]), columns.names.get("done")
    ends, cuts = (_flags(found.get(what), what, place, steps) for what in ("done", "cut"))
    name = given or next(one for one in KNOWN["done"] if one in table)
    both = np.flatnonzero(ends & cuts)
    if both.size and name != _END:
        raise ModelError(
            f"{place}, row {both[0] + 1}: {shown(name)} and the column of cuts are both 1; write 0 "
            f"as {shown(name)} where the episode was only cut, and 0 as the cut where it ended by "
            "itself"
        )
    other = next((one for one in _EITHER if one in table), None)
    if given or other is None or name in _EITHER or table[other].shape != ends.shape:
        return ends, cuts & ~ends, said_of_both(name, "cut", both.size)
    stops = _flags(table[other], other, place, steps)
    differ = np.flatnonzero(stops != ends)
    said = (
        f"{name} and {other} differ in {differ.size:,} rows, first in row {differ[0] + 1}; "
        f"{name} says what is an end, and where {other} alone is 1 the episode was cut"
        for _ in differ[:1]
    )
    notes = *said_of_both(name, "cut", both.size), *said
    return ends, (cuts | stops) & ~ends, notes


def _separate(codes: Mapping[str, Array], ends: Array, cuts: Array, place: str) -> None:
    """Set `cuts` where an episode stops without an end."""
    if "episode" in codes:
        number = codes["episode"]
        changes = number[1:] != number[:-1]
        after = np.flatnonzero(~changes & (ends | cuts)[:-1])
        if after.size:
            raise ModelError(
                f"{place}, row {after[0] + 2} goes on with episode {number[after[0]]} after its "
                "end; give what follows a number of its own"
            )
        runs = number[np.concatenate([[True], changes])]
        again = np.flatnonzero(np.bincount(np.unique(runs, return_inverse=True)[1]) > 1)
        if again.size:
            raise ModelError(
                f"{place}: episode {np.unique(runs)[again[0]]} is interrupted by another; sort the "
                "rows"
            )
        cuts[:-1] |= changes & ~ends[:-1]
    else:
        cuts[:-1] |= ~ends[:-1] & (codes["next_state"][:-1] != codes["state"][1:])


def _from_data_set(path: Path, discount: Fraction, columns: Columns) -> Log:
    if columns.names or columns.costs:
        raise ModelError(f"{path.name}: HDF5 data sets have fixed names, {', '.join(FLAT)}")
    data = read_data_set(path)
    both = np.concatenate([data.observations, data.next_observations])
    codes = _binned(both, columns.bins, "observations", data.name)
    actions = _binned(data.actions, columns.bins, "actions", data.name)
    steps = len(data.rewards)
    gains = np.stack([data.rewards, data.costs], axis=1)
    log = log_of_steps(
        data.name, codes[:steps], actions, codes[steps:], gains, data.terminals, data.timeouts,
        discount,
    )  # fmt: skip
    return replace(log, notes=data.notes)


def _binned(values: Array, bins: int | None, what: str, place: str) -> Array:
    """One code a row: the only number, or that of its box of equal bins in each direction."""
    if bins is None:
        if values.shape[1] != 1:
            raise ModelError(
                f"{place}: {what} are vectors of {values.shape[1]} numbers; say into how many bins "
                "each number is cut, with --bins"
            )
        if (bad := values[(values < 0) | (values != np.floor(values))]).size:
            raise ModelError(
                f"{place}: {bad[0]} is among {what}, and no code, which is a whole number from 0 "
                "on; renumber them, or say into how many bins they are cut, with --bins"
            )
        if values.max() >= _LARGEST_SINGLE:
            raise ModelError(
                f"{place}: a code among {what} is {values.max():.0f}; data sets are kept in single "
                f"precision, which tells codes apart below {_LARGEST_SINGLE} only: renumber them"
            )
        return values[:, 0].astype(np.int64)
    low, high = values.min(axis=0), values.max(axis=0)
    width = np.where(high > low, high - low, 1)
    boxes = np.minimum(((values - low) / width * bins).astype(np.int64), bins - 1)
    return np.unique(boxes, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
