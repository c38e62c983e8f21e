"""The constrained MDP solved exactly: the occupancy program, or policies as columns, in turn."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..exact import Vector
from ..limits import LimitReachedError, Limits, timed
from ..models.cmdp import CMDP
from ..programs.program import INFEASIBLE, LinearStatistics, LinearStatus
from ..solution import Status
from .exact_columns import ColumnSearch, to_vertex
from .infeasibility import GreatestSlack, by_columns, greatest_slack, infeasible
from .occupancy import OccupancyProgram, attempt, complete_policy, occupancy_program, policy_basis
from .solution import Solution

_GENEROUS = Limits()


def solve(model: CMDP, limits: Limits = _GENEROUS) -> Solution:
    """The exact optimum of a constrained MDP, or an exact proof that there is none.

    HiGHS's basis is proved; where it is wrong, some exact pivots repair it; where they do not
    suffice, exact policy iteration takes over.  ``statistics["method"]`` tells which of them gave
    the answer.  Where HiGHS finds no policy that meets the budgets, the slack program decides.

    Args:
        limits: on the time; where it does not suffice the solution is UNDECIDED.
    """
    search, record = ColumnSearch(model, limits.started()), LinearStatistics()
    with timed(record.seconds, "build"):
        built = occupancy_program(model)
    try:
        return _solved(built, record, search)
    except LimitReachedError as reached:
        statistics = record.summary(built.program, str(reached))
        return Solution(
            Status.UNDECIDED,
            model,
            (),
            Vector(()),
            lower=search.lower,
            upper=search.upper,
            statistics=statistics,
        )


def _solved(built: OccupancyProgram, record: LinearStatistics, search: ColumnSearch) -> Solution:
    model, first = built.model, policy_basis(built.model, built.model.choice_start[:-1].tolist())
    answer = attempt(built.program, first, record, search.allowance)
    if answer is not None and answer.status is LinearStatus.OPTIMAL:
        assert answer.primal is not None and answer.dual is not None
        rho, (values, multipliers) = built.occupancy(answer.primal), built.dual(answer.dual)
        return _optimal(built, rho, values, multipliers, answer.unique, answer.summary())
    refuted = None
    if model.n_constraints:
        suspected = answer is not None or record.proposal == INFEASIBLE
        refuted = _refuted(record, search, suspected=suspected)
    if refuted is not None:
        return infeasible(model, refuted, record)
    with timed(record.seconds, "exact policies"):
        best = search.greatest_reward()
    # As few randomisations as there are constraints, as at every vertex.
    rho = built.occupancy(to_vertex(built.program, built.unscaled(best.occupancy)))
    statistics = record.summary(built.program, search.method(record.proposal))
    return _optimal(built, rho, best.values, best.multipliers, False, statistics)


def _refuted(
    record: LinearStatistics, search: ColumnSearch, *, suspected: bool
) -> GreatestSlack | None:
    """The greatest slack if it is negative; None once a mixture of policies meets the budgets."""
    if suspected:
        slack = greatest_slack(search.model, search.allowance)
        if slack.value < 0:
            return slack
    missed = search.greatest_slack(enough=True)
    return None if missed is None else by_columns(search, missed, record.proposal)


def _optimal(
    built: OccupancyProgram,
    rho: Vector,
    values: Vector,
    multipliers: tuple[Fraction, ...],
    unique: bool,
    statistics: dict[str, Any],
) -> Solution:
    model = built.model
    value = rho.dot(model.reward.tolist(), model.reward_denominator)
    policy, visited, values = complete_policy(model, rho, values, multipliers)
    return Solution(
        Status.EXACT,
        model,
        multipliers,
        values,
        value,
        rho,
        policy,
        policy.n_randomisations(model, visited),
        unique,
        lower=value,
        upper=value,
        statistics=statistics,
    )
