"""Exact solvers for finite discounted constrained MDPs.

Everything returned is rational and carries a certificate that the kernel (``holdfast check``)
verifies without trusting this package.  Names load on first use, so importing it is cheap.

To be read in this order: `exact` and `limits`, then `programs` (linear programs) and `models` (the
record of a decision process), then a pillar: `cmdp`, `chance`, `poisoning`.  `neural` needs torch.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from lazy_loader import attach_stub

_named, _, __all__ = attach_stub(__name__, __file__)


def _rooms() -> set[str]:
    return {room.name for room in iter_modules(__path__) if room.ispkg}


def __getattr__(name: str) -> Any:
    if name not in __all__ and name in _rooms():
        return import_module(f"{__name__}.{name}")
    return _named(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_rooms()})
