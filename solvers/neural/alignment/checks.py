"""What silently trains another algorithm than the one meant, refused before anything is trained.

TRL takes its reference from where the model was loaded, from a copy, or from adapters that are
switched off; each of these can be another policy than the one that a theorem is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array

if TYPE_CHECKING:
    from .bandits import Bandit

_CLOSE = 1e-5
"""How far log-probabilities of one model may be apart: TRL computes them in float32."""


def require_multiplier(multiplier: float) -> None:
    """ModelError unless the second stage has a temperature: beta / multiplier is none at 0."""
    if not multiplier > 0:
        raise ModelError(
            f"multiplier = {multiplier}: the second stage has the temperature beta / multiplier; "
            "with 0 there is no second stage and the first policy is the outcome, so leave it out"
        )


def require_pad(tokenizer: Any) -> None:
    """ModelError for a tokenizer that cannot fill rows up."""
    if tokenizer.pad_token_id is None:
        raise ModelError(
            "the tokenizer has no pad token, and rows of a batch are filled up with it; set "
            "tokenizer.pad_token, such as to tokenizer.eos_token, and save it beside the model"
        )


def require_columns(columns: Iterable[str], needed: Iterable[str], place: str) -> None:
    """ModelError that names the columns that a data set lacks, and those that it has."""
    there = list(columns)
    if missing := [name for name in needed if name not in there]:
        raise ModelError(
            f"{place} lacks the column {', '.join(missing)}; it has {', '.join(there) or 'none'}: "
            "rename what is meant"
        )


def require_reference(found: Array, wanted: Array, place: str) -> None:
    """ModelError unless two models give the same log-probabilities of responses, to 1e-5.

    found: of the reference that a trainer would use; wanted: of the policy that it should be.
    """
    off = float(np.abs(found - wanted).max())
    if not off <= _CLOSE:
        raise ModelError(
            f"the reference of {place} is another policy than the one it should be: their "
            f"log-probabilities differ by up to {off:.3g}. A trainer that is given a new "
            "peft_config, or ref_model=None, takes the base model or reloads what is on the disk; "
            "pass the frozen copy, or the very model with adapters that the stage before returned"
        )


def require_saved(bandit: Bandit) -> None:
    """ModelError unless reloading the model from where its configuration says gives this model.

    GRPO and RLOO take no reference model: they reload it.
    """
    from transformers import AutoModelForCausalLM

    place = bandit.network.config._name_or_path
    if not place or not Path(place).is_dir():
        raise ModelError(
            f"the model says it was loaded from {place!r}, where there is no folder, so that a "
            "trainer could not reload its reference; save it, and load it from there"
        )
    again = AutoModelForCausalLM.from_pretrained(
        place, dtype=bandit.network.dtype, local_files_only=True
    )
    require_reference(bandit.log_laws(again), bandit.log_laws(), f"a trainer that reloads {place}")


def require_adapters(network: Any) -> None:
    """ModelError unless the model has the adapters that the stage before trained."""
    if not hasattr(network, "peft_config"):
        raise ModelError(
            "the second stage is to train adapters, and its model has none: new ones on the base "
            "model would make the base the reference; pass the model that the first stage returned"
        )


def reference_laws(trainer: Any, bandit: Bandit) -> Array:
    """Log-probabilities [X, Y] under the reference that a trainer of TRL uses.

    It is the trainer's ``ref_model``, or else its own model with the adapter "ref", or with none.
    """
    from trl.trainer.utils import use_adapter

    if trainer.ref_model is not None:
        return bandit.log_laws(trainer.ref_model)
    with use_adapter(trainer.model, "ref" if "ref" in trainer.model.peft_config else None):
        return bandit.log_laws(trainer.model)
