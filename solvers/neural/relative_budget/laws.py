"""What a policy of locks earns, and what an update of group-normalised gradients is to do.

All of it follows from the probabilities that a token opens the next step, differentiably.  The
reward is (H - T + 1) 1{T <= H}, UN-normalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ...relative_budget import Chain
from ...relative_budget.group_toy import expected_advantages


def masses(chances: Tensor, horizon: int) -> Tensor:
    """Pr[T = t] for t = 1, ..., horizon; float64[N, H] of float64[N, K], differentiable."""
    law = torch.zeros_like(chances)
    law[:, 0] = 1
    found = []
    for _ in range(horizon):
        moved = law * chances
        found.append(moved[:, -1])
        law = law - moved + torch.nn.functional.pad(moved[:, :-1], (1, 0))
    return torch.stack(found, dim=1)


def mean_reward(chances: Tensor, horizon: int) -> Tensor:
    """J of each lock; float64[N]."""
    earned = horizon + 1 - torch.arange(1, horizon + 1, dtype=torch.float64)
    return masses(chances, horizon) @ earned


def chain(chances: Sequence[float]) -> Chain:
    """The law of T, exactly that of these floats."""
    size = len(chances) + 1
    rows = [[Fraction(0)] * size for _ in range(size)]
    for j, chance in enumerate(map(Fraction, chances)):
        rows[j][j], rows[j][j + 1] = 1 - chance, chance
    rows[-1][-1] = Fraction(1)
    return Chain(tuple(map(tuple, rows)))


@dataclass(frozen=True, slots=True)
class Expected:
    """Of the groups of one lock.  surrogate: what has the expected update as its gradient, a
    scalar; equal: the probability that all rewards of a group agree."""

    surrogate: Tensor
    equal: float


def expected_group(law: Tensor, group: int, *, shuffled: bool = False) -> Expected:
    """law: masses float64[H] of one lock, differentiable, with the lock's own horizon.

    A rollout's score is weighed with its advantage, and given its reward the others are
    independent of it; so the expected update is the gradient of E a(R), where a(r) is the expected
    advantage at r, held fixed.  If rewards are shuffled within a group, a is 0.
    """
    horizon = len(law)
    chance = law.detach().numpy()
    reward = np.append(horizon - np.arange(horizon, dtype=float), 0.0)
    chance = np.append(chance, max(1 - chance.sum(), 0.0))
    equal = float((chance**group).sum())
    if shuffled:
        return Expected(law.sum() * 0, equal)
    # the trainer divides by the unbiased deviation
    advantage = expected_advantages(reward, chance, group) * np.sqrt((group - 1) / group)
    weights = torch.from_numpy(advantage[:-1] - advantage[-1])
    return Expected(law @ weights, equal)
