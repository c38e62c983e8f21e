"""The step of constrained policy optimisation, in closed form.

Achiam, Held, Tamar, Abbeel 2017 (arXiv:1705.10528), equations 10 to 14 and Theorem 2 of its
supplement, with the region x.H x / 2 <= radius of the main text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PARALLEL = 1e-9
"""Share of q below which the gradients count as parallel: rounding is far smaller, and a reward
gradient this near to the cost's leaves nothing to gain along the limit."""


@dataclass(frozen=True)
class Step:
    """The step ``reward H^-1 g + cost H^-1 b``, and which case it is.

    Attributes:
        case: "free" (the limit does not bind), "bound" (the step ends at the limit) or "recovery"
            (no step in the region keeps the limit; the cost is lowered as far as the region goes).
    """

    case: str
    reward: float
    cost: float


def linearised_step(q: float, r: float, s: float, excess: float, radius: float) -> Step:
    """The solution of: maximise g.x subject to excess + b.x <= 0 and x.H x / 2 <= radius.

    q = g.H^-1 g, r = g.H^-1 b, s = b.H^-1 b; excess is the cost less its limit.  If the best step
    of the region alone keeps the limit, it is the solution, since the problem is convex; else the
    limit binds, and both multipliers are in closed form.
    """
    if s <= 0 or (excess > 0 and excess * excess >= 2 * radius * s):
        if s > 0:
            return Step("recovery", 0.0, -math.sqrt(2 * radius / s))
        return _free(q, radius)  # the step cannot change the cost
    free = _free(q, radius)
    if excess + free.reward * r <= 0:
        return free
    along = q - r * r / s
    if along <= PARALLEL * q:
        return Step("bound", 0.0, -excess / s)
    inverse = math.sqrt((2 * radius - excess * excess / s) / along)  # of the region's multiplier
    return Step("bound", inverse, -(excess + inverse * r) / s)


def _free(q: float, radius: float) -> Step:
    return Step("free", math.sqrt(2 * radius / q) if q > 0 else 0.0, 0.0)
