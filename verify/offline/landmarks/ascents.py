"""Dual ascent on which its bounds are attained, or nearly so.

All on bandits with discount 0 whose arms are given by reward and cost; of equal arms the first is
the response.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from holdfast.solvers import CMDP, from_arrays

from ...binding.draws import Draw
from ...binding.family import Family
from ..families.multipliers import Ascended


def arms(limit: Fraction, *pairs: tuple[Fraction | int, Fraction | int]) -> CMDP:
    """One state; arms by (reward, cost)."""
    rewards, paid = zip(*pairs, strict=True)
    moves = [[[1] for _ in pairs]]
    return from_arrays(moves, [list(rewards)], [[list(paid)]], [limit], discount=0)


def _case(
    model: CMDP, step: Fraction | int, first: Fraction | int, updates: int = 1
) -> tuple[Ascended]:
    return (Ascended(model, Fraction(step), Fraction(first), updates),)


_SAFE, _RISKY = (0, 0), (1, 1)  # rewards and costs
_BOTH = arms(Fraction(2, 3), _SAFE, _RISKY)
"""J* = d = 2/3, and 1 is the best multiplier: both arms are responses to it."""
_TIGHT_LIMIT = Fraction(99, 100)
average = {
    # from 1, one step of 3/2 down to 0, at no reward: 2/3 = 1/(2 eta) + eta B^2/2
    "attained": lambda: _case(_BOTH, Fraction(3, 2), 1),
    # from 0 in steps of 3.0001: the risky arm, then the safe one: gap 1/6 of 2/3
    "cheap": lambda: _case(arms(Fraction(2, 3), _SAFE, (Fraction(1, 2), 1)), Fraction(3, 4),
                           Fraction(1, 2)),
    "dear": lambda: _case(arms(Fraction(2, 3), _SAFE, (2, 1)), 3, 2),
    "golden": lambda: _case(_BOTH, Fraction(30001, 10000), 0, 2),
    # a far start: the largest multiplier is the first
    "far": lambda: _case(_BOTH, Fraction(1, 100), 100, 3),
    # a huge step from 0 at hardly any reward: eta (1 - d), against 1/10 more, for d = 1/100
    "leap": lambda: _case(arms(Fraction(1, 100), _SAFE, (Fraction(1, 1000), 1)), 10_000, 0),
    # xi = 99/100, from just below 1/(xi + 1/100) = 1 upwards by eta/100
    "creep": lambda: _case(
        arms(_TIGHT_LIMIT, _SAFE, _RISKY), Fraction(1, 50), Fraction(999, 1000)
    ),
    "double": lambda: _case(
        arms(_TIGHT_LIMIT, _SAFE, (2, 1)), Fraction(1, 50), Fraction(1999, 1000)
    ),
}  # fmt: skip


def _losses(draw: Draw) -> Ascended:
    """R = 0 though rewards differ: keeping the limit costs 100."""
    model = arms(Fraction(1, 2), (-100, 0), (0, 1))
    return Ascended(model, Fraction(1), Fraction(0), draw.integer(10, 20))


LOSSES = Family("rewards below 0", _losses)


def _log(
    limit: int, step: Fraction, first: int, room: int, paid: Sequence[int]
) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    numbers = (Fraction(limit), step, Fraction(first), Fraction(room))
    return numbers, tuple(map(Fraction, paid))


speed = {
    # 1500 - 100 * 1/100 * 20 = 1480
    "down": lambda: _log(20, Fraction(1, 100), 1500, 100, [0] * 100),
    "down_fast": lambda: _log(1, Fraction(2), 9, 8, [0] * 4),
    "up": lambda: _log(1, Fraction(1, 4), 0, 7, [8] * 4),
    "far_down": lambda: _log(3, Fraction(1, 2), 9, 8, [0] * 6),
    "above": lambda: _log(5, Fraction(1, 2), 9, 0, [4] * 3),
}
