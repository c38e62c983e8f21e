"""Whether a controlled multiplier comes to rest: exact verdicts on the linear-quadratic plant.

The plant is ``min (a/2) x^2`` subject to ``g = b x = 0``, the neighbourhood of an optimum with one
active constraint, moved to 0: the policy follows x' = x - eta (a x + b lambda), or dx/dt = -(a x +
b lambda), and a controller makes lambda from e = b x.  All verdicts are LOCAL: no projection of
lambda or of the integral, and a rectified term is a switch between two gains.

A verdict is exact for rational numbers: characteristic polynomials and the recursion of Schur and
Cohn in Fractions.  Eigenvalues and `stable_margin` of arrays are floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly

from ...errors import ModelError
from ...exact import to_fraction

Matrix: TypeAlias = list[list[Fraction]]
Form: TypeAlias = Literal["stooke", "fsrl", "osrl", "omnisafe", "incremental", "adaptive"]
FORMS = ("stooke", "fsrl", "osrl", "omnisafe", "incremental", "adaptive")
RECTIFIED = {
    "stooke": ("derivative",), "fsrl": ("derivative",), "osrl": ("proportional", "derivative"),
    "omnisafe": ("derivative",), "incremental": (), "adaptive": ("derivative",),
}  # fmt: skip
"""Terms that are there on one side of 0 only, so that their gain switches between itself and 0."""


SIZES = (Fraction(1, 10**30), Fraction(10**30))
"""Least and largest size of a number of a loop but 0: with others eigenvalues are no floats."""
_SMOOTHING = {"memory": Fraction(19, 20), "cost_memory": Fraction(19, 20), "delay": 10}
"""Defaults of omnisafe."""


class Verdict(Enum):
    """Where the eigenvalues are: all inside, none outside but some on the edge, or some outside."""

    STABLE = "stable"
    BOUNDARY = "boundary"
    UNSTABLE = "unstable"


@dataclass(frozen=True, slots=True)
class Loop:
    """A plant and a controller of it.

    Attributes:
        curvature, slope: a >= 0 and b of the plant; with b = 0 nothing is controlled.
        proportional, integral, derivative: gains K_P, K_I, K_D, each at least 0.
        step: eta > 0, or None for continuous time.
        form: which controller; in continuous time all but "incremental" are one.
        memory, cost_memory, delay: of "omnisafe" alone: weights of the past in its averages, and
            updates that its derivative looks back; its defaults are 19/20, 19/20 and 10.
        largest: the largest K_P of "adaptive", whose K_P wanders between `proportional` and it.
    Raises ModelError for anything else; numbers are read as exact ones.
    """

    curvature: Any
    slope: Any
    proportional: Any
    integral: Any
    derivative: Any = 0
    step: Any = None
    form: Form = "stooke"
    memory: Any = None
    cost_memory: Any = None
    delay: int | None = None
    largest: Any = None

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ModelError(f"form is {self.form!r}; there are {', '.join(FORMS)}")
        self._fill_smoothing()
        for name in ("curvature", "proportional", "integral", "derivative", "slope", "step",
                     "memory", "cost_memory", "largest"):  # fmt: skip
            if (given := getattr(self, name)) is None:
                continue
            try:
                value = to_fraction(given, name)
            except ValueError as error:
                raise ModelError(str(error)) from error
            if value < 0 and name != "slope":
                raise ModelError(f"{name} is {given}; it must be at least 0")
            if value and not SIZES[0] <= abs(value) <= SIZES[1]:
                raise ModelError(
                    f"{name} is {str(given)[:40]}; give 0 or a size from 1e-30 to 1e30, in other "
                    "units"
                )
            object.__setattr__(self, name, value)
        if self.step == 0:
            raise ModelError("step is 0, so that nothing moves; give a step above 0")
        if self.form == "omnisafe" and max(self.memory, self.cost_memory) >= 1:
            raise ModelError("the weights of averages must be below 1, which keeps all of the past")
        self._check_largest()

    def _fill_smoothing(self) -> None:
        for name, default in _SMOOTHING.items():
            given = getattr(self, name)
            if self.form == "omnisafe" and given is None:
                object.__setattr__(self, name, default)
            elif self.form != "omnisafe" and given is not None:
                raise ModelError(f"{name} has no effect with the form {self.form}; leave it out")
        if self.delay is not None and not (isinstance(self.delay, int) and self.delay >= 1):
            raise ModelError(f"delay is {self.delay}; it must be a whole number of at least 1")

    def _check_largest(self) -> None:
        if (self.largest is None) is (self.form == "adaptive"):
            raise ModelError("the form adaptive, and no other, needs the largest proportional gain")
        if self.largest is not None and self.largest < self.proportional:
            raise ModelError(f"largest is {self.largest}, below proportional {self.proportional}")


def matrix(loop: Loop, *, watched: bool | None = None) -> Matrix:
    """The exact transition matrix of a discrete loop, or of dy/dt = M y; derivative two-sided.

    The state is (x, I, ...): the integral before the update, then what the form remembers; watched:
    whether that includes what a derivative needs, by default only where its gain is not 0.
    """
    size, update = _linear(loop, bool(loop.derivative) if watched is None else watched)
    units = [[Fraction(int(i == j)) for i in range(size)] for j in range(size)]
    return [list(row) for row in zip(*map(update, units), strict=True)]


def _linear(
    loop: Loop, watched: bool
) -> tuple[int, Callable[[Sequence[Fraction]], list[Fraction]]]:
    """The dimension of the state, and the map (or the derivative) of a state."""
    a, b, eta = loop.curvature, loop.slope, loop.step
    kp, ki, kd = loop.proportional, loop.integral, loop.derivative
    inertia = 1 + b * b * kd

    def continuous(y: Sequence[Fraction]) -> list[Fraction]:
        x, total = y
        speed = -(a * x + b * (kp * b * x + ki * total)) / inertia
        return [speed, b * x]

    def increments(y: Sequence[Fraction]) -> list[Fraction]:
        x, lam, total = y
        speed = -(a * x + b * lam)
        return [speed, kp * b * x + ki * total + kd * b * speed, b * x]

    def moved(x: Fraction, lam: Fraction) -> Fraction:
        return x - eta * (a * x + b * lam)

    def positional(y: Sequence[Fraction]) -> list[Fraction]:
        x, total, *before = y
        e = b * x
        lam = kp * e + ki * (total + e) + (kd * (e - before[0]) if watched else 0)
        return [moved(x, lam), total + e, *([e] if watched else [])]

    def docstring(y: Sequence[Fraction]) -> list[Fraction]:
        x, lam, total, before = y
        e = b * x
        lam = lam + kp * e + ki * (total + e) + kd * (e - before)
        return [moved(x, lam), lam, total + e, e]

    def smoothed(y: Sequence[Fraction]) -> list[Fraction]:
        x, total, average, *recent = y
        e = b * x
        average = loop.memory * average + (1 - loop.memory) * e
        lam = kp * average + ki * (total + e)
        if watched:
            cost = loop.cost_memory * recent[-1] + (1 - loop.cost_memory) * e
            lam += kd * (cost - recent[0])
            recent = [*recent[1:], cost]
        return [moved(x, lam), total + e, average, *recent]

    if eta is None:
        return (3, increments) if loop.form == "incremental" else (2, continuous)
    if loop.form == "incremental":
        return 4, docstring
    if loop.form == "omnisafe":
        return 3 + ((loop.delay or 0) if watched else 0), smoothed
    return (3 if watched else 2), positional


def vertices(loop: Loop) -> dict[str, Loop]:
    """The loops between which rectified terms and moving gains switch, by what their gains are."""
    options: dict[str, list[Any]] = {}
    if loop.step is not None:
        options = {name: [getattr(loop, name), Fraction(0)] for name in RECTIFIED[loop.form]
                   if getattr(loop, name)}  # fmt: skip
    if loop.form == "adaptive" and loop.largest != loop.proportional:
        options["proportional"] = [loop.proportional, loop.largest]
    found = {}
    for chosen in product(*options.values()):
        named: dict[str, Any] = dict(zip(options, chosen, strict=True))
        text = ", ".join(f"{name} {value}" for name, value in named.items())
        found[text or "all gains as given"] = replace(loop, **named)
    return found


def characteristic(M: Matrix) -> list[Fraction]:
    """Coefficients of det(z - M), from the constant one up; the last is 1."""
    return _coefficients(in_flint(M).charpoly())


def in_flint(M: Matrix) -> fmpq_mat:
    """The same matrix."""
    return fmpq_mat(len(M), len(M[0]), [fmpq(x.numerator, x.denominator) for row in M for x in row])


def verdict(loop: Loop) -> Verdict:
    """Exact: of eigenvalues against the unit circle, or in continuous time the imaginary axis."""
    polynomial = characteristic(matrix(loop))
    return schur(polynomial) if loop.step is not None else hurwitz(polynomial)


def schur(coefficients: Sequence[Fraction]) -> Verdict:
    """Whether all zeros lie inside the unit circle; coefficients from the constant one up."""
    polynomial = fmpq_poly([fmpq(c.numerator, c.denominator) for c in coefficients])
    if _inside(polynomial):
        return Verdict.STABLE
    return Verdict.BOUNDARY if _not_outside(polynomial) else Verdict.UNSTABLE


def hurwitz(coefficients: Sequence[Fraction]) -> Verdict:
    """Whether all zeros lie in the left half-plane: s = (z - 1)/(z + 1) maps it to the disc."""
    polynomial = fmpq_poly([0])
    down, up = fmpq_poly([-1, 1]), fmpq_poly([1, 1])
    degree = len(coefficients) - 1
    for k, c in enumerate(coefficients):
        polynomial += fmpq(c.numerator, c.denominator) * down**k * up ** (degree - k)
    if polynomial.degree() < degree:  # s = 1 is a zero
        return Verdict.UNSTABLE
    return schur(_coefficients(polynomial))


def _coefficients(polynomial: fmpq_poly) -> list[Fraction]:
    return [Fraction(int(c.p), int(c.q)) for c in polynomial.coeffs()]


def _inside(polynomial: fmpq_poly) -> bool:
    """Schur and Cohn: |c_0| < |c_n|, and the same of the polynomial reduced by one degree."""
    c = _coefficients(polynomial)
    while len(c) > 1:
        if abs(c[0]) >= abs(c[-1]):
            return False
        c = [(c[-1] * low - c[0] * high) / c[-1] for low, high in zip(c, reversed(c), strict=True)]
        c = c[1:]
    return True


def _not_outside(polynomial: fmpq_poly) -> bool:
    """Whether no zero is outside the closed disc.

    Zeros on the circle, and pairs that mirror each other in it, are those of the greatest common
    divisor with the reversed polynomial.  That divisor has all its zeros on the circle if and only
    if its derivative has none outside (Cohn 1922).
    """
    if polynomial.degree() <= 0:
        return True
    reverse = fmpq_poly(polynomial.coeffs()[::-1])
    common = polynomial.gcd(reverse)
    if common.degree() == 0:
        return _inside(polynomial)
    return _not_outside(polynomial // common) and _not_outside(common.derivative())


def eigenvalues(loop: Loop) -> Any:
    """Floats, largest first: by modulus, or in continuous time by real part."""
    found = np.linalg.eigvals(np.array(matrix(loop), dtype=float))
    size = found.real if loop.step is None else np.abs(found)
    return found[np.argsort(-size, kind="stable")]


def damping_ratio(loop: Loop) -> float:
    """zeta of the continuous loop: below 1 it swings; infinite without integral, NaN for b = 0."""
    if not loop.slope:
        return math.nan
    stiffness = loop.slope**2 * loop.integral * (1 + loop.slope**2 * loop.derivative)
    brake = loop.curvature + loop.slope**2 * loop.proportional
    return float(brake) / (2 * math.sqrt(stiffness)) if stiffness else math.inf


def critical_proportional(loop: Loop) -> float:
    """The K_P above which the continuous loop does not swing; 0 at least, NaN for b = 0."""
    a, b = float(loop.curvature), abs(float(loop.slope))
    if not b:
        return math.nan
    inertia = 1 + b * b * float(loop.derivative)
    return max((2 * b * math.sqrt(float(loop.integral) * inertia) - a) / (b * b), 0.0)


GAINS = ("proportional", "integral", "derivative")


def stable_margin(a: Any, b: Any, kp: Any, ki: Any, kd: Any, eta: Any) -> Any:
    """Of the discrete PID with two-sided derivative: stable if and only if above 0.

    Arrays of floats of one shape, or Fractions; gains and curvature at least 0, which is not
    checked.  The least of the margins that Jury's test leaves then, on no common scale.
    """
    D = eta * b * b
    brake = eta * a + D * kp
    margins = (D * ki, brake + D * kd, 4 - 2 * brake - D * (ki + 4 * kd))
    if isinstance(brake, np.ndarray):
        return np.minimum.reduce(margins)
    return min(margins)
