"""Large preference data: the least cost of a change of labels, enclosed rigorously.

Newton's method on a smoothed dual finds the optimal vertex (l1) or projection (l2) over the few
pairs that matter; a linear program settles ties (l1) and finds the least maximum (linf, up to two
million entries: beyond it the projection's bounds stand, two or three times apart).  All that is
floating point; the bounds come from ``proved_bounds``, which trusts none of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...solution import Bounds, Status
from ..flips.closed_forms import check_norm
from .arrays import FlipArrays
from .dropped import Dropped, moment_gap

if TYPE_CHECKING:
    from .stages import Enclosing

Progress = Callable[[str, float, float, float], None]


@dataclass(frozen=True, repr=False)
class EnclosedFlips(Bounds):
    """The least cost lies in [lower, upper].

    Attributes:
        status: what to do with it.
        norm: "l1" (un-normalised: the expected number of flips), "l2" (the norm itself, not its
            square) or "linf".
        lower, upper: rigorous bounds on the optimum for the numbers given, floats being the dyadic
            rationals they are.
        changes: zeta (N), weighted; labels: theta (N), those they lead to.  Up to rounding they
            are feasible and cost at most ``upper``, of the features used.
        dual: y (n), which proves ``lower``.
        basis: the pairs that are basic at the vertex (l1), or that a correction was proved on.
        n_fractional: changes that are none of -down_i, 0 and up_i; in l1 at most the rank at a
            vertex (where the target itself is optimal it is returned, and need be none).
        notes: what was done to the data, or could not be proved, in words.
        statistics: method, seconds a stage, Newton steps, pricings of all pairs.
        dropped: features that a tolerance left out, and what that costs; None if it left out none.
    """

    status: Status
    norm: str
    lower: float
    upper: float
    changes: Array = field(repr=False)
    labels: Array = field(repr=False)
    dual: Array = field(repr=False)
    basis: tuple[int, ...] = field(repr=False)
    n_fractional: int
    notes: tuple[str, ...] = ()
    statistics: dict[str, Any] = field(default_factory=dict, repr=False)
    dropped: Dropped | None = None

    @property
    def width(self) -> float:
        """upper - lower, rounded up."""
        return math.nextafter(self.upper - self.lower, math.inf)

    def certificate(self) -> dict[str, Any]:
        """Raises ModelError: the bounds rest on an analysis of rounding errors."""
        raise ModelError(
            "the bounds were computed with a rounding-error analysis and hold without a "
            "certificate; solve_flips has one, for small data"
        )


def enclose_flips(
    features: Any,
    benign: Any,
    target: Any,
    *,
    weights: Any = None,
    norm: str = "l1",
    width: float | Fraction = 1e-6,
    tolerance: float = 0.0,
    progress: Progress | None = None,
) -> EnclosedFlips:
    """A rigorous enclosure of the least cost of teaching what the target labels teach.

    Args:
        features: Phi (n, N), float32 or float64 in any memory order; it is not copied.
        benign, target: labels theta_O, theta_A (N) in [0, 1], or one for all pairs.
        weights: rho (N), not negative; None for one each.  Labels and weights are read as doubles.
        width: how far apart the bounds may be, relative to the upper one (but to no less than
            1e-12 of the target's own cost).
        tolerance: features of which the others leave no more than this, relative to their size, are
            dropped (as numerical noise; 0 drops only what is proved dependent).  The bounds are
            then those of the features kept, and ``dropped`` says what that costs.
        progress: called as progress(stage, lower, upper, seconds) after every pricing of all
            pairs.  Ctrl-C (or KeyboardInterrupt raised by it) ends the search with the bounds known
            by then.

    Raises ModelError for bad data, an unknown norm, a width that is not positive, and a tolerance
    outside [0, 1).
    """
    check_norm(norm)
    if not width > 0:
        raise ModelError(
            f"width is {width}; it must be positive (use solve_flips for the exact optimum)"
        )
    if not 0 <= tolerance < 1:
        raise ModelError(f"tolerance is {tolerance}; it is a share of a feature, from 0 to below 1")
    from .stages import Enclosing

    data = FlipArrays.of(features, benign, target, weights)
    work = Enclosing(data, norm, float(width), float(tolerance), progress)
    return _finished(work, _run(work))


def _run(work: Enclosing) -> Status:
    from threadpoolctl import threadpool_limits

    try:
        # the products are short: the threads of BLAS would wait for each other most of the time
        with threadpool_limits(1, user_api="blas"):
            work.run()
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    return Status.ENCLOSED if work.reached else Status.WIDE


def _finished(work: Enclosing, status: Status) -> EnclosedFlips:
    data, known, left_out = work.data, work.known, tuple(map(int, work.left_out))
    changes, labels = known.changes, data.labels_after(known.changes)
    ends = (changes == data.up) | (changes == -data.down) | (changes == 0)
    return EnclosedFlips(
        status=status,
        norm=work.norm,
        lower=known.lower,
        upper=known.upper,
        changes=changes,
        labels=labels,
        dual=_in_units_given(known.dual, data),
        basis=tuple(map(int, known.basis)),
        n_fractional=int((~ends).sum()),
        notes=work.notes(status is Status.INTERRUPTED),
        dropped=Dropped(left_out, work.tolerance, moment_gap(data, labels)) if left_out else None,
        statistics=work.statistics(),
    )


def _in_units_given(dual: Array, data: FlipArrays) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(dual, -data.exponents - data.units))
