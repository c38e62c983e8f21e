"""Which return to ask for: a predicted law of returns, adjusted by the data, tilted to experts.

A law is a sequence of weights, one a bin; exact numbers give exact laws, floats give floats.
Sources: Lee et al. 2022 for the exponential tilt; Tatematsu and Wachi 2025 for the adjusted
prediction, in our formalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import exp, inf, isfinite, log
from typing import Generic, TypeVar

import numpy as np

from ...errors import ModelError

Number = TypeVar("Number", Fraction, float)


def _same_length(one: Sequence[object], other: Sequence[object], what: str) -> None:
    if len(one) != len(other):
        raise ModelError(f"{len(one)} and {len(other)} {what}; give one of each for a bin")


def normalised(weights: Sequence[Number], what: str = "a law") -> tuple[Number, ...]:
    """The weights over their sum; raises ModelError for a negative or infinite one, or all 0."""
    for at, weight in enumerate(weights):
        if not (isfinite(weight) and weight >= 0):
            raise ModelError(f"{what} has the weight {weight} in bin {at}; give one of at least 0")
    if not any(weights):
        raise ModelError(f"{what} has no positive weight in {len(weights)} bins")
    total = sum(weights, weights[0] * 0)
    return tuple(weight / total for weight in weights)


def tilted(law: Sequence[Number], weights: Sequence[Number]) -> tuple[Number, ...]:
    """P(return) w(return), normalised.  It never asks for a return outside the law's support.

    Raises ModelError if the lengths differ, a weight is negative, or no return has both.
    """
    _same_length(law, weights, "weights of a law and its tilt")
    p, w = normalised(law, "the law"), normalised(weights, "the tilt")
    return normalised([a * b for a, b in zip(p, w, strict=True)], "the tilted law")


def exponentially_tilted(
    law: Sequence[float], returns: Sequence[Fraction | float], kappa: float, low: float, high: float
) -> tuple[float, ...]:
    """P(R) exp(kappa (R - R_low)/(R_high - R_low)), normalised; nothing overflows.

    Raises ModelError unless low < high and kappa are finite, or if the lengths differ.
    """
    if not (isfinite(kappa) and isfinite(low) and isfinite(high) and low < high):
        raise ModelError(f"kappa {kappa} between {low} and {high}; give finite numbers in order")
    _same_length(law, returns, "weights of a law and returns")
    slopes = [
        log(p) + kappa * (float(value) - low) / (high - low) if p else -inf
        for p, value in zip(normalised(law), returns, strict=True)
    ]
    return tuple(float(p) for p in normalised([exp(slope - max(slopes)) for slope in slopes]))


def confusion_counts(
    predicted: Sequence[int], actual: Sequence[int], bins: int
) -> tuple[tuple[int, ...], ...]:
    """How often each bin was predicted (rows) where another was recorded (columns).

    Raises ModelError if the lengths differ or a bin does not exist.
    """
    _same_length(predicted, actual, "predicted and recorded returns")
    for at, places in enumerate(zip(predicted, actual, strict=True)):
        if not 0 <= min(places) <= max(places) < bins:
            raise ModelError(f"number {at} has the bins {places}; there are {bins} from 0 on")
    table = np.zeros((bins, bins), int)
    np.add.at(table, (list(predicted), list(actual)), 1)
    return tuple(map(tuple, table.tolist()))


def posterior(confusion: Sequence[Sequence[int]]) -> tuple[tuple[Fraction, ...], ...]:
    """P(recorded return | predicted bin), a row for each prediction, exactly.

    A bin that was never predicted is believed as it is: there the data say nothing.
    """
    rows = [
        row if sum(row) else [int(other == at) for other in range(len(confusion))]
        for at, row in enumerate(confusion)
    ]
    return tuple(tuple(Fraction(count, sum(row)) for count in row) for row in rows)


def adjusted(
    prediction: Sequence[Number], rows: Sequence[Sequence[Fraction]]
) -> tuple[Number, ...]:
    """The Bayes-adjusted prediction: sum over predicted bins of q(bin) P(return | bin)."""
    _same_length(prediction, rows, "predicted bins and rows of the posterior")
    law, columns = normalised(prediction, "the prediction"), zip(*rows, strict=True)
    return tuple(
        sum((q * p for q, p in zip(law, column, strict=True)), law[0] * 0) for column in columns
    )


@dataclass(frozen=True, slots=True)
class Target(Generic[Number]):
    """The return to ask for, the law it was taken from, and what could not be done as meant."""

    value: Fraction | float
    law: tuple[Number, ...]
    note: str = ""


def choose_target(
    returns: Sequence[Fraction | float],
    prediction: Sequence[Number],
    weights: Sequence[Number] | None = None,
    generator: np.random.Generator | None = None,
) -> Target[Number]:
    """A return from the law tilted by weights: the likeliest (of equals the largest) or a sample.

    Where no predicted return has a positive weight the prediction is used as it is, and `note`
    says so.  Raises ModelError as `tilted` does.
    """
    _same_length(returns, prediction, "returns and predicted weights")
    note, law = "", normalised(prediction, "the prediction")
    if weights is not None:
        if len(weights) == len(law) and not any(p * w for p, w in zip(law, weights, strict=True)):
            note = "No expert had a return that is predicted here: the prediction is not tilted."
        else:
            law = tilted(law, weights)
    at = max(range(len(law)), key=lambda place: (law[place], returns[place]))
    if generator is not None:
        at = int(generator.choice(len(law), p=np.array(law, float)))
    return Target(returns[at], law, note)


def best_of_many(returns: Sequence[Fraction], law: Sequence[Fraction], samples: int) -> Fraction:
    """E max of `samples` independent returns: r_1 + sum_i (r_{i+1} - r_i)(1 - F(r_i)^m), exactly.

    The returns are increasing.  Raises ModelError for fewer than one sample.
    """
    if samples < 1:
        raise ModelError(f"the largest of {samples} returns is not defined; draw at least one")
    steps = (b - a for a, b in pairwise(returns))
    tails = (1 - sum(law[: at + 1], Fraction(0)) ** samples for at in range(len(returns) - 1))
    return returns[0] + sum((x * y for x, y in zip(steps, tails, strict=True)), Fraction(0))
