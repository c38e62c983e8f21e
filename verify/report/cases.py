"""The parts of a counterexample's case, sorted for a picture: models, policies, and the rest."""

from __future__ import annotations

from typing import Any

from holdfast.solvers import CMDP, Policy

from ..binding.description import describe, model_of
from ..binding.family import Case
from ..kernel import format_rational


def models(case: Case) -> tuple[CMDP, ...]:
    """The constrained MDPs among the parts, and those within a problem."""
    return tuple(model for part in case if (model := model_of(part)) is not None)


def policies(case: Case) -> tuple[tuple[str, ...], ...]:
    """The stationary policies among the parts, as probabilities of the choices."""
    found = (part for part in case if isinstance(part, Policy))
    return tuple(tuple(map(format_rational, policy.probabilities)) for policy in found)


def others(case: Case) -> tuple[Any, ...]:
    """Descriptions of what is neither: other parts, and what a problem says beside its model."""
    rest = (part for part in case if not isinstance(part, CMDP | Policy))
    return tuple(
        describe(part)
        if model_of(part) is None
        else {name: value for name, value in describe(part).items() if name != "model"}
        for part in rest
    )
