"""What a claim may yield for a quantity: exact numbers, balls, enclosures, or samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from holdfast.theory import Domain, Quantity

from ..kernel import Enclosure

if TYPE_CHECKING:
    from flint import arb


def is_known(number: Enclosure) -> bool:
    """Whether the enclosure is one number, and certain."""
    return number.lo == number.hi and number.alpha == 0


@dataclass(frozen=True, slots=True)
class Ball:
    """A real number that arb can enclose as tightly as asked.

    compute: returns the number as an `flint.arb` at the working precision of `flint.ctx`.
    """

    compute: Callable[[], arb]


@dataclass(frozen=True, slots=True)
class Count:
    """Successes in independent trials; stands for their unknown probability of success.

    The engine turns it into a confidence interval whose alpha is charged to the run's ledger.
    """

    successes: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.trials or self.trials == 0:
            raise ValueError(f"{self.successes} successes in {self.trials} trials is not a count")


@dataclass(frozen=True, slots=True)
class Mean:
    """Independent samples of a bounded number; stands for their unknown expectation.

    samples: how many; total, squares: the exact sums of the samples and of their squares;
    lo, hi: what no sample can be below or above, known beforehand and not read off the samples.
    The engine turns it into a confidence interval whose alpha is charged to the run's ledger.
    """

    samples: int
    total: Fraction
    squares: Fraction
    lo: Fraction
    hi: Fraction

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"{self.samples} samples have no mean; take at least one")
        if not self.lo < self.hi:
            raise ValueError(f"samples in [{self.lo}, {self.hi}] need no mean; yield the number")
        n, lo, hi = self.samples, self.lo, self.hi
        # within the range, the sums of x - lo, hi - x, (x - lo)(hi - x) are at least 0
        room = (lo + hi) * self.total - n * lo * hi - self.squares
        possible = n * lo <= self.total <= n * hi and room >= 0
        if not possible or n * self.squares < self.total**2:
            raise ValueError(
                f"{n} samples in [{lo}, {hi}] cannot have the sum {self.total} and the sum of "
                f"squares {self.squares}; give the range that no sample leaves"
            )

    @property
    def variance(self) -> Fraction:
        """The unbiased sample variance; zero for one sample."""
        n = self.samples
        return (self.squares - self.total**2 / n) / (n - 1) if n > 1 else Fraction(0)


Value = int | Fraction | Ball | Count | Mean | Enclosure
Values = Mapping[Quantity, Value]
Evaluate = Callable[..., Iterator[Values]]


_PRECISION = 64
"""Bits in which a ball's domain is looked at.  More cost time on every case; fewer let pass what is
outside by less than the radius, which is an error of the claim that the comparison may yet show."""
_PROBABILITIES = (Domain.PROBABILITY, Domain.NONNEGATIVE, Domain.REAL)


class ClaimError(Exception):
    """A claim that does not do its job: it raised, or its values do not fit the theorem."""


def checked(
    label: str, quantities: frozenset[Quantity], values: Any, *, domains: bool = True
) -> dict[Quantity, Value]:
    """The values, if they are exactly those of the theorem and, unless told not to mind, its
    domains.

    Raises
    ------
    ClaimError: naming the quantity that is missing, unknown, of a wrong type or out of its domain.
    """
    if not isinstance(values, Mapping):
        raise ClaimError(f"{label}: a claim yields {{quantity: value}}, got {values!r}")
    for quantity in values.keys() - quantities:
        known = ", ".join(sorted(q.name for q in quantities))
        raise ClaimError(f"{label}: the theorem has no quantity {quantity!s}; it has {known}")
    for quantity in quantities - values.keys():
        raise ClaimError(f"{label}: no value for {quantity.name} ({quantity.meaning})")
    return {
        quantity: _checked(label, quantity, value, domains) for quantity, value in values.items()
    }


def _enclosed(label: str, quantity: Quantity, value: Ball) -> Ball:
    import flint

    from .balls import from_arb

    with flint.ctx.workprec(_PRECISION):
        number = value.compute()
    if number.is_finite() and not quantity.domain.contains(*from_arb(number)):
        raise ClaimError(
            f"{label}: {quantity.name} = {number.str(12)} is outside its domain, "
            f"{quantity.domain.value}"
        )
    return value


def _counted(label: str, quantity: Quantity, value: Count) -> Count:
    if quantity.domain not in _PROBABILITIES:
        raise ClaimError(
            f"{label}: {quantity.name} is a count of trials, so a probability, but its domain "
            f"is {quantity.domain.value}"
        )
    return value


def _averaged(label: str, quantity: Quantity, value: Mean) -> Mean:
    domain = quantity.domain
    real = domain not in (Domain.COUNT, Domain.TRIALS)
    if not (real and domain.contains(value.lo, value.lo) and domain.contains(value.hi, value.hi)):
        raise ClaimError(
            f"{label}: {quantity.name} is the mean of samples in [{value.lo}, {value.hi}], which "
            f"its domain does not hold: {domain.value}"
        )
    return value


def _checked(label: str, quantity: Quantity, value: Any, domains: bool) -> Value:
    if isinstance(value, Ball):
        return _enclosed(label, quantity, value) if domains else value
    if isinstance(value, Count):
        return _counted(label, quantity, value)
    if isinstance(value, Mean):
        return _averaged(label, quantity, value) if domains else value
    if isinstance(value, bool) or not isinstance(value, int | Fraction | Enclosure):
        raise ClaimError(
            f"{label}: {quantity.name} = {value!r} is a {type(value).__name__}; yield an int, a "
            "Fraction, a Ball, a Count, a Mean or an Enclosure (a float is not evidence)"
        )
    lower, upper = (value.lo, value.hi) if isinstance(value, Enclosure) else (value, value)
    if domains and not quantity.domain.contains(Fraction(lower), Fraction(upper)):
        raise ClaimError(
            f"{label}: {quantity.name} = {value} is outside its domain, {quantity.domain.value}"
        )
    return Fraction(value) if isinstance(value, int) else value
