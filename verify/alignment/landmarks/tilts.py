"""Problems of one prompt and two responses on which bounds on tilts are attained, or nearly."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.sequences import Array

from ...hypergradient.families.points import array

_SELDOM = Fraction(1, 1000)
"""A probability, or a difference of rewards, whose square does not show in a thousandth."""


def one_prompt(reference: object, rewards: object, temperature: object = 1) -> Problem:
    """A problem of one prompt."""
    return Problem.of(reference, rewards, temperature=temperature)


def level() -> tuple[Problem, Array]:
    """f is 2 and f' is 1 everywhere: so are their values."""
    return one_prompt(["1/2", "1/2"], [2, 2]), array([[1, 1]])


def no_rise() -> tuple[Problem, Array]:
    """f and f' are 2 everywhere: no rise."""
    return one_prompt(["1/2", "1/2"], [2, 2]), array([[2, 2]])


def deep() -> tuple[Problem, Array]:
    """f is -1 and f' is -2 everywhere."""
    return one_prompt(["1/2", "1/2"], [-1, -1]), array([[-2, -2]])


def below() -> tuple[Problem, Array]:
    """f is 1 below f' everywhere."""
    return one_prompt(["1/2", "1/2"], [0, 0]), array([[1, 1]])


def slight() -> tuple[Problem, Array]:
    """Fair, with rewards apart by a thousandth: the divergence is 1/8 of its square, nearly."""
    return one_prompt(["1/2", "1/2"], [_SELDOM, 0], "1/2"), array([[0, 0]])


def seldom() -> tuple[Problem, Array]:
    """The response whose reward differs is rare, so that Z hardly moves."""
    return one_prompt([_SELDOM, 1 - _SELDOM], [1, 0], 2), array([[0, 0]])


def cold() -> tuple[Problem]:
    """At temperature 1/10 a gap of 1 is e^10."""
    return (one_prompt(["1/3", "2/3"], [1, 0], "1/10"),)


def hot() -> tuple[Problem]:
    """At temperature 1000 the value is that of the reference, but for a thousandth."""
    return (one_prompt(["1/2", "1/2"], [1, 0], 1000),)


def alike() -> tuple[Problem]:
    """All responses are best."""
    return (one_prompt(["1/2", "1/2"], [1, 1]),)


def negative() -> tuple[Problem]:
    """Rewards of -1 and -3: signs of values matter."""
    return (one_prompt(["1/2", "1/2"], [-1, -3], "1/5"),)
