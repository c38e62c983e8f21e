"""Problems on which near misses of the statements on stages show."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem

from ..families.stepwise import Known, Several


def two_responses(multiplier: str = "2", temperature: str = "1") -> Known:
    """One prompt, two responses, the worse one safe; both stages matter."""
    case = Problem.of(["1/2", "1/2"], [1, 0], [0, 1], temperature=Fraction(temperature))
    return Known(case, Fraction(multiplier), Fraction(0))


def coarse() -> Known:
    """Safety in small units: a small multiplier, slacks above 1."""
    case = Problem.of(["1/2", "1/2"], [1, 0], [0, 40])
    return Known(case, Fraction(1, 20), Fraction(0))


def one_idle() -> Several:
    """Two constraints, of which the second has multiplier 0."""
    case = Problem.of(["1/2", "1/2"], [1, 0])
    safeties = case.rewards[None] * 0 + [[[0, 1]], [[1, 0]]]
    return Several(case, safeties, (Fraction(2), Fraction(0)))
