r"""No-regret oracles: how the actor of WSAC answers payoffs g(s, .), a state at a time.

A step takes the first row, the present row, the sum of all payoffs so far (the latest included) and
the latest payoff, all [A], and returns the next row, a law on actions.

:math:`\sum_k\langle g_k,\pi-\pi_k\rangle` is the regret to pi.  Hedge and the projected gradient
bound it by order sqrt(K); `follow_the_leader` and `stay` do not, and are the negative controls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..hypergradient.balls import number
from ..sequences import Array, objects

Step = Callable[[Array, Array, Array, Array], Array]


def doubling(rate: int) -> Step:
    """Hedge with eta = rate log 2: weights 2^(rate sum), exact rationals.

    Raises ModelError where rate times a sum of payoffs is no integer; `hedge` takes any.
    """

    def step(start: Array, row: Array, total: Array, payoff: Array) -> Array:
        del row, payoff
        powers = [Fraction(rate * g) for g in total]
        for a, power in enumerate(powers):
            if power.denominator != 1:
                raise ModelError(
                    f"the payoffs of action {a} sum to {total[a]}, and 2^({rate} times that) is "
                    "irrational; give payoffs and a rate whose product is an integer, or use "
                    "hedge, in balls"
                )
        return _normalised(start * objects(Fraction(2) ** int(power) for power in powers))

    return step


def hedge(eta: Fraction | flint.arb) -> Step:
    """Hedge: weights e^(eta sum), in balls at the working precision of `flint.ctx`."""
    rate = number(eta)

    def step(start: Array, row: Array, total: Array, payoff: Array) -> Array:
        del row, payoff
        weights = [number(p) * (rate * number(g)).exp() for p, g in zip(start, total, strict=True)]
        return _normalised(objects(weights))

    return step


def hedge_floats(eta: float) -> Step:
    """Hedge in double precision."""

    def step(start: Array, row: Array, total: Array, payoff: Array) -> Array:
        del row, payoff
        return _normalised(start * np.exp(eta * (total - total.max())))

    return step


def projected_gradient(eta: Fraction) -> Step:
    """Mirror descent with the Euclidean norm: the nearest law to row + eta payoff, exact."""

    def step(start: Array, row: Array, total: Array, payoff: Array) -> Array:
        del start, total
        return nearest_law(row + eta * payoff)

    return step


def follow_the_leader(start: Array, row: Array, total: Array, payoff: Array) -> Array:
    """The action with the largest sum so far, the first of several: linear regret at worst."""
    del start, row, payoff
    best = total.tolist().index(max(total))
    return objects(Fraction(a == best) for a in range(len(total)))


def stay(start: Array, row: Array, total: Array, payoff: Array) -> Array:
    """No update at all."""
    del row, total, payoff
    return start


def nearest_law(point: Array) -> Array:
    """The law nearest to a point in the Euclidean norm, exact for Fractions."""
    ordered, total = sorted(point, reverse=True), Fraction(0)
    shift = Fraction(0)
    for size, value in enumerate(ordered, start=1):
        total += value
        if value * size > total - 1:
            shift = (total - 1) / size
    return objects(max(value - shift, Fraction(0)) for value in point)


def play(step: Step, start: Array, payoffs: Sequence[Array]) -> list[Array]:
    """The rows pi_1 .. pi_K of one state against payoffs g_1 .. g_K, which may not look ahead."""
    rows, total = [start], payoffs[0] * 0
    for payoff in payoffs[:-1]:
        total = total + payoff
        rows.append(step(start, rows[-1], total, payoff))
    return rows


def regret(rows: Sequence[Array], payoffs: Sequence[Array], comparator: Array) -> Any:
    """sum_k <g_k, comparator - pi_k> of one state: a Fraction, ball or float as the rows are."""
    pairs = zip(rows, payoffs, strict=True)
    return sum(((comparator - row) * payoff).sum() for row, payoff in pairs)


def _normalised(weights: Array) -> Array:
    found: Array = weights / weights.sum()
    return found
