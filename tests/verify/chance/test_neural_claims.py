"""Claims on trained networks, and bugs planted in what trains, measures and flips them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.neural.chance import FlippingPolicy
from holdfast.solvers.neural.chance.trainers import CPO, PPOLagrangian
from holdfast.solvers.neural.parts import evaluation, on_policy
from holdfast.solvers.neural.parts.evaluation import Episodes
from holdfast.verify.binding.claims import shipped
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.runs import VARIABLE
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.summary import RunSummary
from holdfast.verify.chance.families.trained import SMALL
from holdfast.verify.cli.selection import to_examine
from holdfast.verify.engine.examiner import drawn_case
from holdfast.verify.store.store import Store

CLAIMS = {claim.name: claim for claim in shipped() if claim.trained}
ON_SMALL = [claim for claim in CLAIMS.values() if claim.family is SMALL]


def test_the_tag_names_the_runs_on_the_small_task_alone() -> None:
    found, left_out = to_examine(["trained-policies/*#neural"])
    assert set(found) == set(ON_SMALL)
    assert {claim.name.split("#")[-1] for claim in left_out} <= {"neural-large"}


def test_a_case_is_three_trainings_named_by_their_integers() -> None:
    """The same for all claims, another for another number."""
    cases = {drawn_case(claim, 3, 1)[1] for claim in ON_SMALL}
    (((case),),) = cases
    runs = case.cpo, case.ppo, case.bold
    assert len({run.seed for run in runs}) == 1 and len({run.digest for run in runs}) == 3
    assert drawn_case(ON_SMALL[0], 3, 2)[1] not in cases


def examined(store: Path) -> RunSummary:
    """The claims on one case."""
    with Store.open(store) as opened:
        run = run_campaign(ON_SMALL, budget=Budget(models=1), seed=0, store=opened)
        return summary(run, ON_SMALL)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of runs that tests share which do not change how policies are trained."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, os.environ.get("HOLDFAST_TEST_RUNS", str(folder)))
        yield folder


@pytest.mark.slow
def test_nothing_planted_all_as_expected(kept: Path, tmp_path: Path) -> None:
    found = examined(tmp_path / "s.db")
    assert {one.claim.name: one.exit_code.name for one in found.claims} == {
        claim.name: "AS_EXPECTED" for claim in ON_SMALL
    }
    assert {grade for one in found.claims for grade in one.grades} == {"neural"}


def twice(evaluate: Callable[..., Episodes]) -> Callable[..., Episodes]:
    """Each episode with a violation is counted two times."""

    def counted(*arguments: Any, **named: Any) -> Episodes:
        found = evaluate(*arguments, **named)
        return replace(found, violations=min(2 * found.violations, found.episodes))

    return counted


def seeds_of_training(task: object, words: object, count: int) -> list[int]:
    """What seeded the environments in the first updates of the training of seed 0."""
    return [on_policy._words(0, update + 1)[3] // 2 for update in range(count)]


def tossed_in_each_step(
    self: FlippingPolicy, observation: Any, size: int, state: Any, start: Any
) -> Any:
    """Form "episode" with the coin of form "printed"."""
    chance = float(self.probability or 0)
    return self._coin.random(size) < chance, (np.zeros(size, dtype=np.int8),)


PLANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "risk counted twice": lambda patch: patch.setattr(
        evaluation, "evaluate", twice(evaluation.evaluate)
    ),
    "evaluation on the seeds of training": lambda patch: patch.setattr(
        evaluation, "_fresh_seeds", seeds_of_training
    ),
    "a coin a step for a coin an episode": lambda patch: patch.setattr(
        FlippingPolicy, "_tossed", tossed_in_each_step
    ),
}
NOTICED = (ExitCode.VIOLATION, ExitCode.MUTANT_SURVIVED)


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS)
def test_a_bug_in_what_is_measured_is_noticed(
    plant: str, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PLANTS[plant](monkeypatch)
    assert examined(tmp_path / "s.db").exit_code in NOTICED


def sign_for_cpo(patch: pytest.MonkeyPatch) -> None:
    """CPO lowers the cost where it should keep it low, and the other way round."""
    right = CPO._cost_advantages
    patch.setattr(CPO, "_cost_advantages", lambda self: -right(self))


def sign_for_ppo(patch: pytest.MonkeyPatch) -> None:
    """PPO-Lagrangian is paid for violations."""
    right = PPOLagrangian._improve

    def improve(self: PPOLagrangian) -> None:
        self.cost_buffer.advantages = -self.cost_buffer.advantages
        right(self)

    patch.setattr(PPOLagrangian, "_improve", improve)


@pytest.mark.slow
@pytest.mark.parametrize("plant", [sign_for_cpo, sign_for_ppo])
def test_the_sign_of_the_cost_in_training_is_noticed(
    plant: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "runs"))
    found = examined(tmp_path / "s.db")
    assert found.exit_code in NOTICED
    blamed = "cpo" if plant is sign_for_cpo else "ppo"
    assert f"trained-policies/envelope#{blamed}#neural" in {
        one.claim.name for one in found.claims if one.unnoticed
    }
