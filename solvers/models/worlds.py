"""Named models, each with a constraint that binds::

    frozen-lake-4x4, frozen-lake-8x8   reach the goal; cost: falling into a hole
    cliff-walking                      reach the goal soon, on slippery ground; cost: the ledge
    taxi                               deliver the passenger; cost: a toll on the central cell
    icu-sepsis                         survive; cost: vasopressor dose level
    two-discs, two-discs-64            cross a square around two discs, for finite horizons

Holes and discs are labelled "unsafe".  FrozenLake and CliffWalking mean thirds and write floats;
ICU-Sepsis stores ratios of patient counts as floats.  Both are read back as the nearest small
fractions, and the notes of the model say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .cmdp import CMDP
from .grids import two_discs
from .gymnasium_models import from_gymnasium
from .gymnasium_tables import make_environment

_THIRDS = 1000
"""Largest denominator of probabilities that are floats of thirds: far larger ones keep rounding."""
_PATIENT_COUNTS = 25_000
"""The same for shares of counted patients: a smaller one would change what happened to few."""


@dataclass(frozen=True, slots=True)
class World:
    """A named model: its title, what it earns and pays, and the function that builds it.

    horizon: decisions, where the world is meant for a finite number of them; its discount is then
    1 and its risk that of its states labelled "unsafe".
    """

    name: str
    title: str
    reward: str
    cost: str
    build: Callable[[], CMDP]
    horizon: int | None = None


def frozen_lake(size: str, budget: str) -> CMDP:
    """FrozenLake (slippery): reward 1 at the goal, cost 1 on falling into a hole; gamma 99/100."""
    env = make_environment("FrozenLake-v1", {"map_name": size})
    holes = {state for state, letter in enumerate(env.unwrapped.desc.ravel()) if letter == b"H"}
    model = from_gymnasium(
        env, costs=[holes], budgets=[budget], discount="99/100", limit_denominator=_THIRDS
    )
    return model.with_labels(unsafe=sorted(holes))


def cliff_walking() -> CMDP:
    """Slippery CliffWalking: reward -1 a step, cost 1 on arriving at a cell beside the cliff."""
    ledge = set(range(25, 35))
    return from_gymnasium(
        "CliffWalking-v1",
        costs=[ledge],
        budgets=[3],
        discount="99/100",
        reward=lambda _s, _a, _t: -1,
        make_kwargs={"is_slippery": True},
        limit_denominator=_THIRDS,
    )


def taxi() -> CMDP:
    """Taxi: its own reward, cost 1 on driving into the central cell; gamma 19/20.

    The middle row is the only way between the halves of the map that needs no detour.
    """

    def enters_centre(state: int, _action: int, following: int) -> int:
        return int(following // 20 == 12 != state // 20)

    return from_gymnasium(
        "Taxi-v4",
        costs=[enters_centre],
        budgets=["1/2"],
        discount="19/20",
        limit_denominator=_THIRDS,
    )


def icu_sepsis() -> CMDP:
    """ICU-Sepsis: reward 1 for survival, cost the vasopressor level 0..4 of each decision.

    Only the admissible actions of each state are kept (the benchmark gives the others the average
    of these, which a randomised policy can imitate); gamma 99/100.
    """
    env = make_environment("Sepsis/ICU-Sepsis-v2", {})
    raw = env.unwrapped
    admissible = np.zeros(raw._tx_mat.shape[:2], dtype=bool)
    for state, actions in enumerate(raw._admissible_actions):
        admissible[state, list(actions)] = True
    levels = raw._action_levels
    return from_gymnasium(
        env,
        costs=[lambda _s, action, _t: action % levels],
        budgets=["1/2"],
        discount="99/100",
        available=admissible,
        limit_denominator=_PATIENT_COUNTS,
    ).with_notes("only the admissible actions of each state")


WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        World(
            "frozen-lake-4x4",
            "FrozenLake 4x4",
            "reaching the goal",
            "falling into a hole",
            lambda: frozen_lake("4x4", "1/20"),
        ),
        World(
            "frozen-lake-8x8",
            "FrozenLake 8x8",
            "reaching the goal",
            "falling into a hole",
            lambda: frozen_lake("8x8", "1/50"),
        ),
        World(
            "cliff-walking",
            "CliffWalking, slippery",
            "-1 a step until the goal",
            "arrivals at the ledge beside the cliff",
            cliff_walking,
        ),
        World(
            "taxi",
            "Taxi",
            "20 for a delivery, -1 a step, -10 for an illegal stop",
            "crossings of the central cell",
            taxi,
        ),
        World("icu-sepsis", "ICU-Sepsis", "survival", "vasopressor dose level", icu_sepsis),
        World(
            "two-discs",
            "Square of 16x16 cells with two discs",
            "closeness to the far corner",
            "entering a disc",
            two_discs,
            horizon=30,
        ),
        World(
            "two-discs-64",
            "Square of 64x64 cells with two discs",
            "closeness to the far corner",
            "entering a disc",
            lambda: two_discs(64),
            horizon=100,
        ),
    )
}
