"""PPO on (A_r - m A_c) / (1 + m), where a controller moves the multiplier m by the measured cost.

Ray, Achiam, Amodei 2019 (PPO-Lagrangian); the controllers are those of
`solvers.offline.multipliers.controllers`, among them that of Stooke, Achiam, Abbeel 2020
(arXiv:2007.03964).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import ModelError
from ...offline.multipliers.controllers import PID, Ascent, Controller, Fixed
from ..parts.algorithms import Algorithm
from ..parts.constrained import (
    ConstrainedTraining,
    check_constrained,
    refuse_idle,
    require_batches,
    require_positive,
)
from ..parts.training import option
from . import presets

if TYPE_CHECKING:
    from stable_baselines3.common.policies import ActorCriticPolicy

    from ..parts.runs import Run, Workplace

_IDLE = {
    "fixed": "ascent_rate proportional integral derivative",
    "ascent": "proportional integral derivative",
    "pid": "ascent_rate",
}
"""Controller -> options that have no effect with it."""


@dataclass(frozen=True)
class PpoLagrangianOptions(ConstrainedTraining):
    """Options of PPO-Lagrangian."""

    controller: str = option("ascent", "what moves the multiplier: fixed, ascent or pid")
    multiplier: float = option(0.0, "its first value; with fixed its only one")
    ascent_rate: float = option(10.0, "ascent: step a unit of cost above the limit")
    proportional: float = option(10.0, "pid: gain of the excess")
    integral: float = option(1.0, "pid: gain of the sum of excesses")
    derivative: float = option(0.0, "pid: gain of a rise of the cost")
    epochs: int = option(10, "passes over a rollout that train policy and critic")
    batch: int = option(768, "observations a step")
    clip: float = option(0.2, "how far the ratio of probabilities may be from 1")
    entropy: float = option(0.0, "weight of the entropy of actions in the objective")
    value_weight: float = option(0.5, "weight of the critic's loss")
    gradient_norm: float = option(0.5, "gradients are scaled down to this norm")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.controller not in _IDLE:
            raise ModelError(
                f"no controller is named {self.controller!r}; there are {', '.join(_IDLE)}"
            )
        refuse_idle(self, _IDLE[self.controller], f"controller = {self.controller!r}")
        require_positive(self, "epochs batch clip value_weight gradient_norm ascent_rate")
        require_batches(self, self.batch, "batch")
        for name in ("multiplier", "proportional", "integral", "derivative", "entropy"):
            if getattr(self, name) < 0:
                raise ModelError(f"{name} = {getattr(self, name)} must not be negative")
        self.state_machine()

    def state_machine(self) -> Controller:
        """The controller of the multiplier.  Raises ModelError for gains that cannot be meant."""
        if self.controller == "fixed":
            return Fixed(self.multiplier)
        if self.controller == "ascent":
            return Ascent(self.limit, self.ascent_rate, start=self.multiplier)
        gains = (self.proportional, self.integral, self.derivative)
        return PID(self.limit, *gains, start=self.multiplier)


def train(workplace: Workplace, policy_class: type[ActorCriticPolicy] | None = None) -> None:
    """Train in a workplace whose options are `PpoLagrangianOptions`, or a record that has them.

    Raises as `policies.train_policy`.
    """
    from stable_baselines3.common.policies import ActorCriticPolicy

    from ..parts.policies import train_policy
    from .trainers import PPOLagrangian

    options: PpoLagrangianOptions = workplace.training.options
    train_policy(
        workplace,
        PPOLagrangian,
        policy_class or ActorCriticPolicy,
        batch_size=options.batch,
        n_epochs=options.epochs,
        clip_range=options.clip,
        ent_coef=options.entropy,
        vf_coef=options.value_weight,
        max_grad_norm=options.gradient_norm,
    )


def load(run: Run) -> ActorCriticPolicy:
    """The trained policy.  Raises ModelError as `Run.outcome`."""
    from ..parts.policies import load_policy

    return load_policy(run)


ALGORITHM = Algorithm(
    "chance/ppo-lagrangian",
    PpoLagrangianOptions,
    train,
    load,
    check_constrained,
    presets.ppo_lagrangian,
)
