"""Label-flip poisoning of preference data: what the cheapest change of labels costs, certified.

``solve_flips(FlipProblem.of(features, benign, target))`` is exact, for small data;
``enclose_flips(features, benign, target)`` has rigorous bounds, for large data.  Names load on
first use.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .flips.adaptive import Knapsack as Knapsack
    from .flips.adaptive import one_direction as one_direction
    from .flips.closed_forms import Mixture as Mixture
    from .flips.closed_forms import lower_bound as lower_bound
    from .flips.closed_forms import mixture as mixture
    from .flips.closed_forms import projection as projection
    from .flips.cost import FlipSolution as FlipSolution
    from .flips.cost import dual_value as dual_value
    from .flips.cost import solve_flips as solve_flips
    from .flips.cost import solve_unboxed_flips as solve_unboxed_flips
    from .flips.problem import FlipProblem as FlipProblem
    from .flips.rounding import round_labels as round_labels
    from .flips.rounding import rounding_bounds as rounding_bounds
    from .large.enclose import EnclosedFlips as EnclosedFlips
    from .large.enclose import closed_form_bound as closed_form_bound
    from .large.enclose import enclose_flips as enclose_flips
    from .rewards.effects import RewardChange as RewardChange
    from .rewards.effects import performance_loss_ratio as performance_loss_ratio
    from .rewards.effects import reward_change as reward_change
    from .rewards.enclosed import EnclosedReward as EnclosedReward
    from .rewards.enclosed import enclose_reward as enclose_reward
    from .rewards.learning import LearnedReward as LearnedReward
    from .rewards.learning import fit_reward as fit_reward
    from .rewards.separability import Separation as Separation
    from .rewards.separability import separating_direction as separating_direction
    from .rewards.separability import separation as separation

_HOMES = {
    "EnclosedFlips": "large.enclose",
    "EnclosedReward": "rewards.enclosed",
    "FlipProblem": "flips.problem",
    "FlipSolution": "flips.cost",
    "Knapsack": "flips.adaptive",
    "LearnedReward": "rewards.learning",
    "Mixture": "flips.closed_forms",
    "RewardChange": "rewards.effects",
    "Separation": "rewards.separability",
    "closed_form_bound": "large.enclose",
    "dual_value": "flips.cost",
    "enclose_flips": "large.enclose",
    "enclose_reward": "rewards.enclosed",
    "fit_reward": "rewards.learning",
    "lower_bound": "flips.closed_forms",
    "mixture": "flips.closed_forms",
    "one_direction": "flips.adaptive",
    "performance_loss_ratio": "rewards.effects",
    "projection": "flips.closed_forms",
    "reward_change": "rewards.effects",
    "round_labels": "flips.rounding",
    "rounding_bounds": "flips.rounding",
    "separating_direction": "rewards.separability",
    "separation": "rewards.separability",
    "solve_flips": "flips.cost",
    "solve_unboxed_flips": "flips.cost",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
