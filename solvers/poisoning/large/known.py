"""What is known of a least cost at any time: one record, from which the notes are written."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...sequences import Array
from .arrays import FlipArrays
from .independence import ROUNDING, Independent
from .sifting import Found

_SPREAD = 20
"""Powers of two between the largest entries of two features, from which a note says so: no bound
depends on it, and a smaller one would be said of data in ordinary units."""
_NAMED = 8
"""Features that a note numbers, of any that were left out."""


@dataclass(frozen=True)
class Known:
    """The least cost lies in [lower, upper].

    Attributes:
        lower, upper: rigorous; dual: y (n) of the scaled rows, which proves ``lower``.
        changes: zeta (N), those to return; basis: the pairs that they were proved on.
        sound: whether a cost that is proved for the features used is one for all of them.
        without: if not sound, what the changes are proved to cost, for the features used only.
        seeking: whether better changes to return are looked for, however close the bounds are.
        point: where the last search ended, which may prove an upper bound.
        methods: what was done; failures: what did not succeed, in words.
        exact: whether exact arithmetic found the optimum.
    """

    lower: float
    upper: float
    dual: Array
    changes: Array
    basis: Array
    sound: bool = True
    without: float | None = None
    seeking: bool = True
    point: Found | None = None
    methods: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    exact: bool = False

    def below(self, lower: float, dual: Array) -> Known:
        """With a lower bound, if it is the better one."""
        return replace(self, lower=lower, dual=dual) if lower > self.lower else self

    def above(self, upper: float, changes: Array, basis: Array) -> Known:
        """With what was proved of changes for the features used, if it is below ``upper``."""
        if not upper < self.upper:
            return self
        known = replace(self, changes=changes, basis=basis)
        return replace(known, upper=upper) if self.sound else replace(known, without=upper)

    def by(self, method: str, point: Found | None) -> Known:
        """After another search, and where it ended."""
        return replace(self, methods=(*self.methods, method), point=point)

    def failed(self, why: str) -> Known:
        """After an attempt that came to nothing."""
        return replace(self, failures=(*self.failures, why))


def notes_of(
    known: Known, data: FlipArrays, features: Independent | None, tolerance: float
) -> list[str]:
    """What was done to the data, or could not be proved.

    features: those used; None if the search was interrupted before that was known.
    """
    dropped = [] if features is None else _dropped(known, features, tolerance)
    return [*_rescaled(data), *dropped, *known.failures]


def _rescaled(data: FlipArrays) -> list[str]:
    powers = data.exponents + data.units
    used = powers[data.largest > 0]
    if not len(used) or int(used.max() - used.min()) <= _SPREAD:
        return []
    sizes = np.ldexp(data.largest, powers)[data.largest > 0]
    return [
        f"features reach from {sizes[used.argmin()]:.2g} to {sizes[used.argmax()]:.2g} at most; "
        "they were rescaled by powers of two, which changes no cost"
    ]


def _dropped(known: Known, features: Independent, tolerance: float) -> list[str]:
    """Which features were left out, and of what problem the bounds then are."""
    count = len(features.dropped)
    if not count:
        return []
    names = ", ".join(map(str, features.dropped[:_NAMED])) + (", ..." if count > _NAMED else "")
    many = "1 feature is a combination" if count == 1 else f"{count} features are combinations"
    if features.proved:
        return [f"{many} of the others (or zero), left out (numbered from 0): {names}"]
    if tolerance:
        return [
            f"{many} of the others up to {max(tolerance, ROUNDING):g} of their size, left out "
            f"(numbered from 0): {names}; the bounds are those of the features kept, the lower "
            "one also of all"
        ]
    if known.exact:
        return [
            "some features are combinations of the others up to rounding, and the cost is that of "
            "the numbers as given, for which that rounding is information like any other; a "
            "tolerance drops it"
        ]
    said = [
        f"{many} of the others up to rounding, which was not proved, left out (numbered from 0): "
        f"{names}; the lower bound holds with them, too (a tolerance drops them and says what that "
        "costs)"
    ]
    if known.without is not None:
        said.append(
            f"without them at most {known.without!r}, which the changes attain; with them no bound "
            "below the target's own cost was proved"
        )
    return said


def too_wide(known: Known, norm: str) -> list[str]:
    """Why bounds of all features stayed apart, where no failure in linf says it already."""
    if norm == "linf" and known.failures:
        return []
    return [
        f"the bounds are {known.upper - known.lower:.2g} apart: ties or badly conditioned "
        "features keep a closer upper bound from being proved"
    ]
