"""Estimates that lose as much as their widths allow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from holdfast.solvers.alignment.problems import Problem

from ..families.estimated import Estimated
from ..families.stepwise import Known

_EIGHTH = Fraction(1, 8)


def _of(
    rewards: list[int], safety: list[int], errors: tuple[list[int], list[int]], heat: str = "1",
    multipliers: tuple[str, str] = ("0", "0"), alpha: int = 1,
) -> Estimated:  # fmt: skip
    """Errors in eighths, widths as large as they are."""
    case = Problem.of(["1/2", "1/2"], rewards, safety, temperature=Fraction(heat))
    known = Known(case, Fraction(multipliers[0]), Fraction(multipliers[0] == "0"))
    found = [np.array([[_EIGHTH * one for one in row]], dtype=object) for row in errors]
    widths = [np.array([[abs(one) / alpha for one in row[0]]], dtype=object) for row in found]
    data = (found[0], found[1], widths[0], widths[1])
    return Estimated(known, *data, Fraction(alpha), Fraction(multipliers[1]))


def under(alpha: int = 1, multipliers: tuple[str, str] = ("2", "2")) -> Estimated:
    """All is estimated too low by the same, so that policies agree and normalisers do not."""
    return _of([1, 0], [0, 2], ([-4, -4], [-4, -4]), "1", multipliers, alpha)


def over(alpha: int = 1, eighths: int = 4) -> Estimated:
    """Safety is estimated too high by the same, without any multiplier."""
    return _of([1, 0], [0, 1], ([0, 0], [eighths, eighths]), alpha=alpha)


def swapped(alpha: int = 1) -> Estimated:
    """The better response is estimated to be the worse one, and the policy is cold."""
    return _of([10, 2], [0, 0], ([-33, 33], [0, 0]), "1/50", alpha=alpha)


def swapped_safety(alpha: int = 1, sign: int = 1) -> Estimated:
    """The same with errors of safety and a multiplier, in a problem of reward and safety."""
    errors = ([0, 0], [-33 * sign, 33 * sign])
    return _of([0, 0], [8 * sign, 0], errors, "1/50", ("1", "1"), alpha)


def only_multiplier(estimated: str) -> Estimated:
    """Reward and safety are known, the multiplier, which is 2, is not."""
    return _of([1, 0], [0, 1], ([0, 0], [0, 0]), multipliers=("2", estimated))


def exact() -> Estimated:
    """Nothing is wrong, and rewards are negative."""
    return _of([-2, -3], [0, 1], ([0, 0], [0, 0]))
