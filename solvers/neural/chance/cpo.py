"""Constrained policy optimisation: a trust region step that keeps the linearised cost in its limit.

Achiam, Held, Tamar, Abbeel 2017 (arXiv:1705.10528), equations 10 to 14 and Theorem 2 of its
supplement.  `linearised` has the closed form; `trainers.CPO` takes it from TRPO's gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..parts.algorithms import Algorithm
from ..parts.constrained import (
    ConstrainedTraining,
    check_constrained,
    require_batches,
    require_positive,
    require_share,
)
from ..parts.training import option
from . import presets

if TYPE_CHECKING:
    from stable_baselines3.common.policies import ActorCriticPolicy

    from ..parts.runs import Run, Workplace


@dataclass(frozen=True)
class CpoOptions(ConstrainedTraining):
    """Options of CPO; it needs no multiplier, since each step knows the limit."""

    target_kl: float = option(
        0.01, "radius of the trust region, a mean divergence; falls as learning rates do"
    )
    subsampling: int = option(8, "of so many observations one measures curvature")
    conjugate_steps: int = option(15, "steps of conjugate gradients for H^-1 times a vector")
    damping: float = option(0.1, "multiple of the identity that is added to H")
    line_search: int = option(10, "how often a step is shortened before it is given up")
    shrink: float = option(0.8, "by which factor")
    critic_epochs: int = option(10, "passes over a rollout that train the critic of rewards")
    batch: int = option(768, "observations a step of that critic")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "target_kl damping shrink subsampling conjugate_steps line_search")
        require_positive(self, "critic_epochs batch")
        require_share(self, "shrink")
        require_batches(self, self.batch, "batch")


def train(workplace: Workplace, policy_class: type[ActorCriticPolicy] | None = None) -> None:
    """Train in a workplace whose options are `CpoOptions`.  Raises as `policies.train_policy`."""
    from stable_baselines3.common.policies import ActorCriticPolicy

    from ..parts.policies import train_policy
    from .trainers import CPO

    options: CpoOptions = workplace.training.options
    train_policy(
        workplace,
        CPO,
        policy_class or ActorCriticPolicy,
        target_kl=options.target_kl,
        cg_max_steps=options.conjugate_steps,
        cg_damping=options.damping,
        line_search_max_iter=options.line_search,
        line_search_shrinking_factor=options.shrink,
        n_critic_updates=options.critic_epochs,
        batch_size=options.batch,
    )


def load(run: Run) -> ActorCriticPolicy:
    """The trained policy.  Raises ModelError as `Run.outcome`."""
    from ..parts.policies import load_policy

    return load_policy(run)


ALGORITHM = Algorithm("chance/cpo", CpoOptions, train, load, check_constrained, presets.cpo)
