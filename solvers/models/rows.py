"""Probability rows from any numbers, as positive integer weights over their exact sum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import ModelError
from ..exact import common_denominator, integer_array, to_fraction
from ..sequences import Array, listed, objects

#: A float row whose exact sum is farther than this from one is an error, not rounding.
FLOAT_SUM_TOLERANCE = Fraction(1, 10**9)


@dataclass(slots=True)
class RowReader:
    """Turns rows of probabilities into integer weights and remembers what it had to do.

    Floats are the dyadic rationals they are, or, when ``limit_denominator`` is given, the nearest
    rationals with at most that denominator.  A row of weights w stands for w / sum(w), so a float
    row whose exact sum is not one is re-normalised exactly, proportionally.
    """

    limit_denominator: int | None = None
    renormalised: int = 0
    rounded: int = 0
    vanished: int = 0
    first_vanished: str = ""

    def __post_init__(self) -> None:
        if self.limit_denominator is not None and self.limit_denominator < 1:
            raise ModelError(
                f"limit_denominator is {self.limit_denominator}; it must be at least "
                "1, or None to keep floats exact"
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
        (exactly for exact numbers, within 1e-9 when any entry is a float).
        """
        floating = any(isinstance(value, float) for value in values)
        if floating and self.limit_denominator is None:
            return self._dyadic_weights(values, where)
        return self._scaled([self.number(v, where) for v in values], where, floating)

    def _dyadic_weights(self, values: Sequence[object], where: str) -> list[int]:
        if not all(isinstance(v, float) and math.isfinite(v) for v in values):
            return self._scaled([self.number(v, where) for v in values], where, True)
        ratios = [v.as_integer_ratio() for v in values if isinstance(v, float)]
        bottom = max((d for _, d in ratios), default=1)  # all are powers of two
        return self._weights([n * (bottom // d) for n, d in ratios], bottom, where, True)

    def _scaled(self, row: list[Fraction], where: str, floating: bool) -> list[int]:
        weights, bottom = common_denominator(row)
        return self._weights(weights, bottom, where, floating)

    def _weights(self, weights: list[int], bottom: int, where: str, floating: bool) -> list[int]:
        if (least := min(weights, default=0)) < 0:
            j = weights.index(least)
            raise ModelError(
                f"{where} has probability {_shown(Fraction(weights[j], bottom))} at "
                f"position {j}; probabilities are not negative"
            )
        total = sum(weights)
        if total != bottom:
            self._check_sum(Fraction(total, bottom), where, floating)
            self.renormalised += 1
        content = math.gcd(*weights)
        return [weight // content for weight in weights] if content > 1 else weights

    def _check_sum(self, total: Fraction, where: str, floating: bool) -> None:
        gap, limit = abs(total - 1), self.limit_denominator
        if not floating:
            raise ModelError(
                f"{where} sums to {_shown(total)}, not exactly "
                "to 1; correct the row (exact numbers are never re-normalised)"
            )
        if limit is None and gap > FLOAT_SUM_TOLERANCE:
            raise ModelError(
                f"{where} sums to {float(total)!r}, farther "
                "than 1e-9 from 1; correct the row, or, where the numbers are rounded (float32 "
                "misses 1 by 1e-7), give from_arrays limit_denominator=10**6, which reads each "
                "as the nearest fraction up to that denominator and re-normalises"
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
            yield f"{self.renormalised} probability row(s) re-normalised exactly"


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
