"""HIPO on the instance where standardising each reward by itself loses what they are worth.

Two prompts, two rewards and a threshold on the second one's mean.  With two responses that are
ranked oppositely the standardised rewards are each other's negatives, whatever their sizes: the
update cannot tell the prompt at which compliance is nearly free from the one at which it costs
all.  Rewards that are only centred can.  As printed, the divergence in the loss has no expected
gradient, so that none is used here.

The source prints no theorem: this is a property of its Algorithm 1 where policies are tabular and
equal at first, which a network only resembles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....errors import ModelError
from ....sequences import Array
from ...parts.algorithms import Algorithm
from ...parts.constrained import require_positive
from ...parts.runs import Workplace
from ...parts.training import option
from ..outcomes import load, require_task
from .options import GroupOptions

SCALES = ("each", "common")
USER = np.array([[0.0, 1.0, 0.95], [0.0, 1.0, 0.0]])
SYSTEM = np.array([[0.0, 0.0, 1.0], [0.0, 0.5, 0.6]])
"""Rewards of both prompts: the first response, the end token, is worthless and soon forgotten; the
other two are ranked oppositely.  Multiples of .05, as the printed judge snaps to.  At the threshold
3/4 the best mean of USER is 39/40; equal policies at both prompts reach 23/44."""
_TINY = 1e-9  # keeps a group whose rewards agree from dividing by 0; its advantages are 0


@dataclass(frozen=True)
class HipoOptions(GroupOptions):
    """Raises ModelError for what is not known or out of range."""

    responses: int = option(3, "responses to each, all tokens of its vocabulary; 3 here")
    temperature: float = option(0.0, "0: the printed divergence has no expected gradient")
    group: int = option(4, "responses of each group")
    groups: int = option(32, "groups an update, the same number of each prompt")
    updates: int = option(300, "updates, each on fresh groups")
    scale: str = option("each", "each: rewards are standardised by themselves, as printed; common: "
                                "they are only centred, and share one scale")  # fmt: skip
    threshold: float = option(0.75, "what the mean of the system's reward is to be at least")
    multiplier: float = option(2.0, "lambda at first")
    rate: float = option(0.07, "of the multiplier")
    cap: float = option(20.0, "the largest multiplier")
    memory: float = option(0.9, "of the moving average of the system's reward")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "rate cap")
        if self.scale not in SCALES:
            raise ModelError(f"scale = {self.scale!r}; give one of {', '.join(SCALES)}")
        if (self.prompts, self.responses, self.temperature) != (2, 3, 0.0):
            raise ModelError(
                f"prompts = {self.prompts}, responses = {self.responses}, temperature = "
                f"{self.temperature}: the instance has 2, 3 and 0; leave them out"
            )
        best = float(SYSTEM.max(axis=1).mean())
        if not self.threshold <= best:
            raise ModelError(
                f"threshold = {self.threshold}: no response meets it, the best mean is {best:g}"
            )
        if not 0 <= self.memory < 1 or self.multiplier < 0:
            raise ModelError(
                f"memory = {self.memory} is a share below 1, and multiplier = {self.multiplier} "
                "is not negative"
            )


@dataclass
class Judged:
    """The multiplier, and the rewards that it makes of two; names as `HipoOptions` has them."""

    scale: str
    threshold: float
    rate: float
    cap: float
    memory: float
    value: float
    average: float | None = None

    def reward(self, user: Array, system: Array) -> Array:
        """Of whole groups, [B, M] each; then moves the multiplier."""
        seen = float(system.mean())
        before = seen if self.average is None else self.average
        self.average = self.memory * before + (1 - self.memory) * seen
        now = self.value
        self.value = min(max(now - self.rate * (self.average - self.threshold), 0.0), self.cap)
        if self.scale == "each":
            user, system = _standardised(user), _standardised(system)
        return np.asarray(user + now * system)


def _standardised(rewards: Array) -> Array:
    centred = rewards - rewards.mean(axis=1, keepdims=True)
    return np.asarray(centred / (rewards.std(axis=1, keepdims=True) + _TINY))


def earned(law: Array) -> dict[str, float]:
    """Means of both rewards over prompts and responses."""
    return {"user": float((law * USER).sum() / 2), "system": float((law * SYSTEM).sum() / 2)}


def train(workplace: Workplace) -> None:
    """Train TRL's GRPO from equal policies; the outcome has means over the second half as well."""
    import torch

    from .trainers import Session, start, train_groups

    options: HipoOptions = workplace.training.options
    bandit = start(workplace)
    with torch.no_grad():  # equal logits at both prompts
        bandit.network.lm_head.weight.zero_()
    bandit.save(workplace.run.folder / "reference")
    judged = Judged(
        options.scale, options.threshold, options.rate, options.cap, options.memory,
        options.multiplier,
    )  # fmt: skip
    lines: list[dict[str, float]] = []

    def watch(law: Array) -> dict[str, float]:
        lines.append({**earned(law), "multiplier": judged.value})
        return dict(lines[-1])

    def numbers() -> dict[str, Any]:
        late = lines[len(lines) // 2 :]
        return {name: float(np.mean([line[name] for line in late])) for name in late[0]}

    def reward(x: Array, y: Array) -> Array:
        return judged.reward(USER[x[:, None], y], SYSTEM[x[:, None], y])

    session = Session(bandit, options.group, reward, watch=watch)
    train_groups(workplace, session, USER, SYSTEM, numbers=numbers)


ALGORITHM = Algorithm("alignment/hipo", HipoOptions, train, load, require_task)
