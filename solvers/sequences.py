"""Arguments that hold several entries: what only looks like a sequence is refused, not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, TypeAlias

import numpy as np

from .errors import ModelError

Array: TypeAlias = np.ndarray[Any, Any]
"""Shapes and types of entries stand in prose where arrays are named."""


def listed(values: Any, name: str, *, ordered: bool = True) -> Sequence[Any]:
    """The entries of a sequence, as they are given, or as a tuple where they come one by one.

    ordered: whether the order counts, so that a set is refused.  Raises ModelError for a text, a
    mapping, a single value and an array with masked entries.
    """
    if isinstance(values, (str, bytes, bytearray)):
        raise _wrong(name, values, "is a text, whose characters are no entries")
    if isinstance(values, Mapping) or (ordered and isinstance(values, Set)):
        raise _wrong(name, values, f"is a {type(values).__name__}, not an ordered sequence")
    refuse_masked(values, name)
    if isinstance(values, (list, tuple)):
        return values
    try:
        entries = iter(values)
    except TypeError as problem:
        raise _wrong(name, values, "is no sequence") from problem
    return values if isinstance(values, np.ndarray) else tuple(entries)  # type: ignore[return-value]


def listed_or_none(values: Any, name: str) -> Sequence[Any]:
    """The same, where None stands for no entries."""
    return () if values is None else listed(values, name)


def _wrong(name: str, values: object, why: str) -> ModelError:
    return ModelError(f"{name} {why}: {str(values)[:60]}; give a list, a tuple or an array")


def refuse_masked(values: Any, name: str) -> None:
    """Raises ModelError for an array, or a list of arrays, that masks some of its entries."""
    if _masked(values, 2):
        raise ModelError(f"{name} has masked entries, which have no value; fill them first")


def _masked(values: Any, depth: int) -> bool:
    if isinstance(values, np.ma.MaskedArray):
        return bool(np.ma.is_masked(values))
    inner = values if depth and isinstance(values, (list, tuple)) else ()
    return any(_masked(part, depth - 1) for part in inner)


def as_array(values: Any, name: str) -> Array:
    """An array of numbers, texts as objects; ModelError for ragged lists and masked entries."""
    refuse_masked(values, name)
    try:
        array = np.asarray(values)
    except ValueError as problem:
        raise ModelError(f"{name} is ragged ({problem}); give a full array") from problem
    return array.astype(object) if array.dtype.kind in "US" else array


def available_actions(
    available: Any, shape: tuple[int, int], whose: str
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The mask [S, A] of the actions there are, all by default; ModelError for other values."""
    if available is None:
        return np.ones(shape, bool)
    array = as_array(available, "available")
    if array.shape != shape:
        raise ModelError(f"available has shape {array.shape}; {whose} needs {shape}")
    wrong = [value for value in array.ravel().tolist() if value not in (0, 1)]
    if wrong:
        raise ModelError(f"available holds {wrong[0]!r}; it holds True and False")
    return array.astype(bool)


def objects(values: Iterable[Any]) -> Array:
    """Entries of one axis as they are, integers of any size among them."""
    entries = list(values)
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array
