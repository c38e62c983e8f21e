"""What an agent sees of a state of an exact model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....chance import ChanceProblem
from ....exact import Array

_DISTINCT = 64
"""Most values of a coordinate that get an input each; more would make the first layer large."""


def state_features(problem: ChanceProblem) -> Array:
    """float32[S, F]: coordinates scaled to [-1, 1] and one input for each value of each of them.

    Where the model has no coordinates, the number of the state is the only one.
    """
    model = problem.model
    points: Sequence[Sequence[object]] = model.coordinates or [[s] for s in range(model.n_states)]
    columns = []
    for values in np.array(points, dtype=float).T:
        distinct, places = np.unique(values, return_inverse=True)
        columns.append(np.interp(values, distinct[[0, -1]], (-1.0, 1.0))[:, None])
        if len(distinct) <= _DISTINCT:
            columns.append(np.eye(len(distinct))[places])
    return np.concatenate(columns, axis=1).astype(np.float32)
