"""What an attack does to a learnt reward: gaps between the preferences of two rewards, in floats.

A reward r prefers the first answer of pair i with probability sigma(r.phi_i).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ModelError
from ...sequences import Array


@dataclass(frozen=True, slots=True)
class RewardChange:
    """How two rewards differ on pairs.

    mean_gap: of the absolute differences of the probabilities; agreement: share of pairs on which
    both prefer the same answer (neither counts as one preference).
    """

    mean_gap: float
    agreement: float


def preferences(features: Array, reward: Array) -> Array:
    """sigma(r.phi_i) (N); features (n, N), reward (n)."""
    from scipy.special import expit

    if reward.shape != features.shape[:1]:
        raise ModelError(
            f"the reward has shape {reward.shape} for {len(features)} features; give one entry each"
        )
    return np.asarray(expit(reward @ features))


def reward_change(features: Array, reward: Array, other: Array) -> RewardChange:
    """How `other` differs from `reward` on the pairs with these features (n, N)."""
    before, after = preferences(features, reward), preferences(features, other)
    return RewardChange(
        float(np.abs(before - after).mean()),
        float(np.mean(np.sign(before - 0.5) == np.sign(after - 0.5))),
    )


def performance_loss_ratio(features: Array, clean: Array, attacked: Array, cheaper: Array) -> float:
    """sum abs(sigma_cheaper - sigma_attacked) / sum abs(sigma_clean - sigma_attacked).

    0 if the cheaper attack teaches what the first one does, 1 if it misses it by as much as no
    attack at all.  NaN if the first attack changes nothing.  Features (n, N), rewards (n).
    """
    goal = preferences(features, attacked)
    missed = float(np.abs(preferences(features, cheaper) - goal).sum())
    whole = float(np.abs(preferences(features, clean) - goal).sum())
    return missed / whole if whole else float("nan")
