"""A token process given as a table: any autoregressive chain of finitely many states."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import ClassVar

import numpy as np

from ..errors import ModelError
from ..exact import common_denominator, solve_integer_system, to_fraction

Floats = np.ndarray


def rational(value: object, name: str) -> Fraction:
    """`to_fraction`, with ModelError for what is no number."""
    try:
        return to_fraction(value, name)
    except ValueError as error:
        raise ModelError(str(error)) from error


class Rational(ABC):
    """Mean and deviation of a law of whole T in floats, from the exact ones."""

    __slots__ = ()
    discrete: ClassVar[bool] = True

    @abstractmethod
    def mean_and_variance(self) -> tuple[Fraction, Fraction] | None:
        """E T and Var T exactly; None where E T is infinite."""

    @property
    def mean(self) -> float:
        """E T, in tokens."""
        found = self.mean_and_variance()
        return math.inf if found is None else float(found[0])

    @property
    def std(self) -> float:
        """The standard deviation of T, in tokens."""
        found = self.mean_and_variance()
        return math.inf if found is None else math.sqrt(found[1])


@dataclass(frozen=True, slots=True)
class Chain(Rational):
    """T is the number of tokens until a chain that starts in `start` first enters `solved`.

    matrix: the probabilities of the next state, one row a state; solved: an absorbing state, by
    default the last.  Where some state that can be reached cannot reach `solved`, E T is infinite.

    Raises ModelError for a row that is no law, a state that does not exist, a solved state that can
    be left, or a chain that is solved before its first token.
    """

    matrix: tuple[tuple[Fraction, ...], ...]
    start: int = 0
    solved: int = -1

    def __post_init__(self) -> None:
        size = len(self.matrix)
        rows = tuple(
            tuple(rational(p, f"matrix[{s}]") for p in row) for s, row in enumerate(self.matrix)
        )
        object.__setattr__(self, "matrix", rows)
        if self.solved == -1:
            object.__setattr__(self, "solved", size - 1)
        for s, row in enumerate(rows):
            if len(row) != size or sum(row) != 1 or min(row) < 0:
                raise ModelError(
                    f"row {s} of the matrix is no law on {size} states; give {size} probabilities "
                    "of sum 1"
                )
        for name, state in (("start", self.start), ("solved", self.solved)):
            if not 0 <= state < size:
                raise ModelError(f"{name} is state {state}; states are 0 to {size - 1}")
        if self.start == self.solved:
            raise ModelError(
                f"start and solved are both state {self.start}; T is at least 1, so start elsewhere"
            )
        if rows[self.solved][self.solved] != 1:
            raise ModelError(f"state {self.solved} is solved but can be left; make it absorbing")

    @property
    def shortest(self) -> float:
        """The fewest tokens that can solve it; infinity if none can."""
        seen, front, steps = {self.start}, {self.start}, 0
        while front and self.solved not in seen:
            front = self._next(front) - seen
            seen |= front
            steps += 1
        return steps if self.solved in seen else math.inf

    def _next(self, states: Iterable[int]) -> set[int]:
        return {to for s in states for to, p in enumerate(self.matrix[s]) if p}

    def _reached(self) -> list[int]:
        """States that can be reached before it is solved."""
        seen, front = {self.start}, {self.start}
        while front:
            front = self._next(front) - seen - {self.solved}
            seen |= front
        return sorted(seen)

    def mean_and_variance(self) -> tuple[Fraction, Fraction] | None:
        """E T and Var T exactly; None where E T is infinite."""
        return _mean_and_variance(self)

    def masses(self, horizon: int) -> tuple[Fraction, ...]:
        """Pr[T = 1], ..., Pr[T = horizon]."""
        size = len(self.matrix)
        flat, bottom = common_denominator(p for row in self.matrix for p in row)
        rows = [flat[s * size : (s + 1) * size] for s in range(size)]
        law, found, scale = [int(s == self.start) for s in range(size)], [], 1
        for _ in range(horizon):
            before = law[self.solved] * bottom
            law = [sum(law[s] * rows[s][to] for s in range(size)) for to in range(size)]
            scale *= bottom
            found.append(Fraction(law[self.solved] - before, scale))
        return tuple(found)

    def _laws(self, last: int) -> Floats:
        """Pr[T > t] for t = 0, ..., last in the first row, Pr[T <= t] in the second."""
        matrix = np.array([[float(p) for p in row] for row in self.matrix])
        law, table = np.eye(len(matrix))[self.start], np.empty((2, last + 1))
        for t in range(last + 1):
            table[:, t] = law.sum() - law[self.solved], law[self.solved]
            law = law @ matrix
        return table

    def _at(self, which: int, t: Floats) -> Floats:
        whole = np.floor(np.maximum(np.asarray(t, float), 0)).astype(int)
        return self._laws(int(whole.max(initial=0)))[which][whole]

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return self._at(1, t)

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N], without cancellation."""
        return self._at(0, t)

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]; infinity where there is none."""
        u, last = np.asarray(u, float), 64
        table = self._laws(last)[1]
        while table[-1] < u.max(initial=0) and table[-1] > table[last // 2]:
            last *= 2
            table = self._laws(last)[1]
        found = np.searchsorted(table, u)
        return np.where(found > last, np.inf, np.maximum(found, self.shortest))


@cache
def _mean_and_variance(chain: Chain) -> tuple[Fraction, Fraction] | None:
    states = chain._reached()
    able, grown = {chain.solved}, True
    while grown:
        more = {s for s in states if chain._next((s,)) & able} - able
        able, grown = able | more, bool(more)
    if not able >= set(states):
        return None
    flat, bottom = common_denominator(chain.matrix[s][to] for s in states for to in states)
    n = len(states)
    rows = [[bottom * (i == j) - flat[i * n + j] for j in range(n)] for i in range(n)]
    first = solve_integer_system(rows, [bottom] * n)
    start = states.index(chain.start)
    twice = solve_integer_system(rows, [2 * bottom * one for one in first.numerators])
    mean = first[start]
    return mean, Fraction(twice[start], first.denominator) - mean - mean**2
