"""A windy lake of any size, as functions of cells and courses: no table of it is stored."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from holdfast.solvers import CMDP, FunctionModel, from_functions

Array: TypeAlias = np.ndarray[Any, Any]
_EAST, _NORTH = np.array([0, 1, -1, 0, 0]), np.array([0, 0, 0, 1, -1])


def lake_functions(side: int) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Where a boat goes, the fish it catches (hundredths), and whether there are rocks.

    The lake has side x side cells and no shore: who leaves it on one side comes back on the other.
    The boat stays or sails a cell, and a wind that grows from the first row to the last one blows
    it one cell farther east, at times two.  Fish and rocks (in every tenth cell) lie anywhere.
    """

    def anywhere(states: Array) -> Array:
        return (states * 2_654_435_761 % 2**32) >> 12

    def successors(states: Array, actions: Array) -> tuple[Array, Array]:
        row, column = np.divmod(states, side)
        row, column = (row + _NORTH[actions]) % side, column + _EAST[actions]
        wind = 1 + 3 * row // side
        cells = [row * side + (column + blown) % side for blown in range(3)]
        return np.stack(cells, axis=1), np.stack([10 - wind, wind, np.ones_like(wind)], axis=1)

    def fish(states: Array, actions: Array) -> Array:
        return anywhere(states) % 101

    def rocks(states: Array, actions: Array) -> Array:
        return (anywhere(states + 7) % 10 == 0).astype(int)

    return successors, fish, rocks


def lake(side: int) -> FunctionModel:
    """The most fish of those who are over rocks for half a step at most (discount 19/20)."""
    successors, fish, rocks = lake_functions(side)
    return from_functions(
        side * side, 5, successors, fish, [rocks], [Fraction(1, 2)],
        discount=Fraction(19, 20), denominators=[100, 1],
    )  # fmt: skip


def as_functions(model: CMDP) -> FunctionModel:
    """A stored model whose states have equally many choices, by looking its rows up."""
    lengths, count = np.diff(model.indptr), int(model.action_counts[0])
    assert (model.action_counts == count).all()
    places = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
    entries = model.indptr[:-1, None] + places
    weights = model.weights[entries] * (np.arange(lengths.max()) < lengths[:, None])

    def successors(states: Array, actions: Array) -> tuple[Array, Array]:
        choices = states * count + actions
        return model.successors[entries[choices]], weights[choices]

    def payoff(row: Array) -> Callable[[Array, Array], Array]:
        return lambda states, actions: row[states * count + actions]

    return from_functions(
        model.n_states, count, successors, payoff(model.reward),
        [payoff(row) for row in model.costs], model.budgets, discount=model.discount,
        denominators=[model.reward_denominator, *model.cost_denominators],
    )  # fmt: skip
