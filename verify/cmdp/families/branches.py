"""The two-step models in which the right risk depends on where the plan starts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class Branch:
    """Reach a risky state with probability q after one step; see `landmarks.risky_branch`."""

    q: Fraction
    discount: Fraction
    budget: Fraction


def branches() -> Family:
    """Any q in (0, 1], discount in (0, 1), budget in [0, 3/2]."""

    def base(draw: Draw) -> Branch:
        return Branch(
            Fraction(draw.integer(1, 8), 8),
            Fraction(draw.integer(1, 9), 10),
            Fraction(draw.integer(0, 12), 8),
        )

    def witness() -> tuple[Branch]:
        return (Branch(Fraction(1, 2), Fraction(1, 2), Fraction(1, 4)),)

    return Family("branches to a risky state", base, landmarks={"C8": witness})
