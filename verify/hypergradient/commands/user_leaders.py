"""A leader of the user's, whose faults are told as faults of ``--leader``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from holdfast.solvers.hypergradient import BilevelModel, Leader
from holdfast.solvers.sequences import Array

from ...cmdp.named_models import named_function


def user_leader(name: str, model: BilevelModel) -> Leader:
    """What ``module:function`` makes of the model; click.BadParameter where it makes no leader."""
    make = named_function("--leader", name)
    made = _called(name, "", make, model)
    if not all(hasattr(made, part) for part in ("parameters", "model", "pull_back")):
        raise click.BadParameter(f"--leader {name} returned {made!r:.60}, which is not a "
                                 "leader; it needs parameters, model and pull_back")  # fmt: skip
    return _Named(name, made)


def _called(name: str, part: str, function: Callable[..., Any], *given: Any) -> Any:
    try:
        return function(*given)
    except Exception as error:
        kind = type(error).__name__
        where = f"its {part} raised " if part else ""
        raise click.BadParameter(f"--leader {name}: {where}{kind}: {error}") from error


@dataclass(frozen=True)
class _Named:
    """The leader, with the name of the option in all that its functions raise."""

    name: str
    leader: Any

    @property
    def parameters(self) -> Array:
        """As the leader says."""
        return np.asarray(_called(self.name, "parameters", getattr, self.leader, "parameters"))

    def model(self, parameters: Array) -> BilevelModel:
        """As the leader's."""
        found: BilevelModel = _called(self.name, "model", self.leader.model, parameters)
        return found

    def pull_back(self, *given: Array) -> Array:
        """As the leader's."""
        found: Array = _called(self.name, "pull_back", self.leader.pull_back, *given)
        return found

    def __getattr__(self, part: str) -> Any:
        """What else it has, such as ``jacobians``."""
        found = getattr(self.leader, part)
        if part not in ("jacobians", "rounding"):
            return found
        return lambda *given: _called(self.name, part, found, *given)
