"""Claims over training runs: trained once, a case at a time, and only where they are asked for."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.binding.values import ClaimError
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.runs import VARIABLE, beside, kept
from holdfast.verify.campaign.schedule import DRAWN_SIZE, Budget, Plan, Schedule
from holdfast.verify.cli.selection import named_with_tags, to_examine
from holdfast.verify.engine.examiner import Kind, drawn_case
from holdfast.verify.kernel import Verdict, check
from holdfast.verify.search.hunt import hunt
from holdfast.verify.search.refutations import with_counterexamples
from holdfast.verify.search.shrink import shrink
from holdfast.verify.store.store import Store

from ...conftest import Invoke

MATERIAL = Path(__file__).with_name("trained_material.py")
RISK, VALUE, WRONG, EXACT = "trained/risk#neural", "trained/value#neural", *(
    "trained/wrong#neural", "trained/exact",
)  # fmt: skip


@pytest.fixture(scope="module")
def claims() -> dict[str, Claim]:
    return {claim.name: claim for claim in load(MATERIAL)}


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of runs but the campaign's."""
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store" / "findings.db") as opened:
        yield opened


def trainings(folder: Path) -> int:
    """How many runs were trained, each once or the test fails."""
    names = (folder / "trainings").read_text().splitlines()
    assert len(set(names)) == len(names) == len(list(folder.glob("run-*")))
    return len(names)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_budget_of_three_trains_three_runs_for_all_claims_of_the_family(
    claims: dict[str, Claim], store: Store, tmp_path: Path, jobs: int
) -> None:
    """A violation is seen a second time, on the run that is kept; and so in the next campaign."""
    chosen = [claims[name] for name in (RISK, VALUE, WRONG)]
    for fresh in (False, True):
        run = run_campaign(
            chosen, budget=Budget(models=3), seed=0, store=store, jobs=jobs, fresh=fresh
        )
        found = summary(run, chosen)
        assert [one.models for one in found.claims] == [3, 3, 3]
        assert [one.verdict for one in found.claims] == [
            Verdict.TIGHT, Verdict.VIOLATED, Verdict.VIOLATED,
        ]  # fmt: skip
        assert trainings(tmp_path / "store" / "runs") == 3
    assert VARIABLE not in os.environ


def test_all_that_is_found_on_a_trained_network_has_that_grade(
    claims: dict[str, Claim], store: Store
) -> None:
    """The second set of values of the first claim is exact, and of a trained network all the same;
    the mutant fell, and what samples say is charged."""
    chosen = [claims[name] for name in (RISK, EXACT)]
    run = run_campaign(chosen, budget=Budget(models=2), seed=0, store=store)
    trained, exact = summary(run, chosen).claims
    assert trained.grades == {"neural": 4}
    assert exact.grades == {"exact": 2}
    assert trained.killed and not trained.survived
    findings = store.findings("trained/risk", 4)
    assert sorted({finding.alpha == "0" for finding in findings}) == [False, True]


def test_a_violation_is_reported_on_the_run_as_it_stands(
    claims: dict[str, Claim], store: Store, tmp_path: Path
) -> None:
    chosen = [claims[WRONG]]
    run = run_campaign(chosen, budget=Budget(models=1), seed=0, store=store)
    runs, certificates = tmp_path / "store" / "runs", tmp_path / "certificates"
    with kept(str(runs)):
        found = with_counterexamples(summary(run, chosen), certificates)
    (counterexample,) = found.counterexamples.values()
    assert not counterexample.shrunk
    assert counterexample.case == drawn_case(claims[WRONG], 0, 0)[1]
    assert counterexample.certificate is not None
    assert check(json.loads(counterexample.certificate.read_text())).accepted
    assert trainings(runs) == 1


def test_nothing_that_searches_trains(claims: dict[str, Claim], tmp_path: Path) -> None:
    with kept(str(tmp_path / "runs")):
        with pytest.raises(ClaimError, match=r"a hunt would train one .*neural' --budget 3"):
            hunt(claims[WRONG])
        with pytest.raises(ClaimError, match="cannot be shrunk"):
            shrink(claims[WRONG], (0, 1))
    assert not (tmp_path / "runs").exists()


def test_shards_of_training_runs_are_of_one_case_and_are_waited_for(
    claims: dict[str, Claim],
) -> None:
    chosen = (claims[RISK], claims[EXACT])
    counted = Schedule(Plan(chosen, Budget(models=60), 0))
    drawn = [shard for shard in counted.shards(lambda: 0.0) if shard.kind is Kind.DRAWN]
    assert [shard.size for shard in drawn if shard.claim == RISK] == [1] * 60
    assert [shard.size for shard in drawn if shard.claim == EXACT] == [DRAWN_SIZE, 10]
    assert counted.total == 2 + 60 + 2
    clock = iter(range(10))
    timed = Schedule(Plan(chosen, Budget(seconds=2), 0)).shards(lambda: next(clock))
    assert [(s.claim, s.index, s.seconds) for s in timed if s.kind is Kind.DRAWN] == [
        (RISK, 0, None), (EXACT, 0, 30.0),
        (RISK, 1, None), (EXACT, DRAWN_SIZE, 30.0),
    ]  # fmt: skip


def test_claims_of_one_family_get_the_same_runs_and_others_do_not(
    claims: dict[str, Claim],
) -> None:
    first, second = (drawn_case(claims[name], 5, 2)[1] for name in (RISK, VALUE))
    assert first == second != drawn_case(claims[RISK], 5, 3)[1]


def test_runs_lie_beside_the_store_unless_the_environment_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert beside(str(tmp_path / "store.db")) == str(tmp_path / "runs")
    assert beside(":memory:") == ""
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    assert beside(str(tmp_path / "store.db")) == "/elsewhere"
    with kept("/here"):
        assert os.environ[VARIABLE] == "/here"
    assert os.environ[VARIABLE] == "/elsewhere"


@pytest.mark.parametrize(("patterns", "examined", "left_out"), [
    ([""], [EXACT], 3),
    (["::trained/*"], [EXACT], 3),
    (["::trained/exact"], [EXACT], 0),
    (["::trained/*#neural"], [RISK, VALUE, WRONG], 0),
    (["", "::trained/risk#neural"], [RISK, EXACT], 2),
])  # fmt: skip
def test_networks_are_trained_where_a_pattern_names_the_tag(
    patterns: list[str], examined: list[str], left_out: int
) -> None:
    found, left = to_examine([f"{MATERIAL}{pattern}" for pattern in patterns])
    assert [claim.name for claim in found] == examined
    assert len(left) == left_out


def test_a_pattern_of_trained_claims_alone_says_how_to_name_them() -> None:
    with pytest.raises(click.BadParameter, match=r"name them .*py::trained/risk#neural' --b"):
        to_examine([f"{MATERIAL}::trained/risk"])


def test_the_shipped_claims_without_a_pattern_train_nothing() -> None:
    found, left = to_examine([])
    assert not any(claim.trained for claim in found)
    assert all(claim.trained and "neural" in claim.name.partition("#")[2] for claim in left)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("*", "'*#neural' '*#neural-large'"),
        ("trained-policies/*", "'trained-policies/*#neural' '*#neural-large'"),
        (
            "trained-policies/shown",
            "'trained-policies/shown#neural' 'trained-policies/shown#neural-large'",
        ),
        ("reward-learning/nearness", "'reward-learning/nearness#neural'"),
    ],
)
def test_what_is_left_out_is_named_by_patterns_that_match_it_alone(
    pattern: str, named: str
) -> None:
    _, left = to_examine([pattern])
    text = named_with_tags(left)
    assert {*text.split()} == {*named.split()}
    again, _ = to_examine([one.strip("'") for one in text.split()])
    assert {claim.name for claim in again} == {claim.name for claim in left}


def test_the_command_says_that_the_large_ones_take_long(holdfast: Invoke) -> None:
    done = holdfast("verify", "trained-policies/chosen", "--budget", "5", "--jobs", "1")
    assert done.says("which takes minutes for each policy of #neural-large")


def test_the_command_says_what_it_leaves_out(holdfast: Invoke, tmp_path: Path) -> None:
    done = holdfast("verify", str(MATERIAL), "--budget", "5", "--jobs", "1")
    assert done.code == ExitCode.AS_EXPECTED
    assert done.says(
        f"3 claims about trained networks are left out; holdfast verify '{MATERIAL}::*#neural' "
        "--budget 3 trains and judges them"
    )
    assert not (tmp_path / ".holdfast" / "runs").exists()


def test_the_command_trains_and_judges_and_reports_the_violation(
    holdfast: Invoke, tmp_path: Path
) -> None:
    done = holdfast("verify", f"{MATERIAL}::*#neural", "--budget", "2", "--jobs", "1")
    assert done.code == ExitCode.VIOLATION
    assert done.says("neural", "trained/wrong#neural") and "left out" not in done.output
    assert trainings(tmp_path / ".holdfast" / "runs") == 2
    refused = holdfast("hunt", f"{MATERIAL}::trained/risk#neural")
    assert refused.code == ExitCode.BAD_USAGE and refused.says("a hunt would train one")
