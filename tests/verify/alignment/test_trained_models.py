"""``holdfast debias``, ``merge`` and what ``train`` says, on tiny models; trained claims."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from holdfast.solvers.neural.alignment.bandits import Bandit, fresh_bandit
from holdfast.solvers.neural.alignment.grouped.responses import Judgement
from holdfast.solvers.neural.alignment.pairs import Policies
from holdfast.solvers.neural.alignment.seeded_bias import POLICIES, Debiased
from holdfast.verify.alignment.commands.debias import debias_command
from holdfast.verify.alignment.commands.merge import merge_command
from holdfast.verify.alignment.trained import judge


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> tuple[Path, Path]:
    """Two policies that differ in the last layer."""
    folder = tmp_path_factory.mktemp("models")
    one = fresh_bandit(2, 4, seed=0)
    first = one.save(folder / "first")
    with torch.no_grad():
        one.network.lm_head.weight[1] += 0.5
    return first, one.save(folder / "second")


def _run(command, *words: object):
    return CliRunner().invoke(command, [*map(str, words)], standalone_mode=False)


def test_weights_that_are_linear_between_models_are_the_merge_of_logits(models, tmp_path) -> None:
    prompts, out, numbers = tmp_path / "p.txt", tmp_path / "out", tmp_path / "n.json"
    prompts.write_text("w1\nw2\n")
    found = _run(
        merge_command, *models, "--share", 0.25, "--prompts", prompts, "--out", out, "--json",
        numbers,
    )  # fmt: skip
    assert found.exception is None, found.output
    rows = json.loads(numbers.read_text())["prompts"]
    assert [row["prompt"] for row in rows] == ["w1", "w2"]
    assert all(row["weights"] < 1e-9 for row in rows)
    assert all(row["second"] > 0.005 for row in rows)
    assert json.loads((out / "merge.json").read_text())["share"] == 0.25
    assert (out / "model.safetensors").is_file()


def test_debias_shows_and_keeps_the_bias(models, tmp_path) -> None:
    first, second = models
    out, numbers = tmp_path / "out", tmp_path / "n.json"
    found = _run(
        debias_command, second, first, "--out", out, "--positions", 2, "--samples", 64,
        "--prompt-length", 1, "--prompt", "w1", "--json", numbers,
    )  # fmt: skip
    assert found.exception is None, found.output
    assert (out / "bias.safetensors").is_file()
    plain = json.loads(numbers.read_text())
    assert len(plain["positions"]) == 2
    found = _run(
        debias_command, second, first, "--out", out, "--positions", 2, "--samples", 64,
        "--prompt-length", 1, "--frame", "w2 {} w1", "--json", numbers,
    )  # fmt: skip
    assert found.exception is None, found.output
    framed = json.loads(numbers.read_text())
    assert framed["positions"][0] != plain["positions"][0]


def test_commands_refuse_what_they_cannot_do(models, tmp_path) -> None:
    empty, alike = tmp_path / "empty.txt", tmp_path / "alike.txt"
    empty.write_text("\n")
    alike.write_text("w1 w1\n")
    twice = (models[0], models[0], "--out", tmp_path / "o")
    large = fresh_bandit(2, 6, seed=0).save(tmp_path / "large")
    debias = (*models, "--out", tmp_path / "o", "--samples", 4, "--positions", 2)
    for command, words, message in (
        (merge_command, models, "say where to write"),
        (merge_command, (*models, "--prompts", empty), "has no line of text"),
        (merge_command, (models[0], tmp_path, "--out", tmp_path / "o"), "cannot be loaded"),
        (merge_command, (large, models[0], "--prompts", alike), "the shape (6, 16)"),
        (merge_command, twice, "differs in nothing"),
        (debias_command, twice, "differs in nothing"),
        (debias_command, (*debias, "--pool", empty), "no line of text"),
        (debias_command, (*debias, "--pool", alike), "no other token"),
        (debias_command, (*debias, "--prompt", ""), "has no token"),
        (debias_command, (*debias, "--prompt", "w1 " * 20), "longer than the model's 16"),
        (debias_command, (*debias, "--prompt-length", 16), "a sequence of 17 tokens"),
        (debias_command, (*debias, "--frame", "w1"), "has {} 0 times"),
    ):
        assert message in str(_run(command, *words).exception)


def test_train_says_how_far_the_law_is_from_each_exact_one() -> None:
    """A policy that is the fixed point of GRPO with groups of two."""
    bandit: Bandit = fresh_bandit(1, 3, seed=0)
    reference = np.exp(bandit.log_laws())
    rewards = np.array([[0.0, 1.0, 0.5]])
    weights = reference * np.exp(rewards)  # (1 - 1/2) r / (1/2)
    options = SimpleNamespace(group=2, temperature=0.5)
    found = SimpleNamespace(
        options=options, reference=reference, rewards=rewards, policy=weights / weights.sum()
    )
    run = SimpleNamespace(
        training=SimpleNamespace(algorithm="alignment/grpo"), result=lambda: found
    )
    right, wrong = judge(run)
    assert right["distance"] == "0.0000"
    assert float(wrong["distance"]) > 0.05


def test_orders_of_pairs_are_counted_where_costs_tell() -> None:
    """Three pairs: less toxic chosen, less toxic rejected, and no difference."""
    costs = np.zeros((2, 3, 6))
    costs[1, 0, 0] = costs[0, 1, 0] = 0.5
    found = Policies(
        np.array([1.0, 1.0, -1.0]), np.array([1.0, -1.0, 1.0]), costs, *np.zeros((2, 3))
    )
    assert found.right(found.first, safe=False) == (2, 3)
    assert found.right(found.first, safe=True) == (1, 2)
    assert found.right(found.last, safe=True) == (2, 2)


def _judged(algorithm: str, found):
    training = SimpleNamespace(algorithm=f"alignment/{algorithm}")
    return judge(SimpleNamespace(training=training, result=lambda: found))


def test_held_out_prompts_are_told_before_after_and_their_change() -> None:
    """Two prompts, 40 responses each; one cost falls from 0.3 to 0 at every other response."""
    before, after = np.zeros((2, 2, 40, 7))
    before[:, ::2, 3] = 0.3
    after[:, :, 0] = 0.5
    options = SimpleNamespace(limit=0.1, draws=2, way="repo", precision="bfloat16")
    reference, trained, change = _judged("texts", Judgement(before, after, options, "a model"))
    assert reference["largest cost"].startswith("0.150 (")
    assert reference["above 0.1"].startswith("0.100 (")
    assert reference["unsafe"] == "0.500 (0.386 to 0.614)"  # Clopper and Pearson, 40 of 80
    assert trained["unsafe"].startswith("0.000 (0.000 to 0.045")
    assert trained["best of 2"] == "0.500"
    assert change["policy"] == "change; a model, bfloat16"
    assert change["unsafe"].startswith("-0.500 (")


def test_a_debiased_law_is_told_beside_the_one_before() -> None:
    refusing = np.array([[0.0, 0.2], [0.8, 1.0], [0.1, 0.3], [0.5, 0.7], [0.0, 0.2]])
    rows = _judged("debiasing", Debiased(refusing, refusing, 0.25, "a model"))
    assert [row["policy"] for row in rows[:5]] == list(POLICIES)
    assert rows[1]["chance of the refusal"].startswith("0.9000 (")
    assert "from the law before" not in rows[0]
    assert rows[5]["policy"] == "a model; standard error at most 0.25 nats"


@pytest.mark.slow
def test_trained_policies_are_near_the_right_tilts_and_mutants_are_killed(
    tmp_path, monkeypatch
) -> None:
    from holdfast.verify.alignment.claims import neural_trained_tilts as claims
    from holdfast.verify.engine.examiner import Kind, Shard, run_shard

    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path))
    for claim in (claims.stepwise, claims.lacking):
        result = run_shard(claim, Shard(claim.name, Kind.DRAWN, seed=1, index=0, size=1))
        assert not result.error
        assert result.findings
        assert {one.verdict.name for one in result.findings} <= {"HOLDS", "TIGHT"}
        assert len(result.kills) == len(claim.named_mutants)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["repo", "inference-aware"])
def test_penalties_and_best_of_n_lack_little_and_their_controls_laws_are_refuted(
    tmp_path, monkeypatch, name
) -> None:
    """Their own laws obey Pinsker's inequality; those of the controls would break it."""
    from holdfast.theory.alignment import trained_tilts as theory
    from holdfast.verify.alignment.claims.neural_trained_tilts import lacking
    from holdfast.verify.alignment.families import trained

    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path))
    training = trained._training(name, 0, trained._GROUPED[name])
    (values,) = lacking.evaluate(training)
    lacks, far, other = (values[one].compute() for one in (theory.lacks, theory.far, theory.other))
    twice = 2 * values[theory.beta].numerator / values[theory.beta].denominator
    assert twice * far**2 <= lacks
    assert lacks < twice * other**2 / 10
