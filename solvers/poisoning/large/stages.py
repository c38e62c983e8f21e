"""From the data to the enclosure: stages in turn, each (what is known) -> what is known.

A stage does nothing where it has nothing to go by, and none runs after the bounds are as close as
asked for.  A search also reports each pricing of all pairs by itself (``pulse``), so that an
interruption loses none of the bounds proved by then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ...errors import ModelError
from ...limits import LimitReachedError, Limits, timed
from ...sequences import Array
from ..flips.cost import solve_flips
from ..flips.problem import FlipProblem
from .arrays import FlipArrays
from .band import solve_band
from .feasible_points import (
    certify_blend,
    certify_inside,
    certify_vertex,
    exact_vertex,
    moment_is_zero,
)
from .independence import ROUNDING, Independent, independent_features
from .known import Known, notes_of, too_wide
from .maximum import solve_maximum
from .proved_bounds import ABOVE, BELOW, Above, norm_above
from .sifting import Found, Sifting

_WHOLE_PAIRS, _WHOLE = 4, 400
"""With so many pairs a feature, or so few pairs at all, one linear program over all of them takes
the place of Newton's method: it is quick on few pairs, and knows ties."""
_RATIONAL = {"l1": 3_000, "l2": 600, "linf": 600}
"""Entries of the features that exact arithmetic is tried on: more take it longer than anybody waits
(in l2 and linf it solves a program with a row a pair)."""
_EXACT = Limits(seconds=20.0, pivots=5_000)
"""Of exact arithmetic as a last resort: it takes a second or two where it helps."""
_NOTHING = 1e-12
"""Of the target's own cost: an optimum below this counts as this much, for a width relative to an
optimum of nothing would ask for bounds that are equal."""
_ZERO_MOMENT = 1e-12
"""Of the sum of the changes: below it rounding hides whether moments are zero, and exact sums
decide; a larger one would only ask for them more often."""
_ATTAINED = 1e-9
"""Of the sizes summed: moments missed by less are those of the target up to rounding.  A smaller
one returns the moved point more often, which is no vertex; a larger one, changes that are none."""
_SHARE = {"l1": 1 / 4, "l2": 1 / 80, "linf": 1 / 80}
"""Of the width asked for that a move off the ties may cost: the larger, the more room there is to
prove that a feasible point is near.  In l2 and linf the move is measured in l1, which is larger."""
_NONE: Array = np.zeros(0, dtype=np.int64)


class Enclosing:
    """One enclosure on its way: the data, what is known, and the clock.

    ``run`` may be interrupted at any time; ``known`` then has the bounds proved by then.
    """

    def __init__(
        self,
        data: FlipArrays,
        norm: str,
        width: float,
        tolerance: float,
        progress: Callable[[str, float, float, float], None] | None,
    ) -> None:
        self.data, self.norm, self.width, self.progress = data, norm, width, progress
        self.tolerance = tolerance
        self.features: Independent | None = None
        self.search: Sifting | None = None
        self.itself = norm_above(data, norm)
        nothing = np.zeros(data.n_features)
        self.known = Known(0.0, self.itself, nothing, data.displacement, _NONE)
        self.since = time.perf_counter()
        self.stage, self.seconds = "independence", dict[str, float]()

    @property
    def reached(self) -> bool:
        """Whether the bounds are as close as asked for."""
        lower, upper = self.known.lower, self.known.upper
        asked = self.width * max(upper, _NOTHING * self.itself)
        return math.isfinite(upper) and upper - lower <= asked

    @property
    def left_out(self) -> Array:
        """The features that are none of the problem, for the tolerance."""
        features = self.features
        if features is None or features.proved or not self.tolerance:
            return _NONE
        return features.dropped

    def run(self) -> None:
        """The stages of the norm in turn."""
        with timed(self.seconds, self.stage):
            self.search = self._started()
        if self.search is None:
            return
        for name, stage in _STAGES[self.norm]:
            if self.reached and not self.known.seeking:
                return
            self.stage = name
            with timed(self.seconds, name):
                known = stage(self, self.search, self.known)
            self.known = known.below(self.known.lower, self.known.dual)  # of pulses meanwhile

    def _started(self) -> Sifting | None:
        """The search over independent features; None where there is nothing to search for."""
        data, nothing = self.data, self.data.displacement * 0
        if not data.displacement.any():
            if not len(data.moved):
                self.known = self.known.above(0.0, nothing, _NONE)
            return None
        features = independent_features(data, max(self.tolerance, ROUNDING))
        self.features = features
        self.known = replace(self.known, sound=features.proved or self.tolerance > 0)
        if len(features.used):
            search = Sifting(data, features, self.pulse)
            if not _without_moment(search):
                return search
        # the benign labels already have the moments of the target
        self.known = self.known.above(0.0, nothing, _NONE)
        return None

    def pulse(self, y: Array, prices: Array) -> bool:
        """A lower bound; says whether it reaches the upper one (the target's own cost, mostly)."""
        self.known = self.known.below(BELOW[self.norm](self.data, y, prices), y)
        if self.progress is not None:
            seconds = time.perf_counter() - self.since
            self.progress(self.stage, self.known.lower, self.known.upper, seconds)
        return self.reached

    def notes(self, interrupted: bool) -> tuple[str, ...]:
        """What was done to the data, or could not be proved, in words."""
        notes = notes_of(self.known, self.data, self.features, self.tolerance)
        if interrupted:
            notes.append(f"interrupted at the stage {self.stage!r}")
        elif self.search is not None and not self.reached and self.known.sound:
            notes += too_wide(self.known, self.norm)
        return tuple(notes)

    def statistics(self) -> dict[str, Any]:
        """Method, seconds a stage, and work done."""
        search = self.search
        return {
            "method": ", then ".join(self.known.methods) or "none needed",
            "seconds": self.seconds,
            "total": time.perf_counter() - self.since,
            "steps": 0 if search is None else search.steps,
            "pricings": 0 if search is None else search.pricings,
            "pairs": 0 if search is None else len(search.members),
            "width asked for": self.width,
        }


def _without_moment(search: Sifting) -> bool:
    """Whether the target's changes certainly have no moments, of which only rounding is seen."""
    scale = float(np.abs(search.data.displacement).sum())
    small = float(np.abs(search.moment).max()) <= _ZERO_MOMENT * scale
    return small and moment_is_zero(search)


Stage: TypeAlias = Callable[[Enclosing, Sifting, Known], Known]


def _proof(certify: Callable[[Sifting, Found, float], Above | None]) -> Stage:
    """The upper bound that the point found proves, if it does."""

    def stage(work: Enclosing, search: Sifting, known: Known) -> Known:
        found = known.point
        if found is not None:
            size = max(float(np.abs(found.changes).sum()), _NOTHING * work.itself)
            above = certify(search, found, work.width * size * _SHARE[work.norm])
            if above is not None:
                cost = ABOVE[work.norm](work.data, above)
                return known.above(cost, above.point.changes, above.basis)
        return known

    return stage


# -- l1 ------------------------------------------------------------------------------------------
def _newton(work: Enclosing, search: Sifting, known: Known) -> Known:
    """Where Newton's method on the smoothed dual ends, unless there are few pairs."""
    if work.data.n_pairs <= max(_WHOLE_PAIRS * len(search.moment), _WHOLE):
        return known
    found = search.run()
    known = known.by("Newton on the smoothed dual", found)
    if work.reached:  # by the target itself
        return replace(known, seeking=False)
    known = replace(known, seeking=not found.vertex)
    return _proof(certify_vertex)(work, search, known)


def _ties(work: Enclosing, search: Sifting, known: Known) -> Known:
    """A vertex by a linear program over the pairs in doubt: all of them, if no search was."""
    start = known.point
    found = solve_band(search, start)
    known = replace(known, seeking=False)
    if found is None:
        known = known.failed("HiGHS did not solve the linear program; the search's point is used")
    where = "over all pairs (few of them)" if start is None else "over the pairs in doubt"
    known = known.by(f"a linear program {where}", found or start)
    return _proof(certify_vertex)(work, search, known)


def _exact_vertex(work: Enclosing, search: Sifting, known: Known) -> Known:
    """The vertex found, in exact arithmetic."""
    found = known.point
    solved = None if found is None else exact_vertex(search, found.changes, found.free)
    if found is None or solved is None:
        return known
    return known.above(_around(solved[0])[1], solved[1], found.free)


def _blend(work: Enclosing, search: Sifting, known: Known) -> Known:
    """The vertex found is near a feasible point inside the box."""
    moved, found = _proof(certify_blend)(work, search, known), known.point
    if found is None or moved is known or not _attained(search, found.changes):
        return moved
    return replace(moved, changes=found.changes, basis=found.free)


def _attained(search: Sifting, changes: Array) -> bool:
    """Whether changes have the moments of the target up to rounding."""
    goal = search.data.displacement
    missing = search.data.moments(goal - changes)[search.features.used]
    sizes = float(np.abs(changes).sum() + np.abs(goal).sum())
    return bool((np.abs(missing) <= _ATTAINED * sizes).all())


# -- l2 and linf ---------------------------------------------------------------------------------
def _projection(work: Enclosing, search: Sifting, known: Known) -> Known:
    """The least sum of squares: optimal in l2, and feasible in linf."""
    known = replace(known.by("Newton on the dual", search.project()), seeking=False)
    return _proof(certify_inside)(work, search, known)


def _maximum(work: Enclosing, search: Sifting, known: Known) -> Known:
    """The least maximum by a linear program, from the projection."""
    start = known.point
    assert start is not None  # of the projection
    found, why = solve_maximum(search, start.changes)
    if found is None:  # prices that sum to one prove what the closed form does
        y = start.y / search.reach(start.prices).sum()
        work.pulse(y, work.data.prices(y))
        return known.failed(why)
    return _proof(certify_inside)(work, search, known.by("a linear program", found))


# -- what floats do not settle -------------------------------------------------------------------
def _sharper(work: Enclosing, search: Sifting, known: Known) -> Known:
    """The lower bound again, with prices in extended precision: for large y, which cancel."""
    prices = work.data.prices(known.dual)
    return known.below(BELOW[work.norm](work.data, known.dual, prices, sharp=True), known.dual)


def _rationals(work: Enclosing, search: Sifting, known: Known) -> Known:
    """Exact arithmetic on small data, with all features that a tolerance leaves."""
    data = work.data
    if data.features.size > _RATIONAL[work.norm]:
        return known
    kept = np.setdiff1d(np.arange(data.n_features), work.left_out)
    vectors = (data.benign, data.target, data.weights)
    labels = (None if vector is None else vector.tolist() for vector in vectors)
    problem = FlipProblem.of(data.features[kept].tolist(), *labels)
    try:
        found = solve_flips(problem, work.norm, _EXACT)
    except (ModelError, LimitReachedError) as error:
        return known.failed(f"exact arithmetic did not settle it: {error}")
    dual = np.zeros(data.n_features)
    with np.errstate(over="ignore"):
        dual[kept] = np.ldexp(found.dual.floats(), data.exponents[kept])
    lower, upper = _around(found.value, root=work.norm == "l2")
    return replace(
        known.by("exact arithmetic", None), sound=True, exact=True, dual=dual, upper=upper,
        lower=max(known.lower, lower), changes=found.changes.floats(),
        basis=np.array(found.basis, dtype=np.int64),
    )  # fmt: skip


def _around(value: Fraction, root: bool = False) -> tuple[float, float]:
    """Doubles around a number that is not negative, or around its root."""
    low = high = math.sqrt(float(value)) if root else float(value)
    power = 2 if root else 1
    while Fraction(low) ** power > value:
        low = math.nextafter(low, -math.inf)
    while Fraction(high) ** power < value:
        high = math.nextafter(high, math.inf)
    return low, high


_LAST: tuple[tuple[str, Stage], ...] = (("bounds", _sharper), ("exact", _rationals))
_STAGES: dict[str, tuple[tuple[str, Stage], ...]] = {
    "l1": (
        ("Newton", _newton),
        ("linear program", _ties),
        ("bounds", _exact_vertex),
        ("bounds", _blend),
        *_LAST,
    ),
    "l2": (("Newton", _projection), *_LAST),
    "linf": (("Newton", _projection), ("linear program", _maximum), *_LAST),
}
