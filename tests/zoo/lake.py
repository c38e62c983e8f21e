"""Models given as functions: the windy lake of the guide, and any that is stored, looked up."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from holdfast.solvers import CMDP, FunctionModel, from_functions

Array: TypeAlias = np.ndarray[Any, Any]

_GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "windy_lake.py"
#: lake(side): at most half a step on rocks; three successors, one constraint, discount 19/20.
lake: Callable[[int], FunctionModel] = runpy.run_path(str(_GUIDE))["lake"]


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
