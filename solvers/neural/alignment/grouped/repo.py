"""RePO: a response that is not safe pays for itself, whatever others leave unspent.

The cost of a response is -safety, its rectified cost the positive part.  The multiplier grows by
the mean rectified cost of each batch, up to a cap, and never falls.  Two updates: rewards less the
penalty, whose fixed point at the cap is a tilt; and two branches, as the published actor is said to
do it, which shift with the baseline of rewards and have no objective of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....alignment.rectified import check_safe
from ....alignment.tilts import tilt
from ....errors import ModelError
from ....sequences import Array
from ...parts.algorithms import Algorithm
from ...parts.constrained import require_positive
from ...parts.runs import Workplace
from ...parts.training import option
from ..outcomes import load, require_task
from .options import GroupOptions

UPDATES = ("reward", "branches")


@dataclass(frozen=True)
class RepoOptions(GroupOptions):
    """Raises ModelError for what is not known or out of range."""

    update: str = option("reward", "reward: r - lambda cost+; branches: unsafe responses by "
                                   "(A_r - lambda A_c)/(1 + lambda), safe ones by A_r")  # fmt: skip
    rectified: bool = option(True, "the positive part of costs; false is the control, in which "
                                   "safe responses pay for unsafe ones")  # fmt: skip
    rate: float = option(0.2, "what the multiplier grows by, times the mean cost+")
    cap: float = option(2.0, "the largest multiplier")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "rate cap temperature")
        if self.update not in UPDATES:
            raise ModelError(f"update = {self.update!r}; give one of {', '.join(UPDATES)}")


def fixed_points(
    options: RepoOptions, reference: Array, rewards: Array, safety: Array
) -> tuple[Array, Array]:
    """Of the reward's update at the cap, and of the control whose costs are not rectified."""
    shrunk, cap = 1 - 1 / options.group, options.cap
    penalised = rewards - cap * (-safety).clip(min=0), rewards + cap * safety
    right, wrong = (tilt(reference, shrunk * one, options.temperature) for one in penalised)
    return right, wrong


@dataclass
class Multiplier:
    """lambda, one number a cost [K], and the rewards that it makes of responses.

    averaged: the control in which safe responses pay for unsafe ones in the multiplier too, which
    then moves by the mean cost, up or down, as in PPO-Lagrangian.
    """

    rate: float
    cap: float
    value: Array
    rectified: bool = True
    averaged: bool = False
    update: str = "reward"

    def reward(self, gains: Array, costs: Array) -> tuple[Array, Array | None]:
        """Of whole groups, gains [B, M] and costs [B, M, K] that are safe up to 0: rewards, and
        advantages where the trainer is to take these in their place.  Then moves the multiplier."""
        paid = costs.clip(min=0) if self.rectified else costs
        now = self.value
        moved = (costs if self.averaged else costs.clip(min=0)).mean(axis=(0, 1))
        self.value = np.clip(now + self.rate * moved, 0.0, self.cap)
        penalty, advantages = paid @ now, None
        if self.update == "branches":
            gain = gains - gains.mean(axis=1, keepdims=True)
            mixed = (gain - (penalty - penalty.mean(axis=1, keepdims=True))) / (1 + now.sum())
            advantages = np.where((costs > 0).any(axis=2), mixed, gain)
        return gains - penalty, advantages


def train(workplace: Workplace) -> None:
    """Train TRL's GRPO with a penalty.

    Raises ModelError for a prompt without a safe response, which no multiplier makes safe.
    """
    from ..bandits import tables
    from .trainers import Session, start, train_groups

    training, options = workplace.training, workplace.training.options
    rewards, safety = tables(training.seed, options.prompts, options.responses)
    check_safe(safety)
    bandit = start(workplace)
    multiplier = Multiplier(
        options.rate, options.cap, np.zeros(1), options.rectified, update=options.update
    )
    reference = np.exp(bandit.log_laws())
    wanted = fixed_points(options, reference, rewards, safety)[0]

    def watch(law: Array) -> dict[str, float]:
        return {"multiplier": float(multiplier.value[0]), "unsafe": unsafe(law, safety)}

    def reward(x: Array, y: Array) -> Array:
        gains, costs = rewards[x[:, None], y], -safety[x[:, None], y, None]
        found, session.advantages = multiplier.reward(gains, costs)
        return found

    session = Session(bandit, options.group, reward, wanted, watch)
    train_groups(
        workplace, session, rewards, safety,
        numbers=lambda: {"multiplier": float(multiplier.value[0])},
    )  # fmt: skip


def unsafe(law: Array, safety: Array) -> float:
    """The largest probability of an unsafe response over prompts."""
    return float((law * (safety < 0)).sum(axis=1).max())


ALGORITHM = Algorithm("alignment/repo", RepoOptions, train, load, require_task)
