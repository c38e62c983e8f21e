"""Which target is evaluated next: each method as one function of what is known.

Widths are upper less lower bounds.  Of targets that are equally good the one with the smallest
index is taken.  PLS: Algorithm 1.  SafeOpt (Sui et al. 2015), StageOpt (Sui et al. 2018), GoOSE
(Turchetta et al. 2019) and LoSBO (Fiedler et al. 2024) are recalled, for two surfaces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..gaussian.checks import Floats, Indices
from .problem import Tuning
from .safe_sets import Mask

_MOST = 64
"""Candidates tested at once for being expanders: more wastes work on those behind the first."""
_ENTRIES = 1 << 22
"""Pairs of targets looked at at once (32 MiB each time): more needs more memory on large grids."""
Choice = tuple[int, Literal["expand", "maximise"]]


@dataclass(frozen=True, slots=True)
class View:
    """What a method may look at; arrays have one entry for each target of the grid.

    expands(candidates) says which of some certified targets could certify another;
    exploring: whether a method with two stages is in its first.
    """

    tuning: Tuning
    safe: Mask
    cost_low: Floats
    cost_high: Floats
    reward_low: Floats
    reward_high: Floats
    expands: Callable[[Indices], Mask]
    exploring: bool

    def first_expander(self, order: Indices) -> int | None:
        """The first in this order that expands; blocks grow, as it usually is among the first."""
        start, size = 0, 1
        most = max(1, min(_MOST, _ENTRIES // len(self.safe)))
        while start < len(order):
            block = order[start : start + size]
            hits = self.expands(block)
            if hits.any():
                return int(block[hits.argmax()])
            start, size = start + size, min(2 * size, most)
        return None

    def wide(self) -> Indices:
        """Certified targets whose cost is not known to the tolerance."""
        width = self.cost_high - self.cost_low
        return np.flatnonzero(self.safe & (width > self.tuning.tolerance))


def _best(score: Floats, among: Mask) -> int:
    return int(np.where(among, score, -np.inf).argmax())


def _by_width(candidates: Indices, width: Floats) -> Indices:
    return candidates[np.argsort(-width[candidates], kind="stable")]


def two_stages(view: View) -> Choice:
    """PLS and StageOpt: the widest expander; when none is left, the largest upper reward."""
    if view.exploring:
        order = _by_width(view.wide(), view.cost_high - view.cost_low)
        found = view.first_expander(order)
        if found is not None:
            return found, "expand"
    return _best(view.reward_high, view.safe), "maximise"


def widest(view: View) -> Choice | None:
    """SafeOpt and LoSBO: the widest of expanders and maximisers, in prior standard deviations."""
    cost = (view.cost_high - view.cost_low) / np.sqrt(view.tuning.cost.kernel.largest)
    reward = view.reward_high - view.reward_low
    unknown = view.safe & (view.reward_high >= view.reward_low[view.safe].max())
    unknown &= reward > (view.tuning.accuracy or 0.0)
    top = _best(reward, unknown)
    wide = view.wide()
    if unknown[top]:
        wide = wide[cost[wide] > reward[top] / np.sqrt(view.tuning.reward.kernel.largest)]
    found = view.first_expander(_by_width(wide, cost))
    if found is not None:
        return found, "expand"
    return (top, "maximise") if unknown[top] else None


def goal_oriented(view: View) -> Choice:
    """GoOSE: the best target that may be safe; if it is not certified, the nearest expander."""
    hopeful = view.safe | (view.cost_low <= view.tuning.limit)
    goal = _best(view.reward_high, hopeful)
    if not view.safe[goal]:
        wide = view.wide()
        gaps = view.tuning.points[wide] - view.tuning.points[goal]
        found = view.first_expander(wide[np.argsort((gaps**2).sum(axis=1), kind="stable")])
        if found is not None:
            return found, "expand"
    return _best(view.reward_high, view.safe), "maximise"


def unsafe(view: View) -> Choice:
    """The largest upper reward of all targets, certified or not."""
    return int(view.reward_high.argmax()), "maximise"


METHODS: dict[str, Callable[[View], Choice | None]] = {
    "pls": two_stages,
    "stageopt": two_stages,
    "safeopt": widest,
    "losbo": widest,
    "goose": goal_oriented,
    "ucb": unsafe,
}
