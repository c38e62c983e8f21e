"""Small models, met in use, on which the exact solver ran for minutes or did not return."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import pytest

from holdfast.solvers import (
    CMDP,
    LimitReachedError,
    Limits,
    LinearStatus,
    Status,
    chance,
    enclose,
    policy_iteration,
    solve,
    solve_by_chord,
)
from holdfast.solvers.chance import ChanceProblem
from holdfast.solvers.cmdp.exact_columns import ColumnSearch
from holdfast.solvers.cmdp.occupancy import occupancy_program
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.models.formats.document import model_from_document
from holdfast.solvers.programs.program import LinearStatistics
from holdfast.solvers.programs.simplex import repair
from holdfast.solvers.programs.solve import proved_proposal, solve_linear_program
from holdfast.verify.cli import main
from holdfast.verify.kernel import check

F = Fraction

BADLY_SCALED = model_from_document(
    {
        "kind": "cmdp",
        "n_states": 3,
        "choices": [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]],
        "transitions": [
            [[0, 10**7], [1, 1], [2, 100]],
            [[0, 1], [1, 10**9], [2, 1]],
            [[0, 1], [1, 1]],
            [[0, 1], [2, 1]],
            [[0, 1]],
            [[0, 10**9], [1, 1], [2, 1]],
        ],
        "discount": "999999999999/1000000000000",
        "reward": ["1/2", "500000", "70", "-1/1000000000000", "1/2500", "-3/10"],
        "costs": [["-2000000000", "70000000", "-3/10000", "-1/5000000000", "-50", "-3/100"]],
        "budgets": ["-60000"],
        "initial": ["1/3", "1/3", "1/3"],
        "notes": [],
    }
)
# Returns of the 8 deterministic policies in Fractions; the best of those that meet the budget and
# of the mixtures of two whose cost is the budget.
OPTIMUM = F(
    50050557427416590005302164999620733401166926527307422000931865120300300300,
    253756351283123790977702251172786690252753103098998998999,
)


def test_numbers_over_nineteen_orders_of_magnitude_are_solved():
    found = solve(BADLY_SCALED)
    assert (found.status, found.value, found.n_randomisations) == (Status.EXACT, OPTIMUM, 1)
    assert "Iteration limit reached" in found.statistics["proposal"]
    assert check(found.certificate()).accepted


def test_they_are_enclosed():
    found = enclose(BADLY_SCALED, method="scale")
    assert found.lower is not None and found.upper is not None
    assert found.lower <= OPTIMUM <= found.upper


def test_the_command_tells_the_method(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.json").write_text(json.dumps(BADLY_SCALED.to_dict()))
    with pytest.raises(SystemExit) as ended:
        main(["solve", "small.json"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "1.97239e+17" in printed and "method      exact linear program, " in printed


def test_what_is_not_decided_in_time_is_undecided(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.json").write_text(json.dumps(BADLY_SCALED.to_dict()))
    with pytest.raises(SystemExit) as ended:
        main(["solve", "small.json", "--method", "exact", "--budget", "0.000000001s"])
    printed = capsys.readouterr().out
    assert ended.value.code == 2 and not list(tmp_path.glob(".holdfast/certificates/small-*.json"))
    assert "undecided" in printed and "nothing known yet" in printed
    assert "method      not decided within 1e-09 seconds" in printed


def test_an_enclosure_takes_over_and_the_answer_says_so(tmp_path, monkeypatch, capsys):
    found = enclose(BADLY_SCALED, limits=Limits(seconds=1e-9))
    assert found.status is Status.WIDE and found.lower <= OPTIMUM <= found.upper
    assert found.statistics["method"] == "multiplier search"
    assert found.statistics["reason"].startswith(
        "the exact solution was not decided within 1e-09 seconds"
    )
    assert enclose(BADLY_SCALED, method="exact", limits=Limits(seconds=1e-9)).lower is None
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.json").write_text(json.dumps(BADLY_SCALED.to_dict()))
    with pytest.raises(SystemExit) as ended:
        main(["solve", "small.json", "--budget", "0.000000001s"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and list(tmp_path.glob(".holdfast/certificates/small-*.json"))
    assert "exact       not decided within 1e-09 seconds" in printed
    assert "method      multiplier search" in printed


@pytest.mark.parametrize("method", ["exact", "program"])
def test_a_limit_of_a_joint_risk(tmp_path, monkeypatch, capsys, method):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["chance", "frozen-lake-4x4", "--risk", "1/2", "--horizon", "3", "--unsafe", "5",
              "--method", method, "--budget", "0.000000001s"])  # fmt: skip
    assert ended.value.code == 2
    assert "Undecided: not decided within 1e-09 seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ["solve", "--budget", "0s"],
        ["solve", "--budget", "9s", "--method", "enclosure"],
        ["chance", "--budget", "9s", "--risk", "1/2"],
    ],
)
def test_a_limit_without_effect_is_refused(wrong):
    with pytest.raises(SystemExit) as ended:
        main([wrong[0], "two-discs", *wrong[1:]])
    assert ended.value.code == 64


def test_every_exact_round_looks_at_the_clock():
    spent = Limits(seconds=1e-9)
    for stopped in (
        lambda: policy_iteration(BADLY_SCALED, allowance=spent.started()),
        lambda: solve_by_chord(BADLY_SCALED, spent),
        lambda: chance.solve(ChanceProblem(BADLY_SCALED, (1,), 2), F(1, 2), spent),
        lambda: chance.frontier(ChanceProblem(BADLY_SCALED, (1,), 2), limits=spent),
    ):
        with pytest.raises(LimitReachedError, match="not decided within 1e-09 seconds"):
            stopped()


def hopeless() -> CMDP:
    """45 states, 4 choices each, costs in {0, 1} from one start; no policy has a cost of -1."""
    numbers, size = random.Random(0), 45
    rows = [sorted(numbers.sample(range(size), numbers.randint(1, 4))) for _ in range(4 * size)]
    return assemble(
        counts=[4] * size,
        actions=[0, 1, 2, 3] * size,
        rows=[{state: numbers.randint(1, 9) for state in row} for row in rows],
        reward=[F(numbers.randint(0, 1)) for _ in range(4 * size)],
        costs=[[F(numbers.randint(0, 1)) for _ in range(4 * size)] for _ in range(4)],
        budgets=[F(-1), F(2), F(3), F(3)],
        discount=F(9, 10),
        initial=[1] + [0] * (size - 1),
    )


def test_infeasible_budgets_are_refuted_without_pivots():
    model = hopeless()
    found = solve(model)
    assert found.status is Status.INFEASIBLE and check(found.certificate()).accepted
    assert found.statistics["first phase"]["pivots"] == found.statistics["pivots"] == 0
    slack = ColumnSearch(model, Limits().started()).greatest_slack()
    assert slack is not None and found.relaxation == -slack.value >= 1


def test_a_linear_program_is_refuted_by_a_row_of_the_tableau():
    program = occupancy_program(hopeless()).program
    found = solve_linear_program(program)
    assert (found.status, found.statistics.pivots) == (LinearStatus.INFEASIBLE, 0)
    assert check(found.certificate()).accepted
    # the control: exact pivots need more than this
    basis, _ = proved_proposal(program, LinearStatistics())
    assert basis is not None
    with pytest.raises(LimitReachedError, match="not decided within 200 exact pivots"):
        repair(program, basis, allowance=Limits(pivots=200).started())
