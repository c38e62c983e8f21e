"""Label-flip poisoning of preference data: what the cheapest change of labels costs, certified.

``flip_cost(FlipProblem.of(features, benign, target))`` is exact, for small data;
``enclose_flips(features, benign, target)`` has rigorous bounds, for large data.  Names load on
first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adaptive import Knapsack as Knapsack
    from .adaptive import one_direction as one_direction
    from .bounds import Mixture as Mixture
    from .bounds import lower_bound as lower_bound
    from .bounds import mixture as mixture
    from .bounds import projection as projection
    from .exact import FlipSolution as FlipSolution
    from .exact import dual_value as dual_value
    from .exact import flip_cost as flip_cost
    from .exact import unboxed_cost as unboxed_cost
    from .problem import FlipProblem as FlipProblem
    from .rounding import round_labels as round_labels
    from .rounding import rounding_bounds as rounding_bounds

_HOMES = {
    "FlipProblem": "problem",
    "FlipSolution": "exact",
    "Knapsack": "adaptive",
    "Mixture": "bounds",
    "dual_value": "exact",
    "flip_cost": "exact",
    "lower_bound": "bounds",
    "mixture": "bounds",
    "one_direction": "adaptive",
    "projection": "bounds",
    "round_labels": "rounding",
    "rounding_bounds": "rounding",
    "unboxed_cost": "exact",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; it has {', '.join(sorted(_HOMES))}"
        )
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
