"""The natural policy gradient primal-dual method (Ding et al. 2020), exact gradients, enclosed.

Softmax policies, one cost, rewards and costs in [0, 1].  With A the advantage of r - lambda c,

    theta <- theta + eta_1/(1 - gamma) A,      lambda <- clip(lambda + eta_2 (J_c - d), 0, cap),

with n actions eta_1 = 2 log n, eta_2 = 2 (1 - gamma)/sqrt(T), cap = 2/((1 - gamma) xi) for
Slater slack xi, from theta = 0 and lambda = 0.  The step on theta is the natural gradient step, and
multiplies pi(a|s) by exp(eta_1 A/(1 - gamma)).  All numbers are arb balls, so every result
encloses the exact one; the iteration is run again with more bits until they are as tight as flint's
working precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import flint

from ..errors import ModelError
from ..models.checks import check_discounted
from ..models.cmdp import CMDP

_GUARD = 64
"""Bits beyond the precision asked for, besides one an iteration; doubled while an enclosure is too
wide: fewer cost second runs, more cost each run."""
_MOST_GUARD = 64
"""Further bits for each iteration, beyond which an enclosure is taken as wide as it is."""


@dataclass(frozen=True, slots=True)
class PrimalDualRun:
    """Enclosures of what T iterations, of policies 0 .. T-1, came to (UN-normalised returns).

    reward, cost: averages over the iterations; last_reward, last_cost: of the policy after them;
    multiplier: the last one.
    """

    reward: flint.arb
    cost: flint.arb
    last_reward: flint.arb
    last_cost: flint.arb
    multiplier: flint.arb

    def is_within(self, bits: int) -> bool:
        """Whether every number is finite, with a radius of at most 2^-bits relative to 1."""
        known = self.reward, self.cost, self.last_reward, self.last_cost, self.multiplier
        widest = flint.arb(2) ** -bits
        return all(x.is_finite() and x.rad() <= widest * (1 + abs(x)) for x in known)


def natural_policy_gradient(
    model: CMDP, steps: int, slack: Fraction, *, dual_step: Fraction | None = None
) -> PrimalDualRun:
    """Run T = `steps` iterations; slack is xi, dual_step replaces eta_2.

    Raises ModelError unless the model has one cost, values in [0, 1], a discount below 1, and steps
    and slack are positive.
    """
    _check(model, steps, slack)
    precision, guard = flint.ctx.prec, _GUARD + steps
    while True:
        with flint.ctx.workprec(precision + guard):
            run = _Iteration(model, steps, slack, dual_step).run(steps)
        if run.is_within(precision) or guard > _MOST_GUARD * steps:
            return run
        guard *= 2


def _check(model: CMDP, steps: int, slack: Fraction) -> None:
    check_discounted(model)
    if model.n_constraints != 1:
        raise ModelError(
            f"the model has {model.n_constraints} costs; the primal-dual method here takes one"
        )
    for name, values in (("reward", model.reward_vector()), ("cost", model.cost_vector(0))):
        for k, value in enumerate(values.fractions()):
            if not 0 <= value <= 1:
                raise ModelError(
                    f"{name} {value} of choice {k} is outside [0, 1]; scale and shift it"
                )
    if steps < 1 or slack <= 0:
        raise ModelError(f"steps {steps} and Slater slack {slack} must be positive")


class _Iteration:
    def __init__(
        self, model: CMDP, steps: int, slack: Fraction, dual_step: Fraction | None
    ) -> None:
        rest = 1 - model.discount
        self.spans = list(pairwise(model.choice_start.tolist()))
        self.owner = model.choice_states.tolist()
        self.rows = [
            [(t, _ball(model.discount * p)) for t, p in model.transition_row(k)]
            for k in range(model.n_choices)
        ]
        self.reward = [_ball(r) for r in model.reward_vector().fractions()]
        self.cost = [_ball(c) for c in model.cost_vector(0).fractions()]
        self.initial = [_ball(mu) for mu in model.initial_vector().fractions()]
        self.budget = _ball(model.budgets[0])
        self.primal_step = 2 * flint.arb(max(b - a for a, b in self.spans)).log() / _ball(rest)
        self.dual_step = (
            2 * _ball(rest) / flint.arb(steps).sqrt() if dual_step is None else _ball(dual_step)
        )
        self.cap = _ball(2 / (rest * slack))
        self.theta = [flint.arb(0)] * model.n_choices
        self.multiplier = flint.arb(0)

    def run(self, steps: int) -> PrimalDualRun:
        total = [flint.arb(0), flint.arb(0)]
        for _ in range(steps):
            returns = self.step()
            total = [a + b for a, b in zip(total, returns, strict=True)]
        last = self.returns(self.values(self.policy()))
        mean = [value / steps for value in total]
        return PrimalDualRun(mean[0], mean[1], last[0], last[1], self.multiplier)

    def step(self) -> tuple[flint.arb, flint.arb]:
        """Move both players; the (reward, cost) of the policy before."""
        values = self.values(self.policy())
        reward, cost = self.returns(values)
        self.theta = [
            theta + self.primal_step * (self.reward[k] - self.multiplier * self.cost[k] + ahead)
            for k, (theta, ahead) in enumerate(zip(self.theta, self.ahead(values), strict=True))
        ]
        moved = self.multiplier + self.dual_step * (cost - self.budget)
        self.multiplier = moved.max(flint.arb(0)).min(self.cap)
        return reward, cost

    def policy(self) -> list[flint.arb]:
        """The softmax of theta."""
        probabilities: list[flint.arb] = []
        for a, b in self.spans:
            row = self.theta[a:b]
            probabilities += [1 / sum(((y - x).exp() for y in row), flint.arb(0)) for x in row]
        return probabilities

    def values(self, policy: Sequence[flint.arb]) -> list[list[flint.arb]]:
        """V_r and V_c over the states, as rows (V_r(s), V_c(s))."""
        size = len(self.spans)
        matrix = [[flint.arb(int(s == t)) for t in range(size)] for s in range(size)]
        right = [[flint.arb(0), flint.arb(0)] for _ in range(size)]
        for k, s in enumerate(self.owner):
            right[s][0] += policy[k] * self.reward[k]
            right[s][1] += policy[k] * self.cost[k]
            for t, p in self.rows[k]:
                matrix[s][t] -= policy[k] * p
        solved = flint.arb_mat(matrix).solve(flint.arb_mat(right), nonstop=True)
        return [[solved[s, 0], solved[s, 1]] for s in range(size)]

    def returns(self, values: Sequence[Sequence[flint.arb]]) -> tuple[flint.arb, flint.arb]:
        reward, cost = (
            sum((mu * v[i] for mu, v in zip(self.initial, values, strict=True)), flint.arb(0))
            for i in range(2)
        )
        return reward, cost

    def ahead(self, values: Sequence[Sequence[flint.arb]]) -> list[flint.arb]:
        """gamma P V(k) - V(s) of r - lambda c for each choice."""
        mixed = [reward - self.multiplier * cost for reward, cost in values]
        return [
            sum((p * mixed[t] for t, p in row), -mixed[s])
            for s, row in zip(self.owner, self.rows, strict=True)
        ]


def _ball(number: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(number.numerator, number.denominator))
