"""The image of a model given as functions: its pieces are made whenever they are read.

Only the rows of one policy are stored at a time, for its evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ...models.cmdp import CMDP
from ...models.function_rows import Rows
from ...models.functions import FunctionModel
from .image import AbstractImage, Array, Arrays, Image


@dataclass(frozen=True)
class FunctionImage(AbstractImage):
    """What a sweep reads, made from functions.

    Attributes:
        model: the model; start: uint64[S+1], choices of each state.
        factor: what gamma is multiplied by.
    """

    model: FunctionModel
    start: Array
    factor: float = 1.0

    @classmethod
    def of(cls, model: FunctionModel) -> FunctionImage:
        """The image of a model."""
        count, step = model.n_states, model.n_actions
        return cls(model, np.arange(0, count * step + 1, step, dtype=np.uint64))

    def pieces(self) -> Iterator[tuple[slice, slice, Arrays]]:
        """Ranges of states, their choices, and what the loops read of them, counted from there."""
        count = self.model.n_actions
        for states in self.model.ranges():
            rows = self.model.rows(*self.model.pairs(states))
            arrays = (rows.successors, rows.weights, self._scale(rows), self._payoffs(rows))
            yield (
                states,
                slice(states.start * count, states.stop * count),
                _laid_out(*arrays, count),
            )

    def policy(self, choices: Array) -> tuple[Arrays, Array]:
        """The rows of these choices (uint32[S]), one a state."""
        size, count, (width, kind) = self.n_states, self.model.n_actions, self.model.survey.kind
        successors, weights = np.empty((size, width), np.uint32), np.empty((size, width), kind)
        scale, payoffs = np.empty(size), np.empty((size, len(self.model.units)))
        for states in self.model.ranges():
            own = choices[states].astype(np.int64)
            rows = self.model.rows(own // count, own % count)
            successors[states], weights[states] = rows.successors, rows.weights
            scale[states], payoffs[states] = self._scale(rows), self._payoffs(rows)
        arrays = _laid_out(successors, weights, scale, payoffs, 1)
        return arrays, np.arange(size, dtype=np.uint32)

    def shortened(self, factor: float) -> FunctionImage:
        """The same with gamma times a factor."""
        return FunctionImage(self.model, self.start, factor)

    def _scale(self, rows: Rows) -> Array:
        return np.asarray(float(self.model.discount) / rows.totals * self.factor)

    def _payoffs(self, rows: Rows) -> Array:
        payoffs = np.empty_like(rows.payoffs)
        for i, unit in enumerate(self._units):  # columns: numpy's loops over two are slow
            np.divide(rows.payoffs[:, i], unit, out=payoffs[:, i])
        return payoffs

    @cached_property
    def _units(self) -> Array:
        return np.array([float(unit) for unit in self.model.units])

    @cached_property
    def spreads(self) -> Array:
        """float64[p], how much each payoff varies over the choices."""
        survey = self.model.survey
        return np.asarray(survey.greatest / self._units - survey.least / self._units)

    @cached_property
    def roundings(self) -> int:
        """The entries of a row; twice as many for floats, whose sum it is divided by is rounded."""
        width, kind = self.model.survey.kind
        return 2 * width if kind == np.float64 else width

    @property
    def heaviest(self) -> int:
        """The largest sum of the weights of a choice."""
        return self.model.survey.heaviest

    @cached_property
    def constants(self) -> tuple[Fraction | None, ...]:
        """The value of each payoff that is the same for every choice, else None."""
        survey = self.model.survey
        ends = zip(survey.least.tolist(), survey.greatest.tolist(), self.model.units, strict=True)
        return tuple(Fraction(low) / unit if low == high else None for low, high, unit in ends)

    @property
    def largest(self) -> tuple[Fraction, ...]:
        """The greatest absolute value over the choices, of the reward and of each cost."""
        return self.model.largest


def _laid_out(
    successors: Array, weights: Array, scale: Array, payoffs: Array, count: int
) -> Arrays:
    """Rows (one a choice) of states that have ``count`` choices each, as the loops read them."""
    size, width = successors.shape
    start = np.arange(0, size + 1, count, dtype=np.uint64)
    indptr = np.arange(0, size * width + 1, width, dtype=np.uint64)
    flat = (start, indptr, successors.reshape(-1), weights.reshape(-1))
    for array in flat:  # as the arrays of a stored model are: the loops are compiled for these
        array.setflags(write=False)
    return *flat, scale, payoffs


def image_of(model: CMDP | FunctionModel) -> AbstractImage:
    """The image of a model of either kind."""
    return FunctionImage.of(model) if isinstance(model, FunctionModel) else Image.of(model)
