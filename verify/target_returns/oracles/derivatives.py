"""Values of conditioned policies by backward induction, and their derivatives by dual numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from holdfast.solvers.target_returns.groups.process import Conditioned, Past, Process

from ...binding.duals import Dual


def value(
    process: Process, policy: Conditioned, state: int, told: tuple[int, ...], past: Past = ()
) -> Any:
    """The expected return of what is left of an episode; a Dual if the policy's law is."""
    if len(past) == process.horizon:
        return Fraction(0)
    expected: Any = Fraction(0)
    law = policy.law(past, state, told)
    for action, outcomes in enumerate(process.outcomes[state]):
        for chance, reward, to in outcomes:
            then = (*past, (state, action, reward))
            rest = value(process, policy, to, (*told, told[-1] - reward), then)
            expected += law[action] * (chance * (reward + rest))
    return expected


@dataclass(frozen=True, slots=True)
class Moving:
    """A policy whose log-odds move along a direction: p becomes p + p (v - mean of v) d."""

    policy: Conditioned
    along: Conditioned

    def law(self, past: Past, state: int, told: tuple[int, ...]) -> tuple[Dual, ...]:
        """Probabilities as dual numbers."""
        law, slopes = (f(past, state, told) for f in (self.policy.law, self.along.slopes))
        odds = [Dual(p, p * v) for p, v in zip(law, slopes, strict=True)]
        total = sum(odds[1:], odds[0])
        return tuple(one / total for one in odds)

    def slopes(self, past: Past, state: int, told: tuple[int, ...]) -> tuple[Any, ...]:
        """Those of the direction."""
        return self.along.slopes(past, state, told)


def gradient(
    process: Process, policy: Conditioned, along: Conditioned, start: int, target: int
) -> Fraction:
    """The derivative of the expected return along a direction of the log-odds."""
    found = value(process, Moving(policy, along), start, (target,))
    return Fraction(found.slope)
