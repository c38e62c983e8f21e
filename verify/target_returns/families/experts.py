"""Laws on few returns, tables of experts, tables of predictions, contexts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.target_returns.experts.counts import ReturnCounts

from ...binding.draws import Draw
from ...binding.family import Family

Weights = tuple[Fraction, ...]
Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Returns:
    """A law on increasing returns."""

    values: tuple[int, ...]
    law: Weights


def law(draw: Draw, size: int) -> Weights:
    """Positive probabilities."""
    weights = [draw.integer(1, 6) for _ in range(size)]
    return tuple(Fraction(weight, sum(weights)) for weight in weights)


def shares(draw: Draw, size: int, whole: int) -> Weights:
    """Positive multiples of 1/whole, at most 1."""
    return tuple(Fraction(draw.integer(1, whole), whole) for _ in range(size))


def _returns(draw: Draw) -> Returns:
    values = [draw.integer(-3, 3)]
    for _ in range(draw.integer(1, 4)):
        values.append(values[-1] + draw.integer(1, 4))
    return Returns(tuple(values), law(draw, len(values)))


RETURNS = Family("laws of returns", _returns)


def tables(draw: Draw, drawn: Returns) -> ReturnCounts:
    """Recorded episodes of one game, some bins without one, and an expert in the last."""
    episodes = [draw.integer(0, 6) for _ in drawn.values[1:]] + [draw.integer(1, 6)]
    experts = [draw.integer(0, n) for n in episodes[:-1]] + [draw.integer(1, episodes[-1])]
    return ReturnCounts(tuple(map(Fraction, drawn.values)), tuple(episodes), tuple(experts))


def _confusion(draw: Draw) -> Table:
    size = draw.integer(2, 4)
    rows = [[draw.integer(0, 3) for _ in range(size)] for _ in range(size)]
    rows[0][0] += 1
    if draw.integer(0, 2) == 0:
        rows[-1] = [2 * count for count in rows[0]]  # two predictions that mean the same
    return tuple(map(tuple, rows))


CONFUSIONS = Family("tables of predictions", _confusion)


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins with their numbers of episodes and true shares of experts, what may fail, and with what
    probability the interval of each may."""

    episodes: tuple[int, ...]
    shares: Weights
    failure: Fraction
    each: Fraction


def bins(*, shared: bool = True) -> Family:
    """One to three bins of up to eight episodes; shared: the failure is, by the bins."""

    def base(draw: Draw) -> Bins:
        size, failure = draw.integer(1, 3), Fraction(draw.integer(1, 15 if shared else 5), 16)
        episodes = tuple(draw.integer(1, 8) for _ in range(size))
        true = tuple(Fraction(draw.integer(1, 31), 32) for _ in range(size))
        return Bins(episodes, true, failure, failure / size if shared else failure)

    return Family("bins of independent episodes", base)


def contexts(*, conditional: bool = True) -> Family:
    """P(h, R) and P(expert | h, R) of two contexts; conditional: the latter depends on R alone."""

    def base(draw: Draw) -> tuple[Weights, Weights]:
        joint = law(draw, 2 * draw.integer(2, 3))
        return joint[: len(joint) // 2], joint[len(joint) // 2 :]

    def experts(draw: Draw, joint: tuple[Weights, Weights]) -> tuple[Weights, Weights]:
        one, other = (shares(draw, len(joint[0]), 8) for _ in range(2))
        return one, one if conditional else other

    return Family("contexts with experts", base).along(experts)
