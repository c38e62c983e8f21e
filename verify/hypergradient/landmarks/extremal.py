"""Problems on which bounds are attained, each with one state in which the episode stays for ever.

Two actions are equally likely, so that a mean absolute deviation is half a range, and a covariance
of proportional numbers a quarter of the product of their ranges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from holdfast.solvers.hypergradient.balls import Array, Point

from ..families.points import Misjudged, array

HALF = Fraction(1, 2)


def coin(
    follower: tuple[int, int] = (0, 1), *, patience: Fraction = HALF, leader: Fraction = HALF
) -> Point:
    """r_L is 0 or 1 and dr_F as given for the two actions; patience and leader: both discounts."""
    return Point(
        policy=array([[HALF, HALF]]),
        values=array([0]),
        transitions=array([[[1], [1]]]),
        leader_rewards=array([[0, 1]]),
        initial=array([1]),
        follower_slope=array([follower]),
        transition_slope=array([[[0], [0]]]),
        leader_slope=array([[0, 0]]),
        initial_slope=array([0]),
        temperature=HALF,
        follower_discount=patience,
        leader_discount=leader,
    )


PATIENT = Fraction(19, 20)
"""A discount at which 1 - gamma changes sign if gamma is a tenth larger."""


def fair() -> tuple[Point]:
    """Both ranges are 1, the covariance is 1/4 at each of 1/(1 - 1/2) visits."""
    return (coin(),)


def patient_leader() -> tuple[Point]:
    """The same with 20 visits."""
    return (coin(leader=PATIENT),)


def constant() -> tuple[Point]:
    """The follower's reward moves by 1 everywhere: dQ_F is 1/(1 - 1/2)."""
    return (coin((1, 1)),)


def patient() -> tuple[Point]:
    """The same with 1/(1 - 19/20)."""
    return (coin((1, 1), patience=PATIENT),)


def opposed(error: Fraction, temperature: Fraction = Fraction(1)) -> tuple[Misjudged]:
    """Two actions whose values differ by `error`, judged the other way round: with t =
    e^(error/temperature), the probabilities 1/(1 + t) and t/(1 + t) are swapped."""
    values, errors = array([[0, error]]), array([[error, -error]])
    return (Misjudged(values, errors, array([[HALF, HALF]]), temperature),)


def rare(temperature: Fraction) -> tuple[Point, Array]:
    """Without any future: an action of probability 10^-3, or twice that, which doubles the
    covariance but for a thousandth."""
    seldom = Fraction(1, 1000)
    case = replace(
        coin(patience=HALF * 0, leader=HALF * 0),
        policy=array([[1 - seldom, seldom]]),
        temperature=temperature,
    )
    return case, array([[1 - 2 * seldom, 2 * seldom]])


Carried = tuple[Point, Array, Fraction, int]


def carried() -> dict[str, Callable[[], Carried]]:
    """Errors of 1 for both actions, which a backup multiplies by the discount, and rewards that
    fall by the step: all of it adds up.  For a discount, a step and a number of backups."""

    def case(patience: Fraction, step: int, backups: int, error: int = 1) -> Carried:
        errors = array([[error, error]])
        return coin((-1, -1), patience=patience), errors, Fraction(step), backups

    return {
        "both": lambda: case(HALF, 1, 2),
        "error": lambda: case(HALF, 0, 1),
        "at_once": lambda: case(HALF, 1, 0),
        "step": lambda: case(HALF, 3, 1, 0),
        "patient": lambda: case(PATIENT, 1, 3),
        "far": lambda: case(HALF, 3, 1, 40),
    }
