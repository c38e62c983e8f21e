"""How near the heads of two victims must be, and how near they are: both sides, seed by seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import ModelError
from ...poisoning.rewards.nearness import Nearness
from .reward_runs import obtain_outcome
from .tables import SEEDS, Done
from .victims import LABELS, Outcome, RewardModelOptions

RIDGES = (1.0, 100.0)
"""Beside curvatures of the loss of about a tenth of the number of pairs: a small one shows how
loose the bound is, a large one that it says something."""


@dataclass(frozen=True)
class StabilityRow:
    """One labelling against the attack, over seeds; every figure is rounded outwards.

    features, width, attack, ridge: the cell, whose trunk is frozen; nearest, farthest: bounds on
    the distance of the heads in all seeds; bound: the largest allowed; tightness: the largest share
    of its bound that a distance attains; moments, gradients: the largest, what the bound is made
    of; moved, allowed: the largest change of a held-out pair's chance, and the largest allowed.
    """

    features: str
    width: int
    attack: str
    ridge: float
    labels: str
    nearest: float
    farthest: float
    bound: float
    tightness: float
    moments: float
    gradients: float
    moved: float
    allowed: float

    @classmethod
    def of(cls, options: RewardModelOptions, labels: str, near: Sequence[Nearness]) -> StabilityRow:
        """One row, of one bound a seed."""
        return cls(
            options.features, options.width, options.attack, options.ridge, labels,
            nearest=min(one.distance_lower for one in near),
            farthest=max(one.distance_upper for one in near),
            bound=max(one.bound for one in near),
            tightness=max(one.distance_upper / one.bound for one in near),
            moments=max(one.moments for one in near),
            gradients=max(one.gradients for one in near),
            moved=max(one.moved for one in near),
            allowed=max(one.allowed for one in near),
        )  # fmt: skip


def stability_table(
    task: str,
    cells: Iterable[RewardModelOptions],
    ridges: Sequence[float] = RIDGES,
    seeds: Sequence[int] = SEEDS,
    *,
    folder: Path | None = None,
    done: Done | None = None,
) -> list[StabilityRow]:
    """Both sides of the stability bound, for heads trained to their minimisers on a frozen trunk.

    task: "synthetic" or a file of preference data; cells: of which trunk, ridge and optimizer are
    not read.  The control is in the table: labels with other moments than the attack's are farther.

    Raises ModelError for a ridge that is not positive, and as `obtain_outcome` does.
    """
    for ridge in ridges:
        if not ridge > 0:
            raise ModelError(f"ridge = {ridge}; without a positive one there is no such bound")
    wanted = [
        replace(cell, trunk="frozen", ridge=ridge, optimizer="lbfgs")
        for cell in cells
        for ridge in ridges
    ]
    rows: list[StabilityRow] = []
    for at, options in enumerate(wanted):
        outcomes: list[Outcome] = []
        for seed in seeds:
            outcomes.append(obtain_outcome(task, options, seed, folder=folder))
            if done is not None:
                done(at * len(seeds) + len(outcomes), len(wanted) * len(seeds))
        for labels in LABELS:
            near = [found for one in outcomes if (found := one.of(labels).near) is not None]
            rows.append(StabilityRow.of(options, labels, near))
    return rows
