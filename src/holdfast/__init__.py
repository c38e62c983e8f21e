"""holdfast: does the bound hold?

Three layers, imported by name when they are first used:

* :mod:`holdfast.theory`   what is claimed,
* :mod:`holdfast.solvers`  how numbers are made,
* :mod:`holdfast.verify`   where the two meet.

``import holdfast`` loads none of them, so a program that only asks for the version pays nothing.
"""

TYPE_CHECKING = False  # of typing, whose import would run what lies in the current folder
if TYPE_CHECKING:
    from types import ModuleType

    from . import solvers as solvers
    from . import theory as theory
    from . import verify as verify

__all__ = ["__version__", "solvers", "theory", "verify"]

__version__ = "0.1.0"

_LAYERS = frozenset({"theory", "solvers", "verify"})


def __getattr__(name: str) -> "ModuleType":
    """Load a layer the first time it is mentioned (``holdfast.theory`` without a second import)."""
    if name in _LAYERS:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(
        f"holdfast has no attribute {name!r}; it has the layers {', '.join(sorted(_LAYERS))}"
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAYERS})
