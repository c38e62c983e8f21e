"""The unit of a reward or of a cost does not matter: powers of two take it away, and give it back.

The search works on a model whose greatest reward, and greatest cost of each kind, lies in (1/2, 1];
each budget goes with its cost.  A power of two rounds nothing, so that what it finds is what it
would find in any other such unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ...models.cmdp import CMDP
from ...models.functions import FunctionModel
from .image import Array

#: The width of an enclosure where the greatest reward is one: some digits more than anyone reads,
#: some less than rounding takes where the discount is 99/100.
NARROW = Fraction(1, 10**7)


@dataclass(frozen=True)
class Units:
    """A model of about unit size; payoff i (the reward, the costs) is in units of scales[i]."""

    model: CMDP | FunctionModel
    scales: tuple[Fraction, ...]

    @classmethod
    def of(cls, model: CMDP | FunctionModel) -> Units:
        """The same model measured in its own units."""
        if isinstance(model, FunctionModel):
            return cls._of_functions(model)
        rows = [(model.reward, model.reward_denominator)]
        rows += zip(model.costs, model.cost_denominators, strict=True)
        powers = [_power(max(int(row.max()), -int(row.min())), bottom) for row, bottom in rows]
        scales = tuple(Fraction(2) ** power for power in powers)
        if not any(powers):
            return cls(model, scales)
        moved = [_divided(*row, power) for row, power in zip(rows, powers, strict=True)]
        pairs = zip(model.budgets, scales[1:], strict=True)
        return cls(
            replace(
                model,
                reward=moved[0][0],
                reward_denominator=moved[0][1],
                costs=np.stack([row for row, _ in moved[1:]]) if moved[1:] else model.costs,
                cost_denominators=tuple(bottom for _, bottom in moved[1:]),
                budgets=tuple(budget / scale for budget, scale in pairs),
            ),
            scales,
        )

    @classmethod
    def _of_functions(cls, model: FunctionModel) -> Units:
        scales = tuple(Fraction(2) ** _power(f.numerator, f.denominator) for f in model.largest)
        units = tuple(unit * scale for unit, scale in zip(model.units, scales, strict=True))
        pairs = zip(model.budgets, scales[1:], strict=True)
        budgets = tuple(budget / scale for budget, scale in pairs)
        return cls(replace(model, units=units, budgets=budgets), scales)

    def multipliers(self, prices: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """lambda (m) of the model as it was given."""
        pairs = zip(prices, self.scales[1:], strict=True)
        return tuple(w * self.scales[0] / scale for w, scale in pairs)

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """What a uniform change of all budgets is in each cost's unit (m), the greatest being 1."""
        least = min(self.scales[1:], default=Fraction(1))
        return tuple(least / scale for scale in self.scales[1:])


def _power(largest: int, bottom: int) -> int:
    """The exponent of the least power of two that largest / bottom does not exceed."""
    if not largest:
        return 0
    power = largest.bit_length() - bottom.bit_length()
    fits = largest << max(-power, 0) <= bottom << max(power, 0)
    return power if fits else power + 1


def _divided(row: Array, bottom: int, power: int) -> tuple[Array, int]:
    """(row / bottom) / 2^power as integers over an integer."""
    if power >= 0:
        return row, bottom << power
    if bottom % (1 << -power) == 0:
        return row, bottom >> -power
    return row.astype(object) << -power, bottom
