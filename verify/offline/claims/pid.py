"""Claims on PID control of a multiplier: exact matrices and polynomials, eigenvalues in balls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from flint import arb, fmpq, fmpq_poly

from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.offline.multipliers.stability import (
    Loop,
    Matrix,
    Verdict,
    characteristic,
    hurwitz,
    in_flint,
    matrix,
)
from holdfast.theory import Gt, Le, Lt
from holdfast.theory.offline import pid as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families.loops import gain, loops, near_critical
from ..landmarks import loops as landmarks

_CONTROLS = {
    "active": loops(step=False, slope=0),
    "integral": loops(step=False, integral=0),
    "braked": loops(step=False, curvature=0, proportional=0),
}


def sizes(M: Matrix, real: bool) -> arb:
    """The largest real part or modulus of an eigenvalue; of two, by the formula."""
    if len(M) == 2:
        trace, determinant = map(number, two(M))
        square = two(M)[0] ** 2 - 4 * two(M)[1]
        if square < 0:
            return trace / 2 if real else determinant.sqrt()
        return ((trace if real else abs(trace)) + number(square).sqrt()) / 2
    polynomial = fmpq_poly([fmpq(c.numerator, c.denominator) for c in characteristic(M)])
    pairs: Any = polynomial.complex_roots()
    found = [root for root, _ in pairs]
    sizes = [arb(root.real) if real else arb(abs(root)) for root in found]
    largest = sizes[0]
    for size in sizes[1:]:
        largest = largest.max(size)
    return largest


def _abscissa(M: Matrix) -> Ball | int:
    """0 is found by other means: no ball that holds it says on which side the real part is."""
    edge = hurwitz(characteristic(M)) is Verdict.BOUNDARY
    return 0 if edge else Ball(partial(sizes, M, True))


def two(M: Matrix) -> tuple[Fraction, Fraction]:
    """Trace and determinant."""
    (p, q), (r, s) = M
    return p + s, p * s - q * r


def plain(loop: Loop) -> Values:
    return {
        theory.a: loop.curvature,
        theory.b: loop.slope,
        theory.kp: loop.proportional,
        theory.ki: loop.integral,
    }


@claim(
    theory.continuous,
    over=loops(step=False).with_landmarks(**landmarks.continuous).with_controls(**_CONTROLS),
)
def continuous(loop: Loop) -> Iterator[Values]:
    M = matrix(loop)
    trace, determinant = two(M)
    yield {
        **plain(loop),
        theory.kd: loop.derivative,
        theory.trace: trace,
        theory.determinant: determinant,
        theory.abscissa: _abscissa(M),
    }


@claim(
    theory.critical,
    over=near_critical(loops(step=False))
    .with_landmarks(**landmarks.continuous)
    .with_controls(
        not_critical=loops(step=False, curvature=0, slope=1, proportional=2, integral=1,
                           derivative=0),
    ),
)  # fmt: skip
def critical(loop: Loop) -> Iterator[Values]:
    trace, determinant = two(matrix(loop))
    yield {
        **plain(loop),
        theory.kd: loop.derivative,
        theory.discriminant: trace**2 - 4 * determinant,
    }


@claim(
    theory.inertial,
    over=loops(step=False, least_derivative=1)
    .with_landmarks(little=lambda: (Loop(1, 1, 1, 1, Fraction(1, 100)),))
    .with_controls(**_CONTROLS, derivative=loops(step=False, derivative=0, curvature=1)),
    mutants=(NamedMutant("PID-D-damps", Gt(theory.zeta_D, theory.zeta_0), "D increases damping"),),
)
def inertial(loop: Loop) -> Iterator[Values]:
    """zeta^2 is tr^2 / (4 det) of the matrix; 0 where the determinant is."""
    squares = []
    for one in (loop, replace(loop, derivative=0)):
        trace, determinant = two(matrix(one))
        squares.append(trace**2 / (4 * determinant) if determinant else Fraction(0))
    yield {
        theory.b: loop.slope,
        theory.kd: loop.derivative,
        theory.zeta_D: squares[0],
        theory.zeta_0: squares[1],
    }


Several = tuple[Any, ...]


def _several(draw: Draw, convex: bool = True) -> Several:
    """H, A, x, I and the gains; H is B'B, or minus it."""

    def numbers(rows: int, columns: int) -> list[list[Fraction]]:
        return [[Fraction(draw.integer(-2, 2)) for _ in range(columns)] for _ in range(rows)]

    size = draw.integer(1, 3)
    A, root, x = numbers(draw.integer(1, 2), size), numbers(size, size), numbers(size, 1)
    B = in_flint(root)
    H = B.transpose() * B
    total = numbers(len(A), 1)
    return (
        H if convex else -H - B,
        in_flint(A),
        in_flint(x),
        in_flint(total),
        gain(draw),
        gain(draw),
    )


def _bent(draw: Draw) -> Several:
    return _several(draw, convex=False)


@claim(
    theory.energy,
    over=Family("convex quadratic plants", _several).with_controls(
        convex=Family("plants that are not convex", _bent)
    ),
)
def energy(case: Several) -> Iterator[Values]:
    """The second derivative from the first-order system, by the chain rule."""
    H, A, x, total, kp, ki = case
    kp_, ki_ = (fmpq(one.numerator, one.denominator) for one in (kp, ki))

    def speed(state: Any, integral: Any) -> Any:
        return -(H * state) - A.transpose() * (kp_ * (A * state) + ki_ * integral)

    def inner(left: Any, right: Any) -> Fraction:
        value = (left.transpose() * right)[0, 0]
        return Fraction(int(value.p), int(value.q))

    first = speed(x, total)
    second = speed(first, A * x)  # linear: the derivative of the state is `first`, of I it is A x
    yield {
        theory.energy_rate: inner(first, second) + ki * inner(A * x, A * first),
        theory.bent: inner(first, H * first),
        theory.moved: inner(A * first, A * first),
        theory.kp: kp,
    }


def coefficients(M: Matrix) -> Values:
    c0, c1, c2, _ = characteristic(M)
    return {theory.c0: c0, theory.c1: c1, theory.c2: c2}


def moved(M: Matrix, y: Sequence[Fraction]) -> list[Fraction]:
    return [sum((m * v for m, v in zip(row, y, strict=True)), Fraction(0)) for row in M]


@claim(
    theory.adaptive,
    over=loops(step=False, derivative=0).along(
        lambda draw, _: tuple(Fraction(draw.integer(-6, 6), 2) for _ in range(4))
    ),
    mutants=(
        NamedMutant(
            "PID5-outside",
            Le(theory.rate_out, 0),
            "a swinging gain outside the integral pumps nothing",
        ),
    ),
)
def adaptive(loop: Loop, state: tuple[Fraction, ...]) -> Iterator[Values]:
    """d/dt by the product rule, along dx/dt of the matrix at the gains of the moment."""
    x, total, inner, slope = state
    ki = loop.integral
    speed, g = moved(matrix(loop), [x, total])
    speed_in, _ = moved(matrix(replace(loop, integral=1)), [x, inner])
    still = x * speed + ki * total * g
    inside = x * speed_in + inner * (ki * g) / ki - slope * inner**2 / (2 * ki**2)
    yield {
        theory.a: loop.curvature,
        theory.b: loop.slope,
        theory.kp: loop.proportional,
        theory.gain: ki,
        theory.x: x,
        theory.total: total,
        theory.inner: inner,
        theory.slope: slope,
        theory.rate: still,
        theory.rate_in: inside,
        theory.rate_out: still + slope * total**2 / 2,
    }


@claim(
    theory.incremental,
    over=loops(step=False, form="incremental")
    .with_landmarks(**landmarks.incremental)
    .with_controls(
        active=loops(step=False, form="incremental", slope=0),
        integral=loops(step=False, form="incremental", integral=0),
        off_the_edge=Family("a K_P = K_I", lambda draw: Loop(1, 1, 1, 1, form="incremental")),
    ),
    mutants=(
        NamedMutant("PID9-docstring", Lt(theory.abscissa, 0), "as stable as the positional form"),
    ),
)  # fmt: skip
def incremental(loop: Loop) -> Iterator[Values]:
    M = matrix(loop)
    yield {
        **plain(loop),
        theory.kd: loop.derivative,
        **coefficients(M),
        theory.abscissa: _abscissa(M),
    }
