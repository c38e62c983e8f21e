"""What the functions of this package ask of their arguments: real numbers, laws and shapes.

Each check raises ModelError, which names the argument, the value, its place and what to give.
Numbers are finite: floats, Fractions, integers, or balls of arb.  A ball is refused for what all of
its points break.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from numbers import Rational
from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..sequences import Array, as_array

ROUNDING = Fraction(1, 10**9)
"""How far a law of floats may be from sum 1.  More would pass what is no law; less would refuse
rows that were normalised in single steps of float64."""


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, flint.arb):
        return bool(value.is_finite())
    if isinstance(value, (float, np.floating)):
        return math.isfinite(value)
    return isinstance(value, (Rational, np.integer))


def real(value: Any, name: str, *, above: Any = None, least: Any = None, most: Any = None) -> Any:
    """The number, if it is finite and in the range; `above` leaves its end out."""
    if not _is_number(value):
        raise ModelError(f"{name} is {value!s:.60}; give a finite number")
    if above is not None and not value > above:
        raise ModelError(f"{name} is {value}; it must be above {above}")
    if least is not None and value < least:
        raise ModelError(f"{name} is {value}; it must be at least {least}")
    if most is not None and value > most:
        raise ModelError(f"{name} is {value}; it must be at most {most}")
    return value


def check_temperature(temperature: Any) -> None:
    """Raises ModelError unless the temperature is a positive number."""
    if not (_is_number(temperature) and temperature > 0):
        raise ModelError(f"temperature is {temperature!s:.60}; it must be a positive number")


def check_count(n: object, name: str = "n", least: int = 1) -> None:
    """Raises ModelError unless n is an integer of at least `least`."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < least:
        raise ModelError(f"{name} is {n!r}; it must be an integer of at least {least}")


def check_flag(value: object, name: str) -> None:
    """Raises ModelError unless it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ModelError(f"{name} is {value!r:.60}; give True or False")


def check_choice(value: object, name: str, choices: tuple[str, ...]) -> None:
    """Raises ModelError unless it is one of the words."""
    if value not in choices:
        raise ModelError(f"{name} is {value!r:.60}; it is one of {', '.join(choices)}")


def check_kind(value: object, name: str, kind: type | tuple[type, ...], remedy: str) -> None:
    """Raises ModelError unless it is of the kind."""
    if not isinstance(value, kind):
        raise ModelError(f"{name} is of type {type(value).__name__}; {remedy}")


def reals(
    values: Any, name: str, *, axes: int | None = None, shape: tuple[int, ...] | None = None,
    least: Any = None,
) -> Array:  # fmt: skip
    """An array of finite numbers with so many axes or of that shape, none below `least`.

    Nested lists are accepted.  Integers stay integers; exact numbers and balls are objects, and
    floats among them are refused.
    """
    array = as_array(values, name)
    if array.ndim == 0 or array.size == 0 or (axes is not None and array.ndim != axes):
        wanted = "at least one number" if axes is None else f"numbers along {axes} axes"
        raise ModelError(f"{name} has shape {array.shape}; give {wanted}")
    if shape is not None and array.shape != shape:
        raise ModelError(f"{name} has shape {array.shape}; it needs {shape}")
    if array.dtype.kind not in "iufO":
        raise ModelError(f"{name} holds {array.dtype}; give numbers")
    good = _each(_is_entry, array) if array.dtype == object else np.isfinite(array)
    if not good.all():
        _refuse_entry(array, name, tuple(np.argwhere(~good)[0].tolist()))
    if least is not None:
        for at in np.argwhere(_each(lambda one: one < least, array)):
            place = at.tolist()
            raise ModelError(f"{name}{place} is {array[tuple(place)]}; it must be at least {least}")
    return array


def _each(test: Callable[[Any], bool], array: Array) -> Array:
    found: Array = np.frompyfunc(test, 1, 1)(array).astype(bool)
    return found


def _is_entry(value: Any) -> bool:
    """Of an array of objects: exact, or a ball."""
    return _is_number(value) and not isinstance(value, float)


def _refuse_entry(array: Array, name: str, at: tuple[int, ...]) -> None:
    mixed = isinstance(array[at], float) and array.dtype == object
    found, asked = array[at], "Fractions, or floats alone" if mixed else "a finite number"
    among = " among exact numbers" if mixed else ""
    raise ModelError(f"{name}{list(at)} is {found!s:.60}{among}; give {asked}")


def laws(
    values: Any, name: str, *, axes: int | None = None, shape: tuple[int, ...] | None = None,
    full: str = "",
) -> Array:  # fmt: skip
    """An array of laws along its last axis; full: why each must be positive everywhere, or "".

    Sums are 1 exactly for Fractions, as far as they show for balls, within 1e-9 for floats.
    """
    array = reals(values, name, axes=axes, shape=shape)
    check_laws(array.reshape(-1, array.shape[-1]), name, single=array.ndim == 1)
    if full and (array == 0).any():
        at = np.argwhere(array == 0)[0].tolist()
        raise ModelError(f"{name}{at} is 0: {full}; leave the response out, or make it positive")
    return array


def check_laws(rows: Array, name: str, *, single: bool = False) -> None:
    """Raises ModelError unless each row is a law; `single` leaves the row out of the message."""
    rounding = 0 if rows.dtype == object else float(ROUNDING)
    if rounding and rows.min() >= 0 and abs(rows.sum(axis=1) - 1).max() <= rounding:
        return  # all at once; the rows one by one are for exact numbers and for messages
    for x, row in enumerate(rows):
        where = name if single else f"row {x} of {name}"
        negative = [one for one in row if one < 0]
        if negative:
            raise ModelError(f"{where} holds {negative[0]}; probabilities are not below 0")
        total = row.sum()
        if not _is_number(total) or abs(total - 1) > rounding:
            raise ModelError(f"{where} has sum {total}; it must be 1")


def same_kind(given: Mapping[str, Array]) -> None:
    """Raises ModelError where some arrays hold floats and others exact numbers or balls."""
    exact = [name for name, array in given.items() if array.dtype == object]
    floats = [name for name, array in given.items() if array.dtype.kind == "f"]
    if exact and floats:
        raise ModelError(
            f"{floats[0]} holds floats and {exact[0]} exact numbers; give both in one kind"
        )


def fits(array: Array, name: str, other: Array, whose: str) -> None:
    """Raises ModelError unless the array can be broadcast to the other's shape."""
    try:
        np.broadcast_shapes(array.shape, other.shape)
    except ValueError as problem:
        raise ModelError(
            f"{name} has shape {array.shape}, which does not fit {whose} of {other.shape}"
        ) from problem


def check_full(policy: Any, name: str) -> Array:
    """The law [Y], if it gives each response a positive probability."""
    found = laws(policy, name, axes=1)
    for y, one in enumerate(found):
        if not one > 0:
            raise ModelError(f"{name}[{y}] is {one}; descent never comes back to a response of 0")
    return found
