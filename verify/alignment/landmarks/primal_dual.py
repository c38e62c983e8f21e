"""Instances on HIPO's algorithm: the exact ones of lock-step, and sharp ones of the dual."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem

from ..families.primal_dual import Opposed
from ..families.stepwise import Known


def two_prompts(level: str = "3/4") -> Opposed:
    """Exchange rates 1/20 and 10: the optimum gives in at the first prompt, 39/40 at level 3/4."""
    scores = ([["1", "0.95"], ["1", "0"]], [["0", "1"], ["1/2", "3/5"]])
    case = Problem.of([["1/2", "1/2"]] * 2, *scores)
    return Opposed(case, Fraction(level))


def balanced(multiplier: str = "1/1000", temperature: str = "1/4") -> Known:
    """Scores of the system 0 and 1, even odds: the variance is 1/4."""
    case = Problem.of(["1/2", "1/2"], [0, 0], [0, 1], temperature=Fraction(temperature))
    return Known(case, Fraction(multiplier), Fraction(0))
