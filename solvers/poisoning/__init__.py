"""Label-flip poisoning of preference data: what the cheapest change of labels costs, certified.

``flip_cost(FlipProblem.of(features, benign, target))`` is exact, for small data;
``enclose_flips(features, benign, target)`` has rigorous bounds, for large data.  Names load on
first use.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .adaptive import Knapsack as Knapsack
    from .adaptive import one_direction as one_direction
    from .bounds import Mixture as Mixture
    from .bounds import lower_bound as lower_bound
    from .bounds import mixture as mixture
    from .bounds import projection as projection
    from .effects import RewardChange as RewardChange
    from .effects import performance_loss_ratio as performance_loss_ratio
    from .effects import reward_change as reward_change
    from .exact import FlipSolution as FlipSolution
    from .exact import dual_value as dual_value
    from .exact import flip_cost as flip_cost
    from .exact import unboxed_cost as unboxed_cost
    from .large import EnclosedFlips as EnclosedFlips
    from .large import EnclosureStatus as EnclosureStatus
    from .large import closed_form_bound as closed_form_bound
    from .large import enclose_flips as enclose_flips
    from .learning import LearnedReward as LearnedReward
    from .learning import RewardStatus as RewardStatus
    from .learning import fit_reward as fit_reward
    from .problem import FlipProblem as FlipProblem
    from .rounding import round_labels as round_labels
    from .rounding import rounding_bounds as rounding_bounds
    from .separability import Separation as Separation
    from .separability import separating_direction as separating_direction
    from .separability import separation as separation
    from .verified_reward import EnclosedReward as EnclosedReward
    from .verified_reward import enclose_reward as enclose_reward

_HOMES = {
    "EnclosedFlips": "large",
    "EnclosedReward": "verified_reward",
    "EnclosureStatus": "large",
    "FlipProblem": "problem",
    "FlipSolution": "exact",
    "Knapsack": "adaptive",
    "LearnedReward": "learning",
    "Mixture": "bounds",
    "RewardChange": "effects",
    "RewardStatus": "learning",
    "Separation": "separability",
    "closed_form_bound": "large",
    "dual_value": "exact",
    "enclose_flips": "large",
    "enclose_reward": "verified_reward",
    "fit_reward": "learning",
    "flip_cost": "exact",
    "lower_bound": "bounds",
    "mixture": "bounds",
    "one_direction": "adaptive",
    "performance_loss_ratio": "effects",
    "projection": "bounds",
    "reward_change": "effects",
    "round_labels": "rounding",
    "rounding_bounds": "rounding",
    "separation": "separability",
    "separating_direction": "separability",
    "unboxed_cost": "exact",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
