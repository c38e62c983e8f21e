"""TRL's trainer of direct preference optimisation, with a label theta in [0, 1] a pair.

The loss of a pair is

    theta l(chosen, rejected) + (1 - theta) l(rejected, chosen),    l = softplus(-margin),

and since softplus(x) = softplus(-x) + x it is TRL's own loss plus (1 - theta) margin.  Rows are
turned so that theta is at least a half: at theta = 1, and at theta = 0 as rows swapped, the added
term vanishes and the loss is TRL's own, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from trl.trainer.dpo_trainer import DataCollatorForPreference, DPOTrainer

from ...sequences import Array
from .token_pairs import Examined, TokenPair

_DOUBT = "doubt"


@dataclass
class SoftLabelCollator(DataCollatorForPreference):  # type: ignore[misc]
    """TRL's, which also hands on the doubt 1 - theta of each row (b), float32."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """TRL's batch of the examples, with their doubts [b]."""
        batch: dict[str, Any] = super().torch_call(examples)
        doubts = [example[_DOUBT] for example in examples]
        return {**batch, _DOUBT: torch.tensor(doubts, dtype=torch.float32)}


class SoftLabelDPOTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's, for rows of `labelled`: tokens, reference log-probabilities and doubts."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        inputs = dict(inputs)
        doubts = inputs.pop(_DOUBT)
        seen: list[torch.Tensor] = []

        def watched(**arguments: Any) -> Any:
            outputs = model(**arguments)
            seen.append(outputs.log_probs.sum(dim=1))
            return outputs

        assert not return_outputs, "nothing here evaluates through the trainer"
        loss = super()._compute_loss(watched, inputs, return_outputs)
        chosen, rejected = seen[0].chunk(2, dim=0)
        references = inputs["ref_chosen_logps"] - inputs["ref_rejected_logps"]
        margins = self.beta * (chosen - rejected - references)
        return loss + (doubts * margins).mean()


def labelled(pairs: Sequence[TokenPair], labels: Array, reference: Examined) -> Dataset:
    """The rows to train on: pairs whose label is below a half have their answers swapped.

    labels: theta (N); reference: of the model before training.
    """
    rows: list[dict[str, Any]] = []
    scores = reference.log_probabilities
    for at, (pair, label) in enumerate(zip(pairs, labels, strict=True)):
        row: dict[str, Any] = dict(pair.row())
        first, second = 0, 1
        if label < 0.5:
            row["chosen_ids"], row["rejected_ids"] = row["rejected_ids"], row["chosen_ids"]
            first, second = second, first
        references = {
            "ref_chosen_logps": float(np.float32(scores[first, at])),
            "ref_rejected_logps": float(np.float32(scores[second, at])),
        }
        rows.append({**row, **references, _DOUBT: float(min(label, 1 - label))})
    return Dataset.from_list(rows)
