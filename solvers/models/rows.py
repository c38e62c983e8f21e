"""Probability rows from any numbers, as positive integer weights over their exact sum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import ModelError
from ..exact import common_denominator, integer_array, to_fraction
from ..sequences import Array, listed, objects

#: A float row whose exact sum is farther than this from one is an error, not rounding.
FLOAT_SUM_TOLERANCE = Fraction(1, 10**9)
#: The same for a row that holds a float32, of which one unit in the last place of 1 is 2**-23.
SINGLE_SUM_TOLERANCE = Fraction(1, 2**20)


@dataclass(slots=True)
class RowReader:
    """Turns rows of probabilities into integer weights and remembers what it had to do.

    Floats are the dyadic rationals they are, or, when ``limit_denominator`` is given, the nearest
    rationals with at most that denominator.  A row of weights w stands for w / sum(w), so a float
    row whose exact sum is not one is re-normalised exactly, proportionally.

    renormalised: rows; missed: the largest distance of their sums from one.
    """

    limit_denominator: int | None = None
    renormalised: int = 0
    missed: Fraction = Fraction(0)
    rounded: int = 0
    vanished: int = 0
    first_vanished: str = ""

    def __post_init__(self) -> None:
        limit = self.limit_denominator
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Integral)):
            raise ModelError(f"limit_denominator is {limit!r:.60}; it must be an integer")
        if limit is not None and limit < 1:
            raise ModelError(
                f"limit_denominator is {limit}; it must be at least 1, or None to keep floats exact"
            )

    def number(self, value: object, where: str) -> Fraction:
        """One exact number; floats are rounded when the reader rounds."""
        try:
            exact = to_fraction(value, where)
        except ValueError as problem:
            raise ModelError(str(problem)) from problem
        if self.limit_denominator is None or not isinstance(value, float):
            return exact
        near = exact.limit_denominator(self.limit_denominator)
        self.rounded += near != exact
        if exact and not near:
            self.first_vanished = self.first_vanished or f"{value!r} in {where}"
            self.vanished += 1
        return near

    def weights(self, values: Sequence[object], where: str) -> list[int]:
        """Non-negative integer weights, without common factor, proportional to the row.

        Raises ModelError naming ``where`` for negative entries and for rows whose sum is not one
        (exactly for exact numbers, within 1e-9 when any entry is a float, 2**-20 for a float32).
        """
        tolerance = None
        if any(isinstance(value, np.float32) for value in values):
            tolerance = SINGLE_SUM_TOLERANCE
            values = [float(v) if isinstance(v, np.float32) else v for v in values]
        elif any(isinstance(value, float) for value in values):
            tolerance = FLOAT_SUM_TOLERANCE
        if tolerance is not None and self.limit_denominator is None:
            return self._dyadic_weights(values, where, tolerance)
        return self._scaled([self.number(v, where) for v in values], where, tolerance)

    def _dyadic_weights(
        self, values: Sequence[object], where: str, tolerance: Fraction
    ) -> list[int]:
        if not all(isinstance(v, float) and math.isfinite(v) for v in values):
            return self._scaled([self.number(v, where) for v in values], where, tolerance)
        ratios = [v.as_integer_ratio() for v in values if isinstance(v, float)]
        bottom = max((d for _, d in ratios), default=1)  # all are powers of two
        weights = [n * (bottom // d) for n, d in ratios]
        return self._weights(weights, bottom, where, tolerance)

    def _scaled(self, row: list[Fraction], where: str, tolerance: Fraction | None) -> list[int]:
        weights, bottom = common_denominator(row)
        return self._weights(weights, bottom, where, tolerance)

    def _weights(
        self, weights: list[int], bottom: int, where: str, tolerance: Fraction | None
    ) -> list[int]:
        if (least := min(weights, default=0)) < 0:
            j = weights.index(least)
            raise ModelError(
                f"{where} has probability {_shown(Fraction(weights[j], bottom))} at "
                f"position {j}; probabilities are not negative"
            )
        total = sum(weights)
        if total != bottom:
            self._check_sum(Fraction(total, bottom), where, tolerance)
            self.renormalised += 1
            self.missed = max(self.missed, abs(Fraction(total, bottom) - 1))
        content = math.gcd(*weights)
        return [weight // content for weight in weights] if content > 1 else weights

    def _check_sum(self, total: Fraction, where: str, tolerance: Fraction | None) -> None:
        gap, limit = abs(total - 1), self.limit_denominator
        if not total:
            raise ModelError(
                f"{where} is all zeros; give its probabilities, or, where the state has no such "
                "action, leave it out with available, an array [S, A] of truth values"
            )
        if tolerance is None:
            raise ModelError(
                f"{where} sums to {_shown(total)}, not exactly "
                "to 1; correct the row (exact numbers are never re-normalised)"
            )
        if limit is None and gap > tolerance:
            raise ModelError(
                f"{where} sums to {float(total)!r}, farther "
                f"than {float(tolerance):.2g} from 1; correct the row, such as by dividing it by "
                "its sum, or, where it holds rounded fractions such as 0.333, give from_arrays or "
                "from_gymnasium limit_denominator=1000, which reads each as the nearest fraction"
            )
        if limit is not None and gap > Fraction(1, limit):
            raise ModelError(
                f"{where} misses the sum 1 by {float(gap):.3g} after rounding to denominators up "
                f"to {limit}; raise limit_denominator or correct the row"
            )

    def notes(self) -> Iterable[str]:
        """What was done, in words, for the record of the model."""
        if self.limit_denominator is not None:
            yield (
                f"floats were replaced by the nearest rationals with denominator at most "
                f"{self.limit_denominator} ({self.rounded} changed)"
            )
        if self.vanished:
            yield (
                f"{self.vanished} of them became 0, the first {self.first_vanished}: that is no "
                "longer in the model; a larger limit_denominator keeps it"
            )
        if self.renormalised:
            yield (
                f"{self.renormalised} probability row(s) re-normalised exactly (farthest from 1: "
                f"{float(self.missed):.2g})"
            )


def plain_numbers(row: Array) -> list[object]:
    """The entries, of float32 as such: a sum of them misses one by more than one of doubles."""
    return list(row) if row.dtype == np.float32 else list(row.tolist())


def transition_arrays(rows: Sequence[Mapping[int, int]]) -> dict[str, Any]:
    """The fields ``indptr``, ``successors`` and ``weights`` of a model from {successor: weight}."""
    rows = listed(rows, "rows")
    return {
        "indptr": np.cumsum([0, *map(len, rows)], dtype=np.int64),
        "successors": integer_array([t for row in rows for t in row], "successors"),
        "weights": objects(w for row in rows for w in row.values()),
    }


def stacked(rows: Sequence[Sequence[int]], width: int) -> Array:
    """Integer functions over K choices as an array [m, K], also where there are none."""
    return np.array(rows, dtype=object) if rows else np.empty((0, width), dtype=np.int64)


def _shown(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{float(value)!r}"
