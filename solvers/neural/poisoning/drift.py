"""How far features may drift before least-cost labels lose their advantage over thinning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log
from pathlib import Path

from ...errors import ModelError
from .reward_runs import obtain_outcome
from .tables import SEEDS, Done, Mean
from .victims import Outcome, RewardModelOptions

RATES = (3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3)
"""Learning rates of the trunk, half a decade apart as in the reference experiment: from features
that hardly move to features that are learnt anew."""


@dataclass(frozen=True)
class DriftPoint:
    """One training of the trunk.

    rate: its learning rate; drift: of the features of the attack's victim; least_cost, rounded,
    thinned: held-out losses.
    """

    rate: float
    seed: int
    drift: float
    least_cost: float
    rounded: float
    thinned: float

    @classmethod
    def of(cls, rate: float, seed: int, outcome: Outcome) -> DriftPoint:
        """Of one cell and seed."""
        losses = (outcome.of(name).loss for name in ("least-cost", "rounded", "thinned"))
        return cls(rate, seed, outcome.of("attack").drift, *losses)

    @property
    def advantage(self) -> float:
        """Loss of the thinned attack less that of the least-cost labels."""
        return self.thinned - self.least_cost


@dataclass(frozen=True)
class Sweep:
    """points: all rates of a seed after each other; crossings: the drift at which the advantage
    ends, for each seed that has one; seeds: how many were tried."""

    points: tuple[DriftPoint, ...]
    crossings: tuple[float, ...]
    seeds: int

    @property
    def end(self) -> Mean | None:
        """Where the advantage ends, over seeds; None unless every seed has an end in the sweep."""
        return Mean.of(self.crossings) if len(self.crossings) == self.seeds else None


def crossing(points: Sequence[DriftPoint]) -> float | None:
    """The least drift at which least-cost labels stop beating thinning, of one seed.

    Between neighbouring points the advantage is taken as linear in the logarithm of the drift.
    None where the first point has no advantage or the last one still has.
    """
    ordered = sorted(points, key=lambda point: point.drift)
    if not ordered or ordered[0].advantage <= 0:
        return None
    for one, two in pairwise(ordered):
        if two.advantage <= 0:
            share = one.advantage / (one.advantage - two.advantage)
            return exp(log(one.drift) + share * (log(two.drift) - log(one.drift)))
    return None


def drift_sweep(
    task: str,
    options: RewardModelOptions | None = None,
    rates: Sequence[float] = RATES,
    seeds: Sequence[int] = SEEDS,
    *,
    device: str = "cpu",
    folder: Path | None = None,
    done: Done | None = None,
) -> Sweep:
    """Train the trunk faster and faster, and see when the least-cost labels lose to thinning.

    options: of which `trunk` and `trunk_learning_rate` are not read; by default the features that
    the task has, width 32, random flips.  Raises ModelError for no rates or no seeds, and as
    `obtain_outcome` does.
    """
    if not rates or not seeds:
        raise ModelError("a sweep needs at least one rate and one seed")
    base = replace(options or RewardModelOptions(), trunk="trained")
    points: list[DriftPoint] = []
    ends = []
    for seed in seeds:
        own = []
        for rate in rates:
            cell = replace(base, trunk_learning_rate=rate)
            outcome = obtain_outcome(task, cell, seed, device=device, folder=folder)
            own.append(DriftPoint.of(rate, seed, outcome))
            if done is not None:
                done(len(points) + len(own), len(rates) * len(seeds))
        points += own
        ends.append(crossing(own))
    return Sweep(tuple(points), tuple(end for end in ends if end is not None), len(seeds))
