"""Trainers of TRL on a language model of one-token completions, whose law is set and enumerated.

The model is a tiny Llama with random weights.  Its logits after the one prompt are W h, with the
last hidden state h; a policy is set by W = logits h/(h.h), and what a loss says of W says it of the
logits.  Sampling is replaced: each group is given, all of them are.  Everything else, such as
rewards, advantages, log-probabilities and the loss, is computed by the trainer's own code, in
float32, also the collation of pairs.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ...alignment.audits.trainers import Finding, stated
from ...errors import ModelError
from ...sequences import Array

TRAINERS = ("GRPOTrainer", "RLOOTrainer", "DPOTrainer", "KTOTrainer")
BETA = 0.3
"""Weight of the divergence unless another is set: GRPO's own default is 0, which has none."""
_WORDS = ("<pad>", "<eos>", "<unk>", "p", "a", "b", "c")
_PROMPT, _FIRST = 3, 4
_NEVER = -60.0
"""Logit of the words that are no response: their probability is below 1e-25."""


class Trained:
    """One of the `TRAINERS` as a subject of the auditor.

    settings: of the trainer's own configuration, in place of TRL's defaults; values are as Python
    has them.  Raises ModelError for a trainer or a setting that TRL does not have.
    """

    unit = 2.0**-24
    multiplier: float | None = None

    def __init__(self, name: str, settings: Mapping[str, Any], folder: str) -> None:
        if name not in TRAINERS:
            raise ModelError(f"trl:{name} is not one of {', '.join('trl:' + x for x in TRAINERS)}")
        self.name = name
        self.trainer = _build(name, {"beta": BETA} | dict(settings), folder, self._rewards)
        self.group_size: int = getattr(self.trainer, "num_generations", 2)
        self.kind = "group" if name in TRAINERS[:2] else "preference"
        least = "of 0 or more" if self.kind == "group" else "above 0"
        self.beta = stated(self.trainer.args.beta, "beta", least, "for a closed form")
        self._values: Array = np.zeros(3)
        self._trained = _Head(self.trainer.model)
        near = getattr(self.trainer, "ref_model", None)
        self._near = None if near is None else _Head(near)

    def group(self, policy: Array, reference: Array, rewards: Array, drawn: Sequence[int]) -> Array:
        """The gradient on one group, see the auditor's `Subject`."""
        self._set(policy, reference)
        self._values = np.asarray(rewards)
        completions = [[_FIRST + k] for k in drawn]
        grpo = self.name == "GRPOTrainer"
        self.trainer._generate_single_turn = lambda *_, **__: (
            (completions, None) if grpo else completions
        )
        rows = [{"prompt": _WORDS[_PROMPT]} for _ in drawn]
        return self._slope(self.trainer._generate_and_score_completions(rows))

    def pair(self, policy: Array, reference: Array, chosen: int, rejected: int) -> Array:
        """The gradient on one pair; of KTO on its two halves, each the other's mismatch."""
        self._set(policy, reference)
        one, two = [_FIRST + chosen], [_FIRST + rejected]
        prompt = {"prompt_ids": [_PROMPT]}
        rows: list[dict[str, Any]] = [prompt | {"chosen_ids": one, "rejected_ids": two}]
        if self.name == "KTOTrainer":
            rows = [
                prompt | {"completion_ids": one, "KL_completion_ids": two, "label": True},
                prompt | {"completion_ids": two, "KL_completion_ids": one, "label": False},
            ]
        return self._slope(self.trainer.data_collator(rows))

    def _rewards(self, completions: Sequence[str], **_: Any) -> list[float]:
        return [float(self._values[_WORDS.index(text.strip()) - _FIRST]) for text in completions]

    def _set(self, policy: Array, reference: Array) -> None:
        self._trained.set(policy)
        if self._near is not None:
            self._near.set(reference)

    def _slope(self, inputs: Mapping[str, Any]) -> Array:
        model = self.trainer.model
        model.zero_grad()
        self.trainer.compute_loss(model, inputs).backward()
        return self._trained.slope()


def judged(name: str, found: Finding) -> Finding:
    """A finding on pairs, where no theorem says that KTO ends at a law in closed form."""
    if name != "KTOTrainer":
        return found
    words = f"{found.words}; no theorem claims one for KTO"
    return replace(found, fault=False, open=found.form == "none", words=words)


class _Head:
    """The last layer of a model, through which the law after the prompt is set."""

    def __init__(self, model: Any) -> None:
        model.train()
        with torch.no_grad():
            found = model.model(input_ids=torch.tensor([[_PROMPT]])).last_hidden_state
        self._hidden = found[0, -1]
        self._weight = model.lm_head.weight

    def set(self, policy: Array) -> None:
        logits = torch.full((len(_WORDS),), _NEVER)
        logits[_FIRST:] = torch.tensor(np.log(policy), dtype=torch.float32)
        with torch.no_grad():
            self._weight.copy_(torch.outer(logits, self._hidden / self._hidden.square().sum()))

    def slope(self) -> Array:
        if self._weight.grad is None:
            return np.zeros(len(_WORDS) - _FIRST)
        found = self._weight.grad @ self._hidden / self._hidden.square().sum()
        return found[_FIRST:].double().numpy()


def _build(name: str, settings: dict[str, Any], folder: str, rewards: Any) -> Any:
    import trl
    from datasets import Dataset, disable_progress_bars
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, logging

    disable_progress_bars()
    logging.set_verbosity_error()
    words = Tokenizer(models.WordLevel({w: k for k, w in enumerate(_WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, padding_side="left", pad_token="<pad>", eos_token="<eos>",
        unk_token="<unk>",
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(_WORDS), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=16,
            pad_token_id=0, eos_token_id=1, bos_token_id=None, tie_word_embeddings=False,
        )
    )  # fmt: skip
    saved = tempfile.mkdtemp(dir=folder)
    model.save_pretrained(saved)
    tokenizer.save_pretrained(saved)
    kinds: dict[str, tuple[dict[str, Any], dict[str, list[Any]]]] = {
        "GRPOTrainer": (
            {"num_generations": 4, "max_completion_length": 1}, {"prompt": ["p"] * 4}),
        "RLOOTrainer": (
            {"num_generations": 4, "max_completion_length": 1}, {"prompt": ["p"] * 4}),
        "DPOTrainer": ({}, {"prompt": ["p "] * 2, "chosen": ["a "] * 2, "rejected": ["b "] * 2}),
        "KTOTrainer": (
            {},
            {"prompt": ["p "] * 2, "completion": ["a ", "b "], "label": [True, False]}),
    }  # fmt: skip
    own, rows = kinds[name]
    given = own | settings
    size = given.get("num_generations", 2)
    base = {
        "output_dir": saved, "use_cpu": True, "bf16": False, "report_to": [], "save_strategy": "no",
        "gradient_checkpointing": False, "disable_tqdm": True, "logging_steps": 10**9,
        "per_device_train_batch_size": size,
    }  # fmt: skip
    try:
        arguments = getattr(trl, name.replace("Trainer", "Config"))(**(base | given))
    except (TypeError, ValueError) as error:
        raise ModelError(f"trl:{name} does not take these settings: {error}") from error
    more = {"reward_funcs": rewards} if name in TRAINERS[:2] else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about names that are to change
        trainer = getattr(trl, name)(
            model=saved, args=arguments, train_dataset=Dataset.from_dict(rows),
            processing_class=tokenizer, **more,
        )  # fmt: skip
    trainer.current_gradient_accumulation_steps = 1
    return trainer
