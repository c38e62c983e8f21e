"""Inexact policy iteration for one price vector, with a rigorous ceiling from every sweep.

Policies are evaluated only as accurately as their expected improvement deserves; a cold start goes
through shorter horizons, whose policies are cheap to evaluate and nearly as good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .bounds import Column, exact, expectation, return_bounds
from .compiled import BLOCK, n_blocks
from .evaluation import Chain, evaluate_chain, grid_of
from .image import AbstractImage, Array
from .kernels import CHANGED, GREATEST, TOTAL, bellman, round_to

#: A policy is evaluated to this share of the gain expected from the next one.  Less: products for
#: digits that the next policy makes worthless; more: sweeps that follow errors.
_FORCING = 0.3
#: A cold start doubles the horizon.  Less: more of them to go through; more: each starts far off.
_HORIZON_STEP = 2.0
#: A shorter horizon is left when this share of it is all that is expected: it is only a start.
_SETTLED = 0.1
#: Policy iteration ends far earlier; this only bounds it where rounding makes it go round.
_ROUNDS = 100
#: Products of a chain with vectors for one evaluation; what is then reached is what counts.
_PRODUCTS = 400
#: A choice changes only for a gain beyond rounding, of a sum of some tens of terms.
_MARGIN = 1e-14
#: A proof evaluates its policies this much closer than its goal, so that the ceiling decides.
_PART = 8


@dataclass(frozen=True)
class Sweep:
    """One Bellman sweep for a price.

    Attributes:
        gain: estimated improvement of the return by the new choices, were all states visited alike.
        ceiling: a rigorous upper bound on max_pi price . J(pi), proved by the values h (S),
            multiples of 1 / grid, whose residuals are at most ``greatest``.
        changed: how many choices changed.
        improved: float64[S], the best of the choices: values of one decision more.
    """

    gain: float
    ceiling: Fraction
    greatest: Fraction
    values: Array
    grid: float
    changed: int
    improved: Array


@dataclass
class Search:
    """An image with the work done on it; ``pulse`` is called after every sweep.

    ``units`` (p) are what the payoffs are worth in units of the first, so that accuracies can be
    one number: the ratios of how much they vary (0 for a payoff that does not).
    """

    image: AbstractImage
    pulse: Callable[[], None] = lambda: None
    sweeps: int = 0
    products: int = 0

    def __post_init__(self) -> None:
        self.latest: tuple[Array, Chain] | None = None
        self.spreads = self.image.spreads
        first, varies = float(self.spreads[0]) or 1.0, self.spreads > 0
        self.units = np.divide(first, self.spreads, out=np.zeros_like(self.spreads), where=varies)
        self.units[0] = 1.0

    def sweep(
        self, values: Array, price: Array, choices: Array, image: AbstractImage | None = None
    ) -> Sweep:
        """Improve ``choices`` in place, looking ahead with values (p, S) combined by price (p).

        Another ``image`` of the same choices may stand in for the model; the ceiling is then void.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # `ahead` looks at their height
            combined = price @ values
        return self.ahead(combined, price, choices, image)

    def ahead(
        self, combined: Array, price: Array, choices: Array, image: AbstractImage | None = None
    ) -> Sweep:
        """The same with values (S) that are combined, which are rounded to their grid in place."""
        image = self.image if image is None else image
        blocks = n_blocks(image.n_states)
        grid = grid_of(combined)
        round_to(blocks, combined, grid)
        height = max(float(combined.max()), -float(combined.min()))
        improved, stats = np.empty_like(combined), np.empty((blocks, 4))
        for states, places, arrays in image.pieces():
            own = choices[states]
            own -= places.start
            bellman(
                n_blocks(len(own)), *arrays, price, combined, combined[states], _MARGIN * height,
                own, improved[states], stats[states.start // BLOCK :],
            )  # fmt: skip
            own += places.start
        self.sweeps += 1
        error = image.residual_error([exact(float(w)) for w in price], exact(height))
        greatest = exact(float(stats[:, GREATEST].max())) + error
        ceiling = expectation(image, combined, grid) + greatest * image.horizon
        gain = float(stats[:, TOTAL].sum()) / image.n_states * float(image.horizon)
        self.pulse()
        changed = int(stats[:, CHANGED].sum())
        return Sweep(gain, ceiling, greatest, combined, grid, changed, improved)

    def evaluate(self, choices: Array, start: Array, accuracy: float, multipliers: Array) -> Column:
        """The column of a policy, evaluated to about ``accuracy`` if rounding allows."""
        image = self.image
        spans = accuracy * self._tolerances() * (1 - float(image.model.discount))
        found = evaluate_chain(self.chain_of(choices), start, spans, _PRODUCTS)
        self.products += found.products
        lower, upper = return_bounds(image, found)
        apart = np.array([float(high - low) for low, high in zip(lower, upper, strict=True)])
        reached = float((apart * self.units).max())
        moves = image.moves(choices)
        return Column(moves, lower, upper, reached, multipliers, found.values, found.grids)

    def chain_of(self, choices: Array) -> Chain:
        """The chain of some choices; the latest is kept, for it is often asked for again."""
        if self.latest is None or not np.array_equal(self.latest[0], choices):
            self.latest = None
            self.latest = (choices, Chain.of(self.image, choices))
        return self.latest[1]

    def _tolerances(self) -> Array:
        infinite = np.full(len(self.units), np.inf)
        return np.divide(1.0, self.units, out=infinite, where=self.units > 0)

    def cold_column(self, price: Array, multipliers: Array) -> Column:
        """A policy that is roughly best for a price."""
        image = self.image
        full, gamma = float(image.horizon), float(image.model.discount)
        horizons = [full]
        while horizons[-1] > 2 * _HORIZON_STEP:
            horizons.append(horizons[-1] / _HORIZON_STEP)
        scale = float(np.abs(price) @ self.spreads) or 1.0
        choices = image.start[:-1].astype(np.uint32)
        values = np.zeros((len(price), image.n_states))
        self.sweep(values, price, choices)
        for horizon in reversed(horizons[1:]):
            shorter = image.shortened((1 - 1 / horizon) / gamma)
            values = self._settle(shorter, price, choices, values, horizon, scale)
        return self.evaluate(choices, values, _FORCING * _SETTLED * full * scale, multipliers)

    def _settle(
        self,
        image: AbstractImage,
        price: Array,
        choices: Array,
        values: Array,
        horizon: float,
        scale: float,
    ) -> Array:
        """Policy iteration (choices in place) until a tenth of the horizon is expected at most."""
        spans = self._tolerances() / horizon
        accuracy = _FORCING * _SETTLED * horizon * scale
        for _ in range(_ROUNDS):
            found = evaluate_chain(Chain.of(image, choices), values, accuracy * spans, _PRODUCTS)
            values = found.values
            self.products += found.products
            share = horizon / float(image.horizon)
            gain = self.sweep(values, price, choices, image).gain * share
            if gain <= _SETTLED * horizon * scale:
                break
            accuracy = min(accuracy, _FORCING * gain)
        return values

    def weight(self, price: Array) -> float:
        """How many accuracies of a column a return at this price may be off, at least one."""
        used = self.units > 0
        return max(1.0, float((np.abs(price)[used] / self.units[used]).sum()))

    def improve(self, price: Array, column: Column, goal: float) -> tuple[Column, Sweep]:
        """Policy iteration from a column until the expected gain is at most ``goal``."""
        for _ in range(_ROUNDS):
            choices, values = self.image.choices(column.moves), values_of(column)
            found = self.sweep(values, price, choices)
            if found.gain <= goal and column.accuracy <= goal:
                break
            wanted = max(goal, _FORCING * found.gain)
            column = self.evaluate(choices, values, wanted, column.multipliers)
            if found.gain <= goal:
                break
        return column, found

    def polish(self, price: Array, column: Column, goal: float) -> tuple[Column, Sweep]:
        """Policy iteration until ceiling - price . J is at most ``goal``, or rounding ends it."""
        accuracy, finest = column.accuracy, goal / (_PART * self.weight(price))
        for _ in range(_ROUNDS):
            choices, values = self.image.choices(column.moves), values_of(column)
            found = self.sweep(values, price, choices)
            if float(found.ceiling - column.floor(price)) <= goal:
                break
            if not found.changed and accuracy <= finest:
                break
            accuracy = max(finest, min(_FORCING * found.gain, accuracy / 30))
            column = self.evaluate(choices, values, accuracy, column.multipliers)
        return column, found


def values_of(column: Column) -> Array:
    """The values of a column that has not forgotten them."""
    assert column.values is not None
    return column.values
