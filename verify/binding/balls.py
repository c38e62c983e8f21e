"""Balls of arb and rationals, one into the other without loss."""

from __future__ import annotations

from fractions import Fraction

import flint


def to_arb(number: Fraction | int) -> flint.arb:
    """A rational as a ball at the current working precision."""
    number = Fraction(number)
    return flint.arb(flint.fmpq(number.numerator, number.denominator))


def from_arb(number: flint.arb) -> tuple[Fraction, Fraction]:
    """Rational ends of a finite ball."""
    return _dyadic(number.lower()), _dyadic(number.upper())


def _dyadic(number: flint.arb) -> Fraction:
    mantissa, exponent = map(int, number.man_exp())
    if exponent >= 0:
        return Fraction(mantissa << exponent)
    return Fraction(mantissa, 1 << -exponent)
