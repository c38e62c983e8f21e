"""Between which values of one gain a loop stays stable: every crossing is found, exactly.

One gain k enters the characteristic polynomial as A(z) + k B(z).  Where a zero is on the edge, the
unit circle or the imaginary axis, k = -A/B is real there, so that A(z) B(z*) = A(z*) B(z) with z*
= 1/z or -z.  Both are polynomials in x = z + 1/z in [-2, 2], or x = z^2 <= 0, whose real roots are
isolated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from typing import Any

from flint import arb, arb_poly, ctx, fmpq, fmpq_poly

from ...errors import ModelError
from .stability import GAINS, Loop, Verdict, characteristic, matrix, verdict

_PRECISIONS = (128, 512, 2048, 8192)
"""Bits; more where a crossing cannot be told from the gain."""
_X = fmpq_poly([0, 1])


def gain_limits(loop: Loop, name: str) -> tuple[float, float] | None:
    """The interval around a gain in which the loop stays stable with the other gains as they are;
    None if it is not stable now.

    No eigenvalue reaches the edge inside of it; the ends are exact but for their rounding to
    floats, and the upper is infinite where none does above.  The K_P of "adaptive" is taken to
    stay.  Raises ModelError for a name that is no gain.
    """
    if name not in GAINS:
        raise ModelError(f"{name!r} is no gain; there are {', '.join(GAINS)}")
    if loop.form == "adaptive":
        loop = replace(loop, form="stooke", largest=None)
    if verdict(loop) is not Verdict.STABLE:
        return None
    given = getattr(loop, name)
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            here = arb(_in_flint(given))
            found = list(_crossings(loop, name))
            above = [k for k in found if k > here]
            below = [k for k in found if k < here]
            if len(above) + len(below) == len(found):
                low = max((0.0 if k.contains(0) else float(k.mid()) for k in below), default=0.0)
                return max(low, 0.0), min((float(k.mid()) for k in above), default=math.inf)
    raise ModelError(
        f"{name} is {given}, too near to a limit for {_PRECISIONS[-1]} bits to tell them apart; "
        "give fewer digits"
    )


def _crossings(loop: Loop, name: str) -> Iterator[arb]:
    """All gains, of any sign, at which an eigenvalue is on the edge."""
    start, slope = _affine(loop, name)
    low, high = (-math.inf, 0) if loop.step is None else (-2, 2)
    real, least, odd = (_on_axis if loop.step is None else _on_circle)(start, slope)
    if not least or not odd:
        return  # the gain moves nothing
    odd *= _X if loop.step is None else _X * _X - 4  # and at z = 0, or 1 and -1
    while (common := odd.gcd(least)).degree() > 0:  # there B is 0, and k infinite
        odd //= common
    top: Any = arb_poly(real)
    bottom: Any = arb_poly(least)
    roots: Any = odd.numer().complex_roots()
    for root, _ in roots:
        if root.imag == 0 and not (root.real < low or root.real > high):
            yield -top(root.real) / bottom(root.real)


def _affine(loop: Loop, name: str) -> tuple[fmpq_poly, fmpq_poly]:
    """A and B."""

    def polynomial(gain: int) -> fmpq_poly:
        changed: dict[str, Any] = {name: Fraction(gain)}
        one = replace(loop, **changed)
        watched = bool(loop.derivative) or name == "derivative"
        found = fmpq_poly([_in_flint(c) for c in characteristic(matrix(one, watched=watched))])
        if loop.step is None and loop.form != "incremental":
            return found * _in_flint(1 + one.slope**2 * one.derivative)
        return found

    return polynomial(0), polynomial(1) - polynomial(0)


def _in_flint(number: Fraction) -> fmpq:
    return fmpq(number.numerator, number.denominator)


_Parts = tuple[fmpq_poly, fmpq_poly, fmpq_poly]
"""Of A B*, as polynomials in x: real part, |B|^2, and the imaginary part but for its factor that
is 0 at real z."""


def _on_circle(A: fmpq_poly, B: fmpq_poly) -> _Parts:
    size = max(A.degree(), B.degree(), 0)
    reverse = fmpq_poly([B[size - k] for k in range(size + 1)])  # z^size B(1/z)
    mixed, square = A * reverse, B * reverse
    sums = _recursion(fmpq_poly([2]), _X, size)  # z^k + z^-k
    differences = _recursion(fmpq_poly([0]), fmpq_poly([1]), size)  # (z^k - z^-k)/(z - 1/z)
    real, least, odd = fmpq_poly([mixed[size]]), fmpq_poly([square[size]]), fmpq_poly([0])
    for k in range(1, size + 1):
        real += (mixed[size + k] + mixed[size - k]) / 2 * sums[k]
        least += square[size + k] * sums[k]
        odd += (mixed[size + k] - mixed[size - k]) * differences[k]
    return real, least, odd


def _recursion(first: fmpq_poly, second: fmpq_poly, size: int) -> list[fmpq_poly]:
    """f_0 to f_size with f_{k+1} = x f_k - f_{k-1}."""
    steps = accumulate(range(size), lambda pair, _: (pair[1], _X * pair[1] - pair[0]),
                       initial=(first, second))  # fmt: skip
    return [pair[0] for pair in steps]


def _on_axis(A: fmpq_poly, B: fmpq_poly) -> _Parts:
    mirrored = B(fmpq_poly([0, -1]))
    mixed, square = A * mirrored, B * mirrored
    parts = (mixed.coeffs()[::2], square.coeffs()[::2], mixed.coeffs()[1::2])
    real, least, odd = map(fmpq_poly, parts)
    return real, least, odd
