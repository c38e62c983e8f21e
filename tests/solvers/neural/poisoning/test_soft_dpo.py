"""The loss with soft labels, beside TRL's own."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from datasets import Dataset
from trl import DPOConfig, DPOTrainer

from holdfast.solvers.neural.poisoning.soft_dpo import (
    SoftLabelCollator,
    SoftLabelDPOTrainer,
    labelled,
)
from holdfast.solvers.neural.poisoning.token_pairs import Examined, examine

BETA = 0.3


def _arguments(folder, **given) -> DPOConfig:
    return DPOConfig(
        output_dir=str(folder), use_cpu=True, bf16=False, activation_checkpointing=False,
        report_to=[], save_strategy="no", remove_unused_columns=False, max_length=None,
        precompute_ref_log_probs=True, disable_tqdm=True, beta=BETA, **given,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reference(pairs, tiny) -> Examined:
    """Not that of the model: margins are then not zero, and labels matter."""
    found = examine(tiny.network(), pairs, 0)
    noise = np.random.Generator(np.random.Philox(0)).normal(0, 3, found.log_probabilities.shape)
    return replace(found, log_probabilities=found.log_probabilities + noise)


@pytest.fixture(scope="module")
def trainer(pairs, tiny, reference, tmp_path_factory) -> SoftLabelDPOTrainer:
    return SoftLabelDPOTrainer(
        model=tiny.network(),
        args=_arguments(tmp_path_factory.mktemp("out")),
        data_collator=SoftLabelCollator(pad_token_id=0),
        train_dataset=labelled(pairs, np.ones(len(pairs)), reference),
        processing_class=tiny.tokenizer,
    )


def _loss(trainer, pairs, labels, reference):
    batch = trainer.data_collator(list(labelled(pairs, np.array(labels), reference)))
    return trainer.compute_loss(trainer.model, batch)


def _margins(tiny, pairs, reference) -> np.ndarray:
    return examine(tiny.network(), pairs, 0).margins(reference, BETA)


def _gradient(trainer, loss) -> torch.Tensor:
    trainer.model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in trainer.model.parameters()])


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0]])
def test_hard_labels_have_trls_own_loss_bit_for_bit(trainer, pairs, reference, labels) -> None:
    """On rows swapped by hand, through TRL's function and TRL's collator."""
    own = _loss(trainer, pairs[:4], labels, reference)
    rows = []
    for at, (pair, label) in enumerate(zip(pairs[:4], labels, strict=True)):
        texts = {"chosen_ids": list(pair.chosen), "rejected_ids": list(pair.rejected)}
        scores = [float(np.float32(x)) for x in reference.log_probabilities[:, at]]
        if not label:
            texts = {"chosen_ids": texts["rejected_ids"], "rejected_ids": texts["chosen_ids"]}
            scores.reverse()
        rows.append({"prompt_ids": list(pair.prompt), **texts, "ref_chosen_logps": scores[0],
                     "ref_rejected_logps": scores[1]})  # fmt: skip
    batch = super(SoftLabelCollator, trainer.data_collator).torch_call(rows)
    theirs = DPOTrainer._compute_loss(trainer, trainer.model, batch, False)
    assert own.item() == theirs.item()
    assert torch.equal(_gradient(trainer, own), _gradient(trainer, theirs))


def test_soft_labels_have_the_loss_of_the_formula(trainer, pairs, tiny, reference) -> None:
    labels = np.array([0.7, 0.2, 0.5, 1.0, 0.0, 0.49])
    x = _margins(tiny, pairs, reference)[:6]
    formula = labels * np.logaddexp(0, -x) + (1 - labels) * np.logaddexp(0, x)
    found = _loss(trainer, pairs[:6], labels, reference).item()
    assert found == pytest.approx(formula.mean(), abs=1e-5)
    hard = labels.round() * np.logaddexp(0, -x) + (1 - labels.round()) * np.logaddexp(0, x)
    assert abs(found - hard.mean()) > 0.01, "a loss that reads no doubt would pass"
    swapped = (1 - labels) * np.logaddexp(0, -x) + labels * np.logaddexp(0, x)
    assert abs(found - swapped.mean()) > 0.01, "a loss that turns labels round would pass"


def test_a_soft_label_is_the_expectation_of_hard_ones(trainer, pairs, reference) -> None:
    """Loss and gradient, over all eight data sets that three independent labels can give."""
    labels = (0.25, 0.6, 0.9)
    own = _loss(trainer, pairs[:3], labels, reference)
    loss, gradient = own.item(), _gradient(trainer, own)
    expected, slope = 0.0, torch.zeros_like(gradient)
    for hard in product((0, 1), repeat=3):
        chance = np.prod([t if w else 1 - t for t, w in zip(labels, hard, strict=True)])
        one = _loss(trainer, pairs[:3], hard, reference)
        expected += chance * one.item()
        slope += chance * _gradient(trainer, one)
    assert loss == pytest.approx(expected, abs=1e-6)
    torch.testing.assert_close(gradient, slope, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_training_is_that_of_plain_trl_on_the_texts(pairs, tiny, models, tmp_path) -> None:
    """A second way: TRL reads the texts, finds prompts and references itself, and trains."""
    labels = np.array([1, 0] * 8)
    decoded = [
        [tiny.tokenizer.decode([*pair.prompt, *answer]) for answer in (pair.chosen, pair.rejected)]
        for pair in pairs
    ]
    turned = [texts if label else texts[::-1] for texts, label in zip(decoded, labels, strict=True)]
    texts = Dataset.from_dict(
        dict(zip(("chosen", "rejected"), zip(*turned, strict=True), strict=True))
    )
    given = {"learning_rate": 1e-3, "max_steps": 4, "logging_steps": 1, "seed": 3,
             "per_device_train_batch_size": 4}  # fmt: skip
    plain = DPOTrainer(
        model=tiny.network(), args=_arguments(tmp_path / "plain", **given), train_dataset=texts,
        processing_class=tiny.tokenizer,
    )  # fmt: skip
    own = SoftLabelDPOTrainer(
        model=tiny.network(), args=_arguments(tmp_path / "own", **given),
        data_collator=SoftLabelCollator(pad_token_id=0), processing_class=tiny.tokenizer,
        train_dataset=labelled(pairs, labels, examine(tiny.network(), pairs, 0)),
    )  # fmt: skip
    losses = []
    for one in (plain, own):
        one.train()
        losses.append([line["loss"] for line in one.state.log_history if "loss" in line])
    assert losses[0][0] == pytest.approx(np.log(2), abs=1e-6)
    assert abs(losses[0][2] - losses[0][0]) > 0.01, "nothing is learnt, so nothing is compared"
    assert losses[1] == pytest.approx(losses[0], abs=2e-5)
