"""Every deterministic policy of a tiny problem with its exact value and risk: the plain definition.

Written with dictionaries and fractions from the problem alone, so that it can check the solvers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from ...errors import ModelError
from .problem import ChanceProblem

Cell = tuple[int, int]
Worth = Mapping[Cell, tuple[Fraction, Fraction]]

#: The most policies that are enumerated.
LARGEST = 200_000


@dataclass(frozen=True, slots=True)
class EnumeratedPolicy:
    """choices: {(time, memory, state): choice} over the cells that any policy reaches."""

    choices: Mapping[tuple[int, int, int], int]
    value: Fraction
    risk: Fraction


def count_policies(problem: ChanceProblem) -> int:
    """How many there are: one choice in each (time, memory, state) that any policy reaches."""
    counts = problem.model.action_counts.tolist()
    return math.prod(counts[s] for layer in reachable_cells(problem) for _, s in layer)


def enumerate_policies(problem: ChanceProblem) -> Iterator[EnumeratedPolicy]:
    """Each deterministic policy over the cells that any policy reaches.

    Raises ModelError when there are more than `LARGEST`.
    """
    count = count_policies(problem)
    if count > LARGEST:
        raise ModelError(
            f"there are {count} deterministic policies, more than the {LARGEST} that are "
            "enumerated; use frontier, which finds those on the envelope without the others"
        )
    layers = reachable_cells(problem)
    terminal = _terminal(problem, layers)
    return _extended(problem, layers, problem.horizon - 1, {}, terminal)


def reachable_cells(problem: ChanceProblem) -> list[list[Cell]]:
    """For each time 0 .. T-1 the cells (memory, state) that some policy reaches, sorted."""
    initial = problem.model.initial.tolist()
    layer = {(problem.first_memory(s), s) for s, mass in enumerate(initial) if mass}
    found = [sorted(layer)]
    while len(found) < problem.horizon:
        found.append(sorted(_next_layer(problem, found[-1])))
    return found


def _next_layer(problem: ChanceProblem, layer: list[Cell]) -> set[Cell]:
    return {
        cell for n, s in layer for k in problem.choices(s) for cell, _ in _arrivals(problem, n, k)
    }


def _arrivals(problem: ChanceProblem, memory: int, choice: int) -> list[tuple[Cell, Fraction]]:
    return [
        ((problem.memory_after(memory, t), t), p) for t, p in problem.model.transition_row(choice)
    ]


def _terminal(problem: ChanceProblem, layers: list[list[Cell]]) -> Worth:
    power, ends = problem.model.discount**problem.horizon, problem.terminal
    worth = {}
    for n, s in _next_layer(problem, layers[-1]):
        value = power * ends[s] if ends is not None and problem.earns(n) else Fraction(0)
        worth[n, s] = (value, Fraction(0))
    return worth


def _extended(
    problem: ChanceProblem,
    layers: list[list[Cell]],
    time: int,
    chosen: Mapping[tuple[int, int, int], int],
    after: Worth,
) -> Iterator[EnumeratedPolicy]:
    """All policies that go on as chosen after a time, with what the next layer is worth then."""
    if time < 0:
        yield EnumeratedPolicy(chosen, *_from_start(problem, after))
        return
    cells = layers[time]
    worths = [
        [(k, _worth(problem, time, n, k, after)) for k in problem.choices(s)] for n, s in cells
    ]
    for picks in product(*worths):
        table, now = dict(chosen), {}
        for (n, s), (k, own) in zip(cells, picks, strict=True):
            table[time, n, s], now[n, s] = k, own
        yield from _extended(problem, layers, time - 1, table, now)


def _from_start(problem: ChanceProblem, first: Worth) -> tuple[Fraction, Fraction]:
    """Value and risk of an episode, from what the cells of the first layer are worth."""
    mass = problem.model.initial_vector()
    value, risk = Fraction(0), problem.start_risk
    for (_, s), own in first.items():
        value, risk = value + mass[s] * own[0], risk + mass[s] * own[1]
    return value, risk


def _worth(
    problem: ChanceProblem, time: int, memory: int, choice: int, after: Worth
) -> tuple[Fraction, Fraction]:
    """Value (with its discounts from time 0) and risk of a choice in a cell."""
    value, risk = Fraction(0), Fraction(0)
    if problem.earns(memory):
        reward = Fraction(int(problem.model.reward[choice]), problem.model.reward_denominator)
        value = problem.model.discount**time * reward
    for cell, p in _arrivals(problem, memory, choice):
        hit = problem.charges[memory] if cell[1] in problem.unsafe else 0
        value, risk = value + p * after[cell][0], risk + p * (hit + after[cell][1])
    return value, risk
