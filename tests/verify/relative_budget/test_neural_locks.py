"""Claims on trained locks, and what ``holdfast train`` and ``ladder`` say of their runs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training
from holdfast.solvers.neural.relative_budget import locks
from holdfast.solvers.neural.relative_budget.arithmetic import ArithmeticOptions
from holdfast.verify.binding.claims import shipped
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.runs import VARIABLE
from holdfast.verify.engine.examiner import Kind, Shard, drawn_case, run_shard
from holdfast.verify.kernel import Verdict
from holdfast.verify.relative_budget import ladders
from holdfast.verify.relative_budget.families.trained import HORIZON, LOCKS, policies, updates
from holdfast.verify.relative_budget.trained import judge

from ..conftest import Invoke

CLAIMS = {c.name: c for c in shipped() if c.family is LOCKS}
LABELS = {
    "improvement/chi-square#neural", "improvement/cantelli#neural",
    "improvement/one-step#neural", "requirement/universal#neural",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture(scope="module")
def training() -> Training:
    (found,) = {drawn_case(claim, 0, 0)[1] for claim in CLAIMS.values()}
    (case,) = found
    assert isinstance(case, Training)
    return case


def test_all_claims_are_about_the_same_run() -> None:
    assert set(CLAIMS) == LABELS
    assert len({drawn_case(claim, 0, 0)[1] for claim in CLAIMS.values()}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(LABELS))
def test_a_trained_lock_keeps_what_is_claimed_of_any_policy(label: str) -> None:
    found = run_shard(CLAIMS[label], Shard(label, Kind.DRAWN, 0, 1, 0))
    assert not found.error
    assert {finding.verdict for finding in found.findings} == {Verdict.HOLDS}
    assert {finding.grade for finding in found.findings} == {"neural"}


def test_laws_are_exact_and_move_with_every_update(training: Training) -> None:
    pairs = updates(training)
    assert len(pairs) == len(policies(training)) - 1 == training.options.updates
    for before, after in pairs:
        assert sum(before) == sum(after) == 1
        assert len(before) == HORIZON
        assert before != after


@pytest.mark.slow
def test_what_training_says_of_a_lock_and_of_several(training: Training, tmp_path: Path) -> None:
    (row,) = judge(obtain(training))
    assert float(row["xi"]) == pytest.approx(float(training.options.budgets), rel=0.01)
    assert row["as expected"] == "yes"
    options = replace(training.options, budgets="0.5,1.5", updates=2)
    rows = judge(obtain(Training(training.algorithm, "lock", 0, options), folder=tmp_path))
    assert [one["lock"] for one in rows] == ["0", "1", "all"]


@pytest.mark.slow
def test_what_training_says_of_sums(tmp_path: Path) -> None:
    options = ArithmeticOptions(model="tiny", questions=1, shots=1, tokens=3, updates=2, group=2)
    training = Training("relative_budget/arithmetic", "sums", 0, options)
    first, *bins = judge(obtain(training, folder=tmp_path))
    assert first["right attempts"] == "0 of 4, 0.0 expected"
    assert [one["xi"] for one in bins] == ["0 to 0.5"]
    assert bins[0]["equal groups"] == "1.00"


def test_a_ladder_of_another_task_is_refused(holdfast: Invoke) -> None:
    done = holdfast("ladder", "optimum/inside", "--env", "maze-of-locks")
    assert done.code != 0
    assert "lock" in done.flat
    done = holdfast("ladder", "optimum/inside", "--episodes", "1000")
    assert "has no effect on the ladder of optimum/inside" in done.flat


@pytest.mark.slow
def test_the_ladder_shows_gains_controls_and_the_controller(
    holdfast: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_FIT", 60)  # budgets are missed by some percent, in a fifth of time
    monkeypatch.setattr(ladders, "_CONTROLLED", ("0.5,3",))
    given = {"steps": 2, "horizon": 16, "letters": 4, "width": 16, "layers": 1, "updates": 10,
             "learning_rate": 0.05, "checkpoint_every": 0}  # fmt: skip
    settings = [part for k, v in given.items() for part in ("--set", f"{k}={v}")]
    path = tmp_path / "ladder.json"
    done = holdfast(
        "ladder", "optimum/inside", "--levels", "0.25,1.5,5", *settings,
        "--plot", str(tmp_path / "ladder.png"), "--json", str(path),
    )  # fmt: skip
    assert done.code == ExitCode.AS_EXPECTED, done.output
    assert "3 budgets: all measured as expected" in done.flat
    assert "most is expected at xi = 1." in done.flat
    assert "it must be noticed; by" in done.flat
    assert "locks at xi = 0.5,3: with horizons set to xi = 1.75" in done.flat
    assert (tmp_path / "ladder.png").stat().st_size > 10_000
    assert len(json.loads(path.read_text())["tables"]) == 2
