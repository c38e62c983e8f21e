"""Designs on unit vectors: fits, exact laws of errors, what is refused."""

from fractions import Fraction
from itertools import product

import pytest

from holdfast.solvers.alignment import designs
from holdfast.solvers.errors import ModelError


def test_fits_by_hand() -> None:
    """n w/(n + kappa); the least weights that fit leave out what is not observed."""
    weights = (Fraction(1), Fraction(-1, 2))
    assert designs.fitted(weights, (3, 0), Fraction(1)) == (Fraction(3, 4), 0)
    assert designs.fitted(weights, (3, 0), Fraction(0)) == (1, 0)


def test_laws_of_sums_and_sizes() -> None:
    """Two signs: 0 with even odds, 2 in size else; two sums of those."""
    assert designs.binomial_sums(2) == {-2: Fraction(1, 4), 0: Fraction(1, 2), 2: Fraction(1, 4)}
    weights, total = designs.sum_of_sizes(2, 2)
    assert ([Fraction(w, total) for w in weights]) == [
        Fraction(1, 4), 0, Fraction(1, 2), 0, Fraction(1, 4),
    ]  # fmt: skip
    squares, total = designs.sum_of_sizes(3, 2, 2)
    brute = [sum(s) ** 2 + sum(t) ** 2 for s in product((-1, 1), repeat=3)
             for t in product((-1, 1), repeat=3)]  # fmt: skip
    assert squares == [brute.count(value) for value in range(len(squares))]
    assert sum(squares) == total


def test_the_error_of_the_ridge() -> None:
    """One label, weight 1, kappa 1, noise +-1: errors of (+-1 - 1)/2, squared 0 or 2."""
    law = designs.squared_error_law((Fraction(1),), 1, Fraction(1), Fraction(2))
    assert law == {Fraction(0): Fraction(1, 2), Fraction(2): Fraction(1, 2)}
    assert designs.quantile(law, Fraction(1, 2)) == 0
    assert designs.quantile(law, Fraction(49, 100)) == 2


def test_what_is_refused() -> None:
    with pytest.raises(ModelError, match="ridge is 0"):
        designs.squared_error_law((Fraction(1),), 1, Fraction(0), Fraction(2))
    with pytest.raises(ModelError, match="failure is 1"):
        designs.quantile({Fraction(0): Fraction(1)}, Fraction(1))
