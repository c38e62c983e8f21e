"""Tuned policies of two tokens, where a wrong bias shows."""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers.alignment.debiasing import decompose
from holdfast.solvers.sequences import Array

from ...hypergradient.families.points import array
from ..families.debiasing import Tuned

HALF = Fraction(1, 2)


def refusing(little: int = 1) -> Tuned:
    """Even odds; token 1 is preferred by 2 in one context, by -1 in the other one."""
    even = array([[HALF, HALF]] * 2)
    return Tuned(array([HALF, HALF]), even, array([[0, 2 * little], [0, -1]]))


def skewed() -> Tuned:
    """The reference differs between contexts, so that it matters that it is subtracted."""
    law = array([[HALF, HALF], [Fraction(1, 10), Fraction(9, 10)]])
    return Tuned(array([HALF, HALF]), law, array([[0, 2], [0, 2]]))


def small() -> tuple[Tuned, Array]:
    """An error of 1/100 between two even tokens: both bounds are attained, nearly."""
    even = array([[HALF, HALF]])
    return Tuned(array([1]), even, even * 0), array([0, Fraction(1, 100)])


def first_token() -> tuple[tuple[Array, Array, Array, Array, Array]]:
    """Two even tokens, the first with a bias of 1/10, and a score of 100 for it: KL and what it
    bounds are attained, nearly."""
    even, none = array([[HALF, HALF]]), array([0, 0])
    second = array([[HALF, HALF]] * 2)
    return ((even, second, array([0, Fraction(1, 10)]), none, array([[0, 0], [100, 100]])),)


def fitted() -> tuple[Tuned, Array, Array]:
    """Two contexts, with what fits them best."""
    case = refusing()
    contexts, tokens, _ = decompose(case.weights, case.added)
    return case, tokens, contexts
