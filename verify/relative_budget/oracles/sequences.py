"""What is seen in independent draws, by all sequences of draws."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod


def probability_by_sequences(
    base: Sequence[Fraction], seen: frozenset[int], draws: int
) -> Fraction:
    """The probability that `draws` draws show these indices and no other."""
    return sum(
        (
            prod((base[i] for i in one), start=Fraction(1))
            for one in product(range(len(base)), repeat=draws)
            if set(one) == seen
        ),
        Fraction(0),
    )
