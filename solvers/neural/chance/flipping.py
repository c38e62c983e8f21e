"""A state-dependent flip trained end to end: PPO-Lagrangian on two heads and their coin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..parts.algorithms import Algorithm
from ..parts.constrained import check_constrained
from . import ppo_lagrangian, presets
from .ppo_lagrangian import PpoLagrangianOptions

if TYPE_CHECKING:
    from ..parts.runs import Run, Workplace
    from .policy import FlippingPolicy


@dataclass(frozen=True)
class FlippingOptions(PpoLagrangianOptions):
    """Options of PPO-Lagrangian; the heads share the hidden layers."""


def train(workplace: Workplace) -> None:
    """Train in a workplace whose options are `FlippingOptions`.  Raises as `ppo_lagrangian`."""
    from .heads import TwoHeadPolicy

    ppo_lagrangian.train(workplace, TwoHeadPolicy)


def load(run: Run) -> FlippingPolicy:
    """The trained flip, in form "step".  Raises ModelError as `Run.outcome`."""
    from ..parts.policies import load_policy
    from .heads import TwoHeadPolicy
    from .policy import FlippingPolicy

    return FlippingPolicy.of_heads(load_policy(run, TwoHeadPolicy), seed=run.training.seed)


ALGORITHM = Algorithm(
    "chance/flipping", FlippingOptions, train, load, check_constrained, presets.ppo_lagrangian
)
