"""Rigorous bounds on the optimum of a constrained model of any size.

Small models are solved exactly (the enclosure then has width 0); large ones by a search for
multipliers and policies in floating point (``solvers.scale``) whose bounds hold all the same: every
rounding error is bounded in advance, and the mixture of policies behind the lower bound certainly
meets the budgets.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ...limits import Limits
from ...models.checks import check_discounted
from ...models.cmdp import CMDP
from ...models.functions import FunctionModel
from ...solution import Status
from ..solution import Solution
from ..solving import solve
from .solution import Component, EnclosedSolution

if TYPE_CHECKING:
    from .feasibility import Infeasible
    from .lagrangian import Lagrangian, Progress
    from .units import Units

#: Models of at most this many states are solved exactly: that is as fast, and needs no compiler.
EXACT_UP_TO = 300
METHODS = ("auto", "exact", "scale")
#: Of an exact solution while an enclosure stands behind it.  Models that are solved exactly unasked
#: take seconds; more would let a user wait for a width of 0 who has a rigorous one in seconds.
BEFORE_BOUNDS = Limits(seconds=300.0)
#: A width beyond doubles is as good as this one.
_WIDEST = Fraction(10**300)


def enclose(
    model: CMDP | FunctionModel,
    *,
    width: float | Fraction | None = None,
    method: str = "auto",
    progress: Progress | None = None,
    limits: Limits = BEFORE_BOUNDS,
) -> EnclosedSolution:
    """A rigorous enclosure of the optimum for any number of constraints.

    Args:
        model: discounted (gamma < 1), stored or given as functions (``from_functions``).
        width: how far apart the bounds may be, in units of J_r; by default ``NARROW`` times the
            least power of two that no reward exceeds, so that the unit of the reward does not
            matter.  When rounding does not allow the width, the statistics say so.
        method: "exact", "scale" (the search), or "auto": exact up to ``EXACT_UP_TO`` states
            of a stored model.
        progress: called as progress(stage, lower, upper, seconds) after every sweep of the search.
            Ctrl-C (or KeyboardInterrupt raised by it) ends the search with what is known by then.
        limits: of the exact solution; where they do not suffice, "auto" goes on to the search.

    Raises ModelError for bad arguments, and when floats cannot decide feasibility (the budgets lie
    within rounding of the least possible costs): use ``solve`` there.
    """
    check_discounted(model)
    if method not in METHODS:
        raise ModelError(f"method is {method!r}; give one of {', '.join(METHODS)}")
    if width is not None and not width > 0:
        raise ModelError(f"width is {width}; it must be positive (use solve for the exact optimum)")
    if isinstance(model, FunctionModel):
        if method == "exact":
            raise ModelError(
                "a model given as functions is not solved exactly; model.tabulated() stores it, "
                "which is"
            )
        return _searched(model, width, "given as functions", progress)
    small = model.n_states <= EXACT_UP_TO
    if method == "exact" or (method == "auto" and small):
        reason = "asked for" if method == "exact" else f"at most {EXACT_UP_TO} states"
        found = solve(model, limits)
        if found.status is not Status.UNDECIDED or method == "exact":
            return _exactly(found, reason)
        reason = f"the exact solution was {found.statistics['method']}"
    else:
        reason = "asked for" if method == "scale" else f"more than {EXACT_UP_TO} states"
    return _searched(model, width, reason, progress)


def _exactly(found: Solution, reason: str) -> EnclosedSolution:
    return EnclosedSolution(
        found.status,
        found.model,
        found.multipliers,
        found.lower if found.value is None else found.value,
        found.upper if found.value is None else found.value,
        relaxation=found.relaxation,
        exact=found,
        statistics={**found.statistics, "reason": reason},
    )


def _searched(
    model: CMDP | FunctionModel,
    width: float | Fraction | None,
    reason: str,
    progress: Progress | None,
) -> EnclosedSolution:
    since = time.perf_counter()
    from .feasibility import decide_feasibility, undecided
    from .function_image import image_of
    from .lagrangian import Lagrangian
    from .units import NARROW, Units

    units = Units.of(model)
    wanted = NARROW * units.scales[0] if width is None else Fraction(width)
    own = float(min(wanted / units.scales[0], _WIDEST))
    state = Lagrangian(image_of(units.model), own, progress, units.scales)
    prepared = time.perf_counter()
    refuted, interrupted = None, False
    try:
        if not state.run():
            refuted = decide_feasibility(state)
            if refuted is None and not state.run():
                raise undecided()
    except KeyboardInterrupt:
        interrupted = True
        state.stopped = f"interrupted at the stage {state.stage!r}"
    if refuted is None and state.lower is not None:
        state.refine(float("inf"))  # recalls the values of policies that were set aside
    status = Status.ENCLOSED
    if interrupted:
        status = Status.INTERRUPTED
    elif state.lower is not None and not state.done:
        status = Status.WIDE
    missed = f"the width {float(wanted):g} was not reached: " if status is Status.WIDE else ""
    statistics = {
        "method": "multiplier search",
        "reason": reason,
        "seconds": {"prepare": prepared - since, "search": time.perf_counter() - prepared},
        "policies": len(state.columns),
        "sweeps": state.search.sweeps,
        "products": state.search.products,
        "width asked for": wanted,
        "stopped": missed + state.stopped if state.stopped else "the width was reached",
    }
    if refuted is not None:
        return _infeasible(model, refuted, statistics)
    return _enclosed(model, units, state, status, statistics)


def _infeasible(
    model: CMDP | FunctionModel, refuted: Infeasible, statistics: dict[str, Any]
) -> EnclosedSolution:
    from .documents import infeasibility_document

    statistics["stopped"] = "the budgets were proved infeasible"
    return EnclosedSolution(
        Status.INFEASIBLE,
        model,
        refuted.multipliers,
        relaxation=refuted.excess,
        statistics=statistics,
        proof=refuted,
        writer=infeasibility_document,
    )


def _enclosed(
    model: CMDP | FunctionModel,
    units: Units,
    state: Lagrangian,
    status: Status,
    statistics: dict[str, Any],
) -> EnclosedSolution:
    from .documents import enclosure_document

    components, scales = [], state.scales
    if state.mixture is not None and state.lower is not None:
        for weight, column in zip(state.mixture.weights, state.mixed, strict=True):
            if not weight:
                continue
            ends = tuple(
                (low * scale, high * scale)
                for low, high, scale in zip(column.lower, column.upper, scales, strict=True)
            )
            choices = state.image.choices(column.moves)
            assert column.values is not None
            components.append(
                Component(weight, choices, ends[0], ends[1:], column.values, column.grids)
            )
    ceiling = state.ceiling
    return EnclosedSolution(
        status,
        model,
        () if ceiling is None else units.multipliers(ceiling.multipliers),
        None if state.lower is None else state.lower * scales[0],
        None if state.upper is None else state.upper * scales[0],
        tuple(components),
        statistics=statistics,
        proof=None if ceiling is None else ceiling.proof,
        scales=scales,
        writer=None if state.lower is None or state.upper is None else enclosure_document,
    )
