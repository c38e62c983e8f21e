"""A constrained MDP as the compiled loops read it, and how far its floats are from the model.

Transitions stay integers: choice k computes scale_k * sum_j w_j V_j with scale_k = gamma / D_k, so
that probabilities are not rounded and a model's own arrays are read without a copy (8 bytes a
transition).  Only integers beyond 32 bits are replaced by probabilities in double precision.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from ...errors import ModelError
from ...exact import Array
from ...models.checks import check_discounted
from ...models.cmdp import CMDP
from ...models.functions import FunctionModel

#: Proved in ``residual_error``, not tuned: unit roundoff, what underflow adds, and the roundings of
#: a sweep besides those of its two sums, generously counted.
_UNIT = Fraction(1, 2**53)
_TINY = Fraction(1, 2**1000)
_EXTRA_ROUNDINGS = 10
_LARGEST = 2**1023


#: start, indptr, successors, weights, scale, payoffs: see ``Image``.
Arrays: TypeAlias = tuple[Array, Array, Array, Array, Array, Array]


class AbstractImage(ABC):
    """What is common to images that are stored and to those that are made piece by piece.

    start: uint64[S+1], choices of each state.
    """

    model: CMDP | FunctionModel
    start: Array

    @abstractmethod
    def pieces(self) -> Iterator[tuple[slice, slice, Arrays]]:
        """Ranges of states, their choices, and what the loops read of them, counted from there."""

    @abstractmethod
    def policy(self, choices: Array) -> tuple[Arrays, Array]:
        """Arrays of all states that hold these choices (uint32[S]), and where they do."""

    @abstractmethod
    def shortened(self, factor: float) -> AbstractImage:
        """The same with gamma times a factor: no bound holds for it."""

    @property
    @abstractmethod
    def spreads(self) -> Array:
        """float64[p], how much each payoff varies over the choices."""

    @property
    @abstractmethod
    def roundings(self) -> int:
        """How many roundings the sum over the successors of a choice takes, at most."""

    @property
    @abstractmethod
    def heaviest(self) -> int:
        """The largest sum of the weights of a choice."""

    @property
    @abstractmethod
    def constants(self) -> tuple[Fraction | None, ...]:
        """The value of each payoff that is the same for every choice, else None."""

    @property
    @abstractmethod
    def largest(self) -> tuple[Fraction, ...]:
        """The greatest absolute value over the choices, of the reward and of each cost."""

    @property
    def n_states(self) -> int:
        """S."""
        return self.model.n_states

    @cached_property
    def horizon(self) -> Fraction:
        """1 / (1 - gamma)."""
        return 1 / (1 - self.model.discount)

    @cached_property
    def law(self) -> Array:
        """float64[S], the initial law."""
        return np.asarray((self.model.initial / self.model.initial_denominator).astype(float))

    @cached_property
    def _move_type(self) -> np.dtype[Any]:
        return np.min_scalar_type(int(np.diff(self.start).max()) - 1)

    def moves(self, choices: Array) -> Array:
        """Choices (uint32[S]) as places among the choices of their states."""
        return (choices - self.start[:-1]).astype(self._move_type)

    def choices(self, moves: Array) -> Array:
        """uint32[S], the choices at these places."""
        return (self.start[:-1] + moves).astype(np.uint32)

    def residual_error(self, price: Sequence[Fraction], height: Fraction) -> Fraction:
        """A bound on the rounding of one residual  sum_i price_i f_i + gamma P V - V.

        Every operand carries at most n = b + p + 10 relative errors of 2^-53 (b ``roundings``; the
        payoffs, gamma and D are rounded once or divided; no order of summation is assumed), so the
        error is at most  n u / (1 - n u) (sum_i abs(price_i) max abs(f_i) + 2 max abs(V))  with
        u = 2^-53, where ``height`` is max abs(V); numbers below the normal range add less than
        n 2^-1000.

        Raises ModelError where a sum may leave the range of doubles: an infinite term of either
        sign could then make a residual that no maximum sees.
        """
        count = self.roundings + len(price) + _EXTRA_ROUNDINGS
        payoff = sum((abs(w) * f for w, f in zip(price, self.largest, strict=True)), Fraction(0))
        if (payoff + 2 * height) * self.heaviest > _LARGEST:
            raise ModelError(
                "a residual of these values and multipliers leaves the range of double precision; "
                "measure it in another unit, or use solve"
            )
        rate = count * _UNIT / (1 - count * _UNIT)
        return rate * (payoff + 2 * height) + count * _TINY


@dataclass(frozen=True)
class Image(AbstractImage):
    """What a sweep reads: the transitions of K choices over S states and p = m + 1 payoffs.

    Attributes:
        model: the exact model.
        start: uint64[S+1], choices of each state; indptr: uint64[K+1], transitions of each choice.
        successors: uint32[nnz]; weights: int32[nnz], or float64 probabilities.
        scale: float64[K], gamma over the sum of the weights (gamma itself for probabilities).
        payoffs: float64[K, p], the reward and the costs.
    """

    model: CMDP
    start: Array
    indptr: Array
    successors: Array
    weights: Array
    scale: Array
    payoffs: Array

    @classmethod
    def of(cls, model: CMDP, *, costs: bool = True) -> Image:
        """The image of a model, with or without its costs.

        Raises ModelError for numbers that doubles cannot represent.
        """
        check_discounted(model)
        gamma = float(model.discount)
        if model.weights.dtype == np.int32:
            weights = model.weights
            scale = gamma / model.denominators.astype(float)
        else:
            bottoms = np.repeat(model.denominators.astype(object), np.diff(model.indptr))
            weights = (model.weights.astype(object) / bottoms).astype(float)
            scale = np.full(model.n_choices, gamma)
        successors = model.successors.astype(np.int32, copy=False).view(np.uint32)
        payoffs = _payoffs(model, 1 + costs * model.n_constraints)
        start, indptr = (a.view(np.uint64) for a in (model.choice_start, model.indptr))
        return cls(model, start, indptr, successors, weights, scale, payoffs)

    @property
    def arrays(self) -> Arrays:
        """All that the loops read."""
        return (
            self.start, self.indptr, self.successors, self.weights, self.scale, self.payoffs,
        )  # fmt: skip

    def pieces(self) -> Iterator[tuple[slice, slice, Arrays]]:
        """The whole of it."""
        yield slice(0, len(self.start) - 1), slice(0, len(self.scale)), self.arrays

    def policy(self, choices: Array) -> tuple[Arrays, Array]:
        """All of it, and the choices."""
        return self.arrays, choices

    def shortened(self, factor: float) -> Image:
        """The same with gamma times a factor."""
        return replace(self, scale=self.scale * factor)

    @cached_property
    def spreads(self) -> Array:
        """float64[p], how much each payoff varies over the choices."""
        return np.array([float(row.max() - row.min()) for row in self.payoffs.T])

    @cached_property
    def roundings(self) -> int:
        """The most successors of a choice."""
        return int(np.diff(self.indptr).max())

    @cached_property
    def heaviest(self) -> int:
        """The largest sum of the weights of a choice."""
        floats = self.weights.dtype == np.float64
        return 1 if floats else int(self.model.denominators.max())

    @cached_property
    def constants(self) -> tuple[Fraction | None, ...]:
        """The value of each payoff that is the same for every choice, else None."""
        return tuple(
            Fraction(int(row[0]), bottom) if row.min() == row.max() else None
            for row, bottom in _payoff_rows(self.model, self.payoffs.shape[1])
        )

    @cached_property
    def largest(self) -> tuple[Fraction, ...]:
        """The greatest absolute value over the choices, of the reward and of each cost."""
        return tuple(
            Fraction(max(int(row.max()), -int(row.min())), bottom)
            for row, bottom in _payoff_rows(self.model, self.payoffs.shape[1])
        )


def _payoff_rows(model: CMDP, count: int) -> list[tuple[Array, int]]:
    rows = [(model.reward, model.reward_denominator)]
    rows += zip(model.costs, model.cost_denominators, strict=True)
    return rows[:count]


def _payoffs(model: CMDP, count: int) -> Array:
    payoffs = np.empty((model.n_choices, count))
    for i, (row, bottom) in enumerate(_payoff_rows(model, count)):
        try:
            payoffs[:, i] = row / bottom if row.dtype == object else row / float(bottom)
        except OverflowError as problem:
            name = "the reward" if i == 0 else f"cost {i - 1}"
            raise ModelError(
                f"{name} holds numbers beyond double precision; use solve, which is exact"
            ) from problem
    return payoffs
