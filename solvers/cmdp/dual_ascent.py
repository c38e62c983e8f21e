"""The multiplier's path under projected dual ascent, in exact arithmetic.

``lambda_{k+1} = clip(lambda_k - eta (e_k - tau), 0, cap)`` with e_k the observed value j_k, or its
moving average ``e_k = rho e_{k-1} + (1 - rho) j_k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class DualPath:
    """multipliers: K + 1 values from the first; averages: e_{-1}, e_0, ..., e_{K-1};
    clipped, capped: whether the path was ever cut off at zero, or at the cap."""

    multipliers: tuple[Fraction, ...]
    averages: tuple[Fraction, ...]
    clipped: bool
    capped: bool


def ascend(
    observed: Sequence[Fraction],
    *,
    target: Fraction,
    step: Fraction,
    first: Fraction,
    cap: Fraction | None = None,
    memory: Fraction = Fraction(0),
    first_average: Fraction = Fraction(0),
) -> DualPath:
    """Run the update over the observed values; memory is rho, 0 for no averaging.

    Raises ValueError for a step that is not positive, a negative start or a memory outside [0, 1).
    """
    if step <= 0 or first < 0 or not 0 <= memory < 1:
        raise ValueError(
            f"step {step} must be positive, first multiplier {first} non-negative and memory "
            f"{memory} in [0, 1)"
        )
    multipliers, averages = [first], [first_average]
    clipped = capped = False
    for value in observed:
        averages.append(memory * averages[-1] + (1 - memory) * value)
        moved = multipliers[-1] - step * (averages[-1] - target)
        clipped |= moved < 0
        capped |= cap is not None and moved > cap
        moved = max(moved, Fraction(0))
        multipliers.append(moved if cap is None else min(moved, cap))
    return DualPath(tuple(multipliers), tuple(averages), clipped, capped)
