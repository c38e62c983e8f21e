"""One price instead of budgets: optimal returns of a large model, enclosed as rigorously."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from holdfast.solvers import CMDP, ModelError
from holdfast.solvers.cmdp.scale.image import Array, Image
from holdfast.solvers.cmdp.scale.search import Search
from holdfast.solvers.cmdp.scale.units import NARROW, Units
from holdfast.solvers.exact import Rational, to_fraction

_LOOSE = 1e-3


@dataclass(frozen=True)
class OptimalReturns:
    """The best r - lambda c over all policies.

    Attributes:
        lower, upper: max_pi J_r - lambda.J_c lies between them (UN-normalised, from the initial
            law); ``choices`` (uint32[S]) earn at least ``lower``.
        values: float64[S], the optimal values in floating point, up to a constant.
        sweeps, products: Bellman sweeps over the model and sweeps over single policies.
    """

    lower: Fraction
    upper: Fraction
    choices: Array
    values: Array
    sweeps: int
    products: int


def optimal_returns(
    model: CMDP,
    multipliers: Sequence[Rational | float] = (),
    *,
    width: Rational | float | None = None,
    pulse: Callable[[], None] = lambda: None,
) -> OptimalReturns:
    """The optimum without budgets, for the reward less some multiples of the costs.

    Args:
        model: discounted; its budgets do not count.
        multipliers: lambda, one for each cost, or none for the reward alone.
        width: of the enclosure, if rounding allows; by default as in ``enclose``.
        pulse: called after every sweep.

    Raises ModelError when the number of multipliers is not that of the costs.
    """
    if len(multipliers) not in (0, model.n_constraints):
        raise ModelError(
            f"{len(multipliers)} multipliers given for {model.n_constraints} constraint(s)"
        )
    weights = [to_fraction(w, f"multipliers[{i}]") for i, w in enumerate(multipliers)]
    if not any(weights):  # the costs need not be evaluated
        weights = []
    units = Units.of(model)
    unit, *others = units.scales
    goal = NARROW if width is None else to_fraction(width, "width") / unit
    search = Search(Image.of(units.model, costs=bool(weights)), pulse)
    own = (w * scale / unit for w, scale in zip(weights, others, strict=False))
    price = np.array([1.0, *(-float(w) for w in own)])
    column = search.cold_column(price, -price[1:])
    column, found = search.polish(price, column, float(goal))
    return OptimalReturns(
        column.floor(price) * unit,
        found.ceiling * unit,
        search.image.choices(column.moves),
        found.values * float(unit),
        search.sweeps,
        search.products,
    )


def typical_costs(model: CMDP) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """The costs, roughly, of the policies that are best for low costs and for the reward."""
    units = Units.of(model)
    search = Search(Image.of(units.model))
    spreads = np.where(search.spreads > 0, search.spreads, 1.0)
    search.units = 1 / spreads
    goal = _LOOSE * float(search.image.horizon)
    price = np.array([0.0, *(-1 / spreads[1:])])
    cheap = search.cold_column(price, spreads[1:])
    cheap, _ = search.improve(price, cheap, goal * len(price))
    price = np.array([1 / spreads[0], *np.zeros(len(price) - 1)])
    rich, _ = search.improve(price, cheap, goal)
    cheapest, richest = (
        tuple(Fraction(c) * s for c, s in zip(end.middle.tolist(), units.scales, strict=True))
        for end in (cheap, rich)
    )
    return cheapest[1:], richest[1:]
