"""A finite-horizon problem as an ordinary constrained MDP of discount 1/2.

State (t M + n) S + s is state s with memory n at time t; the last state, T M S, is the end and
stays there.  Rewards and charges of time t are multiplied by 2^t, which undoes the discount, so
returns and costs are those of the problem, values of layer t are 2^t times its own, and occupancies
are 2^-t times the probabilities.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...errors import ModelError
from ...exact import Rational, format_rational
from ...models.arrays import assemble
from ...models.cmdp import CMDP
from .dynamics import Dynamics
from .problem import ChanceProblem

#: Choices of the largest unrolled model that is written out.
LARGEST = 500_000


def unroll(problem: ChanceProblem, level: Rational | float) -> CMDP:
    """The model of T M S + 1 states whose one budget is the level (less the start's own risk).

    Raises ModelError when it would have more than `LARGEST` choices.
    """
    return unroll_dynamics(Dynamics.of(problem), problem.checked_level(level))


def unroll_dynamics(dynamics: Dynamics, level: Fraction) -> CMDP:
    """The same from compiled layers."""
    check_size(dynamics)
    model, levels, size = dynamics.model, dynamics.levels, dynamics.model.n_states
    end = dynamics.horizon * levels * size
    rows: list[dict[int, int]] = []
    rewards: list[Fraction] = []
    charges: list[Fraction] = []
    for t in range(dynamics.horizon):
        last = t == dynamics.horizon - 1
        for memory in range(levels):
            for k in range(model.n_choices):
                row, reward, charge = _decision(dynamics, t, memory, k)
                shift = (t + 1) * levels * size
                rows.append({end: 1} if last else {shift + c: w for c, w in row.items()})
                rewards.append(reward)
                charges.append(charge)
    rows.append({end: 1})
    layers = dynamics.horizon * levels
    return assemble(
        counts=np.concatenate([np.tile(model.action_counts, layers), [1]]),
        actions=[*(model.actions.tolist() * layers), 0],
        rows=rows,
        reward=[*rewards, Fraction(0)],
        costs=[[*charges, Fraction(0)]],
        budgets=[level - dynamics.problem.start_risk],
        discount=Fraction(1, 2),
        initial=[*dynamics.start.tolist(), *[0] * (end + 1 - levels * size)],
        notes=[f"unrolled over {dynamics.horizon} decisions, level {format_rational(level)}"],
    )


def _decision(
    dynamics: Dynamics, time: int, memory: int, choice: int
) -> tuple[dict[int, int], Fraction, Fraction]:
    """Weights of the cells after a decision, and its reward and charge times 2^t."""
    model, problem = dynamics.model, dynamics.problem
    row: dict[int, int] = {}
    earned = paid = 0
    last = time == dynamics.horizon - 1
    for state, weight in model.weighted_row(choice).items():
        after = problem.memory_after(memory, state)
        row[after * model.n_states + state] = weight
        if state in problem.unsafe:
            paid += weight * dynamics.charges[memory]
        if last:
            earned += weight * dynamics.terminal[after, state]
            paid += weight * dynamics.residual[after, state]
    bottom = int(model.denominators[choice])
    own = dynamics.rewards[choice] if dynamics.earns[memory] else 0
    reward = own + model.discount * Fraction(earned, bottom)
    return (
        row,
        (2 * model.discount) ** time * reward / dynamics.value_denominator,
        Fraction(2**time * paid, bottom * dynamics.charge_denominator),
    )


def check_size(dynamics: Dynamics) -> None:
    """ModelError when the unrolled model is too large to be written out."""
    count = dynamics.horizon * dynamics.levels * dynamics.model.n_choices
    if count > LARGEST:
        raise ModelError(
            f"unrolled, the problem has {count} choices (horizon x memories x choices), more than "
            f"the {LARGEST} that are written out; the value itself needs no document: use solve"
        )
