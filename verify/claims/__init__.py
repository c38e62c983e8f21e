"""The claims that come with holdfast: every theorem of the catalogue bound to a family."""

from . import (
    constrained,
    duality,
    learned_models,
    logs,
    policy_changes,
    randomisation,
    sampling,
)

_MODULES = (constrained, duality, randomisation, policy_changes, logs, learned_models, sampling)
FILES = frozenset(str(module.__file__) for module in _MODULES)
"""Source files of the shipped claims."""
