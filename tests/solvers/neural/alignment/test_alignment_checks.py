"""What would silently train another algorithm is refused, and what is meant is let through."""

import copy

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from holdfast.solvers.alignment.rectified import check_safe
from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.alignment.bandits import Bandit, fresh_bandit, tables
from holdfast.solvers.neural.alignment.checks import (
    reference_laws,
    require_adapters,
    require_columns,
    require_multiplier,
    require_pad,
    require_reference,
    require_saved,
)
from holdfast.solvers.neural.alignment.grouped.hipo import HipoOptions
from holdfast.solvers.neural.alignment.grouped.inference_aware import InferenceAwareOptions
from holdfast.solvers.neural.alignment.sacpo import SacpoOptions

PROMPTS = {"prompt": ["w1", "w2"], "chosen": ["w1", "w2"], "rejected": ["w2", "w1"]}


@pytest.fixture(scope="module")
def bandit() -> Bandit:
    return fresh_bandit(2, 4, seed=0)


def _adapted(bandit: Bandit):
    """The model with adapters that are no longer those of the start."""
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(
        copy.deepcopy(bandit.network), LoraConfig(r=2, target_modules="all-linear")
    )
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.fill_(0.1)
    return adapted


def _trainer(bandit: Bandit, folder, model, **given):
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    arguments = DPOConfig(
        output_dir=str(folder), report_to=[], use_cpu=True, bf16=False, save_strategy="no"
    )
    return DPOTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_dict(PROMPTS),
        processing_class=bandit.tokenizer, **given,
    )  # fmt: skip


def test_every_prompt_has_a_safe_and_an_unsafe_response() -> None:
    for seed in range(20):
        _, safety = tables(seed, 3, 5)
        assert (safety.max(axis=1) == 1).all()
        assert (safety.min(axis=1) == -1).all()


def test_adapters_of_the_stage_before_are_the_reference(bandit, tmp_path) -> None:
    """TRL copies them; new adapters on top of the base would make the base the reference."""
    adapted = _adapted(bandit)
    stage = bandit.log_laws(adapted)
    trainer = _trainer(bandit, tmp_path, adapted)
    require_reference(reference_laws(trainer, bandit), stage, "stage 2")
    assert np.allclose(bandit.log_laws(trainer.model), stage)


def test_new_adapters_would_silently_reset_the_reference(bandit, tmp_path) -> None:
    from peft import LoraConfig

    stage = bandit.log_laws(_adapted(bandit))
    fresh = LoraConfig(r=2, target_modules="all-linear")
    trainer = _trainer(bandit, tmp_path, copy.deepcopy(bandit.network), peft_config=fresh)
    with pytest.raises(ModelError, match="another policy than the one it should be"):
        require_reference(reference_laws(trainer, bandit), stage, "stage 2")


def test_another_copy_as_reference_is_refused(bandit, tmp_path) -> None:
    policy = copy.deepcopy(bandit.network)
    trainer = _trainer(bandit, tmp_path, policy, ref_model=fresh_bandit(2, 4, seed=1).network)
    with pytest.raises(ModelError, match=r"differ by up to"):
        require_reference(reference_laws(trainer, bandit), bandit.log_laws(), "stage 2")


def test_a_model_that_cannot_be_reloaded_is_refused(bandit, tmp_path) -> None:
    with pytest.raises(ModelError, match="could not reload its reference"):
        require_saved(bandit)
    folder = bandit.save(tmp_path / "saved")
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    again = Bandit(loaded, bandit.tokenizer, bandit.prompts)
    require_saved(again)
    with torch.no_grad():
        again.network.lm_head.weight.mul_(2)
    with pytest.raises(ModelError, match="a trainer that reloads"):
        require_saved(again)


def test_what_the_second_stage_needs(bandit) -> None:
    with pytest.raises(ModelError, match="there is no second stage"):
        require_multiplier(0.0)
    with pytest.raises(ModelError, match="its model has none"):
        require_adapters(bandit.network)
    require_adapters(_adapted(bandit))


def test_missing_columns_and_pad_tokens_are_named(bandit) -> None:
    with pytest.raises(ModelError, match="lacks the column safer, prompt; it has chosen"):
        require_columns(["chosen"], ["safer", "chosen", "prompt"], "pairs.jsonl")
    tokenizer = copy.deepcopy(bandit.tokenizer)
    tokenizer.pad_token = None
    with pytest.raises(ModelError, match="no pad token"):
        require_pad(tokenizer)
    require_pad(bandit.tokenizer)


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (SacpoOptions, {"multiplier": 0.0}, "no second stage"),
        (SacpoOptions, {"then": "ipo"}, "give one of dpo, kto"),
        (HipoOptions, {"threshold": 0.9}, "no response meets it"),
        (HipoOptions, {"prompts": 3, "groups": 33}, "the instance has 2, 3 and 0"),
        (InferenceAwareOptions, {"group": 4, "draws": 4}, "must be above draws"),
        (InferenceAwareOptions, {"group": 1}, "must be at least 2"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, given, message) -> None:
    with pytest.raises(ModelError, match=message):
        options(**given)


def test_a_prompt_without_a_safe_response_is_refused() -> None:
    with pytest.raises(ModelError, match="prompt 1 has no safe response"):
        check_safe(np.array([[0.0, -1.0], [-0.5, -1.0]]))
