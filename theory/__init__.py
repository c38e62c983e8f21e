"""What is claimed: theorems as data, with assumptions, relation, source and standing.

`catalogue` lists every statement that holdfast ships.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Gt, Le, Lt, Ne, Relation, Sign
from .theorem import (
    Assumption,
    Printed,
    Provenance,
    Refutation,
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
    "Sign",
    "Source",
    "Standing",
    "Theorem",
    "areas",
    "catalogue",
]


def areas() -> tuple[ModuleType, ...]:
    """The files of statements, found below this package: each after those that its proofs use.

    Otherwise they stand in alphabetical order.
    """
    names = sorted(found.name for found in pkgutil.walk_packages(__path__, f"{__name__}."))
    modules = [module for module in map(import_module, names) if _stated(module)]
    homes = {theorem.label: module for module in modules for theorem in _stated(module)}
    ordered: dict[ModuleType, None] = {}

    def place(module: ModuleType, above: tuple[ModuleType, ...] = ()) -> None:
        if module in ordered or module in above:
            return
        used = {homes.get(label, module) for one in _stated(module) for label in one.uses}
        for other in sorted(used, key=modules.index):
            place(other, (*above, module))
        ordered[module] = None

    for module in modules:
        place(module)
    return tuple(ordered)


def _stated(module: ModuleType) -> list[Theorem]:
    return [value for value in vars(module).values() if isinstance(value, Theorem)]


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
