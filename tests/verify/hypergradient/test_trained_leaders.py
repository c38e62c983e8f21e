"""Claims on trained leaders and rewards, and what ``holdfast train`` and ``ladder`` say of them."""

from collections.abc import Iterator

import pytest

from holdfast.solvers.neural.hypergradient import ascent, pendulum
from holdfast.solvers.neural.parts.algorithms import own_tasks
from holdfast.verify.binding.claims import shipped
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.runs import VARIABLE
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.hypergradient.families.trained import LEADERS, REWARDS
from holdfast.verify.kernel import Verdict

from ..conftest import Invoke

CLAIMS = {c.name: c for c in shipped() if c.family in (LEADERS, REWARDS)}
LABELS = {"covariance/trick#neural", "covariance/tilted#neural", "hypergradients/boltzmann#neural"}


@pytest.fixture(scope="module", autouse=True)
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.mark.parametrize("label", sorted(LABELS))
def test_what_was_trained_keeps_what_is_claimed_and_mutants_die(label: str) -> None:
    assert set(CLAIMS) == LABELS
    found = run_shard(CLAIMS[label], Shard(label, Kind.DRAWN, 0, 1, 0))
    assert not found.error
    assert {finding.verdict for finding in found.findings} == {Verdict.HOLDS}
    assert {finding.grade for finding in found.findings} == {"neural"}
    named = {mutant.name for mutant in CLAIMS[label].named_mutants}
    assert named
    assert named <= set(found.kills)


def test_trainings_name_their_own_tasks(holdfast: Invoke) -> None:
    done = holdfast("train", "hypergradient/ascent")
    assert done.code == ExitCode.BAD_USAGE
    assert done.says("--env, which for hypergradient/ascent is one of: " + ", ".join(ascent.TASKS))
    assert "TwoDiscs" not in done.output
    own = own_tasks()
    assert list(own["hypergradient/ascent"]) == list(ascent.TASKS)
    assert list(own["hypergradient/pendulum"]) == [pendulum.TASK]
    assert holdfast("train", "hypergradient/pendulum").says(f"is one of: {pendulum.TASK}")
    assert holdfast("train", "--list").says("task of hypergradient/ascent", *ascent.TASKS)


def test_training_and_ladder_of_a_reward_say_where_controls_come(holdfast: Invoke) -> None:
    done = holdfast("train", "hypergradient/ascent", "--env", "tiny", "--set", "updates=40")
    assert done.code == ExitCode.AS_EXPECTED, done.output
    assert "cosine to the exact gradient" in done.flat
    done = holdfast("ladder", "covariance/trick", "--set", "updates=40")
    assert done.code == ExitCode.AS_EXPECTED, done.output
    for control in ("naive", "flipped", "uncentred"):
        assert f"tiny: {control} reaches" in done.flat
    assert "should have failed" not in done.flat


def test_a_ladder_of_another_task_is_refused(holdfast: Invoke) -> None:
    done = holdfast("ladder", "hypergradients/boltzmann", "--env", "Pendulum-v1")
    assert done.code != 0
    assert "this ladder has toy4-1, toy4-2, grid, lqr" in done.flat
    done = holdfast("ladder", "covariance/trick", "--episodes", "1000")
    assert "has no effect on the ladder of covariance/trick" in done.flat
