"""Large preference data: the least cost of a change of labels, enclosed rigorously.

Newton's method on a smoothed dual finds the optimal vertex (l1) or projection (l2) over the few
pairs that matter; a linear program settles ties (l1) and finds the least maximum (linf).  All that
is floating point; the bounds come from ``verified``, which trusts none of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...solution import Bounds, Status
from ..flips.closed_forms import check_norm
from .arrays import Array, FlipArrays
from .dropped import Dropped, moment_gap
from .independence import independent_features
from .verified import least_maximum_below, least_square_below, least_sum_below, price_error

if TYPE_CHECKING:
    from .stages import Enclosing

Progress = Callable[[str, float, float, float], None]


@dataclass(frozen=True)
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
    state = Enclosing(data, norm, float(width), float(tolerance), progress)
    return _finished(state, _run(state))


def _run(state: Enclosing) -> Status:
    from threadpoolctl import threadpool_limits

    try:
        # the products are short: the threads of BLAS would wait for each other most of the time
        with threadpool_limits(1, user_api="blas"):
            state.run()
    except KeyboardInterrupt:
        state.notes.append(f"interrupted at the stage {state.stage!r}")
        return Status.INTERRUPTED
    return Status.ENCLOSED if state.reached else Status.WIDE


def _finished(state: Enclosing, status: Status) -> EnclosedFlips:
    data, changes = state.data, state.changes
    labels, dropped = data.labels_after(changes), None
    if len(state.dropped):
        numbers = tuple(map(int, state.dropped))
        dropped = Dropped(numbers, state.tolerance, moment_gap(data, labels))
    ends = (changes == data.up) | (changes == -data.down) | (changes == 0)
    return EnclosedFlips(
        status=status,
        norm=state.norm,
        lower=state.lower,
        upper=state.upper,
        changes=changes,
        labels=labels,
        dual=_in_units_given(state.dual, data),
        basis=tuple(map(int, state.basis)),
        n_fractional=int((~ends).sum()),
        notes=tuple(state.notes),
        dropped=dropped,
        statistics=state.statistics(),
    )


def _in_units_given(dual: Array, data: FlipArrays) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(dual, -data.exponents - data.units))


def closed_form_bound(
    features: Any, benign: Any, target: Any, *, weights: Any = None, norm: str = "l1"
) -> float:
    """A rigorous lower bound in closed form: norm(p)_2^2 / norm(p)_*, p = Phi^+ Phi d.

    In l1 the dual norm is the maximum, in l2 the 2-norm, in linf the sum.  The pseudo-inverse is
    computed in floats; whatever it is, t = Phi^T y for some y, and Phi d.y / norm(t)_* is a bound.

    Source: Kusaka et al. 2025, Theorem 2.  Raises ModelError as ``enclose_flips`` does.
    """
    from threadpoolctl import threadpool_limits

    check_norm(norm)
    data = FlipArrays.of(features, benign, target, weights)
    with threadpool_limits(1, user_api="blas"):
        return _closed_form(data, norm)


def _closed_form(data: FlipArrays, norm: str) -> float:
    used = independent_features(data).used
    if not len(used) or not data.displacement.any():
        return 0.0
    y = _least_squares(data, used)
    t = data.prices(y)
    error = price_error(data, y)
    possible = data.up + data.down > 0
    size = {
        "l1": lambda: float(np.abs(t[possible]).max()) + error,
        "l2": lambda: (
            math.sqrt(math.fsum(np.square(t[possible]).tolist())) + error * math.sqrt(data.n_pairs)
        ),
        "linf": lambda: math.fsum(np.abs(t[possible]).tolist()) + error * data.n_pairs,
    }[norm]() * (1 + 1e-12)
    if not size > 0:
        return 0.0
    scaled, unit = t / size, y / size * (1 - 1e-12)  # the largest price is now at most one
    bound = {"l1": least_sum_below, "l2": least_square_below, "linf": least_maximum_below}[norm]
    if norm != "l2":
        return bound(data, unit, data.prices(unit))
    moved = data.displacement * scaled
    wrong = (error / size + 2.0**-50) * float((data.up + data.down).sum() + np.abs(moved).sum())
    return max(0.0, math.fsum(moved.tolist()) - 1.001 * wrong) * (1 - 1e-12)


def _least_squares(data: FlipArrays, used: Array) -> Array:
    """y (n) with Phi Phi^T y = Phi d over the features used (zero at the others)."""
    triangle: Array = np.zeros((0, len(used)))
    moment = np.zeros(len(used))
    for part in data.ranges():
        pairs = np.arange(part.start, part.stop)
        columns = data.columns(pairs, used)
        moment += data.displacement[part] @ columns
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, columns]), mode="r"))
    y = np.zeros(data.n_features)
    y[used] = np.linalg.lstsq(triangle, np.linalg.lstsq(triangle.T, moment, rcond=None)[0],
                              rcond=None)[0]  # fmt: skip
    return y
