"""Runs of victims: resumed bit by bit, looked up, refused; and their table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.parts.algorithms import find, known
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.training import Training, TrainingError, options_from
from holdfast.solvers.neural.poisoning import dpo
from holdfast.solvers.neural.poisoning.dpo_labels import flip_labels
from holdfast.solvers.neural.poisoning.dpo_options import LABELS, DPOOptions
from holdfast.solvers.neural.poisoning.dpo_tables import dpo_table, train_dpo_cells
from holdfast.solvers.neural.poisoning.token_pairs import Examined, untrained
from holdfast.solvers.poisoning.data.texts import principal_rows

OPTIONS = DPOOptions(
    model="tiny", pairs=10, held_out=6, tokens=64, features=2, rate=0.3, batch=4, epochs=2,
    learning_rate=2e-3, checkpoint_every=2, attack="random",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _models(models, monkeypatch) -> None:
    """The model is written once for all tests; runs go where each test says."""
    monkeypatch.setenv("HOLDFAST_RUNS", str(models.parent / "runs"))
    original = dpo.language_model
    monkeypatch.setattr(dpo, "language_model", lambda key: original(key, models))


def _training(path: str, seed: int = 0, **changes) -> Training:
    return Training("poisoning/dpo", path, seed, replace(OPTIONS, **changes))


def _killed_after(update: int):
    def progress(done: int, updates: int, line) -> None:
        if done == update:
            raise KeyboardInterrupt

    return progress


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lora", "full"])
def test_a_run_that_was_killed_goes_on_bit_by_bit(pairs_path, tmp_path, mode) -> None:
    training = _training(pairs_path, mode=mode, labels="least-cost")
    whole = obtain(training, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=tmp_path / "killed", progress=_killed_after(4))
    folder = tmp_path / "killed" / training.digest[:16]
    assert (folder / "checkpoint" / "checkpoint-2").is_dir()
    unfinished = folder / "checkpoint" / "checkpoint-3"  # as if it was killed while it saved
    unfinished.mkdir()
    (unfinished / "trainer_state.json").write_text("{")
    seen: list[int] = []
    resumed = obtain(training, folder=tmp_path / "killed", progress=lambda u, n, x: seen.append(u))
    assert seen == [3, 4, 5, 6]
    files = [run.folder / "metrics.jsonl" for run in (whole, resumed)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert (whole.result().margins == resumed.result().margins).all()
    assert whole.result().drift == resumed.result().drift > 0


@pytest.mark.slow
def test_the_first_loss_is_that_of_a_coin(pairs_path, tmp_path) -> None:
    """Policy and reference agree before the first update: every margin is 0, so -log sigma(0)."""
    first = obtain(_training(pairs_path), folder=tmp_path).metrics()[0]
    assert first["loss"] == pytest.approx(np.log(2), abs=1e-6)
    assert first["margin"] == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_seed_and_labels_decide_what_is_learnt(pairs_path, tmp_path) -> None:
    def margins(folder: str, seed: int, labels: str) -> np.ndarray:
        training = _training(pairs_path, seed, labels=labels, epochs=1)
        return obtain(training, folder=tmp_path / folder).result().margins

    first = margins("a", 0, "attack")
    assert (first == margins("b", 0, "attack")).all()
    assert (first != margins("a", 1, "attack")).all()
    assert (first != margins("a", 0, "clean")).all()


@pytest.mark.slow
def test_a_finished_run_is_looked_up_until_its_data_change(pairs_path, tmp_path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(Path(pairs_path).read_bytes())
    training = _training(str(path), epochs=1)
    obtain(training, folder=tmp_path)
    assert obtain(training, folder=tmp_path, progress=_killed_after(1)).result().attack == 3
    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=tmp_path / "killed", progress=_killed_after(2))
    path.write_bytes(path.read_bytes() + b"\n")
    for folder in (tmp_path, tmp_path / "killed"):
        with pytest.raises(ModelError, match=r"pairs.jsonl has changed since .* was trained on it"):
            obtain(training, folder=folder)
    with pytest.raises(ModelError, match=r"has the digest [0-9a-f]{16}, not 0123; bring the file"):
        obtain(_training(str(path), digest="0123"), folder=tmp_path)


@pytest.mark.slow
def test_weights_are_kept_if_asked_for(pairs_path, tmp_path, tiny) -> None:
    from peft import PeftModel

    training = _training(pairs_path, epochs=1, keep_weights=True)
    run = obtain(training, folder=tmp_path)
    start = dpo.prepare(training)
    network = PeftModel.from_pretrained(tiny.network(), run.folder / "model")
    after = dpo.examine(network, start.held, 0)
    np.testing.assert_allclose(
        after.margins(start.held_start, 0.1), run.result().margins, atol=1e-6
    )


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(pairs_path, tmp_path) -> None:
    training = _training(pairs_path, mode="full", learning_rate=1e30, checkpoint_every=1)
    with pytest.raises(
        TrainingError, match=r"gradient_norm of update 2 is nan.*smaller learning_rate"
    ):
        obtain(training, folder=tmp_path)
    kept = tmp_path / training.digest[:16] / "checkpoint"
    assert [path.name for path in kept.iterdir() if path.is_dir()] == ["checkpoint-1"]


# -- labels ---------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def start(pairs, tiny) -> Examined:
    return untrained(tiny, pairs)


def _labels(pairs, start, **changes):
    options = replace(OPTIONS, pairs=16, rate=0.5, **changes)
    return {name: flip_labels(replace(options, labels=name), pairs, start, 0) for name in LABELS}


def test_least_cost_labels_have_the_moments_of_the_attack(pairs, start) -> None:
    found = _labels(pairs, start)
    clean, attack, cheap = (found[name].labels for name in ("clean", "attack", "least-cost"))
    features = principal_rows(start.differences, 2)
    np.testing.assert_allclose(features @ cheap, features @ attack, atol=1e-9)
    assert np.abs(features @ (clean - attack)).max() > 1e-2, "the attack has no moments to match"
    least = found["least-cost"]
    assert least.lower - 1e-9 <= least.flips <= least.upper + 1e-9
    assert least.flips < 0.9 * least.attack == 0.9 * 8
    assert 1 <= np.sum((cheap > 0) & (cheap < 1)) <= 2, "a vertex: at most one a feature"


def test_rounded_and_thinned_labels_are_hard_and_as_cheap(pairs, start) -> None:
    found = _labels(pairs, start)
    cheap, rounded, thinned = (found[n].labels for n in ("least-cost", "rounded", "thinned"))
    assert set(rounded) == set(thinned) == {0.0, 1.0}
    assert np.abs(rounded - cheap).max() <= 0.5
    assert found["thinned"].flips == np.ceil(found["least-cost"].lower)
    assert (found["attack"].labels[thinned == 0] == 0).all(), "a flip that the attack has not"


def test_the_attack_by_length_takes_the_largest_gaps(pairs, start) -> None:
    labels = _labels(pairs, start, attack="length")["attack"].labels
    gaps = np.array([pair.gap for pair in pairs])
    assert (labels[gaps < 0] == 1).all() and (labels == 0).sum() == (gaps > 0).sum() == 6


# -- the table ------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_table_measures_from_the_attack_to_the_clean_model(pairs_path, tmp_path) -> None:
    small = replace(OPTIONS, epochs=1, held_out=5)
    empty = dpo_table(pairs_path, small, [0, 1], folder=tmp_path)
    assert not empty.rows and len(empty.missing) == 10
    table = train_dpo_cells(pairs_path, small, [0], folder=tmp_path)
    rows = {row.labels: row for row in table.rows}
    assert set(rows) == set(LABELS) and not table.missing
    assert (rows["attack"].loss, rows["attack"].agree) == (0, 5)
    assert rows["clean"].loss == 1
    attack, clean = (_margins(pairs_path, small, tmp_path, name) for name in ("attack", "clean"))
    gaps = np.abs(1 / (1 + np.exp(-attack)) - 1 / (1 + np.exp(-clean)))
    assert rows["rounded"].moved == pytest.approx(gaps.mean()) and gaps.mean() > 1e-4
    # all of five alike: the lower end p has p^5 = 0.025
    assert rows["attack"].agreement() == (pytest.approx(0.025**0.2), 1)
    more = replace(small, labels="attack")
    obtain(Training("poisoning/dpo", pairs_path, 1, more), folder=tmp_path)
    both = dpo_table(pairs_path, small, [0, 1], folder=tmp_path)
    assert both.rows[-1].labels == "another seed" and both.rows[-1].loss > 0
    assert [cell for cell in both.missing if cell[0] == 0] == []
    assert "seed 1: not trained yet: clean, thinned, least-cost, rounded" in str(both)


def _margins(path: str, options: DPOOptions, folder: Path, labels: str) -> np.ndarray:
    training = Training("poisoning/dpo", path, 0, replace(options, labels=labels))
    return obtain(training, folder=folder).result().margins


# -- bad input ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mode": "qlora"}, "mode = 'qlora' is not known; give one of lora, full"),
        ({"labels": "poisoned"}, "give one of clean, attack, least-cost, rounded, thinned"),
        ({"rate": 0.0}, "rate = 0.0 is no share of the pairs"),
        ({"batch": 0}, "batch = 0 is too small; give at least 1"),
        ({"beta": 0.0}, "beta is positive"),
        ({"features": 112}, "with as many features as pairs no labels but the attack's own"),
        ({"learning_rat": 0.1}, "did you mean learning_rate?"),
        ({"epochs": 1.5}, "epochs = 1.5 is of type float"),
    ],
)
def test_options_that_mean_nothing_are_refused(given, words) -> None:
    with pytest.raises(ModelError) as error:
        options_from(DPOOptions, given)
    assert words in str(error.value)


def test_data_that_are_too_few_and_a_device_that_is_none_are_refused(pairs_path, tmp_path) -> None:
    with pytest.raises(ModelError, match="has 16 pairs of two different texts, and 26 are needed"):
        obtain(_training(pairs_path, held_out=16), folder=tmp_path)
    with pytest.raises(ModelError, match="there is no file"):
        obtain(_training("nowhere.jsonl"), folder=tmp_path / "none")
    with pytest.raises(ModelError, match="device = 'meta'"):
        find("poisoning/dpo").check(replace(_training(pairs_path), device="meta"))
    assert not (tmp_path / "none").exists(), "a refusal leaves a folder behind"


def test_the_algorithm_is_found_by_its_name() -> None:
    assert "poisoning/dpo" in known()
    assert find("poisoning/dpo").options is DPOOptions


@pytest.mark.slow
def test_the_real_model_starts_at_its_reference_and_learns(
    pairs_path, tmp_path, monkeypatch
) -> None:
    """Its Q4_1 weights, one update of adapters on two pairs: from ln 2, margins rise."""
    monkeypatch.undo()
    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path))
    options = DPOOptions(pairs=2, held_out=1, tokens=32, features=1, batch=2, epochs=2,
                         attack="random", checkpoint_every=0)  # fmt: skip
    run = obtain(Training("poisoning/dpo", pairs_path, 0, options))
    losses = [line["loss"] for line in run.metrics()]
    assert losses[0] == pytest.approx(np.log(2), abs=1e-5)
    assert losses[1] < losses[0] - 1e-3
    assert run.result().model == "SmolLM2-135M-Instruct (Q4_1)"
    assert run.result().margins[0] != 0
