"""Where standardised updates rest, and levels that a prompt must mix for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.sequences import Array

from ..families.primal_dual import array
from ..families.standardised import Rest


def tenth() -> Rest:
    """The user's scores of the second prompt are a tenth of those of the first."""
    return Rest(
        array("1/3", "1/3", "1/3"), array("1", "0", "1/2"), array("0", "1", "1"), Fraction(1, 10),
        Fraction(2), Fraction(1, 2),
    )  # fmt: skip


def between() -> tuple[Problem, Array]:
    """The level lies between the system scores of the responses: both are given."""
    return Problem.of(["1/2", "1/2"], [1, 0], [0, 1]), array("1/2")


def apart() -> tuple[Problem, Array]:
    """A prompt where safety costs 1 and one where it costs 1/20, each to be met by half."""
    case = Problem.of(np.full((2, 2), Fraction(1, 2)), [["1", "0"], ["1", "0.95"]], [[0, 1]] * 2)
    return case, array("1/2", "1/2")
