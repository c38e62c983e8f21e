"""Where theorems and models meet: claims, families, engine, campaigns, reports, command line.

Names load on first use, so that the kernel can be imported without anything else.

To be read in this order: `binding` (what the author of a claim touches), `engine`, `store`,
`campaign`, `search`, `report`, then the room of a pillar, and `cli`; `kernel` stands alone.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@cache
def _lazy() -> Any:
    # Not at the top: the kernel's process passes here and loads the standard library alone.
    from lazy_loader import attach_stub

    return attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "families":
        return import_module(f"{__name__}.cmdp.families")
    if name == "__all__":
        return list(_lazy()[2])
    if name not in _lazy()[2] and name in _rooms():
        return import_module(f"{__name__}.{name}")
    return _lazy()[0](name)


def _rooms() -> set[str]:
    return {room.name for room in iter_modules(__path__) if room.ispkg}


def __dir__() -> list[str]:
    return sorted({*_lazy()[2], *_rooms()})
