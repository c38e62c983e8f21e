"""Questions with a verifiable answer, as a few-shot plain completion, and a model's chance at them.

A completion is an attempt: it ends at the first line break, or with its tokens.  It is right if the
text before the break is the answer.  One attempt that fails is tried again: T counts the tokens of
all attempts up to the first right one, so that E T = (mean tokens of an attempt)/p.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ...errors import ModelError

GENERATED = "reasoning-gym"
_BASE = ("smollm2", "tiny")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer, and the prompt in which it is asked."""

    text: str
    answer: str
    prompt: str


def questions(data: str, number: int, *, shots: int, digits: int, seed: int) -> list[Question]:
    """Distinct questions after `shots` examples, the same ones for all.

    data: "reasoning-gym" for sums of two terms of `digits` digits, or a file of JSON lines with
    "question" and "answer".  Raises ModelError for a file that is missing or has too few lines.
    """
    wanted = shots + number
    pairs = _generated(wanted, digits, seed) if data == GENERATED else _read(Path(data))
    pairs = list(dict.fromkeys(pairs))[:wanted]
    if len(pairs) < wanted:
        raise ModelError(
            f"{data} has {len(pairs)} different questions; {shots} examples and {number} questions "
            "are wanted: give fewer, or more lines"
        )
    head = "".join(f"{text} {answer}\n" for text, answer in pairs[:shots])
    return [Question(text, answer, head + text) for text, answer in pairs[shots:]]


def _generated(wanted: int, digits: int, seed: int) -> list[tuple[str, str]]:
    import reasoning_gym  # type: ignore[import-untyped]

    made = reasoning_gym.create_dataset(
        "basic_arithmetic", seed=seed, size=8 * wanted, min_terms=2, max_terms=2,
        min_digits=digits, max_digits=digits, operators=["+"], allow_parentheses=False,
        allow_negation=False,
    )  # fmt: skip
    return [(f"{one['metadata']['expression']} =", one["answer"]) for one in made]


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [(str(row["question"]), str(row["answer"])) for row in rows]
    except OSError as error:
        raise ModelError(f"dataset = {str(path)!r} cannot be read ({error})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"dataset = {str(path)!r} is not a file of JSON lines with question and answer "
            f"({error!r}); write such as {{'question': '2 + 3 =', 'answer': '5'}}, in double quotes"
        ) from error


def is_right(completion: str, answer: str) -> bool:
    """The verifier: the first line is the answer, and is ended."""
    line, end, _ = completion.partition("\n")
    return bool(end) and line.strip() == answer


@dataclass(frozen=True)
class Asked:
    """A causal language model with its tokenizer, as it is asked questions."""

    network: Any
    tokenizer: Any

    @cached_property
    def breaks(self) -> list[int]:
        """Tokens that hold a line break, each of which ends an attempt."""
        texts = self.tokenizer.batch_decode([[k] for k in range(len(self.tokenizer))])
        return [k for k, text in enumerate(texts) if "\n" in text]

    def tokens(self, question: Question) -> list[int]:
        """Of the answer, with a space before it, without the line break."""
        found: list[int] = self.tokenizer(f" {question.answer}", add_special_tokens=False)[
            "input_ids"
        ]
        return found

    def solved_after(self, question: Question) -> int:
        """Tokens of a right attempt."""
        return len(self.tokens(question)) + 1

    @torch.no_grad()
    def chance(self, question: Question) -> float:
        """Probability that an attempt is right, by its tokens one after the other.

        Of the answer's own tokens; other spellings that the verifier would take are left out.
        """
        prompt = self.tokenizer(question.prompt, add_special_tokens=False)["input_ids"]
        answer = self.tokens(question)
        ids = torch.tensor([prompt + answer], device=self.network.device)
        self.network.eval()
        logits = self.network(input_ids=ids).logits[0, len(prompt) - 1 :]
        laws = torch.log_softmax(logits.double(), dim=-1)
        own = laws[range(len(answer)), answer].sum()
        return float((own + laws[-1, self.breaks].logsumexp(dim=0)).exp())


def load_asked(model: str, bf16: bool) -> Asked:
    """One of the models of holdfast, a folder as save_pretrained writes it, or a name that
    transformers finds on this machine.

    Raises ModelError for a model that is not there.
    """
    from ..poisoning.language_model import language_model, load_saved

    place = str(language_model(model).folder) if model in _BASE else model
    dtype = torch.bfloat16 if bf16 else torch.float32
    network, tokenizer = load_saved(place, dtype, f"{', '.join(_BASE)}, ")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return Asked(network, tokenizer)


def share_right(completions: Sequence[str], answer: str) -> float:
    """Of attempts."""
    return sum(is_right(one, answer) for one in completions) / len(completions)
