"""Claims on PID control of a multiplier by steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import tanh

from holdfast.solvers.offline.multipliers.lyapunov import certified
from holdfast.solvers.offline.multipliers.stability import (
    Loop,
    Matrix,
    Verdict,
    characteristic,
    matrix,
    schur,
)
from holdfast.theory import Ge, Lt
from holdfast.theory.offline import pid
from holdfast.theory.offline import pid_steps as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families.loops import Switched, gain, loops, near_edge, switched
from ..landmarks import loops as landmarks
from .pid import coefficients, moved, plain, sizes, two

_LOOSE = Family(
    "pure I without curvature",  # a pair on the circle: 2 - K_I/2 = 2, 1, 0
    lambda draw: Loop(0, 1, 0, draw.integer(1, 3), 0, Fraction(1, 2)),
)


def _radius(M: Matrix) -> Ball | int:
    """1 is found by other means: no ball that holds it says on which side the modulus is."""
    edge = schur(characteristic(M)) is Verdict.BOUNDARY
    return 1 if edge else Ball(partial(sizes, M, False))


@claim(
    theory.discrete,
    over=loops(derivative=0)
    .with_landmarks(**landmarks.discrete)
    .with_controls(
        active=loops(slope=0, curvature=1, derivative=0),
        integral=loops(integral=0, derivative=0),
        braked=loops(curvature=0, proportional=0, derivative=0),
        off_the_edge=landmarks.at_edge,
    ),
    mutants=(
        NamedMutant(
            "PID-no-P",
            Lt((theory.radius - 1) * (4 - 2 * theory.eta * pid.a - theory.D * pid.ki), 0),
            "the proportional gain does not matter",
        ),
        NamedMutant("PID-no-limit", Lt(theory.radius, 1), "any gains above 0 will do"),
    ),
)
def discrete(loop: Loop) -> Iterator[Values]:
    M = matrix(loop)
    trace, determinant = two(M)
    yield {
        **plain(loop),
        theory.eta: loop.step,
        pid.determinant: determinant,
        theory.at_one: 1 - trace + determinant,
        theory.at_minus: 1 + trace + determinant,
        theory.radius: _radius(M),
    }


@claim(
    theory.jury,
    over=near_edge()
    .with_landmarks(**landmarks.discrete, **landmarks.with_derivative)
    .with_controls(
        active=loops(slope=0, curvature=1),
        integral=loops(integral=0),
        moved=_LOOSE,
        off_the_edge=landmarks.at_edge,
    ),
    mutants=(
        NamedMutant(
            "PID-no-D", Lt((theory.radius - 1) * theory.PI_MARGIN, 0), "K_D does not matter"
        ),
    ),
)
def jury(loop: Loop) -> Iterator[Values]:
    M = matrix(loop, watched=True)
    yield {
        **plain(loop),
        pid.kd: loop.derivative,
        theory.eta: loop.step,
        **coefficients(M),
        theory.radius: _radius(M),
    }


def _other(curvature: int, proportional: int) -> Family:
    """With curvature, or with gains whose eigenvalues are real."""
    return Family(
        "PI that is not bilinear or does not swing",
        lambda draw: Loop(curvature, 1, proportional, draw.integer(1, 3), 0, Fraction(1, 30)),
    )


def _modulus(M: Matrix) -> Fraction:
    """The largest squared modulus; of real eigenvalues, that of a sum of both."""
    trace, determinant = two(M)
    real, imaginary = trace / 2, determinant - trace**2 / 4
    return real**2 + abs(imaginary)


def _drawn_bilinear() -> Family:
    def base(draw: Draw) -> Loop:
        step, slope = draw.choice((Fraction(1, 20), Fraction(1, 10))), draw.choice((1, -1, 2))
        return Loop(0, slope, Fraction(draw.integer(1, 3), 4), gain(draw, 4), 0, step)

    return Family("bilinear games under PI", base)


@claim(
    theory.bilinear,
    over=_drawn_bilinear().with_controls(
        bilinear=_other(1, 1), swinging=_other(0, 20)
    ),
    mutants=(
        NamedMutant("PID-I-converges", Lt(theory.alternating, 1), "pure I converges"),
    ),
)  # fmt: skip
def bilinear(loop: Loop) -> Iterator[Values]:
    """Simultaneous: x' = x - eta (a x + b K_I I) and I' = I + b x, both from the step before."""
    a, b, ki, eta = loop.curvature, loop.slope, loop.integral, loop.step
    both = [[1 - eta * a, -eta * b * ki], [b, Fraction(1)]]
    yield {
        theory.alternating: _modulus(matrix(replace(loop, proportional=0))),
        theory.simultaneous: _modulus(both),
        theory.damped: _modulus(matrix(loop)),
        pid.b: b,
        theory.eta: eta,
        pid.kp: loop.proportional,
        pid.ki: ki,
    }


def _form(P: Matrix, y: Sequence[Fraction]) -> Fraction:
    return sum((y[i] * p * y[j] for i, row in enumerate(P) for j, p in enumerate(row)), Fraction(0))


def _unclipped() -> Iterator[Values]:
    """K_P grows by half of tanh|e| at each step, without a box, from 2 on: a form that falls for
    K_P up to 19 rises at last.  Floats, each taken as the fraction that it is."""
    loop = Loop("1/2", 1, 2, "1/2", 0, "1/10", form="adaptive", largest=19)
    P, y, kp = certified(loop), [Fraction(10), Fraction(0)], 2.0
    assert P is not None
    for _ in range(60):
        ahead = moved(matrix(replace(loop, form="stooke", largest=None, proportional=kp)), y)
        before, after = _form(P, y), _form(P, ahead)
        if after >= before:
            yield {theory.before: before, theory.after: after}
            return
        kp *= 1 + 0.5 * tanh(abs(float(y[0])))
        y = [Fraction(float(one)) for one in ahead]


@claim(
    theory.switching,
    over=switched()
    .with_landmarks(**landmarks.switching)
    .with_controls(form=switched(rising=True), boxed=switched(beyond=True)),
    mutants=(
        NamedMutant(
            "PID5-unclipped",
            Lt(theory.after, theory.before),
            "gains may adapt without a box",
            _unclipped,
        ),
    ),
)
def switching(case: Switched) -> Iterator[Values]:
    P, low, high, middle, y, share = case
    yield {
        theory.before: _form(P, y),
        theory.after: _form(P, moved(middle, y)),
        theory.at_low: _form(P, moved(low, y)),
        theory.at_high: _form(P, moved(high, y)),
        theory.share: share,
    }


@claim(
    theory.smoothed,
    over=loops(form="omnisafe", derivative=0)
    .along(lambda draw, _: draw.choice(tuple(Fraction(k, 20) for k in (10, 0, 5, 18, 19))))
    .with_landmarks(**landmarks.smoothed),
    survivors={
        Ge(theory.radius**2, theory.memory * (1 - theory.eta * pid.a)): (
            "true: the right side is below 1, and below radius^2 > radius^3 where radius is"
        )
    },
)
def smoothed(loop: Loop, memory: Fraction) -> Iterator[Values]:
    M = matrix(replace(loop, memory=memory))
    yield {
        **plain(loop),
        theory.eta: loop.step,
        theory.memory: memory,
        **coefficients(M),
        theory.radius: _radius(M),
    }
