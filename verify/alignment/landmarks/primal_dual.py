"""Instances on HIPO's algorithm: sharp ones of the dual."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem

from ..families.stepwise import Known


def balanced(multiplier: str = "1/1000", temperature: str = "1/4") -> Known:
    """Scores of the system 0 and 1, even odds: the variance is 1/4."""
    case = Problem.of(["1/2", "1/2"], [0, 0], [0, 1], temperature=Fraction(temperature))
    return Known(case, Fraction(multiplier), Fraction(0))
