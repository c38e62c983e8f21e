"""Which return to ask for: a predicted law of returns, adjusted by the data, tilted to experts.

A law is a sequence of weights, one a bin; exact numbers give exact laws, floats give floats.
Sources: Lee et al. 2022 for the exponential tilt; Tatematsu and Wachi 2025 for the adjusted
prediction, in our formalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, inf, isfinite, log
from typing import Generic, TypeVar

import numpy as np

from ...errors import ModelError

Number = TypeVar("Number", Fraction, float)


def normalised(weights: Sequence[Number], what: str = "a law") -> tuple[Number, ...]:
    """The weights over their sum; raises ModelError for a negative or infinite one, or all 0."""
    for at, weight in enumerate(weights):
        if not (isfinite(weight) and weight >= 0):
            raise ModelError(f"{what} has the weight {weight} in bin {at}; give one of at least 0")
    total = sum(weights, weights[0] * 0) if weights else 0
    if not total:
        raise ModelError(f"{what} has no positive weight in {len(weights)} bins")
    return tuple(weight / total for weight in weights)


def tilted(law: Sequence[Number], weights: Sequence[Number]) -> tuple[Number, ...]:
    """P(return) w(return), normalised.  It never asks for a return outside the law's support.

    Raises
    ------
    ModelError: if the lengths differ, a weight is negative, or no return has both.
    """
    if len(law) != len(weights):
        raise ModelError(f"a law on {len(law)} returns cannot have {len(weights)} weights")
    for weights_, what in ((law, "the law"), (weights, "the tilt")):
        normalised(weights_, what)
    return normalised([p * w for p, w in zip(law, weights, strict=True)], "the tilted law")


def exponentially_tilted(
    law: Sequence[float], returns: Sequence[Fraction | float], kappa: float, low: float, high: float
) -> tuple[float, ...]:
    """P(R) exp(kappa (R - R_low)/(R_high - R_low)), normalised; nothing overflows.

    Raises
    ------
    ModelError: unless low < high and kappa are finite, or if the lengths differ.
    """
    if not (isfinite(kappa) and isfinite(low) and isfinite(high) and low < high):
        raise ModelError(f"kappa {kappa} between {low} and {high}; give finite numbers in order")
    if len(law) != len(returns):
        raise ModelError(f"a law on {len(law)} bins with {len(returns)} returns; give one each")
    slopes = [
        log(p) + kappa * (float(value) - low) / (high - low) if p else -inf
        for p, value in zip(normalised(law), returns, strict=True)
    ]
    return tuple(float(p) for p in normalised([exp(slope - max(slopes)) for slope in slopes]))


def confusion_counts(
    predicted: Sequence[int], actual: Sequence[int], bins: int
) -> tuple[tuple[int, ...], ...]:
    """How often each bin was predicted (rows) where another was recorded (columns).

    Raises
    ------
    ModelError: if the lengths differ or a bin does not exist.
    """
    if len(predicted) != len(actual):
        raise ModelError(f"{len(predicted)} predictions of {len(actual)} returns; give one each")
    for name, places in (("predicted", predicted), ("recorded", actual)):
        for at, place in enumerate(places):
            if not 0 <= place < bins:
                raise ModelError(f"{name} bin number {at} is {place}; there are {bins} from 0 on")
    table = np.zeros((bins, bins), int)
    np.add.at(table, (list(predicted), list(actual)), 1)
    return tuple(map(tuple, table.tolist()))


def posterior(confusion: Sequence[Sequence[int]]) -> tuple[tuple[Fraction, ...], ...]:
    """P(recorded return | predicted bin), a row for each prediction, exactly.

    A bin that was never predicted is believed as it is: there the data say nothing.
    """
    size = len(confusion)
    return tuple(
        tuple(Fraction(count, sum(row)) for count in row)
        if sum(row)
        else tuple(Fraction(int(other == place)) for other in range(size))
        for place, row in enumerate(confusion)
    )


def adjusted(
    prediction: Sequence[Number], rows: Sequence[Sequence[Fraction]]
) -> tuple[Number, ...]:
    """The Bayes-adjusted prediction: sum over predicted bins of q(bin) P(return | bin)."""
    if len(prediction) != len(rows):
        raise ModelError(
            f"a prediction of {len(prediction)} bins with {len(rows)} rows; give a row for each"
        )
    law = normalised(prediction, "the prediction")
    columns = zip(*rows, strict=True)
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
    if len(returns) != len(prediction):
        raise ModelError(f"{len(returns)} returns with a prediction of {len(prediction)}; one each")
    note, law = "", normalised(prediction, "the prediction")
    if weights is not None:
        if len(weights) == len(law) and not any(p * w for p, w in zip(law, weights, strict=True)):
            note = "No expert had a return that is predicted here: the prediction is not tilted."
        else:
            law = tilted(law, weights)
    if generator is None:
        at = max(range(len(law)), key=lambda place: (law[place], returns[place]))
    else:
        at = int(generator.choice(len(law), p=np.array(law, float)))
    return Target(returns[at], law, note)


def best_of_many(returns: Sequence[Fraction], law: Sequence[Fraction], samples: int) -> Fraction:
    """E max of `samples` independent returns: r_1 + sum_i (r_{i+1} - r_i)(1 - F(r_i)^m), exactly.

    The returns are increasing.  Raises ModelError for fewer than one sample.
    """
    if samples < 1:
        raise ModelError(f"the largest of {samples} returns is not defined; draw at least one")
    expected, below = returns[0], Fraction(0)
    for at in range(len(returns) - 1):
        below += law[at]
        expected += (returns[at + 1] - returns[at]) * (1 - below**samples)
    return expected
