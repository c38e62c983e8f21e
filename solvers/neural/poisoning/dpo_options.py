"""The options of one victim: which labels it learns from, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ModelError
from ..parts.training import option
from .language_model import MODELS

LABELS = ("clean", "attack", "least-cost", "rounded", "thinned")
ATTACKS = ("length", "random")
MODES = ("lora", "full")
RATES = {"lora": 5e-4, "full": 2e-5}
"""Learning rates by mode.  With less, a few dozen updates change the order of few answers; with
more, the model drifts so far from its start that nothing its features promise can hold."""
_CHOICES = {"model": tuple(MODELS), "mode": MODES, "labels": LABELS, "attack": ATTACKS}
_LEAST = {
    "pairs": 1, "held_out": 1, "tokens": 2, "features": 1, "epochs": 1, "batch": 1, "rank": 1,
    "checkpoint_every": 0,
}  # fmt: skip


@dataclass(frozen=True)
class DPOOptions:
    """One victim.

    Raises ModelError for what is not known or out of range, and for more features than leave any
    flip to be saved.
    """

    model: str = option("smollm2", f"the language model: {', '.join(MODELS)}")
    mode: str = option("lora", "lora: adapters on all projections; full: all weights")
    labels: str = option("clean", f"what it learns from: {', '.join(LABELS)}")
    attack: str = option("length", "flips of the largest gaps in length first, or drawn at random")
    rate: float = option(0.25, "share of the training pairs that the attack flips")
    features: int = option(8, "principal components of the model's last hidden states in which "
                              "least-cost labels teach what the attack teaches")  # fmt: skip
    pairs: int = option(112, "pairs to train on: the first of the file that are short enough")
    held_out: int = option(56, "pairs to compare victims on: those that follow")
    tokens: int = option(48, "most tokens of a text, the end token included")
    beta: float = option(0.1, "how hard the policy is held to the reference")
    epochs: int = option(1, "passes over the training pairs")
    batch: int = option(4, "pairs an update")
    learning_rate: float = option(0.0, "of AdamW, falling linearly to 0; 0 takes 5e-4 for lora and "
                                       "2e-5 for full")  # fmt: skip
    rank: int = option(32, "of the adapters; their scale alpha is half of it")
    dropout: float = option(0.05, "of what the adapters read")
    bf16: bool = option(False, "products in bfloat16: faster where the processor has them, with "
                               "noise in the margins of the size of 0.01")  # fmt: skip
    checkpoint_every: int = option(10, "updates between checkpoints; 0 for none")
    keep_weights: bool = option(False, "keep the adapters, or the whole model, beside the answers")
    digest: str = option("", "first 16 hexadecimal digits of the SHA-256 of the file of pairs; if "
                             "given, another file is refused")  # fmt: skip

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if (value := getattr(self, name)) not in known:
                raise ModelError(f"{name} = {value!r} is not known; give one of {', '.join(known)}")
        for name, least in _LEAST.items():
            if (value := getattr(self, name)) < least:
                raise ModelError(f"{name} = {value} is too small; give at least {least}")
        if not 0 < self.rate <= 1:
            raise ModelError(f"rate = {self.rate} is no share of the pairs; give such as 0.25")
        if not self.beta > 0 or not self.learning_rate >= 0 or not 0 <= self.dropout < 1:
            raise ModelError(
                f"beta = {self.beta}, learning_rate = {self.learning_rate}, dropout = "
                f"{self.dropout}: beta is positive, the rate is not negative, and dropout is a "
                "share below 1"
            )
        if self.features >= self.pairs:
            raise ModelError(
                f"features = {self.features} for {self.pairs} pairs: with as many features as "
                "pairs no labels but the attack's own teach the same; give fewer features"
            )

    @property
    def step_size(self) -> float:
        """The learning rate, which is that of the mode where none is given."""
        return self.learning_rate or RATES[self.mode]

    @property
    def updates(self) -> int:
        """How many there are; the last batch of a pass may be smaller."""
        return self.epochs * -(-self.pairs // self.batch)
