"""Advantages within a group and the clipped objective, as training uses them.

Source: Luo and Zhu 2026 (sub-trajectories, a ratio of whole sequences), in our formalisation.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import ModelError

_LEAST = 1e-8  # the constant of the source


def group_advantages(returns: Any) -> np.ndarray:
    """(R_i - mean)/(std + 1e-8) along the last axis, float[..., G]; 0 where all returns agree.

    The standard deviation is that of the group itself, not the unbiased one.
    The constant keeps differences of the size of rounding from having the advantage of any other.
    Computed in units of a power of two near the largest return: no square overflows or vanishes.

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
    exponent = np.frexp(np.abs(values).max(axis=-1, keepdims=True))[1]
    unit = np.ldexp(1.0, exponent - 1)
    moved = values / unit - values[..., :1] / unit  # exact for close ones, 0 for equal ones
    centred = moved - moved.mean(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # the constant is beyond all numbers beside tiny returns
        return centred / (centred.std(axis=-1, keepdims=True) + _LEAST / unit)


def clipped(ratio: Fraction, advantage: Fraction, clip: Fraction) -> Fraction:
    """min(rho A, clip(rho, 1 - c, 1 + c) A); raises ModelError unless 0 < c < 1."""
    if not 0 < clip < 1:
        raise ModelError(f"the ratio is clipped at a distance of {clip} from 1; give one in (0, 1)")
    return min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
