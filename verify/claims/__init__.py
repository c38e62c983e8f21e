"""The claims that come with holdfast: every theorem of the catalogue bound to a family."""

from . import (
    chance,
    chance_futures,
    constrained,
    duality,
    flag_program,
    flipping,
    learned_models,
    logs,
    natural_gradient,
    policy_changes,
    policy_classes,
    policy_mixtures,
    policy_sampling,
    randomisation,
    sampling,
    surrogate_costs,
    two_discounts,
)

_MODULES = (
    constrained,
    duality,
    randomisation,
    two_discounts,
    policy_classes,
    chance,
    flag_program,
    chance_futures,
    flipping,
    policy_mixtures,
    policy_sampling,
    surrogate_costs,
    policy_changes,
    logs,
    natural_gradient,
    learned_models,
    sampling,
)
FILES = frozenset(str(module.__file__) for module in _MODULES)
"""Source files of the shipped claims."""
