"""Families of sampling problems: a law, a number of samples, a deviation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...binding.draws import Draw
from ...binding.family import Family


@dataclass(frozen=True, slots=True)
class Frequency:
    """`trials` successes of probability `probability`, and a deviation of their frequency;
    copies: how many times each is recorded (1 where the samples are independent)."""

    trials: int
    probability: Fraction
    deviation: Fraction
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Empirical:
    """`trials` outcomes of the law, and an l1 radius; copies as for `Frequency`."""

    trials: int
    law: tuple[Fraction, ...]
    radius: Fraction
    copies: int = 1


def frequencies(*, copied: bool = False) -> Family:
    """Up to 40 trials; `copied` records each trial ten times, which breaks independence."""

    def base(draw: Draw) -> Frequency:
        return Frequency(
            draw.integer(1, 40),
            Fraction(draw.integer(1, 19), 20),
            Fraction(draw.integer(0, 12), 20),
            10 if copied else 1,
        )

    return Family("frequencies of independent trials", base)


def simulable_frequencies() -> Family:
    """Ten to twenty trials and deviations up to 1/5, where the bound stands clear of the tail."""

    def base(draw: Draw) -> Frequency:
        return Frequency(
            draw.integer(10, 20),
            Fraction(draw.integer(1, 19), 20),
            Fraction(draw.integer(2, 4), 20),
        )

    return Family("frequencies worth simulating", base)


def empirical_laws(*, copied: bool = False) -> Family:
    """Two to four outcomes, three to eight trials, radii around where the bound falls below 1."""

    def base(draw: Draw) -> Empirical:
        weights = [draw.integer(1, 5) for _ in range(draw.integer(2, 4))]
        law = tuple(Fraction(weight, sum(weights)) for weight in weights)
        trials, radius = draw.integer(3, 8), Fraction(draw.integer(6, 20), 10)
        return Empirical(trials, law, radius, 10 if copied else 1)

    return Family("empirical laws of independent outcomes", base)
