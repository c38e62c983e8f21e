"""Episodes of a policy drawn at random in floating point: pictures, which prove nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    model, exceptions = problem.model, mixed or {}
    starts = model.initial_vector().floats()
    states = np.empty((episodes, problem.horizon + 1), dtype=np.int64)
    states[:, 0] = stream.choice(model.n_states, size=episodes, p=starts / starts.sum())
    for episode in states:
        memory = problem.first_memory(int(episode[0]))
        for time in range(problem.horizon):
            cell = time, memory, int(episode[time])
            law = exceptions.get(cell, {int(table[cell]): Fraction(1)})
            choice = _drawn(stream, list(law.items()))
            arrived = _drawn(stream, model.transition_row(choice))
            memory = problem.memory_after(memory, arrived)
            episode[time + 1] = arrived
    return states


def _drawn(stream: np.random.Generator, law: Sequence[tuple[int, Fraction]]) -> int:
    items, weights = [item for item, _ in law], [float(p) for _, p in law]
    if len(items) == 1:
        return items[0]
    position = np.searchsorted(np.cumsum(weights), stream.random() * sum(weights), side="right")
    return items[min(int(position), len(items) - 1)]
