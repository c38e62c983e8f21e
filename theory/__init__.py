"""What is claimed: theorems as data, with assumptions, relation, source and standing.

`catalogue` lists every statement that holdfast ships.
"""

import pkgutil
from collections.abc import Collection, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Gt, Le, Lt, Ne, Relation, Sign
from .theorem import (
    Assumption,
    Printed,
    Provenance,
    Refutation,
    Sharp,
    Source,
    Standing,
    Theorem,
)

__all__ = [
    "Assumption",
    "Both",
    "Domain",
    "Eq",
    "Ge",
    "Gt",
    "Le",
    "Lt",
    "Ne",
    "Printed",
    "Provenance",
    "Quantity",
    "Refutation",
    "Relation",
    "Sharp",
    "Sign",
    "Source",
    "Standing",
    "Theorem",
    "areas",
    "catalogue",
]


T = TypeVar("T")


def __dir__() -> list[str]:
    return __all__


@cache
def areas() -> tuple[ModuleType, ...]:
    """The files of statements, found in the folders of the pillars below this package.

    A pillar stands after those that its proofs use, and so does a file within its pillar; otherwise
    they stand in alphabetical order.
    """
    names = sorted(found.name for found in pkgutil.walk_packages(__path__, f"{__name__}."))
    modules = [module for module in map(import_module, names) if _stated(module)]
    homes = {theorem.label: module for module in modules for theorem in _stated(module)}
    used = {m: {homes.get(label, m) for one in _stated(m) for label in one.uses} for m in modules}
    between: dict[str, set[str]] = {}
    for module, others in used.items():
        between.setdefault(_pillar(module), set()).update(map(_pillar, others))
    pillars = _after(between)
    return tuple(sorted(_after(used), key=lambda module: pillars.index(_pillar(module))))


def _after(used: Mapping[T, Collection[T]]) -> list[T]:
    """The keys, each after those that it uses where the uses form no circle, else as they stand."""
    keys, ordered = list(used), []

    def place(key: T, above: tuple[T, ...] = ()) -> None:
        if key not in ordered and key not in above:
            for other in sorted(used[key], key=keys.index):
                place(other, (*above, key))
            ordered.append(key)

    for key in keys:
        place(key)
    return ordered


def _pillar(module: ModuleType) -> str:
    return module.__name__.split(".")[2]


def _stated(module: ModuleType) -> list[Theorem]:
    return [value for value in vars(module).values() if isinstance(value, Theorem)]


def pillars() -> dict[str, str]:
    """Label -> pillar of each theorem."""
    return {one.label: _pillar(area) for area in areas() for one in _stated(area)}


def catalogue() -> tuple[Theorem, ...]:
    """Every theorem that ships with holdfast, area by area in order of statement.

    Raises
    ------
    ValueError: if two theorems share a label, a `uses` edge dangles, or a statement is called false
        without the list of what is printed.
    """
    theorems = tuple(theorem for area in areas() for theorem in _stated(area))
    labels = [theorem.label for theorem in theorems]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"label {label!r} is used twice")
    for theorem in theorems:
        if theorem.standing.is_false is not (theorem.refutation is not None):
            raise ValueError(
                f"{theorem.label} is {theorem.standing.value}; a statement has a refutation, which "
                "lists what is printed, exactly if it is false"
            )
        for used in theorem.uses:
            if used not in labels:
                raise ValueError(f"{theorem.label} uses {used!r}, which is not in the catalogue")
    return theorems
