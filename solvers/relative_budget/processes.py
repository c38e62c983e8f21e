"""Token processes: laws of the number T of tokens until a trajectory is solved.

Discrete ones take values 1, 2, ... and are rational, so that their masses are exact; those with a
density lie in `continuous`, chains in `chains`.  T is infinite where a trajectory is never solved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeGuard

import numpy as np
import scipy  # its parts are loaded when they are used

from ..errors import ModelError
from ..target_returns.gaussian.checks import count
from .chains import Rational, rational
from .continuous import Floats


class TokenProcess(Protocol):
    """A law of T.  Lengths are in tokens; arrays are float64[N]."""

    @property
    def discrete(self) -> bool:
        """Whether T is a whole number; it has a density otherwise."""

    @property
    def mean(self) -> float:
        """E T; infinity where a trajectory may never be solved."""

    @property
    def std(self) -> float:
        """The standard deviation of T; infinity likewise."""

    @property
    def shortest(self) -> float:
        """The essential infimum of T."""

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t]."""

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], accurate where it is small; counts what is never solved."""

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u; infinity where there is none."""


class DiscreteProcess(TokenProcess, Protocol):
    """A law of whole T with rational masses."""

    def masses(self, horizon: int) -> tuple[Fraction, ...]:
        """Pr[T = 1], ..., Pr[T = horizon]."""

    def mean_and_variance(self) -> tuple[Fraction, Fraction] | None:
        """E T and Var T exactly; None where they are infinite."""


def is_discrete(process: TokenProcess) -> TypeGuard[DiscreteProcess]:
    """Whether the process has exact masses."""
    return process.discrete


def _probability(process: object, name: str, *, least: bool) -> None:
    value = rational(getattr(process, name), name)
    if not (0 <= value <= 1 if least else 0 < value <= 1):
        raise ModelError(
            f"{name} of {type(process).__name__} is {value}; it is a probability"
            + ("" if least else " above 0")
        )
    object.__setattr__(process, name, value)


@dataclass(frozen=True, slots=True)
class NegativeBinomial(Rational):
    """`steps` must be made, and each token makes one with probability `success`.

    T is at least `steps`, of mean steps/success.  Raises ModelError for fewer than one step or a
    `success` outside (0, 1].
    """

    steps: int
    success: Fraction

    def __post_init__(self) -> None:
        count(self.steps, "steps")
        _probability(self, "success", least=False)

    @property
    def shortest(self) -> float:
        """The fewest tokens that can solve it."""
        return self.steps

    def mean_and_variance(self) -> tuple[Fraction, Fraction]:
        """E T and Var T exactly."""
        p = self.success
        return self.steps / p, self.steps * (1 - p) / p**2

    def masses(self, horizon: int) -> tuple[Fraction, ...]:
        """Pr[T = 1], ..., Pr[T = horizon]: C(t - 1, K - 1) p^K (1 - p)^(t - K)."""
        k, a, b = self.steps, self.success.numerator, self.success.denominator
        return tuple(
            Fraction(math.comb(t - 1, k - 1) * a**k * (b - a) ** (t - k), b**t)
            if t >= k
            else Fraction(0)
            for t in range(1, horizon + 1)
        )

    def _left(self, t: Floats) -> Floats:
        return np.floor(np.asarray(t, float)) - self.steps

    def _failures(self) -> Any:
        return scipy.stats.nbinom(self.steps, float(self.success))

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return np.asarray(self._failures().cdf(self._left(t)))

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N], without cancellation."""
        return np.asarray(self._failures().sf(self._left(t)))

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]."""
        return self.steps + np.asarray(self._failures().ppf(u))


def Geometric(success: Fraction) -> NegativeBinomial:
    """The law of the first success: `NegativeBinomial` of one step."""
    return NegativeBinomial(1, success)


@dataclass(frozen=True, slots=True)
class Empirical(Rational):
    """The law of recorded lengths: `lengths[i]` tokens, seen `counts[i]` times.

    Lengths are kept in increasing order.  Raises ModelError for a length that is not a whole number
    of at least 1, one given twice, a count that is negative or no whole number, or no count at all.
    """

    lengths: tuple[int, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.lengths) != len(self.counts):
            raise ModelError(
                f"{len(self.lengths)} lengths have {len(self.counts)} counts; give one for each"
            )
        for name, values, least in (("lengths", self.lengths, 1), ("counts", self.counts, 0)):
            for i, value in enumerate(values):
                if isinstance(value, bool) or value // 1 != value or value < least:
                    raise ModelError(
                        f"{name}[{i}] is {value}; it must be a whole number of at least {least}"
                    )
        if len(set(self.lengths)) < len(self.lengths):
            twice = next(x for x in self.lengths if self.lengths.count(x) > 1)
            raise ModelError(f"length {twice} is given twice; add up its counts")
        if not sum(self.counts):
            raise ModelError("no length was seen; record at least one solved trajectory")
        pairs = sorted(zip(self.lengths, self.counts, strict=True))
        object.__setattr__(self, "lengths", tuple(int(x) for x, n in pairs if n))
        object.__setattr__(self, "counts", tuple(int(n) for _, n in pairs if n))

    @property
    def shortest(self) -> float:
        """The shortest length."""
        return self.lengths[0]

    def mean_and_variance(self) -> tuple[Fraction, Fraction]:
        """E T and Var T exactly."""
        total = sum(self.counts)
        first, second = (
            Fraction(sum(n * x**k for x, n in zip(self.lengths, self.counts, strict=True)), total)
            for k in (1, 2)
        )
        return first, second - first**2

    def masses(self, horizon: int) -> tuple[Fraction, ...]:
        """Pr[T = 1], ..., Pr[T = horizon]."""
        found, total = [Fraction(0)] * horizon, sum(self.counts)
        for length, times in zip(self.lengths, self.counts, strict=True):
            if length <= horizon:
                found[length - 1] = Fraction(times, total)
        return tuple(found)

    def _below(self, t: Floats) -> Floats:
        sums = np.concatenate([[0], np.cumsum(self.counts)])
        return np.asarray(sums[np.searchsorted(self.lengths, np.asarray(t, float), side="right")])

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return self._below(t) / sum(self.counts)

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N]."""
        total = sum(self.counts)
        return (total - self._below(t)) / total

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]."""
        shares = np.cumsum(self.counts) / sum(self.counts)
        return np.asarray(self.lengths, float)[np.searchsorted(shares, np.asarray(u, float))]


@dataclass(frozen=True, slots=True)
class Mixture:
    """T of `solvable`, or infinity with probability `unsolvable`.

    E T is infinite, so the relative budget is 0, unless the share is 0.  Raises ModelError for a
    share outside [0, 1].
    """

    solvable: TokenProcess
    unsolvable: Fraction

    def __post_init__(self) -> None:
        _probability(self, "unsolvable", least=True)

    @property
    def discrete(self) -> bool:
        """Whether T is a whole number where it is finite."""
        return self.solvable.discrete

    @property
    def mean(self) -> float:
        """E T, in tokens."""
        return math.inf if self.unsolvable else self.solvable.mean

    @property
    def std(self) -> float:
        """The standard deviation of T, in tokens."""
        return math.inf if self.unsolvable else self.solvable.std

    @property
    def shortest(self) -> float:
        """The essential infimum of T."""
        return math.inf if self.unsolvable == 1 else self.solvable.shortest

    def mean_and_variance(self) -> tuple[Fraction, Fraction] | None:
        """E T and Var T exactly, where T is a whole number; None where they are infinite."""
        return None if self.unsolvable else self._exact().mean_and_variance()

    def masses(self, horizon: int) -> tuple[Fraction, ...]:
        """Pr[T = 1], ..., Pr[T = horizon]."""
        return tuple((1 - self.unsolvable) * mass for mass in self._exact().masses(horizon))

    def _exact(self) -> DiscreteProcess:
        if not is_discrete(self.solvable):
            raise ModelError(
                f"{type(self.solvable).__name__} has a density, so no exact masses; take a "
                "discrete process, such as NegativeBinomial"
            )
        return self.solvable

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return float(1 - self.unsolvable) * self.solvable.cdf(t)

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N]; what is never solved counts."""
        return float(self.unsolvable) + float(1 - self.unsolvable) * self.solvable.tail(t)

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]; infinity where there is none."""
        share, u = float(1 - self.unsolvable), np.asarray(u, float)
        if not share:
            return np.where(u > 0, np.inf, 1.0)
        return np.where(u > share, np.inf, self.solvable.quantile(np.minimum(u / share, 1)))

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}, where T has a density."""
        solvable = self.solvable
        if not has_density(solvable):
            raise ModelError(
                f"{type(solvable).__name__} is discrete; its moments are sums of its masses"
            )
        return float(1 - self.unsolvable) * solvable.partial_moment(order, horizon)


class DensityProcess(TokenProcess, Protocol):
    """A law of real T whose truncated moments are closed forms."""

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""


def has_density(process: TokenProcess) -> TypeGuard[DensityProcess]:
    """Whether T has a density."""
    return not process.discrete
