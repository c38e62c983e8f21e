"""Problems of two responses, one safe, on which bounds on rectified costs are tight."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.sequences import Array

from ...hypergradient.families.points import array
from ..families.rectified import Descent

HALF = Fraction(1, 2)


def tempting(gain: Fraction = HALF, other: int = -1) -> Problem:
    """Prompt 0: R = 0 safe, or `gain` at cost 1/2; prompt 1: R = 0, costs -1 and `other`."""
    return Problem.of(
        [[HALF, HALF]] * 2, [[0, gain], [0, 0]], [[0, -HALF], [1, -other]], temperature=1
    )


def steep() -> tuple[Problem]:
    """Two unsafe responses, for which 2 and 1/2 is the multiplier that makes them no better."""
    return (Problem.of([[HALF, HALF / 2, HALF / 2]], [[0, 2, 1]], [[0, -1, -2]]),)


_UNSAFE = array([[0, 1]])
"""The policy that always gives the second of two responses."""


def always() -> tuple[Problem, Array]:
    """Always the one unsafe response: all of its cost is seen, whatever mean is taken."""
    return _one(HALF, Fraction(0), HALF), _UNSAFE


def losing() -> tuple[Problem]:
    """The best safe response loses 1, and no constraint is in its way."""
    return (Problem.of([[HALF, HALF]], [[-1, -2]], [[0, -1]]),)


def cheap() -> tuple[Problem, Fraction]:
    """A cost so small that a larger multiplier changes little."""
    return _one(HALF, Fraction(0), Fraction(1, 100)), Fraction(0)


def small_leak() -> tuple[Problem, Fraction]:
    """A small leak, of which the bound is nearly the logarithm; rewards are far from 0."""
    return Problem.of([[HALF, HALF]], [[3, 3]], [[0, -HALF]]), Fraction(5)


def steep_loss() -> tuple[Problem, Array]:
    """All rewards are negative; the unsafe response earns 4 more at a cost of 2."""
    return Problem.of([[HALF, HALF]], [[-5, -1]], [[0, -2]]), _UNSAFE


def just_above() -> tuple[Descent]:
    """The exact multiplier is 1, the one used a hundredth more: nearly nothing moves."""
    return (Descent(tempting(), 10, Fraction(10), Fraction(0), Fraction(101, 100)),)


def compensated() -> tuple[Descent]:
    """The safe prompt pays, so a multiplier that rises by E C stays 0."""
    return (Descent(tempting(Fraction(1)), 40, Fraction(1), Fraction(1), Fraction(0)),)


def _one(reference: Fraction, gain: Fraction, cost: Fraction) -> Problem:
    """One prompt: R = 0 and safe with probability `reference`, or `gain` at a cost."""
    return Problem.of([[reference, 1 - reference]], [[0, gain]], [[0, -cost]])


def even() -> tuple[Descent]:
    """One short step from even odds: its KL is that of Hoeffding's lemma, nearly."""
    return (Descent(_one(HALF, HALF, Fraction(1)), 1, Fraction(1, 50), Fraction(1), Fraction(0)),)


_RARE = Fraction(1, 10**8)


def rare(step: Fraction) -> tuple[Descent]:
    """The best response is rare, both are safe, and steps are short: all that is paid is K."""
    case = _one(_RARE, Fraction(-2, 5) / step, Fraction(0))
    return (Descent(case, 58, step, Fraction(0), Fraction(1)),)


def tempted() -> tuple[Descent]:
    """The same where the other one is unsafe, as good as the exact multiplier lets it be."""
    case = _one(_RARE, Fraction(1), Fraction(1))
    return (Descent(case, 58, Fraction(20), Fraction(0), Fraction(51, 50)),)


def long_step(unsafe: bool) -> tuple[Descent]:
    """One long step from where little is won by it; the other response as in `rare`, `tempted`."""
    case = _one(Fraction(7, 25), Fraction(1 if unsafe else -6), Fraction(int(unsafe)))
    return (Descent(case, 1, HALF, Fraction(0), Fraction(7)),)


def rare_rising() -> tuple[Descent]:
    """As `rare`, with a multiplier that may rise but has no reason to."""
    (case,) = rare(Fraction(20))
    return (replace(case, rate=Fraction(1), multiplier=Fraction(0)),)


def circling(scale: Fraction, reference: Fraction = Fraction(1, 10)) -> tuple[Descent]:
    """Multiplier and policy circle in short steps, and both bounds are attained, nearly.

    scale: the exact multiplier; the unsafe response is as good as it lets it be.
    """
    case, step = _one(reference, scale, Fraction(1)), Fraction(1, 10)
    count = 50
    if 2 * reference > 1:
        step, count = step / 2, 160
    return (Descent(case, count, step / scale, step * scale, Fraction(0)),)
