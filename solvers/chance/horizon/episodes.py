"""Episodes of a policy drawn at random in floating point: pictures, which prove nothing."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from ...models.cmdp import IntegerArray
from .evaluation import Cell
from .problem import ChanceProblem


def draw_episodes(
    problem: ChanceProblem,
    table: IntegerArray,
    mixed: Mapping[Cell, Mapping[int, Fraction]] | None = None,
    *,
    episodes: int,
    key: int = 0,
) -> IntegerArray:
    """int[episodes, T + 1], the states visited.

    table, mixed: a policy, as `evaluate_policy` takes it; key: of the Philox stream, so that the
    same key draws the same episodes.
    """
    stream = np.random.Generator(np.random.Philox(key=key))
    model = problem.model
    law = np.array([float(p) for p in model.initial_vector().fractions()])
    states = np.empty((episodes, problem.horizon + 1), dtype=np.int64)
    states[:, 0] = stream.choice(model.n_states, size=episodes, p=law / law.sum())
    for episode in states:
        memory = problem.first_memory(int(episode[0]))
        for time in range(problem.horizon):
            state = int(episode[time])
            options = (mixed or {}).get((time, memory, state), {int(table[time, memory, state]): 1})
            choice = _drawn(stream, list(options), [float(p) for p in options.values()])
            row = model.transition_row(choice)
            arrived = _drawn(stream, [t for t, _ in row], [float(p) for _, p in row])
            memory = problem.memory_after(memory, arrived)
            episode[time + 1] = arrived
    return states


def _drawn(stream: np.random.Generator, items: list[int], weights: list[float]) -> int:
    if len(items) == 1:
        return items[0]
    position = np.searchsorted(np.cumsum(weights), stream.random() * sum(weights), side="right")
    return items[min(int(position), len(items) - 1)]
