"""Values of conditioned policies by backward induction, and their derivatives by dual numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from holdfast.solvers.target_returns.groups.process import Policy, Process


@dataclass(frozen=True, slots=True)
class Dual:
    """value + slope d with d^2 = 0."""

    value: Fraction
    slope: Fraction

    def __add__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Dual:
        other = _dual(other)
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        other = _dual(other)
        slope = self.slope * other.value - self.value * other.slope
        return Dual(self.value / other.value, slope / other.value**2)

    def root(self, degree: int) -> Dual:
        """The root of a number of value 1: y^degree = self gives degree y' = slope."""
        if self.value != 1:
            raise ValueError(f"only the roots of 1 are rational here, not those of {self.value}")
        return Dual(Fraction(1), self.slope / degree)


def _dual(number: Any) -> Dual:
    return number if isinstance(number, Dual) else Dual(Fraction(number), Fraction(0))


def moved(policy: Policy, along: Policy) -> Policy:
    """The policy whose log-odds move in a direction: odds u become u + u v d."""

    def rows(odds: Iterable[Any], slopes: Iterable[Any]) -> tuple[tuple[Dual, ...], ...]:
        return tuple(
            tuple(Dual(Fraction(u), Fraction(u * v)) for u, v in zip(row, by, strict=True))
            for row, by in zip(odds, slopes, strict=True)
        )

    return Policy(rows(policy.by_state, along.by_state), rows(policy.by_target, along.by_target))


def value(process: Process, policy: Policy, state: int, target: int, steps: int) -> Any:
    """The expected return of the last `steps` actions; a Dual if the policy's odds are."""
    if steps == 0:
        return Fraction(0)
    expected: Any = Fraction(0)
    law = policy.probabilities(state, target)
    for probability, outcomes in zip(law, process.outcomes[state], strict=True):
        for chance, reward, to in outcomes:
            rest = value(process, policy, to, target - reward, steps - 1)
            expected += probability * (chance * (reward + rest))
    return expected


def gradient(process: Process, policy: Policy, along: Policy, start: int, target: int) -> Fraction:
    """The derivative of the expected return along a direction of the log-odds."""
    found = value(process, moved(policy, along), start, target, process.horizon)
    assert isinstance(found, Dual)
    return found.slope
