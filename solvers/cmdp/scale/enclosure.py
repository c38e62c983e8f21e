"""Rigorous bounds on the optimum of a constrained model of any size.

Small models are solved exactly (the enclosure then has width 0); large ones by a search for
multipliers and policies in floating point (``solvers.scale``) whose bounds hold all the same: every
rounding error is bounded in advance, and the mixture of policies behind the lower bound certainly
meets the budgets.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .cmdp import CMDP, ModelError
from .limits import Limits
from .model_checks import check_discounted
from .occupancy import Solution, Status, solve

if TYPE_CHECKING:
    from .scale.feasibility import Infeasible
    from .scale.lagrangian import Lagrangian, Progress
    from .scale.units import Units

#: Models of at most this many states are solved exactly: that is as fast, and needs no compiler.
EXACT_UP_TO = 300
#: A certificate holds the whole model in text; beyond this many transitions none is written.
CERTIFICATE_UP_TO = 1_000_000
METHODS = ("auto", "exact", "scale")
#: Of an exact solution while an enclosure stands behind it.  Models that are solved exactly unasked
#: take seconds; more would let a user wait for a width of 0 who has a rigorous one in seconds.
BEFORE_BOUNDS = Limits(seconds=300.0)
_WIDEST = Fraction(10**300)


@dataclass(frozen=True)
class Component:
    """A deterministic policy of a mixture: drawn with probability ``weight`` once per episode.

    Attributes:
        weight: exact; the weights of a mixture sum to one.
        choices: the choice (an index into 0..K-1) taken in each state (S).
        reward, costs: rigorous bounds (low, high) on its UN-normalised returns.
        values: float64[m+1, S], its values for the reward and the costs, each up to a constant;
            row i in units of the solution's scales[i], and in multiples of 1 / grids[i].
    """

    weight: Fraction
    choices: np.ndarray[Any, Any]
    reward: tuple[Fraction, Fraction]
    costs: tuple[tuple[Fraction, Fraction], ...]
    values: np.ndarray[Any, Any] = field(repr=False)
    grids: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True)
class EnclosedSolution:
    """The optimum lies in [lower, upper]; the mixture meets the budgets and earns at least lower.

    Attributes:
        status: OPTIMAL (solved exactly), ENCLOSED, INFEASIBLE, INTERRUPTED by the user, or
            UNDECIDED within the limits of the exact solver.
        multipliers: lambda (m) of the upper bound, or of the proof of infeasibility.
        lower, upper: bounds on J_r*, UN-normalised; None when not known (infeasible, or interrupted
            before there was one).
        components: the mixture, at most m + 1 deterministic policies; empty if solved exactly.
        relaxation: when infeasible, all budgets must grow by at least this much.
        exact: the exact solution, if the model was solved exactly; its policy is stationary.
        statistics: the method and why, seconds by stage, work done, why it stopped.
        scales: powers of two, the units of the reward and of each cost (m + 1) in the search.
    """

    status: Status
    model: CMDP
    multipliers: tuple[Fraction, ...]
    lower: Fraction | None = None
    upper: Fraction | None = None
    components: tuple[Component, ...] = ()
    relaxation: Fraction | None = None
    exact: Solution | None = None
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)
    proof: Any = field(default=None, repr=False)
    scales: tuple[Fraction, ...] = field(default=(), repr=False)

    @property
    def width(self) -> Fraction | None:
        """upper - lower."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """A document that the kernel checks in exact arithmetic, made when first asked for.

        Raises ModelError when there is none: the model is too large for one (the bounds then rest
        on the rounding-error analysis of ``solvers.scale.image``), or no bound is known.
        """
        if self.exact is not None:
            return self.exact.certificate
        size = len(self.model.successors)
        if size > CERTIFICATE_UP_TO:
            raise ModelError(
                f"the model has {size} transitions and certificates hold at most "
                f"{CERTIFICATE_UP_TO}; its bounds were computed with a rounding-error analysis "
                "and hold without one"
            )
        from .scale.documents import enclosure_document, infeasibility_document

        if self.status is Status.INFEASIBLE:
            return infeasibility_document(self)
        if self.width is None:
            raise ModelError("the search was interrupted before both bounds were known")
        return enclosure_document(self)


def enclose(
    model: CMDP,
    *,
    width: float | Fraction | None = None,
    method: str = "auto",
    progress: Progress | None = None,
    limits: Limits = BEFORE_BOUNDS,
) -> EnclosedSolution:
    """A rigorous enclosure of the optimum for any number of constraints.

    Args:
        model: discounted (gamma < 1).
        width: how far apart the bounds may be, in units of J_r; by default ``NARROW`` times the
            least power of two that no reward exceeds, so that the unit of the reward does not
            matter.  When rounding does not allow the width, the statistics say so.
        method: "exact", "scale" (the search), or "auto": exact up to ``EXACT_UP_TO`` states.
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
        statistics={**found.statistics, "method": f"{found.statistics['method']} ({reason})"},
    )


def _searched(
    model: CMDP, width: float | Fraction | None, reason: str, progress: Progress | None
) -> EnclosedSolution:
    since = time.perf_counter()
    from .scale.compiled import suited_threads
    from .scale.feasibility import decide_feasibility, undecided
    from .scale.image import Image
    from .scale.lagrangian import Lagrangian
    from .scale.units import NARROW, Units

    units = Units.of(model)
    wanted = NARROW * units.scales[0] if width is None else Fraction(width)
    own = float(min(wanted / units.scales[0], _WIDEST))
    state = Lagrangian(Image.of(units.model), own, progress, units.scales)
    prepared = time.perf_counter()
    refuted, interrupted = None, False
    with suited_threads(model.n_states):
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
    missed = state.lower is not None and not state.done and not interrupted
    asked = f"the width {float(wanted):g} was not reached: " if missed else ""
    statistics = {
        "method": f"multiplier search ({reason})",
        "seconds": {"prepare": prepared - since, "search": time.perf_counter() - prepared},
        "policies": len(state.columns),
        "sweeps": state.search.sweeps,
        "products": state.search.products,
        "width asked for": wanted,
        "stopped": asked + state.stopped if state.stopped else "the width was reached",
    }
    if refuted is not None:
        return _infeasible(model, refuted, statistics)
    return _enclosed(model, units, state, interrupted, statistics)


def _infeasible(model: CMDP, refuted: Infeasible, statistics: dict[str, Any]) -> EnclosedSolution:
    statistics["stopped"] = "the budgets were proved infeasible"
    return EnclosedSolution(
        Status.INFEASIBLE,
        model,
        refuted.multipliers,
        relaxation=refuted.excess,
        statistics=statistics,
        proof=refuted,
    )


def _enclosed(
    model: CMDP, units: Units, state: Lagrangian, interrupted: bool, statistics: dict[str, Any]
) -> EnclosedSolution:
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
        Status.INTERRUPTED if interrupted else Status.ENCLOSED,
        model,
        () if ceiling is None else units.multipliers(ceiling.multipliers),
        None if state.lower is None else state.lower * scales[0],
        None if state.upper is None else state.upper * scales[0],
        tuple(components),
        statistics=statistics,
        proof=None if ceiling is None else ceiling.proof,
        scales=scales,
    )
