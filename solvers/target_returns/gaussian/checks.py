"""What a grid of targets and the numbers beside it must be.

Each check returns the numbers, or raises ModelError with the value, its place and the remedy.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import refuse_masked

Floats = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.intp]]


def doubles(numbers: object, name: str) -> Floats:
    """Finite numbers as float64; raises ModelError for what float64 was not meant to hold."""
    refuse_masked(numbers, name)
    try:
        array = np.asarray(numbers)
    except ValueError as error:
        raise ModelError(f"{name} is ragged: {error}; give rows of one length") from error
    if array.dtype.kind not in "iuf":
        raise ModelError(f"{name} is of type {array.dtype}; give real numbers")
    if not isinstance(numbers, np.ndarray) and _hides_truths(numbers):
        raise ModelError(f"{name} holds True or False among its numbers; give real numbers")
    if array.dtype.kind == "f" and array.dtype.itemsize < np.dtype(np.float64).itemsize:
        raise ModelError(
            f"{name} is in {array.dtype}, too coarse for bounds that decide on safety; give "
            "float64, computed as such"
        )
    with np.errstate(over="ignore"):
        found = array.astype(np.float64)
    for place in np.argwhere(~np.isfinite(found))[:1].tolist():
        raise ModelError(f"{name}{place} is {found[tuple(place)]}; every number must be finite")
    return found


def grid_of(points: object) -> Floats:
    """The grid (N, D) of N different targets with D coordinates, as float64.

    Raises ModelError if it is empty, has another number of dimensions, is in float32, holds a
    number that is not finite, or a target twice.
    """
    grid = doubles(points, "the grid")
    if grid.ndim != 2 or not grid.size:
        raise ModelError(
            f"the grid has shape {grid.shape}; give one row a target and one column a coordinate, "
            "as in [[0.0], [0.5]] for two targets on a line"
        )
    _, first, owner = np.unique(grid, axis=0, return_index=True, return_inverse=True)
    earliest = first[owner.reshape(-1)]
    for again in np.flatnonzero(earliest != np.arange(len(grid)))[:1].tolist():
        raise ModelError(
            f"row {again} of the grid repeats row {earliest[again]}, {grid[again].tolist()}; give "
            "each target once"
        )
    return grid


def positive(number: float, name: str) -> float:
    """A finite number above zero."""
    if not 0 < (found := _double(number)) < math.inf:
        raise ModelError(f"{name} is {number!r}; it must be a finite number above zero")
    return found


def finite(number: float, name: str) -> float:
    """A finite number."""
    if not math.isfinite(found := _double(number)):
        raise ModelError(f"{name} is {number!r}; it must be a finite number")
    return found


def bound(number: float, name: str) -> float:
    """A number that may be infinite."""
    if math.isnan(found := _double(number)):
        raise ModelError(f"{name} is {number!r}; it must be a number, which may be infinite")
    return found


def failure_probability(number: float, name: str = "the failure probability") -> float:
    """A number in (0, 1): with 0 no bound is finite, with 1 none is needed."""
    if not 0 < (found := _double(number)) < 1:
        raise ModelError(f"{name} is {number!r}; it must lie between 0 and 1, both excluded")
    return found


def count(number: int, name: str, least: int = 1) -> int:
    """A whole number that is at least ``least``."""
    try:
        whole = operator.index(number)
    except TypeError as error:
        raise ModelError(f"{name} is {number!r}; it must be a whole number") from error
    if isinstance(number, bool) or whole < least:
        raise ModelError(f"{name} is {number!r}; it must be a whole number of at least {least}")
    return whole


def _double(number: object) -> float:
    """The number as Python's float, in which all goes on: a narrower type would go on in its own.

    NaN where it is no real number, infinite where float64 does not reach.
    """
    if isinstance(number, bool) or not isinstance(number, int | float | np.integer | np.floating):
        return math.nan
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _hides_truths(numbers: object) -> bool:
    entries = np.asarray(numbers, dtype=object).ravel().tolist()
    return any(isinstance(entry, bool | np.bool_) for entry in entries)
