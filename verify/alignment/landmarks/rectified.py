"""Problems of two responses, one safe, on which bounds on rectified costs are tight."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem

from ..families.rectified import Descent

HALF = Fraction(1, 2)


def tempting(gain: Fraction = HALF, other: int = -1) -> Problem:
    """Prompt 0: R = 0 safe, or `gain` at cost 1/2; prompt 1: R = 0, costs -1 and `other`."""
    return Problem.of(
        [[HALF, HALF]] * 2, [[0, gain], [0, 0]], [[0, -HALF], [1, -other]], temperature=1
    )


def steep() -> tuple[Problem]:
    """Two unsafe responses, for which 2 and 1/2 is the multiplier that makes them no better."""
    return (Problem.of([[HALF, HALF / 2, HALF / 2]], [[0, 2, 1]], [[0, -1, -2]]),)


def just_above() -> tuple[Descent]:
    """The exact multiplier is 1, the one used a hundredth more: nearly nothing moves."""
    return (Descent(tempting(), 10, Fraction(10), Fraction(0), Fraction(101, 100)),)


def compensated() -> tuple[Descent]:
    """The safe prompt pays, so a multiplier that rises by E C stays 0."""
    return (Descent(tempting(Fraction(1)), 40, Fraction(1), Fraction(1), Fraction(0)),)


def slow() -> tuple[Descent]:
    """The multiplier hardly rises in many steps."""
    return (Descent(tempting(Fraction(1)), 12, Fraction(4), Fraction(1, 4), Fraction(0)),)
