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
from itertools import pairwise

from ..exact import Vector
from ..limits import Allowance, LimitReachedError
from ..models.checks import check_discounted
from ..models.cmdp import CMDP
from ..programs.program import INFEASIBLE, LinearProgram, LinearSolution, LinearStatistics
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
        size, scale = self.model.n_states, self.value_scale
        values = Vector(
            tuple(v * scale.numerator for v in y.numerators[:size]),
            y.denominator * scale.denominator,
        )
        return values, tuple(y[size + i] * unit for i, unit in enumerate(self.multiplier_scales))


def occupancy_program(model: CMDP, *, slack: bool = False) -> OccupancyProgram:
    """The integer occupancy program; with ``slack`` it maximises the uniform slack t instead.

    The slack program has columns t+ and t- after the K choices, cost rows <c_i, rho> + t <= d_i
    and objective t, so that it is always feasible and bounded when m >= 1.
    """
    check_discounted(model)
    size, total = model.n_states, model.initial_denominator
    bottoms, bottom = model.denominators.tolist(), model.discount.denominator
    columns = _flow_columns(model)
    right = (bottom * model.initial.astype(object)).tolist()
    scales, units = [], []
    for i in range(model.n_constraints):
        row, bound, unit = _cost_row(model, i)
        content = math.gcd(bound, unit if slack else 0, *row) or 1
        units.append(unit // content)
        right.append(bound // content)
        scales.append(Fraction(unit, content))
        for column, value in zip(columns, row, strict=True):
            column[size + i] = value // content
    packed = list(map(_packed, columns))
    if slack:
        rows = tuple(range(size, size + model.n_constraints))
        packed += [(rows, tuple(units)), (rows, tuple(-unit for unit in units))]
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


def _flow_columns(model: CMDP) -> list[dict[int, int]]:
    """For each choice what it takes from the states: row -> D_k (1(t = s) - gamma P), integers."""
    top, bottom = model.discount.numerator, model.discount.denominator
    indptr, successors, weights, bottoms = (
        a.tolist() for a in (model.indptr, model.successors, model.weights, model.denominators)
    )
    columns: list[dict[int, int]] = []
    for k, owner in enumerate(model.choice_states.tolist()):
        column = {owner: bottom * bottoms[k]}
        for j in range(indptr[k], indptr[k + 1]):
            t = successors[j]
            column[t] = column.get(t, 0) - top * weights[j]
        columns.append(column)
    return columns


def _cost_row(model: CMDP, index: int) -> tuple[list[int], int, int]:
    """A cost's integer row and bound, and what one unit of slack is in it."""
    budget, own = model.budgets[index], model.cost_denominators[index]
    costs = zip(model.costs[index].tolist(), model.denominators.tolist(), strict=True)
    unit = own * model.initial_denominator
    row = [budget.denominator * c * d for c, d in costs]
    return row, budget.numerator * unit, budget.denominator * unit


def _packed(column: dict[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if 0 in column.values():
        column = {i: v for i, v in column.items() if v}
    return tuple(column), tuple(column.values())


def policy_basis(model: CMDP, choices: Sequence[int], *, slack: bool = False) -> list[int]:
    """The basis of a deterministic policy: its columns and every cost row's slack; nonsingular."""
    first = model.n_choices + 2 * slack + model.n_states
    return [*choices, *range(first, first + model.n_constraints)]


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
    totals = state_masses(model, rho)
    visited = [s for s, total in enumerate(totals) if total]
    choices: Sequence[int] = ()
    if len(visited) < model.n_states:
        function = lagrangian(model, multipliers)
        best = policy_iteration(model, function, start=greedy_choices(model, values, function))
        choices, values = best.choices, best.values
    return conditioned(model, rho, choices), visited, values


def state_masses(model: CMDP, rho: Vector) -> list[int]:
    """The numerators of rho summed over the choices of each state."""
    return [sum(rho.numerators[a:b]) for a, b in pairwise(model.choice_start.tolist())]


def conditioned(model: CMDP, rho: Vector, elsewhere: Sequence[int]) -> Policy:
    """The policy of an occupancy; in states that it does not visit the choice ``elsewhere``."""
    totals = state_masses(model, rho)
    pairs = zip(rho.numerators, model.choice_states.tolist(), strict=True)
    probabilities = [Fraction(mass, totals[s] or 1) for mass, s in pairs]
    for s, total in enumerate(totals):
        if not total:
            probabilities[elsewhere[s]] = Fraction(1)
    return Policy(tuple(probabilities))
