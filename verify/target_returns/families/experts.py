"""Laws on few returns, tables of experts, tables of predictions, contexts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.target_returns.experts.counts import ReturnCounts, expert_rates

from ...binding.draws import Draw
from ...binding.family import Family

Weights = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Returns:
    """A law on increasing returns."""

    values: tuple[int, ...]
    law: Weights


def _law(draw: Draw, size: int, least: int = 1) -> Weights:
    weights = [draw.integer(least, 6) for _ in range(size - 1)] + [draw.integer(1, 6)]
    return tuple(Fraction(weight, sum(weights)) for weight in weights)


def _returns(draw: Draw) -> Returns:
    size = draw.integer(2, 5)
    values = [draw.integer(-3, 3)]
    while len(values) < size:
        values.append(values[-1] + draw.integer(1, 4))
    return Returns(tuple(values), _law(draw, size))


def returns() -> Family:
    """Two to five returns, each of positive probability."""
    return Family("laws of returns", _returns)


def tilts(draw: Draw, *_: object) -> Fraction:
    """exp(kappa), above 1."""
    return 1 + Fraction(draw.integer(1, 12), draw.integer(2, 6))


def positive(draw: Draw, drawn: Returns, *_: object) -> Weights:
    """A positive weight for each return."""
    return tuple(Fraction(draw.integer(1, 9), 9) for _ in drawn.values)


def samples(draw: Draw, *_: object) -> int:
    """How many returns are sampled."""
    return draw.integer(1, 4)


def tables(draw: Draw, drawn: Returns, *_: object) -> ReturnCounts:
    """Recorded episodes of one game, some bins without one, and an expert in the last."""
    episodes = [draw.integer(0, 6) for _ in drawn.values[1:]] + [draw.integer(1, 6)]
    experts = [draw.integer(0, n) for n in episodes[:-1]] + [draw.integer(1, episodes[-1])]
    return ReturnCounts(tuple(map(Fraction, drawn.values)), tuple(episodes), tuple(experts))


def fitted(_: Draw, __: Returns, table: ReturnCounts) -> Weights:
    """The shares of experts that do not fall."""
    return expert_rates(table)


def raw(_: Draw, __: Returns, table: ReturnCounts) -> Weights:
    """The shares as counted."""
    return expert_rates(table, isotonic=False)


def _confusion(draw: Draw) -> tuple[tuple[int, ...], ...]:
    size = draw.integer(2, 4)
    rows = [[draw.integer(0, 3) for _ in range(size)] for _ in range(size)]
    rows[0][0] += 1
    if draw.integer(0, 2) == 0:
        rows[-1] = [2 * count for count in rows[0]]  # two predictions that mean the same
    return tuple(map(tuple, rows))


def confusions() -> Family:
    """Counts of predicted and recorded bins."""
    return Family("tables of predictions", _confusion)


def other_rows(draw: Draw, table: tuple[tuple[int, ...], ...]) -> tuple[Weights, ...]:
    """Another law of returns for each prediction."""
    return tuple(_law(draw, len(table)) for _ in table)


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
        shares = tuple(Fraction(draw.integer(1, 31), 32) for _ in range(size))
        return Bins(episodes, shares, failure, failure / size if shared else failure)

    return Family("bins of independent episodes", base)


@dataclass(frozen=True, slots=True)
class Contexts:
    """joint[h][R] = P(context h, return R), and expert[h][R] = P(expert | h, R)."""

    joint: tuple[Weights, ...]
    expert: tuple[Weights, ...]


def contexts(*, conditional: bool = True) -> Family:
    """Two contexts, two or three returns; conditional: experts depend on the return alone."""

    def base(draw: Draw) -> Contexts:
        size = draw.integer(2, 3)
        flat = _law(draw, 2 * size)
        rates = [tuple(Fraction(draw.integer(1, 8), 8) for _ in range(size)) for _ in range(2)]
        return Contexts((flat[:size], flat[size:]), (rates[0], rates[0 if conditional else 1]))

    return Family("contexts with experts", base)
