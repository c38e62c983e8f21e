"""Non-linear GRPO: what is maximised is the best of n responses, not the mean of one.

The value R of best of n (or of its soft form) is no mean over the policy, so that its first
variation stands in for the reward, estimated from the group itself.  Over all sets of n - 1 other
responses the estimate is unbiased; the group's mean as baseline then leaves 1 - n/M of the
gradient, which the factor M/(M - n) puts back.  The optimum is known from Newton's method on the
table, which has nothing in common with the training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....alignment.best_of_n import best_value, first_variation, soft_first_variation
from ....alignment.inference_aware import Goal, minimize, plug_in_derivative, unbiased_derivative
from ....alignment.tilts import tilt
from ....errors import ModelError
from ....sequences import Array
from ...parts.algorithms import Algorithm
from ...parts.constrained import require_positive
from ...parts.runs import Workplace
from ...parts.training import option
from ..outcomes import load, require_task
from .options import GroupOptions

ESTIMATES = ("unbiased", "plug-in", "soft")


@dataclass(frozen=True)
class InferenceAwareOptions(GroupOptions):
    """Raises ModelError for what is not known or out of range."""

    temperature: float = option(0.25, "beta, the weight of the KL divergence")
    group: int = option(8, "responses of each group")
    groups: int = option(16, "groups an update, the same number of each prompt")
    draws: int = option(4, "n, of which the best is taken")
    estimate: str = option(
        "unbiased",
        "unbiased (over sets of other responses), plug-in (the paper's), soft (of soft best of n)",
    )
    sharpness: float = option(0.25, "tau of soft best of n")
    rescaled: bool = option(True, "multiply the unbiased estimate by M/(M - n); false is the "
                                  "control")  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "draws sharpness temperature")
        if self.estimate not in ESTIMATES:
            raise ModelError(f"estimate = {self.estimate!r}; give one of {', '.join(ESTIMATES)}")
        if self.estimate == "unbiased" and self.group <= self.draws:
            raise ModelError(
                f"group = {self.group} must be above draws = {self.draws}: with fewer responses "
                "there is no estimate, and with as many its expected gradient is 0"
            )


def best_of(rewards: Array, law: Array, draws: int) -> tuple[Array, Array]:
    """Value [X] of the best of n under a law [X, Y], and its first variation [X, Y]."""
    rows = list(zip(law, rewards, strict=True))
    slopes = [first_variation(p, r, draws) for p, r in rows]
    return np.array([best_value(p, r, draws) for p, r in rows]), np.array(slopes)


def best_law(
    reference: Array, rewards: Array, *, draws: int, temperature: float, weight: float = 1.0
) -> Array:
    """The law that maximises weight R - temperature KL, [X, Y], by Newton's method."""
    share = np.array([weight])
    return np.array([
        minimize(Goal(p, r[None], [draws], share, temperature))[0]
        for p, r in zip(reference, rewards, strict=True)
    ])  # fmt: skip


def optima(options: InferenceAwareOptions, reference: Array, rewards: Array) -> dict[str, Array]:
    """The right law, that of an estimate that is not rescaled, and that of plain rewards."""
    share = 1 - options.draws / options.group
    common = {"draws": options.draws, "temperature": options.temperature}
    return {
        "right": best_law(reference, rewards, **common),  # type: ignore[arg-type]
        "unscaled": best_law(reference, rewards, weight=share, **common),  # type: ignore[arg-type]
        "plain": tilt(reference, rewards, options.temperature),
    }


def soft_derivative(rewards: Array, sharpness: float) -> Array:
    """Of E r e^(r/tau) / E e^(r/tau), at the empirical law of each group [B, M]; sharpness: tau."""
    tops, even = rewards.max(axis=1, keepdims=True), np.full(rewards.shape[1], 1 / rewards.shape[1])
    weights = np.maximum(np.exp((rewards - tops) / sharpness), np.finfo(float).tiny)
    return np.array([
        soft_first_variation(even, row, heavy) for row, heavy in zip(rewards, weights, strict=True)
    ])  # fmt: skip


def estimated(options: InferenceAwareOptions, rewards: Array) -> Array:
    """The first variation that stands in for rewards of whole groups, [B, M]."""
    if options.estimate == "soft":
        return soft_derivative(rewards, options.sharpness)
    if options.estimate == "plug-in":
        return plug_in_derivative(rewards, options.draws)
    found = unbiased_derivative(rewards, options.draws)
    return found * options.group / (options.group - options.draws) if options.rescaled else found


def train(workplace: Workplace) -> None:
    """Train TRL's GRPO with the first variation as reward."""
    from ..bandits import tables
    from .trainers import Session, start, train_groups

    training, options = workplace.training, workplace.training.options
    rewards, safety = tables(training.seed, options.prompts, options.responses)
    bandit = start(workplace)
    wanted = optima(options, np.exp(bandit.log_laws()), rewards)["right"]

    def watch(law: Array) -> dict[str, float]:
        return {"best": float(best_of(rewards, law, options.draws)[0].mean())}

    session = Session(
        bandit, options.group, lambda x, y: estimated(options, rewards[x[:, None], y]), wanted,
        watch,
    )  # fmt: skip
    train_groups(workplace, session, rewards, safety)


ALGORITHM = Algorithm("alignment/inference-aware", InferenceAwareOptions, train, load, require_task)
