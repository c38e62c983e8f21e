"""The constrained MDP solved exactly through its occupancy linear program.

    max <r, rho>   s.t.   sum_a rho(t, a) - gamma sum_k P(t | k) rho_k = mu(t),
                          <c_i, rho> <= d_i,   rho >= 0          (rho has mass 1 / (1 - gamma)).

The program is written over integers by measuring choice k in units of its denominator
(rho_k = D_k x_k / K with K the sum of the initial weights) and dividing each cost row by its
content.
Its dual gives V and the multipliers: min <mu, V> + <lambda, d> with
V(s) >= r - sum_i lambda_i c_i + gamma P V and lambda >= 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..exact import Vector
from ..limits import Allowance, LimitReachedError
from ..models.checks import check_discounted
from ..models.cmdp import CMDP
from ..programs.program import (
    INFEASIBLE,
    LinearProgram,
    LinearSolution,
    LinearStatistics,
)
from ..programs.simplex import repair
from ..programs.solve import proved_proposal
from .improvement import greedy_choices, policy_iteration
from .policies import Policy, lagrangian

#: Exact pivots after which exact policy iteration takes over.  A pivot costs two or three exact
#: solutions of a system of S rows, a policy about ten, and a dozen policies decide most models.
REPAIR = 100


@dataclass(frozen=True, slots=True)
class OccupancyProgram:
    """The integer program and the factors that translate its answer back.

    ``value_scale`` turns flow duals into V; ``multiplier_scales[i]`` turns the dual of cost row i
    into lambda_i.  With ``slack`` the last two columns are t+ and t- of the uniform slack.
    """

    program: LinearProgram
    model: CMDP
    value_scale: Fraction
    multiplier_scales: tuple[Fraction, ...]

    def occupancy(self, point: Vector) -> Vector:
        """rho over the choices at a point of the program."""
        bottoms = self.model.denominators.tolist()
        return Vector(
            tuple(d * x for d, x in zip(bottoms, point.numerators, strict=False)),
            point.denominator * self.model.initial_denominator,
        )

    def unscaled(self, rho: Vector) -> Vector:
        """The point of the program for an occupancy."""
        bottoms = self.model.denominators.tolist()
        total = self.model.initial_denominator
        return Vector.of(v * total / d for v, d in zip(rho.fractions(), bottoms, strict=True))

    def dual(self, y: Vector) -> tuple[Vector, tuple[Fraction, ...]]:
        """(V, lambda) of a dual or Farkas vector."""
        size = self.model.n_states
        scale = self.value_scale
        values = Vector(
            tuple(v * scale.numerator for v in y.numerators[:size]),
            y.denominator * scale.denominator,
        )
        return values, tuple(
            y[size + i] * scale_i for i, scale_i in enumerate(self.multiplier_scales)
        )


def occupancy_program(model: CMDP, *, slack: bool = False) -> OccupancyProgram:
    """The integer occupancy program; with ``slack`` it maximises the uniform slack t instead.

    The slack program has columns t+ and t- after the K choices, cost rows <c_i, rho> + t <= d_i
    and objective t, so that it is always feasible and bounded when m >= 1.
    """
    check_discounted(model)
    size, total = model.n_states, model.initial_denominator
    top, bottom = model.discount.numerator, model.discount.denominator
    bottoms = model.denominators.tolist()
    indptr, successors, weights, owners = (
        a.tolist() for a in (model.indptr, model.successors, model.weights, model.choice_states)
    )
    columns: list[dict[int, int]] = []
    for k, owner in enumerate(owners):
        column = {owner: bottom * bottoms[k]}
        if top:
            for j in range(indptr[k], indptr[k + 1]):
                t = successors[j]
                column[t] = column.get(t, 0) - top * weights[j]
        columns.append(column)
    right = [bottom * value for value in model.initial.tolist()]
    scales: list[Fraction] = []
    extra: list[list[int]] = []
    for i, budget in enumerate(model.budgets):
        own = model.cost_denominators[i]
        row = [
            budget.denominator * c * d
            for c, d in zip(model.costs[i].tolist(), bottoms, strict=True)
        ]
        bound = budget.numerator * own * total
        unit = budget.denominator * own * total
        content = math.gcd(bound, unit if slack else 0, *row) or 1
        extra.append([unit // content])
        right.append(bound // content)
        scales.append(Fraction(unit, content))
        for column, value in zip(columns, row, strict=True):
            if value:
                column[size + i] = value // content
    packed = [_packed(column) for column in columns]
    if slack:
        rows = tuple(range(size, size + model.n_constraints))
        packed += [(rows, tuple(sign * e[0] for e in extra)) for sign in (1, -1)]
        objective = [0] * len(columns) + [1, -1]
    else:
        objective = [r * d for r, d in zip(model.reward.tolist(), bottoms, strict=True)]
    program = LinearProgram(
        tuple(packed),
        tuple(right),
        (True,) * size + (False,) * model.n_constraints,
        tuple(objective),
        1 if slack else model.reward_denominator * total,
        units=(*bottoms, 1, 1) if slack else tuple(bottoms),
    )
    return OccupancyProgram(program, model, Fraction(bottom * total), tuple(scales))


def _packed(column: dict[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    kept = [(i, v) for i, v in column.items() if v]
    return tuple(i for i, _ in kept), tuple(v for _, v in kept)


def policy_basis(model: CMDP, choices: Sequence[int]) -> list[int]:
    """The basis of a deterministic policy: its columns and every cost row's slack; nonsingular."""
    return list(choices) + [
        model.n_choices + model.n_states + i for i in range(model.n_constraints)
    ]


def attempt(
    program: LinearProgram,
    fallback: Sequence[int],
    record: LinearStatistics,
    allowance: Allowance,
) -> LinearSolution | None:
    """A program solved by HiGHS's basis and some exact pivots; None if these do not suffice.

    Nor is anything tried when HiGHS finds the program infeasible: the slack program decides that
    with far fewer pivots.
    """
    proposal, answer = proved_proposal(program, record, seconds=allowance.left.seconds)
    if answer is not None or record.proposal == INFEASIBLE:
        return answer
    record.repaired = True
    few = replace(allowance.left, pivots=min(REPAIR, allowance.limits.pivots))
    try:
        return repair(program, proposal or fallback, record, few.started())
    except LimitReachedError:
        return None


def complete_policy(
    model: CMDP, rho: Vector, values: Vector, multipliers: Sequence[Fraction]
) -> tuple[Policy, list[int], Vector]:
    """The policy of an occupancy, the states it visits, and V made optimal everywhere.

    At states that rho does not visit the dual V is only an upper bound; exact policy iteration for
    r - lambda c started from the greedy choices replaces it, and its choices complete the policy.
    """
    start, mass = model.choice_start.tolist(), rho.numerators
    totals = [sum(mass[start[s] : start[s + 1]]) for s in range(model.n_states)]
    visited = [s for s, total in enumerate(totals) if total]
    probabilities = [Fraction(0)] * model.n_choices
    for s in visited:
        for k in range(start[s], start[s + 1]):
            if mass[k]:
                probabilities[k] = Fraction(mass[k], totals[s])
    if len(visited) < model.n_states:
        function = lagrangian(model, multipliers)
        best = policy_iteration(model, function, start=greedy_choices(model, values, function))
        values = best.values
        for s, total in enumerate(totals):
            if not total:
                probabilities[best.choices[s]] = Fraction(1)
    return Policy(tuple(probabilities)), visited, values
