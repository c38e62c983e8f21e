"""Claims for the tests of campaigns: every grade of evidence, landmarks, a control, a world.

``CAMPAIGN_PAUSE`` seconds are slept for each model, so that a test can kill a run in its midst.
"""

import os
import time
from collections.abc import Iterator
from fractions import Fraction

import flint
from sympy import sqrt

from holdfast.theory import (
    Assumption,
    Domain,
    Le,
    Provenance,
    Quantity,
    Source,
    Standing,
    Theorem,
)
from holdfast.verify.binding.claims import claim
from holdfast.verify.binding.draws import Draw, philox
from holdfast.verify.binding.family import Family, OutOfScope
from holdfast.verify.binding.values import Ball, Count, Values

PAUSE = float(os.environ.get("CAMPAIGN_PAUSE", "0"))
SOURCE = Source("the tests", "", Provenance.READ)

x = Quantity("x", "smaller", Domain.NONNEGATIVE)
y = Quantity("y", "larger", Domain.NONNEGATIVE)


def fraction(draw: Draw) -> Fraction:
    time.sleep(PAUSE)
    return Fraction(draw.integer(0, 9), draw.integer(1, 9))


def adopt(model: object) -> Fraction:
    if not isinstance(model, Fraction):
        raise OutOfScope(f"not a fraction: {model!r}")
    return model


def another(draw: Draw, _: Fraction) -> Fraction:
    return fraction(draw)


fractions = Family(
    "fractions",
    base=fraction,
    landmarks={"zero": lambda: (Fraction(0),), "half": lambda: (Fraction(1, 2),)},
    adopt=adopt,
)
below_zero = Family("negative fractions", base=lambda draw: -1 - fraction(draw))
nonnegative = (Assumption("nonnegative", "The fraction is at least 0."),)


@claim(
    Theorem("campaign/exact", "Doubling", Le(x, 2 * y), SOURCE, nonnegative),
    over=fractions.with_controls(nonnegative=below_zero),
)
def _(model: Fraction) -> Iterator[Values]:
    positive = max(model, Fraction(0))
    yield {x: abs(model) + positive, y: positive}
    yield {x: abs(model), y: positive}


@claim(Theorem("campaign/ball", "Roots", Le(sqrt(x), 1 + y), SOURCE), over=fractions.along(another))
def _(model: Fraction, other: Fraction) -> Iterator[Values]:
    number = flint.fmpq(model.numerator, model.denominator)
    yield {x: model, y: Ball(lambda: flint.arb(number).sqrt()) if other > 1 else model}


@claim(
    Theorem("campaign/refuted", "False", Le(x, y), SOURCE, standing=Standing.REFUTED),
    over=fractions.along(another),
)
def _(first: Fraction, second: Fraction) -> Iterator[Values]:
    yield {x: first, y: second}


p = Quantity("p", "probability of heads", Domain.PROBABILITY)


@claim(
    Theorem("campaign/statistical", "A coin", Le(p, (1 + y) / 2), SOURCE),
    over=Family("coins", base=fraction),
)
def _(model: Fraction) -> Iterator[Values]:
    heads = int(philox("coin", model).binomial(200, 0.2))
    yield {p: Count(heads, 200), y: model}
