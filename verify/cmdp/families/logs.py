"""Families of observed values under projected dual ascent, as a training log would hold them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class DualLog:
    """observed: j_0, ..., j_{K-1}; the rest are the update's parameters (cap None: no cap)."""

    observed: tuple[Fraction, ...]
    target: Fraction
    step: Fraction
    first: Fraction
    memory: Fraction
    first_average: Fraction
    cap: Fraction | None = None


def logs(*, averaged: bool = False, unclipped: bool = False, capped: bool = False) -> Family:
    """Logs of up to eight steps.

    averaged: a moving average enters the update; unclipped: the multiplier starts so high that it
    never reaches zero; capped: the multiplier is cut off from above, early.
    """

    def base(draw: Draw) -> DualLog:
        observed = tuple(Fraction(draw.integer(-8, 8), 4) for _ in range(draw.integer(1, 8)))
        first = Fraction(draw.integer(0, 8), 4)
        return DualLog(
            observed,
            target=Fraction(draw.integer(-4, 4), 4),
            step=Fraction(draw.integer(1, 8), 4),
            first=first + 100 if unclipped else first,
            memory=Fraction(draw.integer(0, 9), 10) if averaged else Fraction(0),
            first_average=Fraction(draw.integer(-8, 8), 4) if averaged else Fraction(0),
            cap=first + Fraction(1, 4) if capped else None,
        )

    name = "logs of dual ascent" + (" with a moving average" if averaged else "")
    return Family(name + (" that stay positive" if unclipped else ""), base)
