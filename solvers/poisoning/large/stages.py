"""What happens between the data and the enclosure: the stages, and the bounds known so far."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import ModelError
from ...limits import LimitReachedError, Limits
from .arrays import Array, FlipArrays
from .band import solve_band
from .certify import certify_blend, certify_inside, exact_vertex, moment_is_zero
from .independence import ROUNDING, Independent, independent_features
from .maximum import solve_maximum
from .sifting import Found, Sifting
from .verified import (
    Above,
    Point,
    feasible_near,
    least_maximum_below,
    least_square_below,
    least_sum_below,
    maximum_above,
    norm_above,
    square_above,
    sum_above,
)

_WHOLE_PAIRS = 4
_WHOLE = 400
_RATIONAL = {"l1": 3_000, "l2": 600, "linf": 600}
_NOTHING = 1e-12
_NONE = np.zeros(0, dtype=np.int64)
_NOISE = (
    "some features are combinations of the others up to rounding, and the cost is that of the "
    "numbers as given, for which that rounding is information like any other; a tolerance drops it"
)
_EXACT = Limits(seconds=20.0, pivots=5_000)
"""Of exact arithmetic as a last resort: it takes a second or two where it helps."""
_SPREAD = 20
_ATTAINED = 1e-9
_BELOW = {"l1": least_sum_below, "l2": least_square_below, "linf": least_maximum_below}
_ABOVE = {"l1": sum_above, "l2": square_above, "linf": maximum_above}


class Enclosing:
    """The bounds so far; ``run`` makes them meet, and may be interrupted at any time."""

    def __init__(
        self,
        data: FlipArrays,
        norm: str,
        width: float,
        tolerance: float,
        progress: Callable[[str, float, float, float], None] | None,
    ) -> None:
        self.data, self.norm, self.width, self.progress = data, norm, width, progress
        self.tolerance, self.kept, self.dropped = tolerance, np.arange(data.n_features), _NONE
        self.since = self.mark = time.perf_counter()
        self.seconds: dict[str, float] = {}
        self.stage, self.method = "independence", "none needed"
        self.notes: list[str] = _scaling_notes(data)
        self.lower, self.upper = 0.0, norm_above(data, norm)
        self.itself = self.upper
        self.dual = np.zeros(data.n_features)
        self.changes, self.basis = data.displacement, np.zeros(0, dtype=np.int64)
        self.search: Sifting | None = None
        self.sound = True

    @property
    def reached(self) -> bool:
        """Whether the bounds are as close as asked for."""
        return math.isfinite(self.upper) and self.upper - self.lower <= self.width * max(
            self.upper, _NOTHING * self.itself
        )

    def statistics(self) -> dict[str, Any]:
        """Method, seconds a stage, and work done."""
        self._enter("ended")
        search = self.search
        return {
            "method": self.method,
            "seconds": self.seconds,
            "total": time.perf_counter() - self.since,
            "steps": 0 if search is None else search.steps,
            "pricings": 0 if search is None else search.pricings,
            "pairs": 0 if search is None else len(search.members),
            "width asked for": self.width,
        }

    def run(self) -> None:
        """The stages in turn."""
        data = self.data
        if not data.displacement.any():
            if not len(data.moved):
                self.lower = self.upper = 0.0
            return
        features = independent_features(data, max(self.tolerance, ROUNDING))
        self._note_dropped(features)
        if not len(features.used):
            self._free(data.displacement * 0)
            return
        search = self.search = Sifting(data, features, self._pulse)
        scale = float(np.abs(data.displacement).sum())
        if float(np.abs(search.moment).max()) <= 1e-12 * scale and moment_is_zero(search):
            self._free(data.displacement * 0)
            return
        {"l1": self._sum, "l2": self._square, "linf": self._maximum}[self.norm](search)
        if not self.reached:
            self._sharpen()
        if not self.reached:
            self._rationally()
        if not self.reached and self.sound:
            self.notes.append(
                f"the bounds are {self.upper - self.lower:.2g} apart: ties or badly conditioned "
                "features keep a closer upper bound from being proved"
            )

    # -- bounds ----------------------------------------------------------------------------------
    def _pulse(self, y: Array, prices: Array) -> bool:
        """A lower bound; says whether it reaches the upper one (the target's own cost, mostly)."""
        lower = _BELOW[self.norm](self.data, y, prices)
        if lower > self.lower:
            self.lower, self.dual = lower, y
        if self.progress is not None:
            seconds = time.perf_counter() - self.since
            self.progress(self.stage, self.lower, self.upper, seconds)
        return self.reached

    def _sharpen(self) -> None:
        """The lower bound again, with prices in extended precision: for large y, which cancel."""
        prices = self.data.prices(self.dual)
        bound = _BELOW[self.norm](self.data, self.dual, prices, sharp=True)
        self.lower = max(self.lower, bound)

    def _offer(self, above: Above | None, changes: Array, basis: Array) -> None:
        """An upper bound, if one was proved; of the problem with all features only if ``sound``."""
        if above is not None:
            self._at_most(_ABOVE[self.norm](self.data, above), changes, basis)

    def _at_most(self, upper: float, changes: Array, basis: Array) -> None:
        if not upper < self.upper:
            return
        self.changes, self.basis = changes, basis
        if self.sound:
            self.upper = upper
        else:
            self.notes = [note for note in self.notes if not note.startswith("without them")]
            self.notes.append(
                f"without them at most {upper!r}, which the changes attain; with them no bound "
                "below the target's own cost was proved"
            )

    def _free(self, nothing: Array) -> None:
        """The benign labels already have the moments of the target."""
        self.changes = nothing
        if self.sound:
            self.lower = self.upper = 0.0

    def _enter(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.mark
        self.stage, self.mark = stage, now

    # -- l1 --------------------------------------------------------------------------------------
    def _sum(self, search: Sifting) -> None:
        whole = self.data.n_pairs <= max(_WHOLE_PAIRS * len(search.moment), _WHOLE)
        found: Found | None = None
        if whole:
            self.method = "linear program over all pairs (few of them)"
        else:
            self._enter("Newton")
            self.method = "Newton on the smoothed dual"
            found = search.run()
            self._enter("bounds")
            if self.reached:  # the target itself is optimal
                return
            self._prove(search, found)
            if self.reached and found.vertex:
                return
            self.method += ", then a linear program over the pairs in doubt"
        self._enter("linear program")
        settled = solve_band(search, found)
        self._enter("bounds")
        if settled is None:
            self.notes.append("HiGHS did not solve the linear program; the search's point is used")
            settled = found
        if settled is not None:
            self._prove(search, settled)
            if not self.reached:
                self._repair(search, settled)

    def _prove(self, search: Sifting, found: Found) -> None:
        """The upper bound that a vertex proves, if it does."""
        if len(found.free) != len(search.moment):
            return
        point = Point.of(self.data, found.changes, found.free)
        above = feasible_near(self.data, point, found.free, search.features.used)
        if above is not None:
            self._offer(above, above.point.changes, found.free)

    def _repair(self, search: Sifting, found: Found) -> None:
        """A vertex with ties: exactly, or moved inside."""
        solved = exact_vertex(search, found.changes, found.free)
        if solved is not None:
            self._at_most(_upwards(solved[0]), solved[1], found.free)
        if not self.reached:
            allowance = self.width * max(self.lower, _NOTHING * self.itself) / 4
            above = certify_blend(search, found.changes, found.prices, allowance)
            if above is not None:
                attained = self._attained(search, found.changes)
                changes = found.changes if attained else above.point.changes
                self._offer(above, changes, found.free if attained else above.basis)

    def _attained(self, search: Sifting, changes: Array) -> bool:
        """Whether changes have the moments of the target up to rounding."""
        missing = self.data.moments(self.data.displacement - changes)[search.features.used]
        sizes = float(np.abs(changes).sum() + np.abs(self.data.displacement).sum())
        return bool((np.abs(missing) <= _ATTAINED * sizes).all())

    # -- l2 and linf -----------------------------------------------------------------------------
    def _square(self, search: Sifting) -> None:
        self._enter("Newton")
        self.method = "Newton on the dual"
        found = search.project()
        self._enter("bounds")
        self._offer_inside(search, found)

    def _maximum(self, search: Sifting) -> None:
        self._enter("Newton")
        start = search.project()
        self._offer_inside(search, start)
        self._enter("linear program")
        found, why = solve_maximum(search, start.changes)
        self.method = "linear program after a projection" if found else "projection"
        self._enter("bounds")
        if found is None:
            self.notes.append(why)
        else:
            self._offer_inside(search, found)

    def _offer_inside(self, search: Sifting, found: Found) -> None:
        above = certify_inside(search, found.changes)
        if above is None:
            allowance = self.width * float(np.abs(found.changes).sum()) / (4 * _SPREAD)
            above = certify_blend(search, found.changes, found.prices, allowance)
        if above is not None:
            self._offer(above, above.point.changes, above.basis)

    # -- small data ------------------------------------------------------------------------------
    def _rationally(self) -> None:
        """Exact arithmetic, for small data that floats do not settle."""
        data = self.data
        if data.features.size > _RATIONAL[self.norm]:
            return
        self._enter("exact")
        from ..flips.cost import solve_flips
        from ..flips.problem import FlipProblem

        problem = FlipProblem.of(
            data.features[self.kept].tolist(), data.benign.tolist(), data.target.tolist(),
            None if data.weights is None else data.weights.tolist(),
        )  # fmt: skip
        try:
            found = solve_flips(problem, self.norm, _EXACT)
        except (ModelError, LimitReachedError) as error:
            self.notes.append(f"exact arithmetic did not settle it: {error}")
            return
        below, above = _downwards(found.value), _upwards(found.value)
        if self.norm == "l2":
            below, above = _root(found.value)
        self.method += ", then exact arithmetic"
        self.lower, self.upper = max(self.lower, below), above
        self.changes = np.array([float(value) for value in found.changes.fractions()])
        self.basis = np.array(found.basis, dtype=np.int64)
        dual = np.array([float(value) for value in found.dual.fractions()])
        with np.errstate(over="ignore"):
            self.dual[self.kept] = np.ldexp(dual, data.exponents[self.kept])
        if not self.sound:
            self.notes.append(_NOISE)
        self.sound = True  # all features were used that were not to be dropped
        self.notes = [
            note for note in self.notes if "without them" not in note and "proved" not in note
        ]

    # -- words -----------------------------------------------------------------------------------
    def _note_dropped(self, features: Independent) -> None:
        if not len(features.dropped):
            return
        names = ", ".join(map(str, features.dropped[:8])) + (
            ", ..." if len(features.dropped) > 8 else ""
        )
        count = len(features.dropped)
        many = "1 feature is a combination" if count == 1 else f"{count} features are combinations"
        if features.proved:
            self.notes.append(
                f"{many} of the others (or zero), left out (numbered from 0): {names}"
            )
        elif self.tolerance:
            self.kept, self.dropped = features.used, features.dropped
            self.notes.append(
                f"{many} of the others up to {max(self.tolerance, ROUNDING):g} of their size, "
                f"left out (numbered from 0): {names}; the bounds are those of the features kept, "
                "the lower one also of all"
            )
        else:
            self.sound = False
            self.notes.append(
                f"{many} of the others up to rounding, which was not proved, left out (numbered "
                f"from 0): {names}; the lower bound holds with them, too (a tolerance drops them "
                "and says what that costs)"
            )


def _scaling_notes(data: FlipArrays) -> list[str]:
    powers = data.exponents + data.units
    used = powers[data.largest > 0]
    if not len(used) or int(used.max() - used.min()) <= _SPREAD:
        return []
    low, high = np.ldexp(data.largest, powers)[data.largest > 0][
        [int(used.argmin()), int(used.argmax())]
    ]
    return [
        f"features reach from {low:.2g} to {high:.2g} at most; they were rescaled by powers of "
        "two, which changes no cost"
    ]


def _upwards(value: Fraction) -> float:
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def _downwards(value: Fraction) -> float:
    near = float(value)
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)


def _root(square: Fraction) -> tuple[float, float]:
    """Doubles around the root."""
    near = math.sqrt(float(square))
    low, high = near, near
    while Fraction(low) ** 2 > square:
        low = math.nextafter(low, -math.inf)
    while Fraction(high) ** 2 < square:
        high = math.nextafter(high, math.inf)
    return low, high
