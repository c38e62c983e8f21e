"""A victim of label flips: a language model trained by direct preference optimisation on TRL.

One run trains one model on one labelling and keeps what it says of held-out pairs: the margins of
its implicit reward, beta log(pi / pi_ref), and how far its last hidden states have moved.  Labels
of least cost are computed on the features that the model has *before* training; in a language model
nothing keeps them fixed, and DPO is no linear reward on them, so that no theorem says that these
labels teach what the attack teaches.  `dpo_tables` says how far they do.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...poisoning.data.pairs import PreferencePairs, read_pairs
from ...sequences import Array
from ..parts import metrics
from ..parts.algorithms import Algorithm
from ..parts.runs import Run, Workplace
from ..parts.trainer_checkpoints import last_whole, mark_whole, saving, silent, updates_of
from ..parts.training import Training, TrainingError
from .dpo_labels import FlipLabels, flip_labels
from .dpo_options import DPOOptions
from .language_model import LanguageModel, language_model
from .token_pairs import Examined, TokenPair, examine, require_texts, token_pairs, untrained

_SHOWN = {
    "loss": "loss", "margin": "rewards/margins", "accuracy": "rewards/accuracies",
    "gradient_norm": "grad_norm", "learning_rate": "learning_rate",
}  # fmt: skip
_PROJECTIONS = (
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
)  # fmt: skip


@dataclass(frozen=True)
class Victim:
    """What a trained model says.

    margins: of held-out pairs (M), in the order of the file; labels: theta it learnt from (N);
    flips, attack, lower, upper: as in `FlipLabels`; drift: norm(H - H_start) / norm(H_start),
    Frobenius, of the last hidden states of both held-out answers; turned: the same of their
    differences, on which a linear reward would stand; model: its name; digest: of the data.
    """

    margins: Array
    labels: Array
    flips: float
    attack: float
    lower: float
    upper: float
    drift: float
    turned: float
    model: str
    digest: str


@dataclass(frozen=True)
class Prepared:
    """All that a training begins with."""

    model: LanguageModel
    train: list[TokenPair]
    held: list[TokenPair]
    train_start: Examined
    held_start: Examined
    labels: FlipLabels
    digest: str


def check(training: Training) -> None:
    """Raise ModelError for a device the trainer cannot take, for few texts, and as `_data`."""
    if training.device not in ("cpu", "cuda", "cuda:0"):
        raise ModelError(
            f"device = {training.device!r} is not one that the trainer can be told to take; give "
            "cpu, or cuda for the first GPU"
        )
    require_texts(_data(training), training.options.pairs + training.options.held_out)


def _data(training: Training) -> PreferencePairs:
    """The pairs of the file.  Raises ModelError if it is not the one that `digest` names."""
    data, wanted = read_pairs(training.task), training.options.digest
    if wanted and wanted != data.digest:
        raise ModelError(
            f"{training.task} has the digest {data.digest}, not {wanted}; bring the file back, or "
            "leave digest out"
        )
    return data


def prepare(training: Training) -> Prepared:
    """Read the pairs, ask the untrained model about them, and label them.

    Raises ModelError for a file that is missing, too small, or not the one that `digest` names.
    """
    options, data = training.options, _data(training)
    model = language_model(options.model)
    number = options.pairs + options.held_out
    both = token_pairs(data, model.tokenizer, options.tokens, number)
    train, held = both[: options.pairs], both[options.pairs :]
    before, held_before = (untrained(model, pairs) for pairs in (train, held))
    labels = flip_labels(options, train, before, training.seed)
    return Prepared(model, train, held, before, held_before, labels, data.digest)


def train(workplace: Workplace) -> None:
    """Train the victim of a workplace, from TRL's last whole checkpoint if there is one.

    Raises ModelError as `prepare` does, and TrainingError at a loss that is not finite.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order, whatever the machine
    try:
        start = prepare(workplace.training)
        with warnings.catch_warnings():
            # the trainer and peft still use names that transformers is about to drop
            warnings.simplefilter("ignore", FutureWarning)
            after = _trained(workplace, start)
        _keep(workplace, start, after)
    finally:
        torch.set_num_threads(before)


def _trained(workplace: Workplace, start: Prepared) -> Examined:
    """Train, and ask about the held-out pairs."""
    training, folder = workplace.training, workplace.run.folder
    trainer = _trainer(training, start, workplace)
    last = last_whole(folder / "checkpoint")
    metrics.cut(folder / "metrics.jsonl", updates_of(last))
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    if training.options.keep_weights:
        trainer.model.save_pretrained(folder / "model")
    return examine(trainer.model, start.held, start.model.tokenizer.pad_token_id)


def _keep(workplace: Workplace, start: Prepared, after: Examined) -> None:
    import torch

    beta = workplace.training.options.beta
    tensors = {
        "margins": torch.from_numpy(after.margins(start.held_start, beta)),
        "labels": torch.from_numpy(start.labels.labels),
    }
    workplace.keep(tensors, _numbers(start, after))


def _numbers(start: Prepared, after: Examined) -> dict[str, Any]:
    labels, before = start.labels, start.held_start
    return {
        "flips": labels.flips, "attack": labels.attack, "lower": labels.lower,
        "upper": labels.upper, "drift": _moved(before.states, after.states),
        "turned": _moved(before.differences, after.differences),
        "model": start.model.name, "digest": start.digest,
    }  # fmt: skip


def _moved(before: Array, after: Array) -> float:
    """Relative Frobenius distance."""
    before, after = before.astype(np.float64), after.astype(np.float64)
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def load(run: Run) -> Victim:
    """What a finished run keeps.  Raises ModelError as `Run.outcome` does."""
    kept = run.outcome()
    return Victim(kept.tensors["margins"].numpy(), kept.tensors["labels"].numpy(), **kept.numbers)


# -- the trainer ----------------------------------------------------------------------------------
def _trainer(training: Training, start: Prepared, workplace: Workplace) -> Any:
    from datasets import disable_progress_bars
    from peft import LoraConfig

    from .soft_dpo import SoftLabelCollator, SoftLabelDPOTrainer, labelled

    disable_progress_bars()
    options = training.options
    adapters = LoraConfig(
        r=options.rank, lora_alpha=options.rank // 2, lora_dropout=options.dropout,
        target_modules=list(_PROJECTIONS),
    )  # fmt: skip
    trainer = SoftLabelDPOTrainer(
        model=start.model.network(),
        args=_arguments(training, workplace.run.folder / "checkpoint"),
        data_collator=SoftLabelCollator(pad_token_id=start.model.tokenizer.pad_token_id),
        train_dataset=labelled(start.train, start.labels.labels, start.train_start),
        processing_class=start.model.tokenizer,
        peft_config=adapters if options.mode == "lora" else None,
        callbacks=[_watch(workplace)],
    )
    return silent(trainer)


def _arguments(training: Training, folder: Path) -> Any:
    from trl import DPOConfig

    options = training.options
    seed = int(np.random.SeedSequence(training.seed).generate_state(1)[0])
    return DPOConfig(
        output_dir=str(folder), seed=seed, data_seed=seed, beta=options.beta,
        learning_rate=options.step_size, num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch, max_length=None,
        precompute_ref_log_probs=True, disable_dropout=False, remove_unused_columns=False,
        use_cpu=training.device == "cpu", bf16=options.bf16, activation_checkpointing=False,
        dataloader_pin_memory=False, logging_steps=1, logging_nan_inf_filter=False,
        disable_tqdm=True, report_to=[], **saving(options.checkpoint_every),
    )  # fmt: skip


def _watch(workplace: Workplace) -> Any:
    """Writes the line of each update, stops at what is not finite, marks whole checkpoints."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                _record(workplace, state.global_step, state.max_steps, logs)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_whole(args, state)

    return Watch()


def _record(workplace: Workplace, update: int, updates: int, logs: Mapping[str, Any]) -> None:
    numbers = {name: float(logs[key]) for name, key in _SHOWN.items() if key in logs}
    workplace.record(update, updates, numbers)
    for name in ("loss", "gradient_norm"):
        if not math.isfinite(numbers.get(name, 0.0)):
            raise TrainingError(
                f"the {name} of update {update} is {numbers[name]}; the last checkpoint is kept: "
                "give a smaller learning_rate"
            )


ALGORITHM = Algorithm(
    "poisoning/dpo", DPOOptions, train, load, check, source=lambda training: Path(training.task)
)
