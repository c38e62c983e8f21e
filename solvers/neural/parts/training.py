"""A training run is named by what is trained, on what, with which seed and options."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache, cached_property
from importlib import metadata
from typing import Any, TypeVar, get_type_hints

from ...errors import ModelError
from .nearest import nearest

Options = TypeVar("Options")

PACKAGES = (
    "holdfast", "numpy", "torch", "stable-baselines3", "sb3-contrib", "gymnasium", "mujoco",
    "pybullet", "bullet-safety-gym", "transformers", "trl", "peft",
)  # fmt: skip
"""The packages whose version can change what a training ends with."""

SEEDS = 2**63  # the largest integer that every reader of JSON and SQL keeps, and one more


class TrainingError(RuntimeError):
    """A training cannot go on; the message names the update, what was found and what to do."""


def option(default: Any, help: str) -> Any:
    """A field of a record of options: an int, float, bool or str, with one line about it."""
    return field(default=default, metadata={"help": help})


@cache
def versions() -> dict[str, str]:
    """The versions of `PACKAGES`, importing none of them; "absent" for one that is not there."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


@dataclass(frozen=True)
class Training:
    """What names a run: two that are equal end with the same numbers, bit for bit, on one machine.

    Attributes:
        algorithm: such as "chance/ppo-lagrangian".
        task: an id of `tasks`, or the name of the data that is learnt from.
        seed: a non-negative integer below 2**63; everything random follows from it.
        options: the algorithm's frozen record of ints, floats, bools and strings.
        device: a device of torch, such as "cpu" or "cuda:0".

    Raises ModelError for a seed that is none.
    """

    algorithm: str
    task: str
    seed: int
    options: Any
    device: str = "cpu"

    def __post_init__(self) -> None:
        if type(self.seed) is not int or not 0 <= self.seed < SEEDS:
            raise ModelError(
                f"seed = {self.seed!r} is not an integer from 0 to 2**63 - 1; take such as 0"
            )

    @property
    def plain(self) -> dict[str, Any]:
        """All that names the run, as plain numbers and strings; versions of packages too."""
        return {**asdict(self), "versions": versions()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `plain` in canonical JSON: sorted keys, no spaces."""
        text = json.dumps(self.plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def options_from(record_type: type[Options], mapping: Mapping[str, Any]) -> Options:
    """The record with the values of the mapping, defaults elsewhere.  An int is taken for a float.

    Raises ModelError as `typed`, and for values that the record itself refuses.
    """
    return record_type(**typed(record_type, mapping))


def typed(record_type: type, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping, each value of the type of its option.  An int is taken for a float.

    Raises ModelError for a key that the record does not have (the nearest is named), and for a
    value of another type.
    """
    names = [known.name for known in fields(record_type)]
    types = get_type_hints(record_type)
    for key in mapping:
        if key not in names:
            near = nearest(key, names)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}."
            raise ModelError(f"no option is named {key!r}; {hint}")
    return {key: _typed(key, value, types[key]) for key, value in mapping.items()}


def _typed(key: str, value: Any, wanted: type) -> Any:
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ModelError(
            f"{key} = {value!r} is of type {type(value).__name__}; write {_EXAMPLES[wanted]}"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ModelError(f"{key} = {value!r} is not a finite number; write such as 0.5")
    return value


_EXAMPLES = {
    int: "an integer such as 64",
    float: "a number such as 0.5",
    bool: "true or false",
    str: 'a text in quotes such as "ascent"',
}
