"""Arrays from files: features, and one number a pair (labels, weights, a target, a reward)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...whole_files import regular
from ..checks import check_labels, check_size, check_weights
from .bounded_files import arrays_of, listed, numbers_of

_NAMES = frozenset({"features", "chosen", "rejected", "labels", "weights"})


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """features: Phi (n, N); labels, weights: (N), or None where the file has none.

    unread: names of other arrays of the file, which mean nothing here.
    answers: features of the chosen and of the rejected answers (N, n), where the file has them.
    """

    features: Array
    labels: Array | None = None
    weights: Array | None = None
    unread: tuple[str, ...] = ()
    answers: tuple[Array, Array] | None = None


def read_features(path: str | Path) -> FeatureFile:
    """Read ``features`` (n, N), or ``chosen`` and ``rejected`` (N, n) whose difference they are.

    An .npy file holds the features alone; an .npz file may also hold ``labels`` and ``weights``
    (N).

    Raises ModelError naming the array that is missing, misshaped or not finite.
    """
    arrays = arrays_of(Path(path), _NAMES)
    both = "features" in arrays and {"chosen", "rejected"} & set(arrays)
    if both:
        raise ModelError(
            f"{path} holds features and {listed(sorted(both))}; keep features (n, N), or chosen "
            "and rejected (N, n)"
        )
    answers = None
    if "features" in arrays:
        features = _matrix(arrays["features"], path, "features")
    elif {"chosen", "rejected"} <= set(arrays):
        answers = _answers(arrays, path)
        features = _differences(*answers, path)
    else:
        raise ModelError(
            f"{path} holds {listed(arrays)}; name one features (n, N), or two "
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
        tuple(sorted(arrays.keys() - _NAMES)),
        answers,
    )


def _answers(arrays: Mapping[str, Array], path: str | Path) -> tuple[Array, Array]:
    """The features of both answers, (N, n) each."""
    chosen, rejected = (_matrix(arrays[name], path, name) for name in ("chosen", "rejected"))
    if chosen.shape != rejected.shape:
        raise ModelError(
            f"{path}: chosen has shape {chosen.shape} and rejected {rejected.shape}; both are "
            "(N, n), a row a pair"
        )
    return chosen, rejected


def _differences(chosen: Array, rejected: Array, path: str | Path) -> Array:
    """Phi (n, N)."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(_finite(chosen - rejected, path, "chosen - rejected").T)


def read_numbers(path: str | Path, name: str) -> Array:
    """One number a pair: an .npy file, a .json list, or text with a number a line.

    Raises ModelError with the line of what is no number, and for a file that is empty.
    """
    path = Path(path)
    regular(path, f"name one that holds {name}")
    if path.suffix.lower() in (".npy", ".npz"):
        arrays = arrays_of(path)
        if len(arrays) != 1:
            raise ModelError(f"{path} holds {listed(arrays)}; {name} needs a single array")
        numbers = _floats(next(iter(arrays.values())), path, name)
    else:
        numbers = numbers_of(path)
    if numbers.ndim != 1 or not len(numbers):
        raise ModelError(
            f"{path}: {name} has shape {numbers.shape}; give a list of numbers, not empty"
        )
    return numbers


def _floats(values: Array, path: str | Path, name: str) -> Array:
    """As doubles; raises ModelError for numbers that are none, such as integers from 2**53 on."""
    numbers = values.astype(np.float64)
    changed = np.zeros(values.shape, dtype=bool)
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        changed = np.abs(numbers) >= 2.0**53
    elif values.dtype.itemsize > 8:
        changed = (numbers != values) & ~np.isnan(values)
    if changed.any():
        place = tuple(int(k) for k in np.argwhere(changed)[0])
        raise ModelError(
            f"{path}: {name}{list(place)} is {values[place]}, which a double does not hold; give "
            "doubles"
        )
    return numbers


def _matrix(values: Array, path: str | Path, name: str) -> Array:
    matrix = _floats(values, path, name)
    if matrix.ndim != 2 or not matrix.size:
        raise ModelError(
            f"{path}: {name} has shape {matrix.shape}; give a matrix that is not empty"
        )
    return _finite(matrix, path, name)


def _finite(matrix: Array, path: str | Path, name: str) -> Array:
    if not np.isfinite(matrix).all():
        place = tuple(int(k) for k in np.argwhere(~np.isfinite(matrix))[0])
        raise ModelError(f"{path}: {name}{list(place)} is {matrix[place]}; give finite numbers")
    return matrix
