"""Loops of a linear-quadratic plant and a PID controller, many of them near the edge of stability.

Half of the discrete ones are made from their eigenvalues, whose moduli are near 1.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import sqrt
from typing import Any

from holdfast.solvers.offline.multipliers.lyapunov import certified
from holdfast.solvers.offline.multipliers.stability import (
    Loop,
    Matrix,
    Verdict,
    matrix,
    stable_margin,
    verdict,
    vertices,
)

from ...binding.draws import Draw
from ...binding.family import Family

STEPS = tuple(Fraction(1, k) for k in (10, 2, 5, 30))
"""Step sizes, from small to large ones."""


def gain(draw: Draw, least: int = 0) -> Fraction:
    """Quarters up to 3."""
    return Fraction(draw.integer(least, 12), 4)


def loops(*, step: bool = True, least_derivative: int = 0, **fixed: Any) -> Family:
    """Any plant with b != 0 and K_I > 0, a + b^2 K_P > 0; least_derivative: in quarters;
    fixed: attributes of every loop.  Off the edge, unless they are at it for all steps."""

    def base(draw: Draw) -> Loop:
        slope = Fraction(draw.choice((2, -2, 1, -1, 3, -5)), 2)
        drawn = {
            "curvature": gain(draw), "slope": slope, "proportional": gain(draw, 1),
            "integral": gain(draw, 1), "derivative": gain(draw, least_derivative),
            "step": draw.choice(STEPS) if step else None,
        } | fixed  # fmt: skip
        return off_the_edge(Loop(**drawn))

    return Family("linear-quadratic plants under PID", base)


def off_the_edge(loop: Loop) -> Loop:
    """The loop with a step, or in continuous time a K_P, that is smaller by a little, or one that
    stays at the edge."""
    name = "proportional" if loop.step is None else "step"
    for _ in range(4):
        if not _at_edge(loop):
            break
        changed: Any = {name: getattr(loop, name) * Fraction(96, 97)}
        loop = replace(loop, **changed)
    return loop


def _at_edge(loop: Loop) -> bool:
    numbers = (loop.curvature, loop.slope, loop.proportional, loop.integral, loop.derivative)
    edge = verdict(loop) is Verdict.BOUNDARY
    return edge if loop.step is None else edge or stable_margin(*numbers, loop.step) == 0


def near_edge() -> Family:
    """Three eigenvalues are drawn, and the gains that have them on a plant without curvature; any
    loop where one of these gains is not positive."""
    anything = loops()

    def base(draw: Draw) -> Loop:
        real, modulus = Fraction(draw.integer(-21, 12), 20), Fraction(draw.integer(9, 21), 20)
        half = modulus * Fraction(draw.integer(-9, 9), 10)
        c2, c1, c0 = -real - 2 * half, 2 * half * real + modulus**2, -real * modulus**2
        eta, slope = draw.choice(STEPS), Fraction(draw.choice((2, -1)))
        D = eta * slope**2
        gains = [(1 - c1 - 2 * c0) / D, (1 + c2 + c1 + c0) / D, c0 / D]
        loop = anything.draw(draw)[0]
        if min(gains) >= 0 and gains[1] and gains[0] + gains[2]:
            loop = Loop(0, slope, gains[0], gains[1], gains[2], eta)
        return loop if not _at_edge(loop) else off_the_edge(loop)

    return Family("PID loops near the edge", base)


def near_critical(loop_family: Family) -> Family:
    """The proportional gain a fortieth of the plant's own scale above or below the critical one."""

    def base(draw: Draw) -> Loop:
        loop: Loop = loop_family.draw(draw)[0]
        a, b, ki, kd = map(float, (loop.curvature, loop.slope, loop.integral, loop.derivative))
        critical = (2 * abs(b) * sqrt(ki * (1 + b * b * kd)) - a) / (b * b)
        near = Fraction(round(1000 * critical * draw.choice((1.02, 0.98, 1.5))), 1000)
        return replace(loop, proportional=near) if near > 0 else loop

    return Family("loops that hardly swing", base)


Switched = tuple[Matrix, Matrix, Matrix, Matrix, tuple[Fraction, ...], Fraction]
"""P, the matrices of both ends and of the gains between, a state y, the share of the first end."""


def switched(*, beyond: bool = False, rising: bool = False) -> Family:
    """A moving K_P in a box, or a rectified derivative, with a form that falls at both ends.

    beyond: gains outside of the box; rising: a form that does not fall.
    """

    def base(draw: Draw) -> Switched:
        rectified = draw.integer(0, 1) == 1
        low = Fraction(draw.integer(1, 8), 4)
        common = (
            Fraction(draw.integer(1, 4), 4),
            Fraction(1),
            low,
            Fraction(draw.integer(1, 4), 4),
        )
        if rectified:
            loop = Loop(*common, Fraction(draw.integer(1, 8), 4), Fraction(1, 10))
        else:
            loop = Loop(*common, 0, Fraction(1, 10), form="adaptive",
                        largest=low + draw.integer(1, 8))  # fmt: skip
        return between(loop, draw, beyond=beyond, rising=rising)

    return Family("switching gains", base)


def between(loop: Loop, draw: Draw, *, beyond: bool = False, rising: bool = False) -> Switched:
    """A drawn state, and gains between the two vertices of a loop (or beyond them)."""
    watched = bool(loop.derivative)
    first, second = vertices(loop).values()
    share = Fraction(draw.integer(0, 4), 4) if not beyond else Fraction(-20)
    names = ("proportional", "derivative")
    mixed = {
        name: share * getattr(first, name) + (1 - share) * getattr(second, name) for name in names
    }
    ends = [matrix(one, watched=watched) for one in (first, second)]
    P = certified(loop)
    if P is None or rising:
        size = len(ends[0])
        P = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    wide = replace(loop, form="stooke", largest=None, **(mixed if share >= 0 else {}))
    middle = matrix(wide, watched=watched) if share >= 0 else _affine(share, *ends)
    state = tuple(Fraction(draw.integer(-3, 3)) for _ in ends[0])
    state = state if any(state) else (Fraction(1), *state[1:])
    return P, ends[0], ends[1], middle, state, share


def _affine(share: Fraction, M: Matrix, N: Matrix) -> Matrix:
    return [
        [share * x + (1 - share) * y for x, y in zip(r, s, strict=True)]
        for r, s in zip(M, N, strict=True)
    ]
