"""What best-of-n is to make of a policy, for descent: sums and smooth minima of rewards."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from holdfast.solvers.alignment.inference_aware import Goal
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import array, laws, numbers

TEMPERATURES = tuple(map(Fraction, ("1", "1/5", "1/20", "5", "20")))


def a_goal(draw: Draw, *, most: int = 8, responses: int = 4, smooth: bool = False) -> Goal:
    """One to three rewards with n from 2 to `most`, of which the first is not constant.

    smooth: a smooth minimum, not a sum.
    """
    m, Y = draw.integer(1, 3), draw.integer(2, responses)
    rewards = np.array([numbers(draw, Y) for _ in range(m)])
    rewards[0, 0] = rewards[0].max() + 1
    weights = array([Fraction(draw.integer(1, 3), 2) for _ in range(m)])
    sharpness = draw.choice(
        (Fraction(1), Fraction(6)) if smooth else (None, None, Fraction(1), Fraction(6))
    )
    counts = [draw.integer(2, most) for _ in range(m)]
    temperature = draw.choice(TEMPERATURES)
    reference = laws(draw, 1, Y, least=1)[0]
    return Goal(reference, rewards, counts, weights, temperature, sharpness)


def goals(*, smooth: bool = False) -> Family:
    """Sums and smooth minima of one to three rewards, n up to 8, up to four responses."""
    name = "smooth minima of best-of-n" if smooth else "sums and smooth minima of best-of-n"
    return Family(name, lambda draw: a_goal(draw, smooth=smooth))


def other(draw: Draw, goal: Goal, *_: object) -> Array:
    """A policy of full support."""
    law: Array = laws(draw, 1, len(goal.reference), least=1)[0]
    return law


@dataclass(frozen=True, slots=True)
class Noisy:
    """A goal, a start [Y], and errors and residuals [T, Y] of the slopes and steps.

    Signs are random: those of errors independent, those of residuals the same in reverse order.
    """

    goal: Goal
    start: Array
    errors: Array
    residuals: Array

    def paths(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Signs of errors and of residuals, equally likely."""
        T = len(self.errors)
        return [(signs, signs[::-1]) for signs in product((1, -1), repeat=T)]


def noisy() -> Family:
    """One to three steps, errors of half-spans up to 1."""

    def one(draw: Draw) -> Noisy:
        goal, T = a_goal(draw, most=4, responses=3), draw.integer(1, 3)
        scale = draw.choice(tuple(map(Fraction, ("1/4", "0", "1/40"))))
        size = len(goal.reference)
        noise = [np.array([numbers(draw, size) for _ in range(T)]) * scale for _ in range(2)]
        return Noisy(goal, other(draw, goal), *noise)

    return Family("a goal, and steps with errors", one)
