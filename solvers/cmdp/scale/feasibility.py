"""Whether any policy meets the budgets: the greatest uniform slack, bounded from both sides.

max_pi min_i (d_i - J_ci) is at least the slack of a known mixture, and for every lambda >= 0 of sum
one at most lambda.d - min_pi lambda.J_c, which a policy search for the price (0, -lambda) bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...errors import ModelError
from ...programs.program import LinearProgram, row_scale
from ...programs.solve import solve_linear_program
from .bounds import Column
from .lagrangian import Lagrangian
from .master import safe_above
from .search import Sweep
from .units import Units

#: Policies that are tried; afterwards the question is left open, and said to be.
_ROUNDS = 200
#: A refutation is sought this much closer than the width, so that a small excess is not missed.
_PART = 4


@dataclass(frozen=True)
class Infeasible:
    """Proof that the budgets cannot be met.

    Every policy has lambda.J_c >= lambda.d + ``excess`` with lambda >= 0 of sum one, by a ``sweep``
    for the costs ``total`` lambda.c; so all budgets must grow by at least ``excess``.
    """

    excess: Fraction
    multipliers: tuple[Fraction, ...]
    sweep: Sweep
    total: Fraction


def decide_feasibility(state: Lagrangian) -> Infeasible | None:
    """A proof of infeasibility, or None once the columns hold a mixture that meets the budgets.

    Raises ModelError when floating point cannot decide.
    """
    best: Infeasible | None = None
    units, budgets = Units(state.image.model, state.scales), state.image.model.budgets
    state.stage = "feasibility"
    for _ in range(_ROUNDS):
        slack, weights, exact = most_slack(state.columns, budgets, units.shares)
        if slack >= 0:
            state.feasible = True
            state.mix()
            return None
        highest = max(exact)
        price = np.array([0.0, *(-float(w / highest) for w in exact)])
        start = max(range(len(weights)), key=weights.__getitem__)
        base = state.recalled(state.columns[start])
        column, found = state.search.polish(price, base, state.width / _PART)
        trial = refutation(found, [Fraction(float(-w)) for w in price[1:]], units)
        if best is None or trial.excess > best.excess:
            best = trial
        short = -slack - best.excess / min(state.scales[1:])
        if not state.keep(column) or short <= state.width:
            break
    if best is None or best.excess <= 0:
        raise undecided()
    return best


def refutation(found: Sweep, prices: Sequence[Fraction], units: Units) -> Infeasible:
    """What a sweep for the price (0, -prices) proves, in the units of the model as it was given."""
    budgets = units.model.budgets
    allowed = sum((w * d for w, d in zip(prices, budgets, strict=True)), Fraction(0))
    own = [w / scale for w, scale in zip(prices, units.scales[1:], strict=True)]
    total = sum(own, Fraction(0))
    excess = (-found.ceiling - allowed) / total
    return Infeasible(excess, tuple(w / total for w in own), found, total)


def undecided() -> ModelError:
    """What is said when neither a feasible mixture nor a proof that there is none is certain."""
    return ModelError(
        "the budgets lie within rounding of the least possible costs, so floats cannot decide "
        "feasibility; use solve, which is exact"
    )


def most_slack(
    columns: Sequence[Column], budgets: Sequence[Fraction], shares: Sequence[Fraction]
) -> tuple[Fraction, tuple[Fraction, ...], tuple[Fraction, ...]]:
    """The greatest t with sum_j w_j J_ci(j) + t share_i <= d_i for a mixture; weights and duals."""
    count = len(columns)
    rows = [
        [safe_above(column.upper[1 + i]) for column in columns] + [share, -share]
        for i, share in enumerate(shares)
    ]
    rows.append([Fraction(1)] * count + [Fraction(0)] * 2)
    program = LinearProgram.of(
        [Fraction(0)] * count + [Fraction(1), Fraction(-1)],
        rows,
        ["<="] * len(budgets) + ["="],
        [*budgets, 1],
    )
    answer = solve_linear_program(program)
    assert answer.primal is not None and answer.dual is not None and answer.value is not None
    duals = [answer.dual[i] * row_scale(rows[i], budgets[i]) for i in range(len(budgets))]
    return answer.value, tuple(answer.primal[j] for j in range(count)), tuple(duals)
