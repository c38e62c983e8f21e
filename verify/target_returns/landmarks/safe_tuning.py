"""Independent targets on which bounds are met, or what is not printed fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from holdfast.solvers.target_returns import Surface, Tuner, Tuning
from holdfast.solvers.target_returns.gaussian.kernels import GridKernel

from ...binding.balls import to_arb
from ..families.gaussian import Process, white
from ..families.landscapes import LONGEST, Landscape


def _two(seeds: tuple[int, ...], limit: float, variance: float = 1.0, noise: float = 1.0) -> Tuning:
    """Two independent targets at distance 1, with bounds of two deviations on either side."""
    model = Surface(GridKernel(variance * np.eye(2)), noise)
    grid = np.array([[0.0], [1.0]])
    return Tuning(grid, seeds, limit, model, model, confidence=2.0, unsafe_comparison=True)


def _silent(tuning: Tuning, costs: tuple[float, float], rewards: tuple[float, float]) -> Landscape:
    return Landscape(tuning, costs, rewards, ((0.0, 0.0),) * LONGEST)


def met_bound() -> tuple[Landscape]:
    """A second target whose bound is just the limit and whose cost is five above it."""
    free = replace(_two((0,), 9.0), evaluations=0)
    limit = float(Tuner(free).bounds[1][1])
    return (_silent(replace(free, limit=limit), (0.0, limit + 5.0), (0.0, 0.0)),)


def zero_constant() -> tuple[Landscape]:
    """Costs 0 and 2, the limit 1, the seed the first, nothing observed: both are certified."""
    printed: dict[str, Any] = {
        "rule": "printed",
        "lipschitz": 0.0,
        "initial": "printed",
        "evaluations": 0,
    }
    return (_silent(replace(_two((0,), 1.0), **printed), (0.0, 2.0), (0.0, 0.0)),)


def free_step(variance: float, noise: float) -> tuple[Landscape]:
    """A seed of known cost that would reach the second target: nothing but one width to reduce.

    In units of the deviation: bounds [-2, 2], limit 10, L = 9, d = 1: it certifies nothing, and
    might, as -2 + 9 <= 10.  The width is 4, and zeta 3.99: one observation; N zeta^2 = 15.9 of 16.
    """
    unit = variance**0.5
    steep: dict[str, Any] = {"rule": "lipschitz", "lipschitz": 9 * unit, "tolerance": 3.99 * unit}
    tuning = replace(_two((0,), 10 * unit, variance, noise), **steep)
    return (_silent(tuning, (0.0, 9.0), (0.0, 0.0)),)


def long_search() -> tuple[Landscape]:
    """A seed that would reach the second target, at its bound of 0 alone, and never does.

    Limit 9, L = 9, d = 1: certified by u <= 0, and l <= 0.  The width is 4/sqrt(1 + N), at most
    zeta = 39/100 from N = 105 on; N zeta^2 is 16, and 16 log(1 + N)/log 2 is 108.
    """
    steep: dict[str, Any] = {"rule": "lipschitz", "lipschitz": 9.0, "tolerance": 0.39}
    found = _silent(replace(_two((0,), 9.0), **steep), (0.0, 9.0), (0.0, 0.0))
    return (replace(found, noise=2 * found.noise),)


def at_the_bounds(beyond: float = 0.0) -> tuple[Landscape, bool]:
    """The first reward is at its lower bound, the second at its upper one, or both `beyond` them.

    A negative number is a distance within the bounds.

    The first is tried, by the tie, and its regret is the width and twice what is beyond.
    """
    tuning = replace(_two((0, 1), 1.0), evaluations=1)
    _, _, low, high = Tuner(tuning).bounds
    ends = (float(low[0]) - beyond, float(high[1]) + beyond)
    return _silent(tuning, (0.0, 0.0), ends), False


def two_arms(first: float, second: float) -> tuple[Landscape]:
    """Two certified targets with these rewards, observed without an error as it happens.

    With 5.4, -5.4: the first is tried 23 times, until the other's growing bound is above; its
    regret of 10.8 exceeds 7.26, what 24 steps promise of the best of them.
    """
    printed: dict[str, Any] = {"confidence": "bayes", "failure": 1e-6, "explorations": 0}
    return (_silent(replace(_two((0, 1), 1.0), **printed), (0.0, 0.0), (first, second)),)


def each_once(*variances: Fraction | int) -> tuple[Process, Sequence[int], list[Fraction]]:
    """Independent targets, each observed once with noise 1."""
    count = len(variances)
    return white(*variances), range(count), [Fraction(3)] * count


def tails(targets: int, failure: Fraction) -> flint.arb:
    """At least the sum over both surfaces: 400 times exactly, and what is left by the last of them.

    A tail is erfcx(alpha_j/sqrt 2)/j^2 times a constant, erfcx decreases, and the sum of 1/j^2
    beyond J is at most 1/J.
    """
    total, most = flint.arb(0), 400
    for j in range(1, most + 1):
        share = targets * j * j * flint.arb.pi() ** 2 / (6 * to_arb(failure))
        tail = 2 * targets * share.log().sqrt().erfc()
        total += tail
    return total + tail * most


def success(variance: int) -> flint.arb:
    """P(f_1 >= max f - E) of ten independent targets of this variance, noise 1, Delta = 1/10.

    The integral of phi(x) Phi(x + E/sqrt k)^9, E at N = 1.
    """
    squared = 2 * (10 * flint.arb.pi() ** 2 / 6 * 10).log()
    gained = (1 + flint.arb(variance)).log() / 2
    reach = (8 * squared * gained / flint.arb(2).log() / variance).sqrt()

    def density(x: flint.acb, _: bool) -> flint.acb:
        phi = (-x * x / 2).exp() / (2 * flint.acb.pi()).sqrt()
        return phi * ((1 + ((x + reach) / flint.acb(2).sqrt()).erf()) / 2) ** 9

    beyond = (flint.arb(12) / flint.arb(2).sqrt()).erfc()
    return flint.acb.integral(density, -12, 12).real + beyond.union(flint.arb(0))
