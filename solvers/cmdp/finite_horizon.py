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
    rows: list[dict[int, int]] = []
    reward: list[Fraction] = []
    cost: list[Fraction] = []
    own = model.reward_vector().fractions(), model.cost_vector(0).fractions()
    for time in range(horizon):
        ending = time == horizon - 1
        scales = (2 * model.discount) ** time, (2 * cost_discount) ** time
        for k in range(model.n_choices):
            row = model.transition_row(k)
            ahead = [
                sum((p * tail[t] for t, p in row), Fraction(0)) if ending else Fraction(0)
                for tail in (reward_tail, cost_tail)
            ]
            reward.append(scales[0] * (own[0][k] + model.discount * ahead[0]))
            cost.append(scales[1] * (own[1][k] + cost_discount * ahead[1]))
            shifted = {size * (time + 1) + t: w for t, w in model.weighted_row(k).items()}
            rows.append({last: 1} if ending else shifted)
    zero = Fraction(0)
    return assemble(
        counts=[*model.action_counts.tolist() * horizon, 1],
        actions=[*model.actions.tolist() * horizon, 0],
        rows=[*rows, {last: 1}],
        reward=[*reward, zero],
        costs=[[*cost, zero]],
        budgets=model.budgets,
        discount=_HALF,
        initial=[*model.initial.tolist(), *[0] * (last + 1 - size)],
    )


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
