"""What is asked of arguments: numbers that are real, finite and of the right shape and range."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..sequences import Array, as_array

SLACK = 1e-12
"""By how much a law may miss the sum of one: rounding of some thousand terms, and no typing error.
Rows are used as they are given, and error bounds are about them."""


def reals(values: Any, name: str, shape: tuple[int, ...] | None = None) -> Array:
    """float64 array of real numbers, finite and of the shape, if one is given; else ModelError."""
    array = as_array(values, name)
    if array.dtype.kind not in "iufb":
        for place, value in zip(np.ndindex(array.shape), array.ravel(), strict=True):
            if not _is_real(value):
                at = list(place) if place else ""
                raise ModelError(
                    f"{name}{at} is {value!s:.40}, of type {type(value).__name__}; give real "
                    "numbers"
                )
    found = np.asarray(array, dtype=float)
    if shape is not None and found.shape != shape:
        raise ModelError(f"{name} has shape {found.shape}; it needs {shape}")
    check_finite(found, name)
    return found


def matrix(values: Any, name: str) -> Any:
    """csr_array float64 of a matrix, dense or sparse; ModelError where it is none."""
    if not sparse.issparse(values):
        values = reals(values, name)
        if values.ndim != 2:
            raise ModelError(f"{name} has shape {values.shape}; give a matrix, rows by columns")
    elif values.dtype.kind not in "iufb":
        raise ModelError(f"{name} holds entries of type {values.dtype}; give real numbers")
    found = sparse.csr_array(values, dtype=float)
    check_finite(found.data, f"data of {name}")
    return found


def real(value: Any, name: str, *, positive: bool = False) -> float:
    """A finite real number, above 0 if asked; else ModelError."""
    if not _is_real(value) or not math.isfinite(value) or (positive and value <= 0):
        raise ModelError(
            f"{name} is {value!r:.60}; give a {'finite number above 0' * positive}"
            f"{'finite real number' * (not positive)}"
        )
    return float(value)


def whole(value: Any, name: str, least: int = 1) -> int:
    """An integer from ``least``; ModelError for others, and for floats and truth values."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ModelError(f"{name} is {value!r:.60}; give a whole number from {least}")
    if value < least:
        raise ModelError(f"{name} is {value}; give a whole number from {least}")
    return int(value)


def wholes(values: Any, name: str, shape: tuple[int, ...]) -> Array:
    """int64 array of the shape, numbered from 0 without gaps; else ModelError."""
    array = as_array(values, name)
    if array.dtype.kind not in "iu" or array.shape != shape:
        raise ModelError(
            f"{name} has shape {array.shape} and type {array.dtype}; give whole numbers of shape "
            f"{shape}"
        )
    if array.size and array.min() < 0:
        raise ModelError(f"{name} has least entry {array.min()}; give numbers from 0")
    found = array.astype(np.int64)
    missing = np.flatnonzero(np.bincount(found.ravel()) == 0)
    if len(missing):
        raise ModelError(
            f"{name} goes up to {found.max()} and leaves out {missing[0]}; number from 0 without "
            "gaps"
        )
    return found


def kind(value: Any, wanted: type | tuple[type, ...], name: str, remedy: str) -> None:
    """Raises ModelError unless the value is an instance of what is wanted."""
    if not isinstance(value, wanted):
        raise ModelError(f"{name} is {value!r:.60}, of type {type(value).__name__}; {remedy}")


def check_finite(values: Array, name: str) -> None:
    """Raises ModelError, with the place, unless all values are finite."""
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = wrong[0].tolist()
        raise ModelError(
            f"{name}{place or ''} is {values[tuple(place)]}; every number must be finite"
        )


def check_law(values: Array, name: str) -> None:
    """Raises ModelError unless the values [n] are probabilities."""
    check_finite(values, name)
    if (values < 0).any():
        at = int(np.argmax(values < 0))
        raise ModelError(f"{name}[{at}] is {values[at]}; a probability is not negative")
    if abs(float(values.sum()) - 1) > SLACK:
        raise ModelError(f"{name} sums to {values.sum()}; it must be a law, which sums to 1")


_LAW = 1e-6
"""By how much rows of a policy may miss the sum of one: those of networks are of single precision,
and what is made of rows is normalised."""


def check_policy(policy: Any, shape: tuple[int, int]) -> None:
    """Raises ModelError unless the rows of a follower's policy [n, A] are laws."""
    found = reals(policy, "policy", shape)
    wrong = np.flatnonzero((found < 0).any(axis=1) | (np.abs(found.sum(axis=1) - 1) > _LAW))
    if len(wrong):
        raise ModelError(
            f"policy[{wrong[0]}] is {found[wrong[0]].tolist()}; give each state a law over the "
            "actions, none negative, of sum 1"
        )


def check_temperature(value: Any) -> None:
    """Raises ModelError unless it and 1 over it are positive and finite."""
    if not (
        _is_real(value) and math.isfinite(value) and value > 0 and math.isfinite(1 / float(value))
    ):
        raise ModelError(
            f"temperature is {value}; it must be positive and finite, and so must 1 over it, since "
            "a follower without entropy has no derivative. A small one such as 0.001 comes close "
            "to a greedy follower"
        )


def check_discount(name: str, value: Any) -> None:
    """Raises ModelError unless it is in [0, 1)."""
    if not (_is_real(value) and 0 <= value < 1):
        raise ModelError(
            f"{name} is {value}; it must be at least 0 and below 1, since an episode may never "
            "end. A horizon of about H steps is the discount 1 - 1/H"
        )


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
