"""Goals at which constants of descent are attained, or nearly, and false variants fail."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from holdfast.solvers.alignment.inference_aware import Goal
from holdfast.solvers.sequences import Array

from ...hypergradient.families.points import array
from ..families.choices import Choice
from ..families.goals import Noisy
from . import best_of_n

_TINY = Fraction(1, 10**12)
"""A probability so small that a law without it is far, in KL."""


def _two(low: Fraction, n: int, temperature: Fraction, spread: Fraction = Fraction(1)) -> Goal:
    """Rewards 0 and `spread`, the lower with probability `low`."""
    rewards = np.array([array([0, spread])])
    return Goal(array([low, 1 - low]), rewards, [n], array([1]), temperature)


def extremal(n: int) -> tuple[Goal, Array, Array]:
    """Best-of-n where its constant is attained, and a change that nearly vanishes."""
    case, other = best_of_n.extremal(n)
    return _two(1 - Fraction(1, n), n, Fraction(1)), case.policy, other


def lowered(direction: int) -> tuple[Goal, Array, Array]:
    """The same with rewards below 0, and the change in either direction."""
    goal, policy, other = extremal(2)
    below = Goal(goal.reference, goal.rewards - 3, goal.counts, goal.weights, goal.temperature)
    return below, policy, policy + direction * (other - policy)


def away() -> tuple[Goal, Array, Array]:
    """The lower reward is nearly certain, and nearly never given by the other policy."""
    case, _ = best_of_n.away()
    return _two(case.policy[0], 2, Fraction(1)), case.policy, case.policy[::-1]


def bent(spread: Fraction = Fraction(1)) -> tuple[Goal, Array, Array]:
    """A smooth minimum of two opposed linear rewards, of sharpness 6, and a small change."""
    half, change = array([Fraction(1, 2)] * 2), array([Fraction(1, 1000), Fraction(-1, 1000)])
    rewards = np.array([array([0, 1]), array([1, 0])]) * spread
    return Goal(half, rewards, [1, 1], half, Fraction(1), Fraction(6)), half, half + change


def alone(weight: Fraction) -> tuple[Goal, Array, Array]:
    """One goal: its smooth minimum is known."""
    goal, policy, other = bent()
    one = replace(goal, rewards=goal.rewards[:1], counts=[1], weights=array([weight]))
    return one, policy, other


def equal(level: int = 1) -> tuple[Goal, Array, Array]:
    """Two goals that are the same, with rewards about a level, and policies that differ."""
    goal, policy, _ = bent()
    rewards = np.array([array([0, 1])] * 2) + 4 * level
    return replace(goal, rewards=rewards), policy, array([Fraction(1, 4), Fraction(3, 4)])


def opposed() -> tuple[Goal, Array, Array]:
    """A third of the mass wants a lower reward than mirror descent by plain rewards gives."""
    start = array([Fraction(1, 2)] * 2)
    return _two(start[0], 3, Fraction(1, 5)), start, array([Fraction(2, 5), Fraction(3, 5)])


def extremal_start() -> tuple[Goal, Array, Array]:
    """The first step is long where the constant is attained."""
    low = Fraction(3, 4)
    start = array([low, 1 - low])
    return _two(low, 4, Fraction(1, 5)), start, array([Fraction(1, 3), Fraction(2, 3)])


def hot() -> tuple[Goal, Array, Array]:
    """A temperature of 20, far from the start: a step leaves little, and the bound is near."""
    start = array([Fraction(1, 100), Fraction(99, 100)])
    low = Fraction(1, 2)
    return _two(low, 2, Fraction(20)), start, array([low, low])


def far_start() -> tuple[Goal, Array, Array]:
    """Of the start 1/10^12 is the reference, with weak rewards: KL is large."""
    goal, _, target = hot()
    return goal, array([_TINY, 1 - _TINY]), target


def rarely() -> tuple[Goal, Array, Array]:
    """A step to nearly nothing of what the reference nearly always gives: its loss is all of the
    bound, nearly, as the start is far in KL and the step about as far in the other direction."""
    rare, start = Fraction(1, 10**280), Fraction(1, 10**75)
    goal = _two(rare, 2, Fraction(1, 8))
    return goal, array([1 - start, start]), goal.reference


def rarely_exact() -> tuple[Noisy]:
    """That step, with no errors."""
    goal, start, _ = rarely()
    nothing = array([0, 0])[None]
    return (Noisy(goal, start, nothing, nothing),)


def noiseless() -> tuple[Noisy]:
    """One exact step at a temperature of 20, from far away."""
    goal, start, _ = far_start()
    nothing = array([0, 0])[None]
    return (Noisy(goal, start, nothing, nothing),)


def noise(error: Fraction, residual: Fraction) -> tuple[Noisy]:
    """Three steps from about the best policy, at a temperature of 20; half-spans of the noise."""
    goal, _, start = hot()
    unit = np.array([array([1, -1])] * 3)
    return (Noisy(goal, start, unit * error, unit * residual),)


def cold() -> tuple[Noisy]:
    """Noise of half-span 1/40 at a temperature of 1/20, with rewards that hardly differ."""
    half, unit = Fraction(1, 2), np.array([array([1, -1])] * 3)
    goal = _two(half, 2, Fraction(1, 20), Fraction(1, 100))
    return (Noisy(goal, array([half, half]), unit / 40, unit * 0),)


def coin(n: int = 2, M: int = 1, spread: Fraction = Fraction(1)) -> tuple[Choice, int]:
    """Two equally likely responses: the bound on a group's error is attained for n = 2."""
    return Choice(array([Fraction(1, 2)] * 2), array([0, spread]), n), M
