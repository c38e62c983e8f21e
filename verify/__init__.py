"""Where theorems and models meet: claims, families, engine, campaigns, reports, command line.

Names load on first use, so that the kernel can be imported without anything else.

To be read in this order: `binding` (what the author of a claim touches), `engine`, `store`,
`campaign`, `search`, `report`, then the room of a pillar, and `cli`; `kernel` stands alone.
"""

from functools import cache
from importlib import import_module
from typing import Any


@cache
def _lazy() -> Any:
    # Not at the top: the kernel's process passes here and loads the standard library alone.
    from lazy_loader import attach_stub

    return attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "families":
        return import_module(f"{__name__}.cmdp.families")
    return __dir__() if name == "__all__" else _lazy()[0](name)


def __dir__() -> list[str]:
    return list(_lazy()[2])
