"""Claims on trained networks, and bugs planted in what trains, measures and flips them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.solvers.exact import Array
from holdfast.solvers.neural.chance import FlippingPolicy
from holdfast.solvers.neural.chance.trainers import CPO, PPOLagrangian
from holdfast.solvers.neural.parts import evaluation
from holdfast.solvers.neural.parts.evaluation import Episodes
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.worlds.vectors import FiniteVecEnv
from holdfast.verify.binding.claims import shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.runs import VARIABLE
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.summary import ClaimSummary
from holdfast.verify.chance.families.trained import SMALL, Flip, Trainings, trainings
from holdfast.verify.cli.selection import to_examine
from holdfast.verify.engine.examiner import drawn_case
from holdfast.verify.store.store import Store

CLAIMS = {claim.name: claim for claim in shipped() if claim.trained}
ON_SMALL = [claim for claim in CLAIMS.values() if claim.family is SMALL]
Unsafe = Callable[[Flip, Fraction, int, int, str], Array]


def test_the_tag_names_the_runs_on_the_small_task_alone() -> None:
    found, left_out = to_examine(["trained-policies/*#neural"])
    assert sorted(claim.name for claim in found) == sorted(claim.name for claim in ON_SMALL)
    assert {claim.name.split("#")[-1] for claim in left_out} <= {"neural-large"}


def case_of(index: int) -> Trainings:
    ((case, *_),) = {drawn_case(claim, 0, index)[1] for claim in ON_SMALL}
    assert isinstance(case, Trainings)
    return case


def test_a_case_is_three_trainings_named_by_their_integers() -> None:
    """The same for all claims, another for another number."""
    cases = {drawn_case(claim, 3, 1)[1] for claim in ON_SMALL}
    ((case,),) = cases
    runs = case.cpo, case.ppo, case.bold
    assert len({run.seed for run in runs}) == 1 and len({run.digest for run in runs}) == 3
    assert drawn_case(ON_SMALL[0], 3, 2)[1] not in cases


def examined(name: str, store: Path) -> ClaimSummary:
    """The claim of this label on one case."""
    claims = [CLAIMS[name]]
    with Store.open(store) as opened:
        run = run_campaign(claims, budget=Budget(models=1), seed=0, store=opened)
        (found,) = summary(run, claims).claims
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of runs that tests share which do not change how policies are trained."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


Unplanted = Callable[[str], ClaimSummary]


@pytest.fixture(scope="module")
def unplanted(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Unplanted:
    """What is found of a claim with no bug planted, once; to be asked for before planting one."""
    folder = tmp_path_factory.mktemp("unplanted")
    return cache(lambda name: examined(name, folder / f"{name.replace('/', '-')}.db"))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(claim.name for claim in ON_SMALL))
def test_nothing_planted_all_as_expected(name: str, unplanted: Unplanted) -> None:
    found = unplanted(name)
    assert found.exit_code.name == "AS_EXPECTED"
    assert set(found.grades) == {"neural"}


def twice(evaluate: Callable[..., Episodes]) -> Callable[..., Episodes]:
    """Each episode with a violation is counted two times."""

    def counted(*arguments: Any, **named: Any) -> Episodes:
        found = evaluate(*arguments, **named)
        return replace(found, violations=min(2 * found.violations, found.episodes))

    return counted


def judged_by_what_chose(right: Unsafe) -> Unsafe:
    """The episodes that choose a flip of the class judge it as well."""
    seen: dict[Fraction, Array] = {}

    def unsafe(self: Flip, weight: Fraction, choices: int, samples: int, role: str) -> Array:
        if role == "choosing":
            seen[weight] = right(self, weight, choices, samples, role)
            return seen[weight]
        taken = np.stack(list(seen.values())).argmin(axis=0)
        return seen[weight][taken == list(seen).index(weight)]

    return unsafe


def tossed_in_each_step(
    self: FlippingPolicy, observation: Any, size: int, state: Any, start: Any
) -> Any:
    """Form "episode" with the coin of form "printed"."""
    chance = float(self.probability or 0)
    return self._coin.random(size) < chance, (np.zeros(size, dtype=np.int8),)


def without_a_coin(patch: pytest.MonkeyPatch) -> None:
    """The flip follows its first policy alone."""
    patch.setattr(
        FlippingPolicy,
        "_tossed",
        lambda self, seen, size, state, start: (np.zeros(size, dtype=bool), None),
    )


def a_coin_a_step(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FlippingPolicy, "_tossed", tossed_in_each_step)


PLANTS: dict[str, tuple[str, ExitCode, Callable[[pytest.MonkeyPatch], None]]] = {
    "risk counted twice": (
        "shown",
        ExitCode.VIOLATION,
        lambda patch: patch.setattr(evaluation, "evaluate", twice(evaluation.evaluate)),
    ),
    "the same episodes choose and judge": (
        "chosen",
        ExitCode.MUTANT_SURVIVED,
        lambda patch: patch.setattr(Flip, "unsafe", judged_by_what_chose(Flip.unsafe)),
    ),
    "a coin a step for a coin an episode, riskier": (
        "episode-coin",
        ExitCode.VIOLATION,
        a_coin_a_step,
    ),
    "a coin a step for a coin an episode, safer": ("shown", ExitCode.VIOLATION, a_coin_a_step),
    "no coin": ("shown", ExitCode.VIOLATION, without_a_coin),
}
"""Plant -> the claim that must notice it, how, and the patch."""


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS)
def test_a_bug_in_what_is_measured_is_noticed(
    plant: str, unplanted: Unplanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the claim that it is about, which is as expected without the plant."""
    label, code, patch = PLANTS[plant]
    name = f"trained-policies/{label}#neural"
    assert unplanted(name).exit_code is ExitCode.AS_EXPECTED
    patch(monkeypatch)
    assert examined(name, tmp_path / "s.db").exit_code is code


def seeds_used(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[set[int], set[int]]:
    """(of a training of two updates, of 30 episodes in two batches): all that seeded copies."""
    seen: list[int] = []
    right = FiniteVecEnv.seed

    def seed(self: FiniteVecEnv, seed: int | None = None) -> Any:
        seen.append(int(seed or 0))
        return right(self, seed)

    monkeypatch.setattr(FiniteVecEnv, "seed", seed)
    training = case_of(0).bold
    short = replace(training.options, steps=2 * training.options.per_update)
    policy = obtain(replace(training, options=short), folder=folder).result()
    of_training, seen[:] = set(seen), []
    evaluation.evaluate(policy, training.task, episodes=30, copies=20, seed_words=("judging",))
    return of_training, set(seen)


def are_fresh(of_training: set[int], of_judging: set[int]) -> bool:
    return max(of_training) < evaluation.FIRST_FRESH_SEED <= min(of_judging)


@pytest.mark.slow
def test_policies_are_judged_on_seeds_that_no_training_uses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the control: seeds of updates in place of fresh ones are told apart from them."""
    of_training, of_judging = seeds_used(monkeypatch, tmp_path)
    assert len(of_training) >= 2 == len(of_judging)
    assert are_fresh(of_training, of_judging)
    monkeypatch.setattr(
        evaluation, "fresh_seeds", lambda task, words, count: sorted(of_training)[:count]
    )
    assert not are_fresh(*seeds_used(monkeypatch, tmp_path / "again"))


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
@pytest.mark.parametrize(
    ("plant", "label"), [(sign_for_cpo, "envelope#cpo"), (sign_for_ppo, "price")]
)
def test_the_sign_of_the_cost_in_training_is_noticed(
    plant: Callable[[pytest.MonkeyPatch], None],
    label: str,
    unplanted: Unplanted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No theorem can be false of a worse policy: what it does not come near survives."""
    name = f"trained-policies/{label}#neural"
    assert unplanted(name).exit_code is ExitCode.AS_EXPECTED
    plant(monkeypatch)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "runs"))
    assert examined(name, tmp_path / "s.db").exit_code is ExitCode.MUTANT_SURVIVED


@pytest.mark.parametrize("algorithm", ["cpo", "ppo"])
def test_an_option_that_is_not_said_is_refused(algorithm: str) -> None:
    """Else a default that is changed elsewhere would change the runs of the claims."""
    of = case_of(0)
    given = {name: asdict(getattr(of, name).options) for name in ("cpo", "ppo")}
    del given[algorithm]["learning_rate"]
    family = trainings("short", of.task, limit=(1, 1), cautious=(1, 1), bold=(1, 1), **given)
    with pytest.raises(AssertionError, match=r"left to its defaults for \['learning_rate'\]"):
        family.draw(PhiloxDraw(0))
