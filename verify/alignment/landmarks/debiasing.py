"""Tuned policies of two tokens, where a wrong bias shows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

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


def opposite() -> tuple[tuple[Tuned, ...]]:
    """What the first position prefers the second avoids; the third one has a bias as well."""
    case = refusing()
    return ((case, replace(case, added=-case.added), case),)


def certain() -> tuple[Tuned, int, Fraction]:
    """One token, of which nearly all contexts are above the mean, a little."""
    share = Fraction(1, 100)
    one = array([[Fraction(1)]] * 2)
    return Tuned(array([1 - share, share]), one, array([[1], [0]])), 1, share


def disjoint() -> tuple[Tuned, int, Fraction]:
    """Each of three contexts is the one that misleads about one of three tokens."""
    third, even = Fraction(1, 3), np.eye(3, dtype=int)
    case = Tuned(array([third] * 3), array([[third] * 3] * 3), array(even.tolist()))
    return case, 1, 2 * third


def small() -> tuple[Tuned, Array]:
    """A shift of 1/100 between two even tokens: what bounds KL by it is attained, nearly."""
    return _shifted(HALF, Fraction(1, 100))


def uneven() -> tuple[Tuned, Array]:
    """A shift of the rarer token: nearly all of it is seen in its log-ratio."""
    return _shifted(Fraction(99, 100), Fraction(1, 100))


def _shifted(first: Fraction, shift: Fraction) -> tuple[Tuned, Array]:
    law = array([[first, 1 - first]])
    return Tuned(array([1]), law, law * 0), array([0, shift])


def first_token(score: Fraction) -> tuple[tuple[Array, Array, Array, Array, Array]]:
    """Two even tokens, the first with a bias of 1/10, and a score for it: KL and what it
    bounds are attained, nearly."""
    even, none = array([[HALF, HALF]]), array([0, 0])
    second = array([[HALF, HALF]] * 2)
    return ((even, second, array([0, Fraction(1, 10)]), none, array([[0, 0], [score, score]])),)


def fitted() -> tuple[Tuned, Array, Array]:
    """Two contexts, with what fits them best."""
    case = refusing()
    contexts, tokens, _ = decompose(case.weights, case.added)
    return case, tokens, contexts
