"""Policies whose best of n is known by hand, and attains bounds, or nearly."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.sequences import Array

from ...hypergradient.families.points import array
from ..families.choices import Choice

_LITTLE = Fraction(1, 1000)
"""A change of a probability whose square over it does not show in a hundredth."""


def atoms(n: int, count: int = 60) -> tuple[Choice, Array]:
    """Many rewards, equally likely: nearly a law without atoms."""
    rewards = array(range(count))
    return Choice(array([Fraction(1, count)] * count), rewards, n), rewards


def constant() -> tuple[Choice, Array]:
    """One reward: the best of n is the policy."""
    rewards = array([1, 1])
    return Choice(array([Fraction(1, 3), Fraction(2, 3)]), rewards, 3), rewards


def two(n: int, low: Fraction, change: Fraction = _LITTLE) -> tuple[Choice, Array]:
    """Rewards 0 and 1, the lower with probability `low`, and a little more in the other policy."""
    policy = array([low, 1 - low])
    return Choice(policy, array([0, 1]), n), policy + array([change, -change])


def extremal(n: int) -> tuple[Choice, Array]:
    """Where the constant of smoothness is attained, as the change vanishes."""
    return two(n, 1 - Fraction(1, n))


def away() -> tuple[Choice, Array]:
    """The lower reward is nearly certain, and never given by the other policy: KL is large."""
    return two(2, 1 - _LITTLE, _LITTLE - 1)


def not_concave() -> tuple[Choice, Array, int]:
    """Soft best-of-n with weights 1, 4, 16: 64/71 and 201/214, and 34/37 at the mean."""
    policy, other = ([Fraction(one, 50) for one in ones] for ones in ((1, 24, 25), (24, 1, 25)))
    rewards = array([0, Fraction(1, 2), 1])
    return Choice(array(policy), rewards, 2), array(other), 4
