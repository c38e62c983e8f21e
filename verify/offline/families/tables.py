"""Small tables with a policy, and critics to be aligned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from holdfast.solvers.hypergradient.balls import Array, elementwise, number
from holdfast.solvers.offline.value_alignment import Table, bonus_of, fixed_point

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import array, laws, numbers

DISCOUNTS = (Fraction(1, 2), Fraction(9, 10), Fraction(0), Fraction(3, 4))
TEMPERATURES = (Fraction(1, 5), Fraction(0), Fraction(1), Fraction(5))


@dataclass(frozen=True, slots=True)
class Fit:
    """A table, a critic Q_0 [S, A], sweeps, alpha, and the pairs that are taken as safe, or are
    covered, [S, A] of booleans."""

    table: Table
    start: Array
    count: int
    temperature: Fraction
    chosen: Array

    def truth(self) -> Array:
        """Q^pi of the rewards."""
        return fixed_point(self.table, self.table.reward, bonus_of(self.table, 0))


def in_balls(fit: Fit) -> Fit:
    """The same at the working precision; as it is where no entropy takes part."""
    if fit.temperature == 0:
        return fit
    table = fit.table
    arrays = (table.transitions, table.policy, table.reward, table.cost)
    P, pi, r, c = (elementwise(number, one) for one in arrays)
    balls = Table(P, pi, r, c, number(table.discount))
    return replace(fit, table=balls, start=elementwise(number, fit.start))


def even_policy(draw: Draw, size: int, width: int) -> Array:
    """One law, in another order in each state."""
    law = laws(draw, width).tolist()
    return array([draw.shuffle(law) for _ in range(size)])


def any_policy(draw: Draw, size: int, width: int) -> Array:
    """Any laws; often with actions that are never taken."""
    return laws(draw, size, width)


def fits(
    *,
    policy: Callable[[Draw, int, int], Array] = any_policy,
    least: int = 0,
    temperatures: tuple[Fraction, ...] = TEMPERATURES,
) -> Family:
    """Rewards from `least` halves to 2, Q_0 from -4 to 4; at least two pairs, one of them not
    chosen."""

    def base(draw: Draw) -> Fit:
        size, width = draw.integer(1, 3), draw.integer(2, 3)
        reward = numbers(draw, size, width)
        table = Table(
            laws(draw, size, width, size), policy(draw, size, width),
            reward if least < 0 else abs(reward), abs(numbers(draw, size, width)),
            draw.choice(DISCOUNTS),
        )  # fmt: skip
        chosen = array([[draw.integer(0, 1) for _ in range(width)] for _ in range(size)]) == 1
        chosen[0, 0], chosen[-1, -1] = True, False
        start = 2 * numbers(draw, size, width)
        return Fit(table, start, draw.integer(0, 4), draw.choice(temperatures), chosen)

    return Family("tables with a policy and a critic", base)


def separated() -> Family:
    """As many sweeps as the assumption takes, and at times more; ties are told apart by rewards."""
    inner = fits(temperatures=(Fraction(0),))

    def base(draw: Draw) -> Fit:
        fit: Fit = inner.draw(draw)[0]
        table, shape = fit.table, fit.start.shape
        fine = array(range(fit.start.size)).reshape(shape) / 64
        table = Table(table.transitions, table.policy, table.reward + fine, table.cost,
                      table.discount)  # fmt: skip
        fit = Fit(table, fit.start, 0, Fraction(0), fit.chosen)
        truth = sorted(fit.truth().reshape(-1).tolist())
        gap = min(y - x for x, y in pairwise(truth))
        error, count = abs(fit.start - fit.truth()).max(), 1
        while gap and 2 * table.discount**count * error >= gap:
            count += 1
        more = draw.integer(0, 2)
        if not gap:  # two pairs of one value, of which the statement does not speak
            return loop(start=(2, 1), rewards=(0, 1), count=3)
        return Fit(table, fit.start, count + more, Fraction(0), fit.chosen)

    return Family("tables after enough sweeps", base)


def loop(
    *, start: tuple[Any, Any], rewards: tuple[Any, Any] = (0, 0), count: int = 1,
    policy: tuple[Any, Any] = (Fraction(1, 2), Fraction(1, 2)), discount: Fraction = Fraction(1, 2),
    temperature: Fraction = Fraction(0), chosen: tuple[bool, bool] = (True, False),
) -> Fit:  # fmt: skip
    """One state for ever, two actions."""
    table = Table(
        array([[[1], [1]]]), array([policy]), array([rewards]), array([[0, 1]]), discount
    )  # fmt: skip
    return Fit(table, array([start]), count, temperature, array([[*map(int, chosen)]]) == 1)
