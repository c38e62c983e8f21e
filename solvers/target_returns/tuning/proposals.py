"""What a tuner says: the next target with the reason why it is safe, and what each step did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal["seed", "expand", "maximise"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The target to evaluate next.

    index: its row in the grid; target: its coordinates; phase: "seed" where a seed is evaluated in
    order to expand, "expand" for another target, "maximise" for its reward; reason: why it is safe,
    or else that nothing promises it, in a sentence; certified_by: the certified target that vouches
    for it, None for seeds and where its own bound does; upper: its cost is at most this, in the
    units of the cost, if the assumptions hold and the rules promise anything.
    """

    index: int
    target: tuple[float, ...]
    phase: Phase
    reason: str
    certified_by: int | None
    upper: float


@dataclass(frozen=True, slots=True)
class Step:
    """One observation and what followed from it.

    proposal: what stood to be evaluated, None once the tuner had stopped; asked: whether the
    observation answers it; safe_count: certified targets afterwards; cost_bounds, reward_bounds: at
    the target, afterwards; reward_width: of the reward's bounds at the target, beforehand, which
    bounds its regret while maximising; exceeded: the observed cost is above the limit (which may be
    noise); contradicted: some interval is empty, so the confidence event has failed, or what was
    observed has ended the tuning.
    """

    index: int
    proposal: Proposal | None
    asked: bool
    reward: float
    cost: float
    safe_count: int
    cost_bounds: tuple[float, float]
    reward_bounds: tuple[float, float]
    reward_width: float
    exceeded: bool
    contradicted: bool
