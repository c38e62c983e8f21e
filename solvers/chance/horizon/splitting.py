"""From a flip between two whole policies to one policy that randomises in one cell.

Between the ends of a face one may change the choice of one cell after the other, from the last
layer to the first, and every policy on the way is optimal for the same multiplier.  The risk moves
by Pr(the safer policy reaches the cell) times the rise in risk of the change, since up to the cell
the safer policy is followed and after it the bolder one.  The first two neighbours around the level
differ in one cell; mixing them once an episode, with probability q, is the same as randomising in
that cell with probability

    q x_2 / (q x_2 + (1 - q) x_1)          (Feinberg and Rothblum 2012),

where x_1 and x_2 are their chances to be in the cell.  A layer is passed once, and up to it both
neighbours are the same, so x_1 = x_2 and the probability is q itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...models.cmdp import IntegerArray
from ...solution import Status
from .dynamics import Dynamics
from .evaluation import Cell, evaluate_table, forward
from .faces import Face
from .solution import ChanceSolution, RandomisedCell, TimedPolicy, single_solution


def solution_on_face(dynamics: Dynamics, level: Fraction, face: Face) -> ChanceSolution:
    """The optimum for a level between the risks of a face's ends."""
    safer, bolder, slope = face.safer, face.bolder, face.multiplier
    for end in (safer, bolder):
        if end.risk == level or (slope == 0 and end is safer):
            return single_solution(dynamics, level, end, slope)
    value = safer.value + slope * (level - safer.risk)
    policy, cell = one_cell_policy(dynamics, level, face)
    return ChanceSolution(
        Status.EXACT,
        dynamics.problem,
        level,
        dynamics,
        value,
        level,
        slope,
        safer,
        bolder,
        (level - safer.risk) / (bolder.risk - safer.risk),
        policy,
        cell,
    )


def one_cell_policy(
    dynamics: Dynamics, level: Fraction, face: Face
) -> tuple[TimedPolicy, RandomisedCell | None]:
    """A table, and the cell where to randomise between it and another choice to meet the level.

    No cell is needed when a policy on the way has the level as its risk.  The level must lie
    strictly between the risks of the ends.
    """
    reached = reach_probabilities(dynamics, face.safer.choices, [c[0] for c in face.changes])
    table, risk = face.safer.choices.copy(), face.safer.risk
    for cell, safer, bolder, rise in face.changes:
        moved = risk + reached[cell] * rise
        if moved > level:
            share = (level - risk) / (moved - risk)
            value = face.safer.value + face.multiplier * (risk - face.safer.risk)
            before = TimedPolicy(table, value, risk)
            if not share:
                return before, None
            return before, RandomisedCell(*cell, safer, bolder, share)
        table[cell], risk = bolder, moved
    raise AssertionError(f"the walk ended at risk {risk}, not above the level {level}")


def reach_probabilities(
    dynamics: Dynamics, table: IntegerArray, cells: list[Cell]
) -> dict[Cell, Fraction]:
    """The chances that a deterministic policy is in given cells."""
    size = dynamics.model.n_states
    wanted: dict[int, list[Cell]] = {}
    for cell in cells:
        wanted.setdefault(cell[0], []).append(cell)
    found: dict[Cell, Fraction] = dict.fromkeys(cells, Fraction(0))
    for layer in forward(dynamics, table):
        own = wanted.get(layer.time, [])
        flat = np.array([n * size + s for _, n, s in own], dtype=np.int64)
        places = np.searchsorted(layer.cells, flat)
        for cell, place, number in zip(own, places.tolist(), flat.tolist(), strict=True):
            if place < len(layer.cells) and layer.cells[place] == number:
                found[cell] = Fraction(int(layer.mass[place]), layer.scale)
    return found


@dataclass(frozen=True, slots=True)
class Resolutions:
    """A policy that randomises in one cell, and the two deterministic policies it splits into.

    visits: their chances to be in the cell (1 and 1 if there is none); weight: the share q of
    ``bolder`` in the flip once an episode that is the same policy.
    """

    safer: TimedPolicy
    bolder: TimedPolicy
    visits: tuple[Fraction, Fraction]
    weight: Fraction


def resolutions(solution: ChanceSolution) -> Resolutions:
    """How the optimal policy splits; both parts are optimal for the multiplier.

    They are one policy where it is deterministic.  Raises ValueError for an infeasible problem.
    """
    if solution.policy is None:
        raise ValueError(f"there is no policy to split: {solution.explanation()}")
    dynamics, cell, ends = solution.dynamics, solution.cell, []
    if cell is None:
        return Resolutions(solution.policy, solution.policy, (Fraction(1),) * 2, Fraction(0))
    visits = []
    for choice in (cell.safer, cell.bolder):
        table = solution.policy.choices.copy()
        table[cell.cell] = choice
        ends.append(TimedPolicy(table, *evaluate_table(dynamics, table)))
        visits.append(reach_probabilities(dynamics, table, [cell.cell])[cell.cell])
    # pi = q x_2 / (q x_2 + (1 - q) x_1) solved for q.
    share = cell.probability * visits[0]
    weight = share / (share + (1 - cell.probability) * visits[1])
    return Resolutions(ends[0], ends[1], (visits[0], visits[1]), weight)
