"""Arrays from files: features, and one number a pair (labels, weights, a target, a reward)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..model_checks import ModelError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """features: Phi (n, N); labels, weights: (N), or None where the file has none."""

    features: Array
    labels: Array | None = None
    weights: Array | None = None


def read_features(path: str | Path) -> FeatureFile:
    """Read ``features`` (n, N), or ``chosen`` and ``rejected`` (N, n) whose difference they are.

    An .npy file holds the features alone; an .npz file may also hold ``labels`` and ``weights``
    (N).

    Raises ModelError naming the array that is missing, misshaped or not finite.
    """
    arrays = _arrays(Path(path))
    if "features" in arrays:
        features = _matrix(arrays["features"], path, "features")
    elif {"chosen", "rejected"} <= set(arrays):
        chosen, rejected = (_matrix(arrays[name], path, name) for name in ("chosen", "rejected"))
        if chosen.shape != rejected.shape:
            raise ModelError(
                f"{path}: chosen has shape {chosen.shape} and rejected {rejected.shape}; both are "
                "(N, n), a row a pair"
            )
        features = np.ascontiguousarray((chosen - rejected).T)
    else:
        raise ModelError(
            f"{path} holds {', '.join(arrays) or 'no array'}; name one features (n, N), or two "
            "chosen and rejected (N, n)"
        )
    size = features.shape[1]
    labels, weights = (
        check_size(_floats(arrays[name], path, name), size, f"{path}: {name}")
        if name in arrays
        else None
        for name in ("labels", "weights")
    )
    return FeatureFile(
        features,
        None if labels is None else check_labels(labels, f"{path}: labels"),
        None if weights is None else check_weights(weights, f"{path}: weights"),
    )


def read_numbers(path: str | Path, name: str) -> Array:
    """One number a pair: an .npy file, a .json list, or text with a number a line.

    Raises ModelError with the line of what is no number, and for a file that is empty.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{name}: there is no file {path}")
    if path.suffix in (".npy", ".npz"):
        arrays = _arrays(path)
        if len(arrays) != 1:
            raise ModelError(f"{path} holds {', '.join(arrays)}; {name} needs a single array")
        numbers = _floats(next(iter(arrays.values())), path, name)
    elif path.suffix == ".json":
        try:
            numbers = _floats(json.loads(path.read_text()), path, name)
        except ValueError as error:
            raise ModelError(f"{path} is no JSON list of numbers: {error}") from error
    else:
        numbers = _from_lines(path)
    if numbers.ndim != 1 or not len(numbers):
        raise ModelError(
            f"{path}: {name} has shape {numbers.shape}; give a list of numbers, not empty"
        )
    return numbers


def check_size(numbers: Array, size: int, name: str) -> Array:
    """The numbers (N); raises ModelError if they are not one a pair."""
    if numbers.shape != (size,):
        raise ModelError(f"{name} has shape {numbers.shape} for {size} pairs; give one number each")
    return numbers


def check_labels(labels: Array, name: str) -> Array:
    """The labels (N); raises ModelError naming the first that is no probability."""
    return _check(labels, name, (labels >= 0) & (labels <= 1), "a label lies in [0, 1]")


def check_weights(weights: Array, name: str) -> Array:
    """The weights (N); raises ModelError naming the first that is negative or not finite."""
    good = np.isfinite(weights) & (weights >= 0)
    _check(weights, name, good, "a weight is finite and not negative")
    if not weights.any():
        raise ModelError(f"{name} are all zero; give some pair a positive weight")
    return weights


def _check(numbers: Array, name: str, good: Array, rule: str) -> Array:
    if not good.all():
        i = int(np.flatnonzero(~good)[0])
        raise ModelError(f"{name}[{i}] (pair {i + 1}) is {numbers[i]}; {rule}")
    return numbers


def _arrays(path: Path) -> Mapping[str, Array]:
    if not path.is_file():
        raise ModelError(f"there is no file {path}")
    if path.suffix not in (".npy", ".npz"):
        raise ModelError(f"{path.name}: features are read from .npy and .npz files")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"features": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} cannot be read as an array of numbers: {error}") from error


def _floats(values: Any, path: str | Path, name: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path}: {name} holds something that is no number: {error}") from error


def _matrix(values: Any, path: str | Path, name: str) -> Array:
    matrix = _floats(values, path, name)
    if matrix.ndim != 2 or not matrix.size:
        raise ModelError(
            f"{path}: {name} has shape {matrix.shape}; give a matrix that is not empty"
        )
    if not np.isfinite(matrix).all():
        place = tuple(int(k) for k in np.argwhere(~np.isfinite(matrix))[0])
        raise ModelError(f"{path}: {name}{list(place)} is {matrix[place]}; give finite numbers")
    return matrix


def _from_lines(path: Path) -> Array:
    numbers = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.strip():
            try:
                numbers.append(float(line))
            except ValueError as error:
                raise ModelError(
                    f"{path.name}, line {number} is {line.strip()[:40]!r}; write one number a line"
                ) from error
    return np.array(numbers)
