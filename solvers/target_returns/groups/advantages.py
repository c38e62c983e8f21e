"""Advantages within a group and the clipped objective, as training uses them.

Source: Luo and Zhu 2026 (sub-trajectories, a ratio of whole sequences), in our formalisation.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import ModelError


def group_advantages(returns: Any) -> np.ndarray:
    """(R_i - mean)/std along the last axis, float[..., G]; 0 where all returns of a group agree.

    The standard deviation is that of the group itself, not the unbiased one.

    Raises
    ------
    ModelError: for groups of fewer than two, or a return that is not finite.
    """
    values = np.asarray(returns, float)
    if values.ndim == 0 or values.shape[-1] < 2:
        raise ModelError(
            f"groups of shape {values.shape} have no baseline; take at least 2 episodes"
        )
    if not np.isfinite(values).all():
        bad = tuple(map(int, np.argwhere(~np.isfinite(values))[0]))
        raise ModelError(f"return {bad} of a group is {values[bad]}; every return must be finite")
    centred = values - values.mean(axis=-1, keepdims=True)
    same = np.ptp(values, axis=-1, keepdims=True) == 0
    return np.where(same, 0.0, centred) / np.where(same, 1.0, values.std(axis=-1, keepdims=True))


def clipped(ratio: Fraction, advantage: Fraction, clip: Fraction) -> Fraction:
    """min(rho A, clip(rho, 1 - c, 1 + c) A); raises ModelError unless 0 < c < 1."""
    if not 0 < clip < 1:
        raise ModelError(f"the ratio is clipped at a distance of {clip} from 1; give one in (0, 1)")
    return min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
