"""Constrained problems whose optimal multiplier is known: the level is what its policy reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import mean, objective, ready, tilt
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import laws, numbers
from .problems import problem

MULTIPLIERS = tuple(map(Fraction, ("2", "1/2", "3", "1", "0", "1/10")))


@dataclass(frozen=True)
class Known:
    """A problem, its optimal multiplier, and how far the level is below what that one's policy
    reaches: a positive slack where the multiplier is 0, and 0 elsewhere."""

    problem: Problem
    multiplier: Fraction
    slack: Fraction

    def tilted(self, multiplier: Any) -> Array:
        """The policy of a multiplier, in balls."""
        case = self.problem
        f = ready(case.rewards) + ready(multiplier) * ready(case.safety)
        return tilt(case.reference, f, case.temperature)

    def safety(self, policy: Array) -> flint.arb:
        """G of a policy."""
        return mean(ready(self.problem.prompt_law), ready(policy), ready(self.problem.safety))

    def level(self) -> flint.arb:
        """b, at the working precision."""
        return self.safety(self.tilted(self.multiplier)) - ready(self.slack)

    def value(self, policy: Array) -> flint.arb:
        """R of a policy."""
        case = self.problem
        return objective(case.prompt_law, policy, case.reference, case.rewards, case.temperature)


def telling(case: Problem) -> Problem:
    """The problem, with a safety that is not constant for the first prompt."""
    if all(one == case.safety[0, 0] for one in case.safety[0]):
        safety = case.safety.copy()
        safety[0, 0] += 1
        return replace(case, safety=safety)
    return case


def _known(draw: Draw) -> Known:
    """Colder problems have levels that 64 bits cannot tell from the largest possible mean."""
    case, multiplier = telling(problem(draw)), draw.choice(MULTIPLIERS)
    case = replace(case, temperature=max(case.temperature, Fraction(1, 2)))
    return Known(case, multiplier, Fraction(0) if multiplier else Fraction(draw.integer(1, 4), 4))


Policies = Callable[[Known], Array]


def some_policy(draw: Draw, case: Known) -> Policies:
    """The optimum itself, one near it, or any: a function of the case, for balls."""
    kind, law = draw.integer(0, 2), laws(draw, *case.problem.reference.shape)
    if kind == 0:
        return lambda known: known.tilted(known.multiplier)
    if kind == 1:
        return lambda known: (9 * known.tilted(known.multiplier) + ready(law)) / 10
    return lambda known: ready(law)


def slater_policy(draw: Draw, case: Known) -> Policies:
    """A policy that is safer than the level: that of a larger multiplier, near or far, or the
    safest one of all."""
    factor = draw.choice(tuple(map(Fraction, ("1/20", "1/2", "5", "100"))))
    if factor < 100:
        return lambda known: known.tilted(known.multiplier + factor)
    safety = case.problem.safety
    best = safety * 0
    for x, row in enumerate(safety):
        best[x, row.argmax()] = Fraction(1)
    return lambda known: ready(best)


def other_multiplier(draw: Draw, case: Known, *_: object) -> Fraction:
    """Any other multiplier, often near; never negative."""
    step = draw.choice(tuple(map(Fraction, ("1/20", "1", "1/2", "3", "-1/20"))))
    return max(case.multiplier + step, Fraction(0))


def response(draw: Draw, case: Known, *_: object) -> tuple[int, int]:
    """A prompt and a response."""
    X, Y = case.problem.reference.shape
    return draw.integer(0, X - 1), draw.integer(0, Y - 1)


KNOWN = Family("constrained problems of a known multiplier", _known)


@dataclass(frozen=True)
class Several:
    """A problem with n constraints: safeties [n, X, Y] and the optimal multipliers [n]."""

    problem: Problem
    safeties: Array
    multipliers: tuple[Fraction, ...]

    def tilted(self, factor: Any = 1) -> Array:
        """The policy of the multipliers times a factor, in balls."""
        weights = ready(self.safeties * 0 + 1)
        for i, one in enumerate(self.multipliers):
            weights[i] *= ready(one) * factor
        f = ready(self.problem.rewards) + (weights * ready(self.safeties)).sum(axis=0)
        return tilt(self.problem.reference, f, self.problem.temperature)


def _several(draw: Draw) -> Several:
    case, n = problem(draw, prompts=2, most=3), draw.integer(2, 3)
    safeties = numbers(draw, n, *case.reference.shape)
    return Several(case, safeties, tuple(draw.choice(MULTIPLIERS) for _ in range(n)))


def _allied(draw: Draw) -> Several:
    """Safeties that are ordered alike, and not constant: a larger multiplier raises them all."""
    case = _several(draw)
    safeties, tenths = np.sort(case.safeties, axis=2), np.arange(case.safeties.shape[2])
    return replace(case, safeties=safeties + tenths * Fraction(1, 10))


SEVERAL = Family("problems with several constraints of known multipliers", _several)
ALLIED = Family("the same with safeties that are ordered alike", _allied)
