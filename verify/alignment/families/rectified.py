"""Problems with safe and unsafe responses to every prompt, and how their constraint is enforced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.rectified import exact_multiplier

from ...binding.draws import Draw
from ...binding.family import Family
from .problems import problem

MULTIPLIERS = tuple(Fraction(k, 4) for k in (4, 0, 1, 2, 8, 20))
HALF: Any = Fraction(1, 2)
"""More than any rounding of safety."""
STEPS = tuple(Fraction(k, 4) for k in (4, 1, 2, 8))


def mixed(draw: Draw, *, prompts: int = 3, tempting: bool = False) -> Problem:
    """A problem where response 0 is safe and response 1 unsafe, others either.

    tempting: response 1 of prompt 0 is better than all others.
    """
    case = problem(draw, prompts=prompts)
    safety, rewards = case.safety.copy(), case.rewards.copy()
    safety[:, 0] = abs(safety[:, 0])
    safety[:, 1] = -(abs(safety[:, 1]) + HALF)
    if tempting:
        rewards[0, 1] = rewards.max() + draw.choice(STEPS)
    return replace(case, safety=safety, rewards=rewards)


def mixed_problems(**options: bool | int) -> Family:
    """Problems with the options of `mixed`."""

    def one(draw: Draw) -> Problem:
        return mixed(draw, **options)  # type: ignore[arg-type]

    return Family("prompts with safe and unsafe responses", one)


def multiplier(draw: Draw, *_: object) -> Fraction:
    """Of the penalty."""
    return draw.choice(MULTIPLIERS)


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """A problem, a number of steps, the step of the policy, that of the multiplier, and the
    multiplier at the start."""

    problem: Problem
    steps: int
    step: Fraction
    rate: Fraction
    multiplier: Fraction


def descents(rising: bool) -> Family:
    """Runs whose multiplier rises from 0, or stays where it is, above the exact one."""

    def one(draw: Draw) -> Descent:
        case, count, step = mixed(draw), draw.integer(1, 8), draw.choice(STEPS)
        rate = draw.choice(STEPS) if rising else Fraction(0)
        start = 0 if rising else exact_multiplier(case) + draw.choice(STEPS)
        return Descent(case, count, step, rate, Fraction(start))

    return Family("runs of mirror descent", one)
