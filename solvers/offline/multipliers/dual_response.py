"""A controller of the multiplier against exact best responses in a constrained MDP.

pi_k maximises J_r - lambda_k J_c (policy iteration, exact), and the controller is told J_c(pi_k).
Returns are UN-normalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from ...cmdp.improvement import policy_iteration
from ...cmdp.policies import evaluate_choices, lagrangian, value_of
from ...errors import ModelError
from ...exact import Rational, to_fraction
from ...models.cmdp import CMDP
from .controllers import Controller


@dataclass(frozen=True, slots=True)
class DualRun:
    """multipliers: K + 1 from the first; rewards, costs: J_r and J_c of the K responses."""

    multipliers: tuple[Fraction, ...]
    rewards: tuple[Fraction, ...]
    costs: tuple[Fraction, ...]


def respond(model: CMDP, controller: Controller, updates: int) -> DualRun:
    """The run of `updates` best responses, exact for a controller whose numbers are Fractions.

    Raises ModelError unless the model has one cost, whose budget is the controller's limit.
    """
    if model.n_constraints != 1:
        raise ModelError(f"a multiplier is for one cost; the model has {model.n_constraints}")
    limit = getattr(controller, "limit", model.budgets[0])
    if to_fraction(limit, "limit") != model.budgets[0]:
        raise ModelError(
            f"the controller's limit is {limit}, and the model's budget {model.budgets[0]}; "
            "make them the same"
        )
    state, choices = controller.first(), None
    multipliers, rewards, costs = [to_fraction(state.multiplier, "multiplier")], [], []
    for _ in range(updates):
        found = policy_iteration(model, lagrangian(model, (multipliers[-1],)), start=choices)
        rewards.append(value_of(model, evaluate_choices(model, found.choices)))
        costs.append(value_of(model, evaluate_choices(model, found.choices, ("cost", 0))))
        state = controller.step(state, costs[-1])
        multipliers.append(to_fraction(state.multiplier, "multiplier"))
    return DualRun(tuple(multipliers), tuple(rewards), tuple(costs))


def least_updates(
    start: Rational, target: Rational, *, step: Rational, limit: Rational, largest: Rational
) -> int | None:
    """How many updates dual ascent needs at least to move a multiplier from start to target.

    largest: a bound of the measured costs, which are at least 0.  None if it can never come there:
    downwards with a limit of 0, or upwards with no cost above the limit.  Raises ModelError for
    negative numbers or a step of 0.
    """
    names = ("start", "target", "step", "limit", "largest")
    given = (start, target, step, limit, largest)
    a, b, eta, d, C = (to_fraction(x, name) for x, name in zip(given, names, strict=True))
    for name, value in zip(names, (a, b, eta, d, C), strict=True):
        if value < 0 or (name == "step" and not value):
            raise ModelError(
                f"{name} is {value}; it must be {'above' if not value else 'at least'} 0"
            )
    pace = eta * (d if b < a else max(C - d, Fraction(0)))
    if a == b:
        return 0
    return ceil(abs(a - b) / pace) if pace else None
