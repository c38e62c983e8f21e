"""SACPO of a small real language model: the file's preferences first, then less toxic answers.

Stage 1 learns which answers people chose, stage 2 which of both is less toxic by a model of six
costs, at beta / multiplier, relative to the policy of stage 1 and on its adapters.  Judged on
held-out pairs by the order of implicit rewards, and by how much of the implicit reward of stage 1
is left after stage 2: all of it in theory, and none in the control, whose stage 2 is relative to
the model before both stages.  P-SACPO is judged beside it: both policies merged, by their logits
token by token, and, as its control, by their weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...poisoning.data.pairs import read_pairs
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import Training, option
from ..poisoning.language_model import load_saved, model_of, require_model
from .checks import require_multiplier, require_pad
from .outcomes import from_the_start, require_cpu, require_weights, seed_of

SECONDS = ("right", "reference")
_TELLING = 0.02
"""Least difference of costs at which one answer of a held-out pair is said to be less toxic."""


@dataclass(frozen=True)
class PairsOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    model: str = option("smollm2", "smollm2, tiny, or a folder as save_pretrained writes it")
    pairs: int = option(96, "pairs to train on: the first of the file that are short enough")
    held_out: int = option(64, "pairs to judge on: those that follow")
    tokens: int = option(64, "most tokens of a text, the end token included")
    temperature: float = option(0.1, "beta, the weight of the KL divergence of stage 1")
    multiplier: float = option(2.0, "lambda of safety; stage 2 has the temperature beta / lambda")
    sharpness: float = option(20.0, "safety is -sharpness times the sum of the six costs")
    batch: int = option(4, "pairs an update")
    epochs: int = option(1, "passes of each stage over the training pairs")
    learning_rate: float = option(5e-4, "of AdamW, falling linearly to 0 in each stage")
    rank: int = option(16, "of the adapters on all projections")
    share: float = option(0.5, "q of P-SACPO, the share of stage 2 in the merge of both policies")
    second: str = option("right", "right; control: reference (stage 2 relative to the start)")

    def __post_init__(self) -> None:
        require_positive(self, "pairs held_out tokens temperature batch epochs learning_rate rank")
        require_positive(self, "sharpness")
        require_multiplier(self.multiplier)
        require_model(self.model)
        if self.second not in SECONDS or not 0 < self.share < 1:
            raise ModelError(
                f"second = {self.second!r} is to be one of {', '.join(SECONDS)}, and share = "
                f"{self.share} strictly between 0 and 1, at which one policy is left out"
            )


@dataclass(frozen=True)
class Policies:
    """What the policies say of M held-out pairs.

    first, last: beta log(pi / start) of the chosen answer less that of the rejected one, after
    stages 1 and 2 (M); costs: of chosen and rejected answers (2, M, 6); logits, weights: the same
    as `first` for the merge of both policies by these (M).
    """

    first: Array
    last: Array
    costs: Array
    logits: Array
    weights: Array

    def kept(self, margins: Array) -> tuple[float, float, float]:
        """How much of the margins of stage 1 is left in others, and Student's interval at 95 %: the
        slope of a line through both that also has the difference of costs and a constant."""
        from scipy.stats import t

        gap = self.costs[1].sum(axis=1) - self.costs[0].sum(axis=1)
        rows = np.column_stack([self.first, gap, np.ones(len(gap))])
        free = len(rows) - rows.shape[1]
        if free < 1 or np.linalg.matrix_rank(rows) < rows.shape[1]:
            return float("nan"), -np.inf, np.inf
        found = np.linalg.lstsq(rows, margins)[0]
        spread = ((margins - rows @ found) ** 2).sum() / free * np.linalg.inv(rows.T @ rows)[0, 0]
        half = float(t.ppf(0.975, free) * np.sqrt(spread))
        return float(found[0]), float(found[0]) - half, float(found[0]) + half

    def right(self, margins: Array, *, safe: bool) -> tuple[int, int]:
        """How many pairs the implicit reward orders as people did, or as costs do; and of how many,
        those whose costs differ enough to tell."""
        gap = self.costs[1].sum(axis=1) - self.costs[0].sum(axis=1)
        telling = np.abs(gap) > _TELLING if safe else np.ones(len(gap), dtype=bool)
        wanted = np.sign(gap) if safe else np.ones(len(gap))
        return int((np.sign(margins) == wanted)[telling].sum()), int(telling.sum())


def check(training: Training) -> None:
    """Raise ModelError for a device other than the CPU, or a file without the texts it needs."""
    from ..poisoning.token_pairs import require_texts

    require_cpu(training)
    options = training.options
    require_texts(read_pairs(training.task), options.pairs + options.held_out)


def train(workplace: Workplace) -> None:
    """Train both stages; a run that was interrupted begins anew."""
    with from_the_start(workplace):
        _train(workplace)


def _train(workplace: Workplace) -> None:
    import torch
    from scipy.special import expit

    from ..poisoning.token_pairs import examine, token_pairs, untrained
    from .toxicity import costs

    training, options = workplace.training, workplace.training.options
    model = model_of(options.model)
    require_pad(model.tokenizer)
    data = read_pairs(training.task)
    both = token_pairs(data, model.tokenizer, options.tokens, options.pairs + options.held_out)
    toxic = np.stack([
        costs([model.tokenizer.decode(getattr(pair, which)) for pair in both])
        for which in ("chosen", "rejected")
    ])  # fmt: skip
    learnt, held = both[: options.pairs], both[options.pairs :]
    start, held_start = untrained(model, learnt), untrained(model, held)
    pad = model.tokenizer.pad_token_id
    gap = (toxic[1] - toxic[0]).sum(axis=1)[: options.pairs]
    ones = np.ones(options.pairs)
    network = _stage(workplace, model, model.network(), learnt, ones, start, 0)
    middle, held_first = examine(network, learnt, pad), examine(network, held, pad)
    stages = [_saved(network, model, workplace.run.folder / "stage-1")]
    before = middle if options.second == "right" else start
    safe = expit(options.sharpness * gap)
    network = _stage(workplace, model, network, learnt, safe, before, 1)
    held_last = examine(network, held, pad)
    stages.append(_saved(network, model, workplace.run.folder / "stage-2"))
    del network
    scores = {"first": held_first.log_probabilities, "last": held_last.log_probabilities}
    scores.update(_merged(stages, held, pad, options.share))
    ratios = {name: one - held_start.log_probabilities for name, one in scores.items()}
    found = {name: options.temperature * (one[0] - one[1]) for name, one in ratios.items()}
    found["costs"] = toxic[:, options.pairs :]
    tensors = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in found.items()}
    words = {"model": model.name, "weights": model.digest, "digest": data.digest}
    workplace.keep(tensors, words)


def _saved(network: Any, model: Any, folder: Path) -> Path:
    """Adapters and tokenizer, as ``holdfast merge`` reads them."""
    network.save_pretrained(folder, selected_adapters=["default"])
    model.tokenizer.save_pretrained(folder)
    return folder


def _merged(
    stages: Sequence[Path], held: Sequence[Any], pad: int, share: float
) -> dict[str, Array]:
    """Log-probabilities (2, M) of the held-out answers under both merges."""
    import torch

    from ..poisoning.token_pairs import examine, merged_scores
    from .merging import average_weights, merged

    first, second = (load_saved(str(one), torch.float32)[0].eval() for one in stages)
    logits = merged_scores([first, second], held, pad, lambda one, two: merged(one, two, share))
    average = average_weights(first, second, share)
    return {"logits": logits, "weights": examine(average, held, pad).log_probabilities}


def _stage(
    workplace: Workplace,
    model: Any,
    network: Any,
    pairs: Sequence[Any],
    labels: Array,
    reference: Any,
    stage: int,
) -> Any:
    """The model with the adapters of the stage before, or new ones in stage 0."""
    from peft import LoraConfig
    from trl import DPOConfig

    from ..parts.trainer_checkpoints import silent
    from ..poisoning.soft_dpo import SoftLabelCollator, SoftLabelDPOTrainer, labelled

    options, seed = workplace.training.options, seed_of(workplace.training)
    rank = options.rank
    fresh = LoraConfig(r=rank, lora_alpha=rank, target_modules="all-linear")
    arguments = DPOConfig(
        output_dir=str(workplace.run.folder / "trainer"), seed=seed, data_seed=seed,
        beta=options.temperature / (options.multiplier if stage else 1),
        learning_rate=options.learning_rate, num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch, max_length=None, precompute_ref_log_probs=True,
        remove_unused_columns=False, use_cpu=True, bf16=False, activation_checkpointing=False,
        dataloader_pin_memory=False, logging_steps=1, disable_tqdm=True, report_to=[],
        save_strategy="no",
    )  # fmt: skip
    trainer = SoftLabelDPOTrainer(
        model=network, args=arguments, train_dataset=labelled(pairs, labels, reference),
        data_collator=SoftLabelCollator(pad_token_id=model.tokenizer.pad_token_id),
        processing_class=model.tokenizer, peft_config=None if stage else fresh,
        callbacks=[_watch(workplace, stage)],
    )  # fmt: skip
    silent(trainer).train()
    return trainer.model


def _watch(workplace: Workplace, stage: int) -> Any:
    from transformers import TrainerCallback

    def line(logs: Mapping[str, Any]) -> dict[str, float]:
        return {"loss": float(logs["loss"]), "margin": float(logs["rewards/margins"])}

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                done = stage * state.max_steps + state.global_step
                workplace.record(done, 2 * state.max_steps, line(logs))

    return Watch()


def load(run: Run) -> Policies:
    """What a finished run keeps.  Raises ModelError as `Run.outcome`, and if the weights of the
    model's folder have changed."""
    outcome = run.outcome()
    require_weights(run.training.options.model, outcome.numbers["weights"], run.folder)
    return Policies(**{name: one.numpy() for name, one in outcome.tensors.items()})


ALGORITHM = Algorithm(
    "alignment/pairs", PairsOptions, train, load, check, source=lambda training: Path(training.task)
)
