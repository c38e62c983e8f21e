"""Linear programs solved exactly: a float solver proposes a basis, exact algebra proves it."""

from __future__ import annotations

from collections.abc import Sequence

from ..exact import SingularMatrixError
from ..limits import Limits, timed
from .basis import optimal_solution, prove_basis
from .float_basis import propose_basis
from .program import INFEASIBLE, LinearProgram, LinearSolution, LinearStatistics
from .simplex import proved_infeasible, repair

_GENEROUS = Limits()


def proved_proposal(
    program: LinearProgram,
    statistics: LinearStatistics,
    basis: Sequence[int] | None = None,
    seconds: float = float("inf"),
) -> tuple[Sequence[int] | None, LinearSolution | None]:
    """A basis, given or proposed by HiGHS (None: it is none), and the solution if it is optimal."""
    proposal, statistics.proposal = basis, "given"
    with timed(statistics.seconds, "float"):
        if proposal is None:
            proposal, statistics.proposal = propose_basis(program, seconds)
    if proposal is None:
        return None, None
    try:
        proof = prove_basis(program, proposal, statistics)
    except SingularMatrixError:
        return None, None
    return proposal, optimal_solution(program, proof, statistics) if proof.optimal else None


def solve_linear_program(
    program: LinearProgram,
    *,
    basis: Sequence[int] | None = None,
    fallback: Sequence[int] | None = None,
    limits: Limits = _GENEROUS,
) -> LinearSolution:
    """Solve exactly: HiGHS's basis if it is optimal, else exact pivots from there.

    Where HiGHS calls the program infeasible, every row of its last tableau is tried as the proof.

    Args:
        basis: a basis to try instead of asking HiGHS.
        fallback: a nonsingular basis from which to repair when the proposal is singular or missing
            (default: all unit columns).
        limits: on the time and on the exact pivots.

    Raises LimitReachedError when they do not suffice.
    """

    allowance, statistics = limits.started(), LinearStatistics()
    proposal, answer = proved_proposal(program, statistics, basis, limits.seconds)
    if proposal and answer is None and statistics.proposal == INFEASIBLE:
        answer = proved_infeasible(program, proposal, statistics, allowance)
    if answer is not None:
        return answer
    statistics.repaired = True
    return repair(program, proposal or fallback or program.unit_basis(), statistics, allowance)
