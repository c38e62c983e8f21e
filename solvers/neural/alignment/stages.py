"""One stage of preference learning on TRL, over all responses of a bandit at once.

A stage learns a table f [X, Y] relative to a reference at a temperature.  Of pairs it is given the
probabilities sigma(f(y) - f(z)) themselves, so that the loss is that of the whole population; of
single responses (KTO) counts that round how often each one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from datasets import Dataset
from scipy.special import expit
from trl import DPOConfig, KTOConfig, KTOTrainer
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from ...sequences import Array
from ..parts.trainer_checkpoints import silent
from ..poisoning.soft_dpo import SoftLabelCollator, SoftLabelDPOTrainer, labelled
from ..poisoning.token_pairs import Examined, TokenPair
from .bandits import Bandit, at_pairs
from .checks import reference_laws, require_pad, require_reference

_COUNTS = 8
"""Rows of KTO for each response: enough for wins to be told apart, few enough for one batch."""


@dataclass(frozen=True, eq=False)
class Stage:
    """loss: "dpo" or "kto"; table: f, [X, Y]; temperature: weight of the KL divergence; reference:
    log-probabilities [X, Y]; adapters: of peft for a model that has none yet, or None."""

    loss: str
    table: Array
    temperature: float
    reference: Array
    adapters: Any = None


def train_stage(
    bandit: Bandit,
    network: Any,
    stage: Stage,
    arguments: Mapping[str, Any],
    record: Callable[[int], None],
) -> Any:
    """Train the network and return it, with its adapters if it has any.

    arguments: of the trainer; record: called after each update with its number.  Raises ModelError
    for a tokenizer without pad token, and for adapters whose reference is not the network itself.
    """
    require_pad(bandit.tokenizer)
    make = _dpo if stage.loss == "dpo" else _kto
    continued = hasattr(network, "peft_config")
    trainer = silent(make(bandit, network, stage, arguments))
    trainer.add_callback(_counting(record))
    if continued:  # else adapters are new, and their reference is the network
        kept = bandit.log_laws(trainer.model)
        require_reference(reference_laws(trainer, bandit), kept, "the stage")
    trainer.train()
    return trainer.model


def _common(bandit: Bandit, network: Any, stage: Stage) -> dict[str, Any]:
    return {
        "model": network, "processing_class": bandit.tokenizer, "peft_config": stage.adapters,
    }  # fmt: skip


def _dpo(bandit: Bandit, network: Any, stage: Stage, arguments: Mapping[str, Any]) -> Any:
    prompts, responses = stage.table.shape
    triples = [(x, y, z) for x in range(prompts) for y, z in combinations(range(responses), 2)]
    tokens = bandit.prompts[:, 0].tolist()
    pairs = [TokenPair((tokens[x],), (y,), (z,), at, 0) for at, (x, y, z) in enumerate(triples)]
    better, worse = at_pairs(stage.table, triples)
    reference = Examined(at_pairs(stage.reference, triples), np.zeros((2, len(pairs), 1)))
    rows = labelled(pairs, expit(better - worse), reference)
    return SoftLabelDPOTrainer(
        **_common(bandit, network, stage), train_dataset=rows,
        data_collator=SoftLabelCollator(pad_token_id=bandit.tokenizer.pad_token_id),
        args=DPOConfig(
            beta=stage.temperature, per_device_train_batch_size=len(rows), max_length=None,
            precompute_ref_log_probs=True, **arguments,
        ),
    )  # fmt: skip


class TokenKTOTrainer(KTOTrainer):  # type: ignore[misc]
    """TRL's, for rows of tokens with the reference's log-probabilities."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


def _kto(bandit: Bandit, network: Any, stage: Stage, arguments: Mapping[str, Any]) -> Any:
    rows = _kto_rows(bandit, stage)
    return TokenKTOTrainer(
        **_common(bandit, network, stage), train_dataset=Dataset.from_list(rows),
        data_collator=DataCollatorForUnpairedPreference(
            pad_token_id=bandit.tokenizer.pad_token_id
        ),
        args=KTOConfig(
            beta=stage.temperature, per_device_train_batch_size=len(rows), max_length=None,
            precompute_ref_log_probs=True, train_sampling_strategy="sequential", **arguments,
        ),
    )  # fmt: skip


def _kto_rows(bandit: Bandit, stage: Stage) -> list[dict[str, Any]]:
    """Each response, desirable as often as it wins against the others."""
    tokens, table = bandit.prompts[:, 0].tolist(), stage.table
    wins = expit(table[:, :, None] - table[:, None, :]).mean(axis=2)
    rows: list[dict[str, Any]] = []
    for (x, y), share in np.ndenumerate(wins):
        desired = int(np.clip(np.rint(_COUNTS * share), 1, _COUNTS - 1))
        for at in range(_COUNTS):
            row: dict[str, Any] = {"prompt_ids": [tokens[x]], "completion_ids": [y]}
            rows.append({**row, "label": at < desired, "ref_logps": float(stage.reference[x, y])})
    # as TRL has it: the divergence is estimated on responses to the row before
    for row, before in zip(rows, [rows[-1], *rows[:-1]], strict=True):
        x, (y,) = tokens.index(row["prompt_ids"][0]), before["completion_ids"]
        row["KL_completion_ids"] = [y]
        row["ref_KL_logps"] = float(stage.reference[x, y])
    return rows


def _counting(record: Callable[[int], None]) -> Any:
    from transformers import TrainerCallback

    class Counting(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            record(state.global_step)

    return Counting()
