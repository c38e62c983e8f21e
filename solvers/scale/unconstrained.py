"""One price instead of budgets: optimal returns of a large model, enclosed as rigorously."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..cmdp import CMDP, ModelError
from ..exact import Rational, to_fraction
from .compiled import suited_threads
from .image import Array, Image
from .search import Search

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
    width: float = 1e-7,
    pulse: Callable[[], None] = lambda: None,
) -> OptimalReturns:
    """The optimum without budgets, for the reward less some multiples of the costs.

    Args:
        model: discounted; its budgets do not count.
        multipliers: lambda, one for each cost, or none for the reward alone.
        width: of the enclosure, if rounding allows.
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
    with suited_threads(model.n_states):
        search = Search(Image.of(model, costs=bool(weights)), pulse)
        price = np.array([1.0, *(-float(w) for w in weights)])
        column = search.cold_column(price, -price[1:])
        column, found = search.polish(price, column, width)
    return OptimalReturns(
        column.floor(price),
        found.ceiling,
        search.image.choices(column.moves),
        found.values,
        search.sweeps,
        search.products,
    )


def typical_costs(model: CMDP) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The costs, roughly, of the policies that are best for low costs and for the reward."""
    with suited_threads(model.n_states):
        search = Search(Image.of(model))
        spreads = np.where(search.spreads > 0, search.spreads, 1.0)
        search.units = 1 / spreads
        goal = _LOOSE * float(search.image.horizon)
        price = np.array([0.0, *(-1 / spreads[1:])])
        cheap = search.cold_column(price, spreads[1:])
        cheap, _ = search.improve(price, cheap, goal * len(price))
        price = np.array([1 / spreads[0], *np.zeros(len(price) - 1)])
        rich, _ = search.improve(price, cheap, goal)
    return tuple(cheap.middle[1:].tolist()), tuple(rich.middle[1:].tolist())
