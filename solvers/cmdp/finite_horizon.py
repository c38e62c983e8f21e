"""N free decisions and then a given tail, as one linear program; reward and cost discounted apart.

The program is the occupancy LP of the model unrolled in time, of discount 1/2: at time t rewards
are multiplied by (2 gamma)^t and costs by (2 gamma_c)^t, so both sums come out with their own
discounts, and gamma_c may be 1.  With tails that bound what can follow, the LP bounds the optimum
over all policies; with tails that a policy attains, its value is attained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..errors import ModelError
from ..models.arrays import assemble
from ..models.cmdp import CMDP
from .improvement import policy_iteration
from .policies import mean_next
from .solution import Solution
from .solving import solve
from .two_discounts import cheapest_tail

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class HorizonBounds:
    """lower <= optimum over all policies <= upper, and upper - lower <= spread.

    lower: N free decisions, then the cheapest policy; upper: the same, but what follows earns as
    much as the best policy would; spread: gamma^N max_s (V* - V^cheapest)(s).
    """

    lower: Fraction
    upper: Fraction
    spread: Fraction


def unrolled(
    model: CMDP,
    cost_discount: Fraction,
    horizon: int,
    reward_tail: Sequence[Fraction],
    cost_tail: Sequence[Fraction],
) -> CMDP:
    """The model of `horizon` >= 1 decisions: state t * S + s at time t, and a last one that stays.

    The tails are values over the states, earned and paid at the end under the own discounts.
    Raises ModelError if the horizon is 0 or the model has not exactly one cost.
    """
    if horizon < 1 or model.n_constraints != 1:
        raise ModelError(
            f"horizon {horizon} with {model.n_constraints} costs; give at least one decision and "
            "a model with one cost"
        )
    size, last = model.n_states, model.n_states * horizon
    own = model.reward_vector().fractions(), model.cost_vector(0).fractions()
    moves = list(map(model.weighted_row, range(model.n_choices)))
    rows = [
        {size * time + t: weight for t, weight in row.items()}
        for time in range(1, horizon)
        for row in moves
    ]
    return assemble(
        counts=[*model.action_counts.tolist() * horizon, 1],
        actions=[*model.actions.tolist() * horizon, 0],
        rows=rows + [{last: 1}] * (model.n_choices + 1),
        reward=_over_time(model, own[0], model.discount, horizon, reward_tail),
        costs=[_over_time(model, own[1], cost_discount, horizon, cost_tail)],
        budgets=model.budgets,
        discount=_HALF,
        initial=[*model.initial.tolist(), *[0] * (last + 1 - size)],
    )


def _over_time(
    model: CMDP,
    own: Sequence[Fraction],
    discount: Fraction,
    horizon: int,
    tail: Sequence[Fraction],
) -> list[Fraction]:
    """(2 gamma)^t f(k) for every time t and choice k, with the tail after the last; then zero."""
    final = [f + discount * mean_next(model, k, tail) for k, f in enumerate(own)]
    paid: list[Fraction] = []
    for time in range(horizon):
        scale = (2 * discount) ** time
        paid += [scale * f for f in (own if time < horizon - 1 else final)]
    return [*paid, Fraction(0)]


def solve_finite_horizon(
    model: CMDP,
    cost_discount: Fraction,
    horizon: int,
    reward_tail: Sequence[Fraction],
    cost_tail: Sequence[Fraction],
) -> Solution:
    """The exact optimum of `unrolled`: value, multiplier and number of randomised (time, state)."""
    return solve(unrolled(model, cost_discount, horizon, reward_tail, cost_tail))


def horizon_bounds(model: CMDP, cost_discount: Fraction, horizon: int) -> HorizonBounds | None:
    """An enclosure of the optimum over all policies; None if no policy meets the budget.

    Raises ModelError as `unrolled` does, or if a discount is 1 or more.
    """
    cheapest = cheapest_tail(model, cost_discount)
    low, cost = cheapest.reward.fractions(), cheapest.cost.fractions()
    high = policy_iteration(model).values.fractions()
    ends = [solve_finite_horizon(model, cost_discount, horizon, tail, cost) for tail in (low, high)]
    lower, upper = (end.value for end in ends)
    if lower is None or upper is None:
        return None
    gap = max(best - own for best, own in zip(high, low, strict=True))
    return HorizonBounds(lower, upper, model.discount**horizon * gap)
