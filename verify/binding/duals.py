"""Dual numbers over the rationals: exact derivatives for oracles, by definition."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Dual:
    """value + slope d with d^2 = 0."""

    value: Fraction
    slope: Fraction

    def __add__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -_dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return _dual(other) + -self

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = _dual(other)
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        other = _dual(other)
        slope = (self.slope * other.value - self.value * other.slope) / other.value**2
        return Dual(self.value / other.value, slope)

    def exp(self) -> Dual:
        """The exponential of a number of value 0, the only one that is rational."""
        _only(self.value == 0, "exponentials of 0", self.value)
        return Dual(Fraction(1), self.slope)

    def log(self) -> Dual:
        """The logarithm of a number of value 1."""
        _only(self.value == 1, "logarithms of 1", self.value)
        return Dual(Fraction(0), self.slope)

    def root(self, degree: int) -> Dual:
        """The root of a number of value 1: y^degree = self gives degree y' = slope."""
        _only(self.value == 1, "roots of 1", self.value)
        return Dual(Fraction(1), self.slope / degree)


def _dual(number: Any) -> Dual:
    return number if isinstance(number, Dual) else Dual(Fraction(number), Fraction(0))


def _only(true: bool, which: str, value: Fraction) -> None:
    if not true:
        raise ValueError(f"only the {which} are rational here, not those of {value}")
