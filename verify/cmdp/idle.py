"""What of a problem has no effect, each in one line of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from holdfast.solvers import CMDP
from holdfast.solvers.cmdp.reach import charged, entered, first_visits, largest_risk, within_budget
from holdfast.verify.report.numbers import shorten

_SHOWN = 12
"""States that a line names; more would wrap."""
_ROUNDING = 1e-9
"""Far above the error of a sum of as many doubles, far below a level that a person would give.  A
level nearer than this to the largest risk is not called idle, which is no error."""


def idle_costs(model: CMDP) -> Iterator[str]:
    """Lines on costs of states that no policy can reach, and on limits that none can exceed."""
    visited = np.isfinite(first_visits(model))
    for index in range(model.n_constraints):
        name, charges = f"cost {index + 1}", charged(model, index)
        budget = shorten(str(model.budgets[index]), 30)
        unreached = np.flatnonzero(charges & ~visited).tolist()
        if not (charges & visited).any():
            why = f"no policy can reach {listed(unreached)}" if unreached else "it is zero"
            yield f"{name} is never charged: {why}"
        elif unreached:
            yield f"{name} is charged in {listed(unreached)} too, which no policy can reach"
        if within_budget(model, index):
            yield f"{name} constrains nothing: no policy can exceed its limit {budget}"


def idle_risk(
    model: CMDP,
    unsafe: Sequence[int],
    levels: Sequence[Fraction],
    horizon: int | None,
    counts_start: bool,
    joint: bool = True,
) -> Iterator[str]:
    """Lines on unsafe states that no policy can reach, and on levels that none can exceed.

    joint: whether the risk is the chance of an unsafe state, the only one that is bounded here.
    """
    if not unsafe:
        yield "no state is unsafe, so the risk is zero and its bound constrains nothing"
        return
    reached = entered(model, horizon) | (counts_start & (first_visits(model) == 0))
    idle = [state for state in unsafe if not reached[state]]
    harmless = len(idle) == len(unsafe)
    if idle:
        yield _unreachable(idle, harmless, horizon)
    starts = counts_start and model.initial[list(unsafe)].any()
    if joint and horizon and not (harmless or starts):
        yield from _idle_levels(levels, largest_risk(model, unsafe, horizon))


def _unreachable(idle: Sequence[int], harmless: bool, horizon: int | None) -> str:
    within = "" if horizon is None else f" within {horizon} decisions"
    none = "; the risk is zero whatever one does" if harmless else ""
    return f"no policy can reach unsafe {listed(idle)}{within}{none}"


def _idle_levels(levels: Sequence[Fraction], worst: float | None) -> Iterator[str]:
    for level in levels:
        if worst is not None and worst + _ROUNDING <= level:
            yield f"level {level} constrains nothing: no policy has a risk above {worst:.6g}"


def listed(states: Sequence[int]) -> str:
    """``states 3, 4``, the first dozen of them."""
    shown = ", ".join(map(str, states[:_SHOWN]))
    more = f" and {len(states) - _SHOWN} more" if len(states) > _SHOWN else ""
    return f"state{'s' * (len(states) > 1)} {shown}{more}"
