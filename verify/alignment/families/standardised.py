"""Where standardised updates rest, made backwards: the policy is chosen, the reference follows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from holdfast.solvers.alignment.multipliers import crossing
from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.alignment.tilts import divergence, log_partition, ready, tilt
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import laws
from .primal_dual import SCORED, TEMPERATURES, array

EVEN = array("1/2", "1/2")


@dataclass(frozen=True)
class Rest:
    """Two prompts of one policy [3] and system scores [3]; the user's scores [3] of the second are
    `share` of those of the first, so its deviation is as well.  multiplier, temperature: of the
    update."""

    policy: Array
    user: Array
    system: Array
    share: Fraction
    multiplier: Fraction
    temperature: Fraction

    def rewards(self) -> Array:
        """The user's scores, [2, 3]."""
        return np.array([self.user, self.share * self.user])

    def reference(self) -> Array:
        """Of both prompts, [3]: the policy, tilted back."""
        user, system = deviation(self.policy, self.user), deviation(self.policy, self.system)
        f = ready(self.user) / user + ready(self.multiplier) * ready(self.system) / system
        return tilt(ready(self.policy), -f, self.temperature)

    def own(self) -> tuple[flint.arb, flint.arb]:
        """Multiplier and temperature of which the second prompt's policy is the tilt, from its
        log-ratios to the reference alone."""
        logs = np.log(ready(self.policy)) - np.log(self.reference())
        (a, b), (u, v), (s, t) = (
            ready(one)[1:] - ready(one)[0] for one in (logs, self.rewards()[1], self.system)
        )
        one_over = (a * t - b * s) / (u * t - v * s)
        return (u * b - v * a) / (a * t - b * s), 1 / one_over

    def lost(self) -> flint.arb:
        """The least dual value at the first prompt's temperature for the system score that the
        point has, less its own value."""
        heat = ready(self.temperature) * deviation(self.policy, self.user)
        both, rewards = np.array([self.reference()] * 2), ready(self.rewards())
        system = np.array([self.system] * 2)
        level = (ready(self.policy) * ready(self.system)).sum()
        base, direction = tilt(both, rewards, heat), ready(system) / heat
        at = crossing(EVEN, base, direction, system, level)
        logs = log_partition(both, rewards + at * ready(system), heat)
        best = heat * (ready(EVEN) * logs).sum() - at * level
        policies = np.array([ready(self.policy)] * 2)
        gain = (ready(EVEN)[:, None] * policies * rewards).sum()
        return best - gain + heat * divergence(ready(EVEN), policies, both)


def deviation(policy: Array, scores: Array) -> flint.arb:
    """The standard deviation of scores [Y] under a policy."""
    off = scores - (policy * scores).sum()
    return ready((policy * off * off).sum()).sqrt()


def _rest(draw: Draw) -> Rest:
    """Scores (1, 0, h) and (0, 1, k) with h + k not 1, so that log-ratios tell the rates."""
    h = Fraction(draw.integer(0, 20), 20)
    k = Fraction(draw.integer(0, 20), 20)
    k += Fraction(h + k == 1, 20) if k < 1 else -Fraction(h + k == 1, 20)
    return Rest(
        laws(draw, 1, 3, least=1)[0],
        np.array([Fraction(1), Fraction(0), h], dtype=object),
        np.array([Fraction(0), Fraction(1), k], dtype=object),
        draw.choice((Fraction(1, 2), Fraction(1, 10), Fraction(1, 20))),
        draw.choice((Fraction(1), Fraction(1, 2), Fraction(2))),
        draw.choice(TEMPERATURES),
    )


RESTS = Family("policies at which standardised updates rest", _rest)


def _levels(draw: Draw, case: Problem) -> Any:
    """A level for each prompt, up to its largest system score."""
    return np.array([Fraction(draw.integer(0, 8), 8) * max(row) for row in case.safety])


EACH = SCORED.along(_levels)
