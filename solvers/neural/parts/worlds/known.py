"""The exact problems that have an id, as worlds."""

from __future__ import annotations

from functools import cache

from ....chance import ChanceProblem
from ....models.grids import corner_rewards, two_discs
from .finite import FiniteWorld

#: Id -> (side of the square, decisions of an episode, one line).
DISCS: dict[str, tuple[int, int, str]] = {
    "holdfast/TwoDiscs-v0": (16, 30, "cross 16x16 cells around two discs in 30 decisions; exact"),
    "holdfast/TwoDiscs8-v0": (8, 15, "the same on 8x8 cells in 15 decisions, for tests; exact"),
}


@cache
def known_world(task: str) -> FiniteWorld:
    """The world of an id in `DISCS`; rewards are earned on arrival, as `corner_rewards` says."""
    side, horizon, _ = DISCS[task]
    model = two_discs(side)
    problem = ChanceProblem(model, model.label("unsafe"), horizon)
    return FiniteWorld(problem, corner_rewards(side))
