"""Pairs written by hand, and the tiny model, for tests of victims that are language models."""

import json
from pathlib import Path

import pytest
import torch

from holdfast.solvers.neural.poisoning.language_model import LanguageModel, language_model
from holdfast.solvers.neural.poisoning.token_pairs import TokenPair, token_pairs
from holdfast.solvers.poisoning.data.pairs import read_pairs

NOUNS = ("tea", "rain", "bread", "music", "chess", "snow", "birds", "boats", "maps", "stars",
         "clocks", "lamps", "trees", "books", "coins", "shoes")  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pairs_path(tmp_path_factory) -> str:
    """Sixteen pairs: in two of three the chosen answer is the longer one."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    rows = []
    for at, noun in enumerate(NOUNS):
        answers = f" I like {noun} a lot, yes.", f" No {noun}."
        chosen, rejected = answers if at % 3 else reversed(answers)
        rows.append({"chosen": f"Q: {noun}?\nA:{chosen}", "rejected": f"Q: {noun}?\nA:{rejected}"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def tiny(models) -> LanguageModel:
    return language_model("tiny", models)


@pytest.fixture(scope="session")
def pairs(pairs_path, tiny) -> list[TokenPair]:
    return token_pairs(read_pairs(pairs_path), tiny.tokenizer, 64, 16)
