"""The claims on fine-tuned transformers, and what ``holdfast train`` says of their runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training, options_from
from holdfast.verify.binding.claims import shipped
from holdfast.verify.campaign.runs import VARIABLE
from holdfast.verify.engine.examiner import Kind, Shard, drawn_case, run_shard
from holdfast.verify.kernel import Verdict
from holdfast.verify.target_returns.families.finetuned import FINETUNED
from holdfast.verify.target_returns.trained import judge

CLAIMS = {c.name: c for c in shipped() if c.family is FINETUNED}


@pytest.fixture(scope="module", autouse=True)
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("runs")))
        yield


def test_all_claims_are_about_the_same_run() -> None:
    assert set(CLAIMS) == {"group-gradients/intended#neural", "group-gradients/relabelled#neural"}
    runs = {drawn_case(claim, 0, 0)[1] for claim in CLAIMS.values()}
    assert len(runs) == 1


@pytest.mark.slow
def test_a_trained_transformer_is_estimated_exactly_and_relabelling_is_biased() -> None:
    """Of one network the two verdicts differ, so that neither is one for any network."""
    for name, wanted in (("intended", Verdict.HOLDS), ("relabelled", Verdict.VIOLATED)):
        label = f"group-gradients/{name}#neural"
        found = run_shard(CLAIMS[label], Shard(label, Kind.DRAWN, 0, 1, 0))
        assert not found.error
        assert {finding.verdict for finding in found.findings} == {wanted}
        assert {finding.grade for finding in found.findings} == {"neural"}


def test_what_training_says_of_groups_are_exact_numbers(tmp_path: Path) -> None:
    algorithm = find("target_returns/group-finetuning")
    options = options_from(
        algorithm.options, {"episodes": 50, "pretraining": 10, "steps": 1, "width": 16}
    )
    training = Training(algorithm.name, "holdfast/Lotteries-v0", 0, options)
    run = obtain(training, folder=tmp_path)
    (row,) = judge(run, 1000)
    assert row["labels"] == "intended"
    assert row["return after"] == f"{run.metrics()[-1]['return']:.4f}"


@pytest.mark.slow
def test_what_training_says_of_games_has_a_row_for_each_rule(tmp_path: Path) -> None:
    algorithm = find("target_returns/multi-game")
    options = options_from(algorithm.options, {"play": 4000, "steps": 20, "width": 16})
    training = Training(algorithm.name, "MinAtar/Breakout-v1", 0, options)
    rows = judge(obtain(training, folder=tmp_path), 16)
    assert [row["rule"] for row in rows] == ["mtro", "by hand", "by hand, each game", "untilted"]
    assert {row["recorded"] for row in rows} == {rows[0]["recorded"]}
