"""Where theorems and models meet: claims, families, engine, campaigns, reports, command line.

Names load on first use, so that the kernel can be imported without anything else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .binding.claims import NamedMutant as NamedMutant
    from .binding.claims import claim as claim
    from .binding.family import Family as Family
    from .binding.family import OutOfScope as OutOfScope
    from .binding.values import Ball as Ball
    from .binding.values import Count as Count
    from .cmdp import families as families

_HOMES = {
    "Ball": "binding.values",
    "Count": "binding.values",
    "Family": "binding.family",
    "NamedMutant": "binding.claims",
    "OutOfScope": "binding.family",
    "claim": "binding.claims",
}

__all__ = ["Ball", "Count", "Family", "NamedMutant", "OutOfScope", "claim", "families"]


def __getattr__(name: str) -> Any:
    if name == "families":
        return import_module("holdfast.verify.cmdp.families")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
