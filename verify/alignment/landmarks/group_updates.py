"""Groups that are known by hand."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.sequences import Array

from ...hypergradient.families.points import array


def three_rewards() -> tuple[Array, Array]:
    """Even responses of rewards 0, 1, 5: the gradient is (-2, -1, 3)/3, signs give (-1, 0, 1)."""
    return array([Fraction(1, 3)] * 3), array([0, 1, 5])
