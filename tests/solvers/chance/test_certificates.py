"""The kernel accepts what the solvers prove, and nothing else."""

from __future__ import annotations

from fractions import Fraction

import pytest

from holdfast.solvers import ModelError, Status
from holdfast.solvers.chance import (
    ChanceProblem,
    enclose_eventual,
    solve,
    solve_by_flag_program,
    unroll,
)
from holdfast.solvers.chance.horizon import unrolling
from holdfast.verify.kernel import check


@pytest.mark.parametrize("seed", range(25))
def test_the_kernel_accepts_every_answer(random_problem, seed):
    problem = random_problem(seed)
    for level in (Fraction(0), Fraction(1, 5), Fraction(4, 7)):
        for solution in (solve(problem, level), solve_by_flag_program(problem, level)):
            report = check(solution.certificate())
            assert report.accepted, report.steps[-1]
            if solution.status is Status.INFEASIBLE:
                assert report.kind == "cmdp-infeasible"
                continue
            mixture = check(solution.mixture_certificate())
            assert mixture.accepted, mixture.steps[-1]
            assert report.enclosure.lo == report.enclosure.hi == solution.value
            assert mixture.enclosure.lo == mixture.enclosure.hi == solution.value


@pytest.mark.parametrize("key", ["value", "multipliers", "level"])
def test_the_kernel_rejects_other_answers(three_states, key):
    solution = solve(ChanceProblem(three_states(), [2], 3), "1/4")
    document = solution.certificate()
    if key == "level":
        document["model"]["level"] = "1/5"
    else:
        document[key] = ["14"] if key == "multipliers" else "6"
    assert not check(document).accepted


def test_the_enclosure_of_an_eventual_risk_is_certified_too(three_states):
    """Its last layer is none of the problem's own, so the unrolled model is written out."""
    found = enclose_eventual(three_states(Fraction(1, 2)), [2], "1/3", horizon=3)
    for solution, value in ((found.first, found.lower), (found.upper_solution, found.upper)):
        document = solution.certificate()
        assert document["model"]["kind"] == "cmdp"
        report = check(document)
        assert report.accepted, report.steps[-1]
        assert report.enclosure.lo == value
        assert check(solution.mixture_certificate()).accepted


def test_enormous_documents_are_refused(three_states, monkeypatch):
    problem = ChanceProblem(three_states(), [2], 50_000)
    with pytest.raises(ModelError, match=r"unrolled, the problem has 600000 choices .* use solve"):
        unroll(problem, "1/4")
    solution = solve(ChanceProblem(three_states(), [2], 3), "1/4")
    monkeypatch.setattr(unrolling, "LARGEST", 30)
    for write in (solution.certificate, solution.mixture_certificate):
        with pytest.raises(ModelError, match="has 36 choices"):
            write()


def test_there_is_no_mixture_of_an_infeasible_problem(three_states):
    solution = solve(ChanceProblem(three_states(initial=[0, 0, 1]), [2], 1, True), 0)
    with pytest.raises(ModelError, match="no policy to certify: start state 2 is unsafe"):
        solution.mixture_certificate()
